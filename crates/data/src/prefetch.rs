//! Batches made ahead on a thread of their own, so that a step finds them ready.

use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::{self, JoinHandle};

use crate::{Batch, BatchStream, DataError, StreamState};

type Stream = Box<dyn BatchStream>;

/// A stream that makes its next batches while the last one is used: the same ones in the same order. It stands where its user does, not where its thread
/// is, so that a state saved in between continues with the first batch that nobody took.
pub struct Prefetch {
    source: Source,
    ahead: usize,
    state: StreamState,
}

enum Source {
    Resting(Stream),
    Working(Worker),
    /// For as long as it changes hands.
    Gone,
}

/// The thread and what it has made; it ends after an error, or when nobody takes batches any more, and gives the stream back.
struct Worker {
    made: Receiver<(Result<Batch, DataError>, StreamState)>,
    thread: JoinHandle<Stream>,
}

impl Worker {
    /// Makes at most `ahead` batches that nobody has asked for.
    fn start(mut stream: Stream, ahead: usize) -> Self {
        // One more waits in the thread's hand until there is room for it.
        let (sender, made) = sync_channel(ahead - 1);
        let thread = thread::spawn(move || {
            loop {
                let batch = stream.next_batch();
                let last = batch.is_err();
                if sender.send((batch, stream.state())).is_err() || last {
                    return stream;
                }
            }
        });
        Self { made, thread }
    }

    /// Ends the thread, which finishes the batch it is at; what it has made is made again.
    fn stop(self) -> thread::Result<Stream> {
        drop(self.made);
        self.thread.join()
    }
}

impl Prefetch {
    /// `stream` with up to `ahead` of its batches made before they are asked for; as it is where that is 0.
    pub fn over(stream: Stream, ahead: usize) -> Stream {
        if ahead == 0 {
            return stream;
        }
        let state = stream.state();
        Box::new(Self { source: Source::Resting(stream), ahead, state })
    }

    fn take(&mut self) -> Source {
        std::mem::replace(&mut self.source, Source::Gone)
    }

    /// Ends the thread and sets the stream to `state`.
    fn rest(&mut self, state: &StreamState) -> Result<(), DataError> {
        let mut stream = match self.take() {
            Source::Resting(stream) => stream,
            Source::Working(worker) => worker.stop().unwrap_or_else(|panic| resume_unwind(panic)),
            Source::Gone => unreachable!("it changes hands in one call"),
        };
        let restored = stream.restore(state);
        self.source = Source::Resting(stream);
        restored
    }
}

impl BatchStream for Prefetch {
    fn next_batch(&mut self) -> Result<Batch, DataError> {
        let worker = match self.take() {
            Source::Resting(stream) => Worker::start(stream, self.ahead),
            Source::Working(worker) => worker,
            Source::Gone => unreachable!("it changes hands in one call"),
        };
        let made = worker.made.recv();
        self.source = Source::Working(worker);
        let own = self.state.clone();
        match made {
            Ok((Ok(batch), state)) => {
                self.state = state;
                Ok(batch)
            }
            Ok((Err(error), _)) => self.rest(&own).and(Err(error)),
            // Its thread ended without an error or a batch: it panicked, and so does this.
            Err(_) => self.rest(&own).map(|()| unreachable!("a thread that works ends with an error")),
        }
    }

    fn state(&self) -> StreamState {
        self.state.clone()
    }

    fn restore(&mut self, state: &StreamState) -> Result<(), DataError> {
        self.rest(state)?;
        self.state = state.clone();
        Ok(())
    }
}

