//! Guesses at a sequence's next tokens without a second model: what followed most often where its newest tokens stood before, in its own text or in finished
//! answers to others (SuffixDecoding; Oliaro et al., 2411.04975). The model computes all of them in one step, and those that are what it would have
//! picked are kept, so no text changes (Leviathan et al., 2211.17192, for guesses that are certain).
//!
//! How likely a guess is follows from how long the match before it is, at which share of the places it followed, and how often such guesses were
//! right in this sequence; [`worth`] decides how many are computed.

mod texts;
mod worth;

pub use texts::{Guess, Texts};
pub use worth::Times;

/// Most tokens of its own text in which a sequence looks.
const OWN: usize = 1 << 16;

/// How often guesses behind a match of 2, 4, 8, 16 tokens or more are right before anything is known of the sequence,
const PRIOR: [f64; 5] = [0.5, 0.75, 0.9, 0.95, 0.97];
/// and how many guesses it takes to outweigh that.
const WEIGHT: f64 = 4.0;
/// With every step what was learned counts less by this.
const FADING: f64 = 0.99;

/// Guesses for one sequence.
pub struct Drafts {
    most: usize,
    /// Tokens that the sequence may have.
    room: usize,
    /// Its own text; made for the first guess.
    own: Option<Texts>,
    /// What was learned of guesses from its own text, and of those from other texts.
    trust: [Trust; 2],
    /// The guesses that are being computed.
    made: Made,
}

/// Guesses from one source.
#[derive(Default)]
struct Made {
    from: usize,
    /// Tokens of the match.
    matched: usize,
    guesses: Vec<Guess>,
    /// That this and all before it are right.
    chances: Vec<f64>,
}

impl Drafts {
    /// Up to `most` at once, for a sequence of up to `room` tokens.
    pub fn new(most: usize, room: usize) -> Self {
        Self { most, room, own: None, trust: Default::default(), made: Made::default() }
    }

    /// What may come behind `tokens`, all of the sequence, at most `room` guesses, and the chance of each to be right with all before it. `past` are
    /// texts of others.
    pub fn guess(&mut self, tokens: &[u32], past: &Texts, room: usize) -> (Vec<u32>, &[f64]) {
        self.trust.iter_mut().for_each(Trust::fade);
        let most = self.most.min(room);
        self.made = Made::default();
        if most > 0 {
            let own = self.own.get_or_insert_with(|| Texts::new(self.room.min(OWN)));
            tokens[own.len()..].iter().for_each(|&token| own.push(token));
            for (from, texts) in [&*own, past].into_iter().enumerate() {
                let Some((places, matched)) = texts.find(tokens) else { continue };
                let guesses = texts.follow(places, most);
                let chances = self.trust[from].chances(matched, &guesses);
                // The source that is expected to give more.
                if chances.iter().sum::<f64>() > self.made.chances.iter().sum() {
                    self.made = Made { from, matched, guesses, chances };
                }
            }
        }
        (self.made.guesses.iter().map(|guess| guess.token).collect(), &self.made.chances)
    }

    /// Hears that of the first `computed` guesses so many were right.
    pub fn learn(&mut self, computed: usize, right: usize) {
        let Made { from, matched, guesses, .. } = &self.made;
        // What is behind a wrong guess says nothing.
        for (at, guess) in guesses.iter().enumerate().take(computed.min(right + 1)) {
            self.trust[*from].learn(matched + at, guess.share, at < right);
        }
    }
}

/// How often guesses were right, by the length of the match before them.
#[derive(Default)]
struct Trust {
    /// What their shares said, and how many were right.
    kinds: [(f64, f64); PRIOR.len()],
}

impl Trust {
    fn kind(matched: usize) -> usize {
        (matched.max(2).ilog2() as usize - 1).min(PRIOR.len() - 1)
    }

    /// That each guess and all before it are right.
    fn chances(&self, matched: usize, guesses: &[Guess]) -> Vec<f64> {
        let mut chance = 1.0;
        let next = |(at, guess): (usize, &Guess)| {
            let kind = Self::kind(matched + at);
            let (said, right) = self.kinds[kind];
            let trust = (right + WEIGHT * PRIOR[kind]) / (said + WEIGHT);
            chance *= (trust * guess.share).min(1.0);
            chance
        };
        guesses.iter().enumerate().map(next).collect()
    }

    fn learn(&mut self, matched: usize, share: f64, is_right: bool) {
        let (said, right) = &mut self.kinds[Self::kind(matched)];
        *said += share;
        *right += f64::from(u8::from(is_right));
    }

    fn fade(&mut self) {
        self.kinds.iter_mut().for_each(|(said, right)| (*said, *right) = (*said * FADING, *right * FADING));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guesses_come_from_the_source_that_is_expected_to_give_more() {
        let mut past = Texts::new(100);
        past.add(&[5, 6, 7, 1, 2, 30, 31]);
        let mut drafts = Drafts::new(7, 100);
        // Its own text has a match of two tokens, the other one of five.
        let tokens = [1, 2, 3, 5, 6, 7, 1, 2];
        assert_eq!(drafts.guess(&tokens, &past, 2).0, [30, 31]);
        assert_eq!(drafts.guess(&tokens, &Texts::new(0), 2).0, [3, 5]);
        // What was wrong again and again is no longer taken, and after a while it is tried again.
        for _ in 0..20 {
            drafts.guess(&tokens, &past, 2);
            drafts.learn(2, 0);
        }
        assert_eq!(drafts.guess(&tokens, &past, 2).0, [3, 5]);
        (0..500).for_each(|_| drop(drafts.guess(&tokens, &past, 2)));
        assert_eq!(drafts.guess(&tokens, &past, 2).0, [30, 31]);
        assert!(drafts.guess(&tokens, &past, 0).0.is_empty());
        assert!(Drafts::new(0, 100).guess(&tokens, &past, 7).0.is_empty());
    }

    #[test]
    fn chances_follow_the_length_of_the_match_and_what_was_right() {
        let guesses = [1.0, 0.5].map(|share| Guess { token: 1, share });
        let mut trust = Trust::default();
        assert_eq!(trust.chances(3, &guesses), [0.5, 0.5 * 0.75 * 0.5]);
        (0..400).for_each(|_| trust.learn(3, 1.0, true));
        assert!(trust.chances(3, &guesses)[0] > 0.99);
        (0..4000).for_each(|_| trust.learn(3, 1.0, false));
        assert!(trust.chances(3, &guesses)[0] < 0.1);
        // A guess of half the places that is right half the time is trusted fully, and never more than that.
        (0..4000).for_each(|at| trust.learn(4, 0.5, at % 2 == 0));
        let [first, _] = trust.chances(4, &guesses)[..] else { panic!("two chances for two guesses") };
        assert!((0.98..=1.0).contains(&first), "{first}");
    }
}
