//! Guesses at a sequence's next tokens from its own text, without a second model: what followed the last time that its newest tokens stood there
//! (prompt lookup; Saxena 2023). The model computes all of them in one step, and those that are what it would have picked are kept, so no text changes
//! (Leviathan et al., 2211.17192, for guesses that are certain).

/// Newest tokens that must have stood together before, the longest match first.
const MATCHES: [usize; 3] = [4, 3, 2];

/// Longest pause after guesses that were all wrong, in steps.
const PAUSE: usize = 32;

/// Guesses for one sequence. How many adapts: twice as many where all were right, fewer where some were not; and where all are wrong again and again there
/// are pauses, so that a text which does not repeat itself costs next to nothing.
pub struct Drafts {
    most: usize,
    now: usize,
    /// Steps that the last pause took, and that this one still takes.
    pause: usize,
    wait: usize,
}

impl Drafts {
    /// Up to `most` at once.
    pub fn new(most: usize) -> Self {
        Self { most, now: most.min(2), pause: 0, wait: 0 }
    }

    /// What may come behind `tokens`: at most `room` guesses.
    pub fn guess(&mut self, tokens: &[u32], room: usize) -> Vec<u32> {
        let count = self.now.min(room);
        if count == 0 || self.wait > 0 {
            self.wait = self.wait.saturating_sub(1);
            return Vec::new();
        }
        let follows = |len: usize| {
            let (earlier, newest) = tokens.split_at(tokens.len().checked_sub(len)?);
            // The newest occurrence that something follows; it may overlap the end.
            let at = (0..earlier.len()).rev().find(|&at| &tokens[at..at + len] == newest)?;
            Some(tokens[at + len..].iter().copied().take(count).collect())
        };
        MATCHES.into_iter().find_map(follows).unwrap_or_default()
    }

    /// Hears that of `guessed` tokens so many were right.
    pub fn learn(&mut self, guessed: usize, right: usize) {
        if guessed == 0 {
            return;
        }
        self.now = if right == guessed { (2 * self.now).min(self.most) } else { right.clamp(1, self.most) };
        self.pause = if right == 0 { (2 * self.pause).clamp(1, PAUSE) } else { 0 };
        self.wait = self.pause;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_followed_before_is_guessed() {
        let mut drafts = Drafts { now: 3, ..Drafts::new(7) };
        assert_eq!(drafts.guess(&[1, 2, 3, 4, 5, 9, 1, 2], 7), [3, 4, 5]);
        assert_eq!(drafts.guess(&[1, 2, 3, 4, 5, 9, 1, 2], 1), [3]);
        // The newest of several, and the longest match before a newer short one.
        assert_eq!(drafts.guess(&[1, 2, 3, 1, 2, 4, 1, 2], 1), [4]);
        assert_eq!(drafts.guess(&[7, 1, 2, 3, 8, 1, 2, 4, 7, 1, 2], 1), [3]);
        // A text that repeats itself overlaps its own end.
        assert_eq!(drafts.guess(&[5, 5, 5], 7), [5]);
        for unknown in [&[1, 2, 3][..], &[1], &[]] {
            assert!(drafts.guess(unknown, 7).is_empty());
        }
        assert!(Drafts::new(0).guess(&[1, 2, 1, 2], 7).is_empty());
    }

    #[test]
    fn right_guesses_make_more_and_wrong_ones_fewer() {
        let mut drafts = Drafts::new(7);
        drafts.learn(2, 2);
        assert_eq!(drafts.now, 4);
        drafts.learn(4, 4);
        assert_eq!(drafts.now, 7);
        drafts.learn(7, 3);
        assert_eq!(drafts.now, 3);
        let tokens = [1, 2, 3, 1, 2];
        for pause in [1, 2, 4] {
            drafts.learn(3, 0);
            assert_eq!(drafts.now, 1);
            assert!((0..pause).all(|_| drafts.guess(&tokens, 7).is_empty()), "{pause}");
            assert_eq!(drafts.guess(&tokens, 7), [3]);
        }
        drafts.learn(1, 1);
        drafts.learn(0, 0);
        assert_eq!(drafts.guess(&tokens, 7), [3, 1]);
    }
}
