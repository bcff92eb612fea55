//! Where the newest tokens of a sequence stood before, and what followed them there.
//!
//! The last tokens of texts lie in a ring; for every run of [`KEYS`] tokens a chain leads from its newest place to the earlier ones (as in the
//! compressors after Ziv and Lempel). The places of the longest match are what a node of a suffix tree stands for, and to follow what most of them have next is
//! to walk down that tree along its fullest branches; but a ring forgets a token in one write, where a tree would have to be cut. It takes
//! 40 bytes for each token it has room for.

/// Lengths of the runs that chains connect, shortest first.
const KEYS: [usize; 3] = [2, 4, 8];

/// Longest match that counts: places that agree further back are equally good.
const DEPTH: usize = 32;

/// Most places of a run that are looked at, the newest.
const PLACES: usize = 32;

/// Stands behind every text; no token has this number.
const END: u32 = u32::MAX;

/// The newest tokens of some texts.
pub struct Texts {
    room: usize,
    /// By place modulo `room`.
    tokens: Vec<u32>,
    /// How many places there were; a place is that of a token, and the next one is where a run ends.
    written: usize,
    chains: [Chain; KEYS.len()],
}

/// The places behind which runs of one length end.
struct Chain {
    /// By hash: the newest; 0 for none.
    newest: Vec<usize>,
    /// By place modulo room: how far back the one before it with its hash is; 0 for none.
    back: Vec<u32>,
}

/// A token that may come next.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Guess {
    /// The token.
    pub token: u32,
    /// At which share of the places it followed.
    pub share: f64,
}

impl Texts {
    /// Room for so many tokens; none are remembered where that is 0.
    pub fn new(room: usize) -> Self {
        let chain = || Chain { newest: vec![0; room.next_power_of_two()], back: vec![0; room] };
        Self { room, tokens: vec![END; room], written: 0, chains: [(); KEYS.len()].map(|()| chain()) }
    }

    /// How many tokens were taken in.
    pub fn len(&self) -> usize {
        self.written
    }

    /// Takes a whole text in.
    pub fn add(&mut self, text: &[u32]) {
        text.iter().chain([&END]).for_each(|&token| self.push(token));
    }

    /// Goes on with the newest text.
    pub fn push(&mut self, token: u32) {
        if self.room == 0 {
            return;
        }
        self.tokens[self.written % self.room] = token;
        self.written += 1;
        for (len, at) in KEYS.into_iter().zip(0..) {
            if len > self.written.min(self.room) {
                break;
            }
            let bucket = self.bucket((self.written - len..self.written).map(|p| self.tokens[p % self.room]));
            let chain = &mut self.chains[at];
            let before = std::mem::replace(&mut chain.newest[bucket], self.written);
            let back = if before == 0 { 0 } else { self.written - before };
            chain.back[self.written % self.room] = if back < self.room { back as u32 } else { 0 };
        }
    }

