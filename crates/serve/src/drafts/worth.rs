//! How many guesses are worth their time: a step takes longer the more rows it has, so a guess must be likely enough to pay for its own. Both sides are
//! measured while the engine runs, so guesses end by themselves where many sequences decode, or where texts do not repeat themselves.

use std::time::Duration;

use crate::scheduler::{ROWS, fit};

/// What a step took is believed by so much beside what was known.
const NEWS: f64 = 0.25;

/// What is known of sizes that are not used is believed less by so much with every step, so that they are tried again some day.
const FADING: f64 = 0.999;

/// What steps take.
#[derive(Default)]
pub struct Times([Option<Taken>; ROWS.len()]);

/// Steps of one size of the ladder.
#[derive(Clone, Copy)]
struct Taken {
    /// Mean of their rows.
    rows: f64,
    /// Mean of their times; not known from the first one, whose program may have been compiled in it.
    seconds: Option<f64>,
}

impl Times {
    /// Notes a step.
    pub fn note(&mut self, rows: usize, took: Duration) {
        self.0.iter_mut().flatten().filter_map(|t| t.seconds.as_mut()).for_each(|s| *s *= FADING);
        let size = ROWS.iter().position(|&size| size == fit(&ROWS, rows)).expect("a size of the ladder");
        let took = took.as_secs_f64();
        self.0[size] = Some(match self.0[size] {
            None => Taken { rows: rows as f64, seconds: None },
            Some(Taken { seconds: None, .. }) => Taken { rows: rows as f64, seconds: Some(took) },
            Some(Taken { rows: before, seconds: Some(seconds) }) => Taken {
                rows: before + NEWS * (rows as f64 - before),
                // A step that was disturbed says little.
                seconds: Some(seconds + NEWS * (took.min(2.0 * seconds) - seconds)),
            },
        });
    }

    /// What a step of so many rows takes, as far as is known: between two sizes on the line between them, beyond the largest no more than that.
    fn expected(&self, rows: usize) -> f64 {
        let rows = rows as f64;
        let mut below = None;
        for Taken { rows: at, seconds } in self.0.iter().flatten() {
            let Some(seconds) = *seconds else { continue };
            match below {
                _ if *at <= rows => below = Some((*at, seconds)),
                None => return seconds,
                Some((from, least)) => return least + (seconds - least) * (rows - from) / (at - from),
            }
        }
        below.map_or(1.0, |known| known.1)
    }

    /// How many guesses of each sequence a step is to compute, so that it gives the most tokens a second. `chances` are those of the guesses to be right,
    /// of every sequence in order, each with all before it.
    pub fn share(&self, chances: &[Vec<f64>]) -> Vec<usize> {
        let sequences = chances.len();
        let mut all: Vec<(f64, usize)> =
            chances.iter().enumerate().flat_map(|(at, own)| own.iter().map(move |&c| (c, at))).collect();
        // Stable: a guess comes before those behind it, which are never likelier.
        all.sort_by(|a, b| b.0.total_cmp(&a.0));
        all.truncate(ROWS[ROWS.len() - 1].saturating_sub(sequences));
        let mut tokens = sequences as f64;
        let (mut best, mut rate) = (0, tokens / self.expected(sequences));
        for (guesses, (chance, _)) in (1..).zip(&all) {
            tokens += chance;
            let own = tokens / self.expected(sequences + guesses);
            if own > rate {
                (best, rate) = (guesses, own);
            }
        }
        let mut shares = vec![0; sequences];
        all[..best].iter().for_each(|guess| shares[guess.1] += 1);
        shares
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(known: &[(usize, f64)]) -> Times {
        let mut times = Times::default();
        for &(rows, seconds) in known {
            (0..2).for_each(|_| times.note(rows, Duration::from_secs_f64(seconds)));
        }
        times
    }

    #[test]
    fn what_is_not_measured_follows_from_what_is() {
        let times = times(&[(4, 2.0), (1, 1.0)]);
        let close =
            |rows, seconds: f64| assert!((times.expected(rows) / seconds - 1.0).abs() < 0.01, "{rows}");
        close(1, 1.0);
        close(2, 1.0 + 1.0 / 3.0);
        close(4, 2.0);
        close(64, 2.0);
        assert_eq!(Times::default().expected(3), 1.0);
    }

    #[test]
    fn guesses_are_made_while_they_pay() {
        let times = times(&[(1, 1.0), (2, 1.5), (4, 2.2), (8, 5.0), (16, 10.0), (32, 20.0), (64, 40.0)]);
        let share = |chances: &[Vec<f64>]| times.share(chances);
        // Likely guesses pay until a row takes as long as a whole step of few does; unlikely ones do not pay at all.
        assert_eq!(share(&[vec![1.0; 20]]), [3]);
        assert_eq!(share(&[vec![0.3; 20]]), [0]);
        assert_eq!(share(&[vec![0.9, 0.8, 0.1, 0.1]]), [2]);
        // The likelier of two sequences has more of them; many sequences have none.
        assert_eq!(share(&[vec![0.3, 0.2], vec![0.95, 0.9]]), [0, 2]);
        assert_eq!(share(&vec![vec![0.9; 3]; 16]), [0; 16]);
        assert_eq!(share(&[]), [0; 0]);
    }

    #[test]
    fn all_are_tried_where_nothing_is_known_and_the_ladder_ends() {
        assert_eq!(Times::default().share(&[vec![0.5; 100]]), [63]);
        assert_eq!(Times::default().share(&[vec![0.5; 40], vec![0.4; 40]]), [40, 22]);
    }

    #[test]
    fn a_disturbed_step_and_a_compiled_program_are_not_believed() {
        let mut times = times(&[(1, 9.0)]);
        times.0[0] = Some(Taken { rows: 1.0, seconds: None });
        times.note(1, Duration::from_secs(1));
        times.note(1, Duration::from_secs(100));
        assert!(times.expected(1) < 1.3);
    }
}
