//! Threads for all kernels of the process.
//!
//! The devices of one process call kernels at the same time, each from a thread of XLA. So a call works on its own
//! thread and asks for `cores / ranks - 1` more: together the ranks never run more threads than there are cores, and
//! with as many ranks as cores nothing is handed over at all. Kernels cut the *output* into pieces by sizes alone and
//! never split a sum, so which thread computes a piece, and how many there are, does not change a bit of the result.

mod helper;

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};
use std::thread::available_parallelism;

use helper::{Claim, Helper};

/// How many threads a kernel call may use, and the helpers it takes them from.
pub struct Threads {
    width: usize,
    helpers: Vec<Helper>,
}

impl Threads {
    /// Threads for calls of `width` threads each, of which `callers` run at once.
    ///
    /// Where the system refuses to start threads, calls run on their own.
    pub fn new(width: usize, callers: usize) -> Self {
        let count = width.saturating_sub(1) * callers.max(1);
        let helpers: Vec<Helper> = (0..count).map_while(|i| Helper::start(format!("kernel-{i}"))).collect();
        Self { width: if helpers.is_empty() { 1 } else { width }, helpers }
    }

    /// Shares the cores of this machine between `ranks` devices of this process.
    pub fn for_ranks(ranks: usize) -> Self {
        let cores = available_parallelism().map_or(1, usize::from);
        Self::new((cores / ranks.max(1)).max(1), ranks)
    }

    /// Sets the number of devices of this process that share the cores, for all custom calls. Calls that are running
    /// finish on the threads they have. Until it is called, one device has all cores.
    pub fn set(ranks: usize) {
        let threads = Arc::new(Self::for_ranks(ranks));
        *process().write().unwrap_or_else(PoisonError::into_inner) = threads;
    }

    /// The threads that custom calls use now.
    pub fn current() -> Arc<Self> {
        process().read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Threads of one call.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Runs `work` once for every task, in their order as threads become free. Each thread makes its own `space`.
    pub(crate) fn run<T: Send, S>(
        &self,
        tasks: Vec<T>,
        space: impl Fn() -> S + Sync,
        work: impl Fn(&mut S, T) + Sync,
    ) {
        let width = self.width.min(tasks.len());
        let queue = Mutex::new(tasks.into_iter());
        // The lock is held for the `next` alone, which cannot panic.
        let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
        let worker = || {
            let Some(mut task) = next() else { return };
            let mut space = space();
            loop {
                work(&mut space, task);
                match next() {
                    Some(t) => task = t,
                    None => return,
                }
            }
        };
        self.together(width, &worker);
    }

    /// Runs `work` once for every number below `count`, of which a thread takes `grain` at once. Each thread has a share of numbers that lie one behind another,
    /// and takes those of others when its own are done: so what a number stands for is read in the order in which it lies, and nothing is locked or freed that another thread made. Each
    /// thread makes its own `space`.
    pub(crate) fn each<S>(
        &self,
        count: usize,
        grain: usize,
        space: impl Fn() -> S + Sync,
        work: impl Fn(&mut S, usize) + Sync,
    ) {
        let takes = count.div_ceil(grain);
        let width = self.width.min(takes).max(1);
        let start = |share: usize| share * takes / width;
        let next: Vec<AtomicUsize> = (0..width).map(|share| AtomicUsize::new(start(share))).collect();
        let workers = AtomicUsize::new(0);
        let worker = || {
            let own = workers.fetch_add(1, Ordering::Relaxed);
            let mut kept = None;
            for share in (own..own + width).map(|share| share % width) {
                loop {
                    let at = next[share].fetch_add(1, Ordering::Relaxed);
                    if at >= start(share + 1) {
                        break;
                    }
                    let kept = kept.get_or_insert_with(&space);
                    (at * grain..count.min((at + 1) * grain)).for_each(|number| work(kept, number));
                }
            }
        };
        self.together(width, &worker);
    }

    /// Runs `worker` on this thread and on helpers, `width` threads together where so many are free.
    fn together(&self, width: usize, worker: &(dyn Fn() + Sync)) {
        let helpers = width.saturating_sub(1);
        let claims: Vec<Claim<'_>> = self.helpers.iter().filter_map(Helper::claim).take(helpers).collect();
        let posted: Vec<_> = claims.iter().map(|claim| claim.post(worker)).collect();
        worker();
        // All have ended before the first panic goes on.
        let panics: Vec<_> = posted.into_iter().filter_map(|posted| posted.finish()).collect();
        drop(claims);
        if let Some(panic) = panics.into_iter().next() {
            resume_unwind(panic);
        }
    }
}

fn process() -> &'static RwLock<Arc<Threads>> {
    static THREADS: OnceLock<RwLock<Arc<Threads>>> = OnceLock::new();
    THREADS.get_or_init(|| RwLock::new(Arc::new(Threads::for_ranks(1))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_task_runs_once_whatever_the_width() {
        for width in [0, 1, 2, 5] {
            let threads = Threads::new(width, 2);
            let mut out = vec![0; 100];
            threads.run(out.iter_mut().enumerate().collect(), || (), |(), (i, x)| *x += i + 1);
            assert!(out.iter().enumerate().all(|(i, &x)| x == i + 1), "width {width}");
            for (count, grain) in [0, 1, 3, 100].into_iter().flat_map(|count| [(count, 1), (count, 7)]) {
                let seen: Vec<AtomicUsize> = (0..count).map(|_| AtomicUsize::new(0)).collect();
                threads.each(
                    count,
                    grain,
                    || (),
                    |(), i| {
                        seen[i].fetch_add(1, Ordering::Relaxed);
                    },
                );
                assert!(
                    seen.iter().all(|n| n.load(Ordering::Relaxed) == 1),
                    "{count} by {width}, {grain} at once"
                );
            }
        }
    }

    #[test]
    fn ranks_together_use_no_more_threads_than_cores() {
        let cores = available_parallelism().map_or(1, usize::from);
        for ranks in 1..=2 * cores {
            let threads = Threads::for_ranks(ranks);
            let helpers = threads.helpers.len();
            assert!(ranks + helpers <= cores.max(ranks), "{ranks} ranks, {helpers} helpers, {cores} cores");
        }
    }

    #[test]
    fn a_panic_of_a_task_reaches_the_caller() {
        let threads = Threads::new(2, 1);
        let run = || threads.run(vec![1, 2, 3], || (), |(), x| assert!(x != 2, "task two"));
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).is_err());
        threads.run(vec![1], || (), |(), _| {});
    }
}