    fn bucket(&self, run: impl Iterator<Item = u32>) -> usize {
        let hash =
            run.fold(0u64, |h, t| (h.rotate_left(5) ^ u64::from(t)).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        (hash >> 32) as usize & (self.room.next_power_of_two() - 1)
    }

    /// The places behind the longest match with the end of `text`, the newest first, and its length.
    pub fn find(&self, text: &[u32]) -> Option<(Vec<usize>, usize)> {
        for (&len, chain) in KEYS.iter().zip(&self.chains).rev() {
            let Some(run) = text.len().checked_sub(len).map(|from| &text[from..]) else { continue };
            if self.room == 0 {
                return None;
            }
            let mut found = Vec::new();
            let mut place = chain.newest[self.bucket(run.iter().copied())];
            for _ in 0..PLACES {
                if place + self.room <= self.written || place == 0 {
                    break;
                }
                let matched = self.matched(place, text);
                // Behind the newest token nothing follows yet.
                if matched >= len && place < self.written {
                    found.push((place, matched));
                }
                let back = chain.back[place % self.room] as usize;
                if back == 0 {
                    break;
                }
                place -= back;
            }
            if let Some(longest) = found.iter().map(|f| f.1).max() {
                found.retain(|f| f.1 == longest);
                return Some((found.into_iter().map(|f| f.0).collect(), longest));
            }
        }
        None
    }

    /// How many tokens before `place` are those at the end of `text`.
    fn matched(&self, place: usize, text: &[u32]) -> usize {
        let oldest = self.written.saturating_sub(self.room);
        let before = (oldest..place).rev().map(|p| self.tokens[p % self.room]);
        before.zip(text.iter().rev()).take(DEPTH).take_while(|(a, b)| a == *b).count()
    }

    /// At most `most` tokens that may come behind these places: each time what most of those have that had all before it, of equally many
    /// the newest. A text that is not at its end goes on with the guesses.
    pub fn follow(&self, mut places: Vec<usize>, most: usize) -> Vec<Guess> {
        let mut guesses: Vec<Guess> = Vec::new();
        while guesses.len() < most {
            let next = |place: usize| match (place + guesses.len()).checked_sub(self.written) {
                None => self.tokens[(place + guesses.len()) % self.room],
                Some(beyond) => guesses[beyond].token,
            };
            let votes = |token: u32| places.iter().filter(|&&place| next(place) == token).count();
            // Of equal counts `max_by_key` takes the last.
            let tokens = places.iter().rev().map(|&place| next(place)).filter(|&token| token != END);
            let Some((token, count)) = tokens.map(|token| (token, votes(token))).max_by_key(|t| t.1) else {
                break;
            };
            let share = count as f64 / places.len() as f64;
            let kept = places.iter().copied().filter(|&place| next(place) == token).collect();
            guesses.push(Guess { token, share });
            places = kept;
        }
        guesses
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(texts: &[&[u32]]) -> Texts {
        let mut all = Texts::new(1000);
        texts.iter().for_each(|text| all.add(text));
        all
    }

    fn guessed(texts: &Texts, text: &[u32], most: usize) -> Vec<(u32, f64)> {
        let found = texts.find(text).map(|(places, _)| texts.follow(places, most));
        found.into_iter().flatten().map(|g| (g.token, g.share)).collect()
    }

    #[test]
    fn what_followed_most_often_is_guessed() {
        let texts = of(&[&[1, 2, 3, 4], &[1, 2, 3, 5], &[1, 2, 8, 9], &[1, 2, 3, 5, 6]]);
        // Four places, three of which go on with 3; of these three two with 5; of these two one with 6 and one not at all.
        assert_eq!(guessed(&texts, &[7, 1, 2], 7), [(3, 0.75), (5, 2.0 / 3.0), (6, 0.5)]);
        assert_eq!(guessed(&texts, &[7, 1, 2], 1), [(3, 0.75)]);
        // The longest match alone counts.
        assert_eq!(guessed(&texts, &[1, 2, 8], 7), [(9, 1.0)]);
        assert!([&[2, 1][..], &[1], &[]].iter().all(|text| guessed(&texts, text, 7).is_empty()));
        assert!(Texts::new(0).find(&[1, 2]).is_none());
    }

    #[test]
    fn a_text_that_repeats_itself_goes_on_beyond_its_end() {
        let mut own = Texts::new(9);
        let text = [4, 1, 2, 3, 1, 2, 3, 1, 2];
        text.iter().for_each(|&token| own.push(token));
        let found = own.find(&text).unwrap();
        assert_eq!((&found.0[..], found.1), (&[6][..], 5));
        let tokens: Vec<u32> = own.follow(found.0, 7).iter().map(|g| g.token).collect();
        assert_eq!(tokens, [3, 1, 2, 3, 1, 2, 3]);
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

        /// Against a search of all places that the ring still has.
        #[test]
        fn the_longest_match_is_found(room in 1..40usize, text in prop::collection::vec(0..3u32, 0..120)) {
            let mut texts = Texts::new(room);
            for (len, &token) in text.iter().enumerate() {
                let (past, oldest) = (&text[..len], len.saturating_sub(room));
                let matched = |place: usize| {
                    let agree = |n: &usize| past[place - n..place] == past[len - n..];
                    (0..=DEPTH.min(place - oldest)).rev().find(agree).unwrap_or(0)
                };
                let longest = (oldest..len).map(matched).max().unwrap_or(0);
                match texts.find(past) {
                    None => prop_assert!(longest < KEYS[0]),
                    Some((places, found)) => {
                        prop_assert!(places.iter().all(|&place| matched(place) == found && place < len));
                        prop_assert!(places.windows(2).all(|pair| pair[0] > pair[1]));
                        // Only the newest places of a run are looked at.
                        let runs = (oldest..len).filter(|&place| matched(place) >= KEYS[2].min(found)).count();
                        prop_assert!(found == longest || runs >= PLACES, "{found} instead of {longest}");
                    }
                }
                texts.push(token);
            }
        }
    }
}