impl Drop for Prefetch {
    fn drop(&mut self) {
        if let Source::Working(worker) = self.take() {
            // What it panicked with, if it did, its user has not asked for.
            let _ = worker.stop();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::{Duration, Instant};

    use super::*;
    use crate::Tokenizer;
    use crate::corpus::{CorpusConfig, CorpusStream};

    fn corpus() -> Stream {
        Box::new(CorpusStream::new(CorpusConfig::default(), Tokenizer::bytes(), 2, 128).unwrap())
    }

    /// Counts what is asked of a stream; the batch of one number fails.
    struct Counted {
        stream: Stream,
        asked: Arc<AtomicUsize>,
        fails: usize,
    }

    impl BatchStream for Counted {
        fn next_batch(&mut self) -> Result<Batch, DataError> {
            let at = self.asked.fetch_add(1, Ordering::SeqCst);
            assert!(at < 100, "the hundredth batch is one too many");
            let batch = self.stream.next_batch();
            if at == self.fails {
                Err(DataError::NoDocuments { sources: format!("batch {at}") })
            } else {
                batch
            }
        }

        fn state(&self) -> StreamState {
            self.stream.state()
        }

        fn restore(&mut self, state: &StreamState) -> Result<(), DataError> {
            self.stream.restore(state)
        }
    }

    fn counted(ahead: usize, fails: usize) -> (Stream, Arc<AtomicUsize>) {
        let asked = Arc::new(AtomicUsize::new(0));
        let stream = Box::new(Counted { stream: corpus(), asked: asked.clone(), fails });
        (Prefetch::over(stream, ahead), asked)
    }

    #[test]
    fn batches_and_states_are_those_of_the_stream_itself() {
        for ahead in [1, 2, 5] {
            let (mut plain, mut ahead) = (corpus(), Prefetch::over(corpus(), ahead));
            assert_eq!(plain.state(), ahead.state());
            for _ in 0..8 {
                assert_eq!(plain.next_batch().unwrap(), ahead.next_batch().unwrap());
                assert_eq!(plain.state(), ahead.state(), "of what was taken, not of what was made");
            }
        }
    }

    #[test]
    fn a_restored_stream_goes_on_from_there() {
        let mut stream = Prefetch::over(corpus(), 3);
        stream.next_batch().unwrap();
        let state = stream.state();
        let (second, third) = (stream.next_batch().unwrap(), stream.next_batch().unwrap());
        stream.restore(&state).unwrap();
        assert_eq!(stream.state(), state);
        assert_eq!((stream.next_batch().unwrap(), stream.next_batch().unwrap()), (second, third));
        let foreign = StreamState { seed: state.seed + 1, ..state.clone() };
        assert!(stream.restore(&foreign).is_err());
        assert_ne!(stream.state(), foreign, "a state that was refused changes nothing");
    }

    #[test]
    fn no_more_is_made_ahead_than_asked_for() {
        let (mut stream, asked) = counted(3, usize::MAX);
        stream.next_batch().unwrap();
        let started = Instant::now();
        while asked.load(Ordering::SeqCst) < 4 && started.elapsed() < Duration::from_secs(20) {
            thread::yield_now();
        }
        // Time for one too many.
        thread::sleep(Duration::from_millis(20));
        assert_eq!(asked.load(Ordering::SeqCst), 4, "one taken, three ahead");
    }

    #[test]
    fn an_error_comes_at_its_place_and_what_was_not_taken_comes_again() {
        let (mut stream, _) = counted(4, 2);
        let mut plain = corpus();
        let expected = [plain.next_batch().unwrap(), plain.next_batch().unwrap()];
        assert_eq!([stream.next_batch().unwrap(), stream.next_batch().unwrap()], expected);
        let state = stream.state();
        assert!(stream.next_batch().unwrap_err().to_string().contains("batch 2"));
        assert_eq!(stream.state(), state);
        assert_eq!(
            stream.next_batch().unwrap(),
            plain.next_batch().unwrap(),
            "asked again, it is made again"
        );
    }

    #[test]
    #[should_panic(expected = "the hundredth batch")]
    fn a_panic_of_the_thread_is_one_of_its_user() {
        let (mut stream, _) = counted(2, usize::MAX);
        (0..101).for_each(|_| drop(stream.next_batch().unwrap()));
    }
}
