//! The next token of a sample from its logits.

use std::collections::HashMap;

use collegium_core::SplitMix64;

use crate::request::{Sampling, Scored};

/// Picks the tokens of one sample. What it draws depends on its seed and its own tokens alone.
pub struct Picker {
    how: Sampling,
    random: SplitMix64,
    /// How often the sample holds a token.
    counts: HashMap<u32, u32>,
    /// Tokens of the prompt, where they matter.
    prompt: Vec<u32>,
}

impl Picker {
    /// For sample number `sample` of a request.
    pub fn new(how: &Sampling, sample: usize, prompt: &[u32]) -> Self {
        // The streams of neighbouring samples begin at numbers that have nothing to do with each other.
        let start = SplitMix64::new(how.seed).next() ^ SplitMix64::new(sample as u64).next();
        let mut seen = Vec::new();
        if how.repetition_penalty != 1.0 {
            seen = prompt.to_vec();
            seen.sort_unstable();
            seen.dedup();
        }
        Self { how: how.clone(), random: SplitMix64::new(start), counts: HashMap::new(), prompt: seen }
    }

    /// Hears that the sample got `token`.
    pub fn note(&mut self, token: u32) {
        *self.counts.entry(token).or_insert(0) += 1;
    }

    /// The next token; `logits` are changed by the penalties. Tokens at minus infinity are never picked; `None` where all are.
    pub fn pick(&mut self, logits: &mut [f32]) -> Option<u32> {
        self.penalise(logits);
        let best = greatest(logits)?;
        if self.how.temperature == 0.0 {
            return Some(best);
        }
        let ranked = self.candidates(logits, f64::from(logits[best as usize]));
        let mut left = self.random.uniform() * ranked.iter().map(|r| r.1).sum::<f64>();
        let drawn = ranked.iter().find(|r| {
            left -= r.1;
            left < 0.0
        });
        Some(drawn.map_or(best, |d| d.0))
    }

    fn penalise(&self, logits: &mut [f32]) {
        let how = &self.how;
        if how.repetition_penalty != 1.0 {
            let penalty = how.repetition_penalty as f32;
            let sampled = self.counts.keys().filter(|t| self.prompt.binary_search(t).is_err());
            for &token in self.prompt.iter().chain(sampled) {
                if let Some(l) = logits.get_mut(token as usize) {
                    *l = if *l > 0.0 { *l / penalty } else { *l * penalty };
                }
            }
        }
        if how.presence_penalty != 0.0 || how.frequency_penalty != 0.0 {
            for (&token, &count) in &self.counts {
                if let Some(l) = logits.get_mut(token as usize) {
                    *l -= (how.presence_penalty + how.frequency_penalty * f64::from(count)) as f32;
                }
            }
        }
    }

    /// Tokens to draw from with their weights, the likeliest first; the likeliest has weight 1.
    fn candidates(&self, logits: &[f32], top: f64) -> Vec<(u32, f64)> {
        let how = &self.how;
        let weight = |l: f32| ((f64::from(l) - top) / how.temperature).exp();
        let weights = logits.iter().enumerate().map(|(i, &l)| (i as u32, weight(l)));
        let mut ranked: Vec<(u32, f64)> = weights.filter(|r| r.1 > 0.0 && r.1 >= how.min_p).collect();
        // Ties go to the lower token, so that the order is one.
        let order = |a: &(u32, f64), b: &(u32, f64)| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
        if how.top_k > 0 && how.top_k < ranked.len() {
            ranked.select_nth_unstable_by(how.top_k - 1, order);
            ranked.truncate(how.top_k);
        }
        ranked.sort_unstable_by(order);
        if how.top_p < 1.0 {
            let total: f64 = ranked.iter().map(|r| r.1).sum();
            let mut kept = 0.0;
            let nucleus = ranked.iter().position(|r| {
                kept += r.1;
                kept >= how.top_p * total
            });
            ranked.truncate(nucleus.map_or(ranked.len(), |n| n + 1));
        }
        ranked
    }
}

/// The first of the largest that is above minus infinity. In two passes that the compiler makes vectors of.
fn greatest(logits: &[f32]) -> Option<u32> {
    let mut most = [f32::NEG_INFINITY; 16];
    let (chunks, rest) = logits.as_chunks::<16>();
    // What is no number is not above anything.
    for chunk in chunks {
        most.iter_mut().zip(chunk).for_each(|(most, &l)| *most = if l > *most { l } else { *most });
    }
    let largest = most.iter().chain(rest).fold(f32::NEG_INFINITY, |most, &l| if l > most { l } else { most });
    let best = logits.iter().position(|&l| l == largest)?;
    (largest > f32::NEG_INFINITY).then_some(best as u32)
}

