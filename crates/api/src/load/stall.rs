//! What the machine itself does to whoever runs on it.

use std::time::{Duration, Instant};

/// The longest time for which one of as many busy threads as there are cores did not run, within `time`: what the system, or the host of a virtual machine, adds to any gap.
pub(super) fn longest(time: Duration) -> Duration {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(|| longest_of_thread(time))).collect();
        let longest = workers.into_iter().map(|w| w.join().expect("a clock does not panic"));
        longest.max().unwrap_or_default()
    })
}

fn longest_of_thread(time: Duration) -> Duration {
    let started = Instant::now();
    let (mut last, mut longest) = (started, Duration::ZERO);
    while last - started < time {
        let now = Instant::now();
        longest = longest.max(now - last);
        last = now;
    }
    longest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_looks_for_as_long_as_it_should() {
        let (started, time) = (Instant::now(), Duration::from_millis(20));
        let found = longest(time);
        let taken = started.elapsed();
        assert!(taken >= time && found > Duration::ZERO && found <= taken, "{found:?} of {taken:?}");
    }
}
