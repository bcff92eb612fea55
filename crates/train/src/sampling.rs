//! Picks the next token from logits: greedy, or by temperature within the nucleus (top-p; Holtzman et al., 1904.09751).

use collegium_core::SplitMix64;

/// How tokens are picked; reproducible by its seed.
#[derive(Clone, Debug)]
pub struct Sampler {
    temperature: f64,
    top_p: f64,
    random: SplitMix64,
    num_tokens: usize,
}

impl Sampler {
    /// Always the likeliest token.
    pub fn greedy() -> Self {
        Self::new(0.0, 1.0, 0)
    }

    /// A token by its probability at `temperature`, among the likeliest that together have `top_p`. Temperature 0 is greedy.
    pub fn new(temperature: f64, top_p: f64, seed: u64) -> Self {
        Self { temperature, top_p, random: SplitMix64::new(seed), num_tokens: usize::MAX }
    }

    /// Only the first `num_tokens`: a model's vocabulary may be rounded up beyond its tokenizer's.
    pub fn among(self, num_tokens: usize) -> Self {
        Self { num_tokens, ..self }
    }

    /// The next token.
    pub fn pick(&mut self, logits: &[f32]) -> u32 {
        let logits = &logits[..logits.len().min(self.num_tokens)];
        let best = logits
            .iter()
            .enumerate()
            .max_by(|a, b| a.1.total_cmp(b.1).then(b.0.cmp(&a.0)))
            .map_or(0, |b| b.0);
        if self.temperature <= 0.0 {
            return best as u32;
        }
        let top = f64::from(logits[best]);
        let weight = |&l: &f32| ((f64::from(l) - top) / self.temperature).exp();
        let mut ranked: Vec<(usize, f64)> = logits.iter().map(weight).enumerate().collect();
        ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
        let total: f64 = ranked.iter().map(|r| r.1).sum();
        let mut kept = 0.0;
        let nucleus = ranked.iter().position(|r| {
            kept += r.1;
            kept >= self.top_p * total
        });
        ranked.truncate(nucleus.map_or(ranked.len(), |n| n + 1));
        let mut left = self.random.uniform() * ranked.iter().map(|r| r.1).sum::<f64>();
        let drawn = ranked.iter().find(|r| {
            left -= r.1;
            left < 0.0
        });
        drawn.map_or(best, |d| d.0) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn greedy_takes_the_first_of_the_largest() {
        assert_eq!(Sampler::greedy().pick(&[0.0, 2.0, 2.0, -1.0]), 1);
    }

    #[test]
    fn tokens_beyond_the_tokenizer_are_never_taken() {
        assert_eq!(Sampler::greedy().among(2).pick(&[0.0, 1.0, 9.0]), 1);
        let mut sampler = Sampler::new(1.0, 1.0, 7).among(2);
        assert!((0..100).all(|_| sampler.pick(&[0.0, 1.0, 9.0]) < 2));
    }

    #[test]
    fn draws_follow_the_probabilities_within_the_nucleus() {
        let logits = [0.0f32, (3.0f32).ln(), -9.0];
        let mut sampler = Sampler::new(1.0, 0.99, 7);
        let mut counts = [0usize; 3];
        (0..4000).for_each(|_| counts[sampler.pick(&logits) as usize] += 1);
        assert_eq!(counts[2], 0, "outside the nucleus");
        assert!((counts[1] as f64 / 4000.0 - 0.75).abs() < 0.03, "{counts:?}");
    }
}