/// How likely `token` is among all, and the `top` likeliest of the first `known` tokens: a model may have more than its tokenizer.
pub fn score(logits: &[f32], known: usize, token: u32, top: usize) -> Scored {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let total: f64 = logits.iter().map(|&l| f64::from(l - largest).exp()).sum();
    let shift = f64::from(largest) + total.ln();
    let log = |l: f32| (f64::from(l) - shift) as f32;
    let own = logits[token as usize];
    let known = &logits[..known.min(logits.len())];
    let rank = 1 + known.iter().filter(|&&l| l > own).count();
    let all = known.iter().enumerate().filter(|_| top > 0);
    let mut ranked: Vec<(u32, f32)> = all.map(|(i, &l)| (i as u32, l)).collect();
    let order = |a: &(u32, f32), b: &(u32, f32)| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
    let top = top.min(ranked.len());
    if top > 0 && top < ranked.len() {
        ranked.select_nth_unstable_by(top - 1, order);
    }
    ranked.truncate(top);
    ranked.sort_unstable_by(order);
    let top = ranked.into_iter().map(|(t, l)| (t, log(l))).collect();
    Scored { id: token, logprob: Some(log(own)), rank, top }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shares(how: Sampling, logits: &[f32]) -> Vec<f64> {
        let mut picker = Picker::new(&Sampling { temperature: 1.0, ..how }, 0, &[0]);
        let mut counts = vec![0.0; logits.len()];
        (0..4000).for_each(|_| counts[picker.pick(&mut logits.to_vec()).unwrap() as usize] += 1.0 / 4000.0);
        counts
    }

    #[test]
    fn every_filter_leaves_the_shares_of_the_rest() {
        let logits: Vec<f32> = [0.1f32, 0.2, 0.3, 0.4].iter().map(|p| p.ln()).collect();
        let d = Sampling::default;
        for (how, right) in [
            (d(), [0.1, 0.2, 0.3, 0.4]),
            (Sampling { top_k: 2, ..d() }, [0.0, 0.0, 3.0 / 7.0, 4.0 / 7.0]),
            (Sampling { top_p: 0.65, ..d() }, [0.0, 0.0, 3.0 / 7.0, 4.0 / 7.0]),
            (Sampling { min_p: 0.45, ..d() }, [0.0, 2.0 / 9.0, 3.0 / 9.0, 4.0 / 9.0]),
        ] {
            let shares = shares(how.clone(), &logits);
            assert!(shares.iter().zip(right).all(|(a, b)| (a - b).abs() < 0.03), "{how:?}: {shares:?}");
        }
    }

    #[test]
    fn penalties_act_on_what_was_seen() {
        let how = Sampling { repetition_penalty: 2.0, ..Sampling::default() };
        let mut picker = Picker::new(&how, 0, &[1]);
        let mut logits = vec![-1.0, 4.0, 3.0];
        picker.note(0);
        assert_eq!(picker.pick(&mut logits), Some(2));
        assert_eq!(logits, [-2.0, 2.0, 3.0]);
        let how = Sampling { presence_penalty: 1.0, frequency_penalty: 0.5, ..Sampling::default() };
        let mut picker = Picker::new(&how, 0, &[1]);
        (0..2).for_each(|_| picker.note(2));
        let mut logits = vec![0.0, 1.5, 3.0];
        assert_eq!(picker.pick(&mut logits), Some(1));
        assert_eq!(logits, [0.0, 1.5, 1.0]);
    }

    #[test]
    fn forbidden_tokens_never_come_and_samples_differ() {
        let how = Sampling { temperature: 1.0, ..Sampling::default() };
        let draw = |sample| {
            let mut picker = Picker::new(&how, sample, &[0]);
            (0..32).map(|_| picker.pick(&mut [0.0, f32::NEG_INFINITY, 0.0]).unwrap()).collect::<Vec<_>>()
        };
        assert!(draw(0) == draw(0) && draw(0) != draw(1) && draw(0).iter().all(|&t| t != 1));
        assert_eq!(Picker::new(&how, 0, &[]).pick(&mut [f32::NEG_INFINITY; 2]), None);
    }

    #[test]
    fn log_probabilities_are_those_of_a_softmax() {
        let logits: Vec<f32> = [0.1f32, 0.6, 0.3].iter().map(|p| p.ln() + 5.0).collect();
        let Scored { logprob, rank, top, .. } = score(&logits, 3, 0, 2);
        assert!((logprob.unwrap() - 0.1f32.ln()).abs() < 1e-6 && rank == 3);
        assert!(score(&logits, 3, 1, 0).top.is_empty());
        // The third token counts as well where it is none of the tokenizer's.
        let fewer = score(&logits, 2, 0, 3);
        assert_eq!((fewer.logprob, fewer.rank, fewer.top.len()), (logprob, 2, 2));
        assert!(top[0].0 == 1 && top[1].0 == 2 && (top[0].1 - 0.6f32.ln()).abs() < 1e-6);
    }
}
