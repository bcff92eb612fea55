//! A thread that waits for work with open eyes.
//!
//! A step of serving is a chain of calls of some ten microseconds, about as long as the system takes to wake a thread. So a helper that has
//! done its part looks for the next for a while ([`WATCH`]) before it sleeps. A caller that is done before a sleeping helper has come takes
//! its work back and does not wait for it.

use std::any::Any;
use std::cell::UnsafeCell;
use std::hint::spin_loop;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::thread::{self, JoinHandle, yield_now};
use std::time::{Duration, Instant};

/// How long a helper looks for work before it sleeps: longer than what lies between two calls of a chain.
const WATCH: Duration = Duration::from_micros(100);

/// After this it lets others that wait for the core go first.
const ALONE: Duration = Duration::from_micros(30);

/// Nothing to do, and the helper looks.
const IDLE: u8 = 0;
/// Nothing to do, and the helper sleeps, or is about to.
const ASLEEP: u8 = 1;
/// Work is there, and can still be taken back.
const POSTED: u8 = 2;
/// The helper works.
const TAKEN: u8 = 3;
/// The helper ends.
const OVER: u8 = 4;

type Work = *const (dyn Fn() + Sync);
type Panic = Box<dyn Any + Send>;

/// What a caller and a helper share.
struct Desk {
    state: AtomicU8,
    /// Whether a caller has this helper.
    claimed: AtomicBool,
    /// Written by the caller before POSTED, read by the helper after TAKEN.
    work: UnsafeCell<Option<Work>>,
    /// Written by the helper before IDLE, read by the caller after it.
    panic: UnsafeCell<Option<Panic>>,
}

// SAFETY: `state` says whose turn it is to touch the cells, with release and acquire at each change, and `claimed` that one caller alone posts.
unsafe impl Sync for Desk {}
// SAFETY: the pointer is followed only while the caller that posted it waits; see `Claim::post`.
unsafe impl Send for Desk {}

/// A thread that helps one caller at a time.
pub(super) struct Helper {
    desk: Arc<Desk>,
    thread: Option<JoinHandle<()>>,
}

impl Helper {
    /// Starts the thread; `None` where the system refuses.
    pub(super) fn start(name: String) -> Option<Self> {
        let desk = Arc::new(Desk {
            state: AtomicU8::new(IDLE),
            claimed: AtomicBool::new(false),
            work: UnsafeCell::new(None),
            panic: UnsafeCell::new(None),
        });
        let own = desk.clone();
        let thread = thread::Builder::new().name(name).spawn(move || own.serve()).ok()?;
        Some(Self { desk, thread: Some(thread) })
    }

    /// This helper for one call, unless another has it.
    pub(super) fn claim(&self) -> Option<Claim<'_>> {
        let is_free = self.desk.claimed.compare_exchange(false, true, Ordering::Acquire, Ordering::Relaxed);
        is_free.ok().map(|_| Claim { helper: self })
    }

    fn wake(&self) {
        if let Some(thread) = &self.thread {
            thread.thread().unpark();
        }
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        self.desk.state.store(OVER, Ordering::Release);
        self.wake();
        if let Some(thread) = self.thread.take() {
            // Panics of work are caught, so the thread ends well.
            let _ = thread.join();
        }
    }
}

/// A helper that is one caller's.
pub(super) struct Claim<'a> {
    helper: &'a Helper,
}

impl Claim<'_> {
    /// Has the helper run `work` beside the caller, if it comes before [`Posted`] is given up.
    pub(super) fn post<'a>(&'a self, work: &'a (dyn Fn() + Sync + 'a)) -> Posted<'a> {
        let desk = &self.helper.desk;
        let work: *const (dyn Fn() + Sync + 'a) = work;
        // SAFETY: only the lifetime changes; `Posted` borrows `work` for as long as the helper may follow the pointer, and its end waits.
        let work = unsafe { std::mem::transmute::<*const (dyn Fn() + Sync + 'a), Work>(work) };
        // SAFETY: nothing is posted or taken (`Posted` saw to that), so the helper does not look at the cell.
        unsafe { *desk.work.get() = Some(work) };
        if desk.state.swap(POSTED, Ordering::AcqRel) == ASLEEP {
            self.helper.wake();
        }
        Posted { desk }
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        self.helper.desk.claimed.store(false, Ordering::Release);
    }
}

/// Work that a helper does or may do. Ends when the work is done or taken back, also while a panic of the caller passes.
pub(super) struct Posted<'a> {
    desk: &'a Desk,
}

impl Posted<'_> {
    /// Waits for the helper; what it panicked with.
    pub(super) fn finish(self) -> Option<Panic> {
        self.wait();
        // SAFETY: nothing is posted or taken any more, so the helper does not touch the cell.
        unsafe { (*self.desk.panic.get()).take() }
    }

    fn wait(&self) {
        let back = self.desk.state.compare_exchange(POSTED, IDLE, Ordering::Acquire, Ordering::Acquire);
        if back == Err(TAKEN) {
            watch(None, || self.desk.state.load(Ordering::Acquire) != TAKEN);
        }
    }
}

impl Drop for Posted<'_> {
    fn drop(&mut self) {
        self.wait();
    }
}

impl Desk {
    fn serve(&self) {
        loop {
            match self.state.load(Ordering::Acquire) {
                POSTED => self.work(),
                OVER => return,
                _ if watch(Some(WATCH), || self.state.load(Ordering::Acquire) != IDLE) => {}
                _ => self.sleep(),
            }
        }
    }

    fn work(&self) {
        if self.state.compare_exchange(POSTED, TAKEN, Ordering::AcqRel, Ordering::Relaxed).is_err() {
            return;
        }
        // SAFETY: taken, so the caller waits: what it posted lives, and it touches no cell.
        let done = unsafe { (*self.work.get()).map(|work| catch_unwind(AssertUnwindSafe(|| (*work)()))) };
        if let Some(Err(panic)) = done {
            // SAFETY: as above.
            unsafe { *self.panic.get() = Some(panic) };
        }
        self.state.store(IDLE, Ordering::Release);
    }

    /// Until there is work, or the end.
    fn sleep(&self) {
        if self.state.compare_exchange(IDLE, ASLEEP, Ordering::AcqRel, Ordering::Relaxed).is_ok() {
            while self.state.load(Ordering::Acquire) == ASLEEP {
                thread::park();
            }
        }
    }
}

/// Looks for something, at most for a while; whether it was seen.
fn watch(most: Option<Duration>, is_there: impl Fn() -> bool) -> bool {
    let mut started = None;
    loop {
        for _ in 0..32 {
            if is_there() {
                return true;
            }
            spin_loop();
        }
        let waited = started.get_or_insert_with(Instant::now).elapsed();
        if most.is_some_and(|most| waited > most) {
            return false;
        }
        if waited > ALONE {
            yield_now();
        }
    }
}
