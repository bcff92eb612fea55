//! Top-k softmax router for a few tokens in one pass: `p = softmax(x Wᵀ)` in f32, the k experts with the largest `p + bias`, and their `p` as weights,
//! renormalised over the choice where asked. Ties go to the lower expert. Each token is computed alone, in one order.

use crate::check::length;
use crate::grid::Grid;
use crate::lanes::{self, Loop};
use crate::norm::Norm;
use crate::{ArgumentError, Operand, Threads};

/// Tokens that a thread takes at once.
const TOKENS: usize = 4;

/// Operands of [`route`].
#[derive(Clone, Copy, Debug)]
pub struct Route<'a, T> {
    /// {token, hidden}.
    pub x: &'a [T],
    /// {expert, hidden}.
    pub weight: &'a [T],
    /// {expert}.
    pub bias: &'a [f32],
    /// Size of `token`.
    pub num_tokens: usize,
    /// Size of `hidden`.
    pub hidden: usize,
    /// Choices of a token, at most as many as there are experts.
    pub top_k: usize,
    /// Whether the weights of a token's choices add up to one.
    pub normalise: bool,
    /// Of the tokens.
    pub norm: Option<Norm<'a, T>>,
}

/// Writes the weight {token, choice} and the expert {token, choice} of every choice, and, where there is a norm, what it makes of the tokens
/// {token, hidden}.
///
/// # Errors
/// A slice that does not have the elements of its dims, or fewer experts than choices.
pub fn route<T: Operand>(
    problem: &Route<'_, T>,
    (gates, experts): (&mut [f32], &mut [i32]),
    normed: &mut [T],
    threads: &Threads,
) -> Result<(), ArgumentError> {
    const NAME: &str = "route";
    let Route { x, weight, bias, num_tokens, hidden, top_k, norm, .. } = *problem;
    length(NAME, "x", x.len(), &[num_tokens, hidden])?;
    length(NAME, "weight", weight.len(), &[bias.len(), hidden])?;
    length(NAME, "gates", gates.len(), &[num_tokens, top_k])?;
    length(NAME, "experts", experts.len(), &[num_tokens, top_k])?;
    length(NAME, "normed", normed.len(), &[if norm.is_some() { num_tokens } else { 0 }, hidden])?;
    for norm in norm.iter() {
        length(NAME, "norm", norm.weight.len(), &[hidden])?;
    }
    if top_k > bias.len() {
        let (required, given) = (format!("at least {top_k} experts"), bias.len().to_string());
        return Err(ArgumentError::Dims { kernel: NAME, name: "weight", required, given });
    }
    if gates.is_empty() {
        return Ok(());
    }
    let (gates, experts) = (Grid::new(gates, top_k), Grid::new(experts, top_k));
    let normed = Grid::new(normed, hidden);
    threads.each(num_tokens, TOKENS, <[Vec<f32>; 2]>::default, |space, token| {
        let mut x = &x[token * hidden..][..hidden];
        if let Some(norm) = norm {
            // SAFETY: a token is worked on once.
            let normed = unsafe { normed.part(token, 0..hidden) };
            norm.write(x, normed, &mut space[0]);
            x = normed;
        }
        // SAFETY: as above.
        let (gates, experts) = unsafe { (gates.part(token, 0..top_k), experts.part(token, 0..top_k)) };
        lanes::run(Token { problem, x, gates, experts, space });
    });
    Ok(())
}

struct Token<'a, 'o, T> {
    problem: &'a Route<'a, T>,
    x: &'a [T],
    gates: &'o mut [f32],
    experts: &'o mut [i32],
    /// The token in f32, probabilities.
    space: &'o mut [Vec<f32>; 2],
}

impl<T: Operand> Loop for Token<'_, '_, T> {
    #[inline(always)]
    fn run<const FMA: bool>(self) {
        let Self { problem: p, x, gates, experts, space: [wide, probabilities] } = self;
        wide.resize(x.len(), 0.0);
        let wide = &mut wide[..x.len()];
        for i in 0..x.len() {
            wide[i] = x[i].to_f32();
        }
        probabilities.clear();
        for at in 0..p.bias.len() {
            let weight = &p.weight[at * p.hidden..][..p.hidden];
            probabilities.push(lanes::dots::<T, 1, FMA>([&*wide], weight)[0]);
        }
        let mut largest = f32::NEG_INFINITY;
        for &logit in probabilities.iter() {
            largest = if logit > largest { logit } else { largest };
        }
        let mut total = 0.0;
        for p in probabilities.iter_mut() {
            *p = (*p - largest).exp();
            total += *p;
        }
        for p in probabilities.iter_mut() {
            *p /= total;
        }
        for choice in 0..gates.len() {
            // The first that is not chosen yet, so that what is no number still gives an expert that there is.
            let mut best = None;
            for (expert, probability) in probabilities.iter().enumerate() {
                let score = probability + p.bias[expert];
                let is_taken = experts[..choice].contains(&(expert as i32));
                if !is_taken && best.is_none_or(|(_, most)| score > most) {
                    best = Some((expert, score));
                }
            }
            let expert = best.map_or(0, |b| b.0);
            experts[choice] = expert as i32;
            gates[choice] = probabilities[expert];
        }
        if p.normalise {
            let total: f32 = gates.iter().sum();
            gates.iter_mut().for_each(|g| *g /= total);
        }
    }
}

#[cfg(test)]
mod tests {
    use half::bf16;
    use proptest::prelude::*;

    use super::*;
    use crate::random::numbers;

    fn agrees<T: Operand>([tokens, hidden, experts, top_k]: [usize; 4], normalise: bool, seed: u64) {
        let x = numbers(tokens * hidden, seed, |x| T::from_f32(x));
        let weight = numbers(experts * hidden, seed + 1, |x| T::from_f32(x));
        let bias = numbers(experts, seed + 2, |x| x * 0.1);
        let problem = Route {
            x: &x,
            weight: &weight,
            bias: &bias,
            num_tokens: tokens,
            hidden,
            top_k,
            normalise,
            norm: None,
        };
        let (mut gates, mut picked) = (vec![9.0; tokens * top_k], vec![-9; tokens * top_k]);
        route(&problem, (&mut gates, &mut picked), &mut [], &Threads::new(2, 1)).unwrap();
        // With a norm: that of its own call, and what the router makes of it.
        let weights = numbers(hidden, seed + 3, |x| T::from_f32(x));
        let norm = Norm { weight: &weights, eps: 1e-5 };
        let (mut given, mut normed) = (x.clone(), x.clone());
        crate::norm::rms_norm(&x, &weights, 1e-5, &mut given, &Threads::new(1, 1)).unwrap();
        let mut own = [
            (vec![9.0; gates.len()], vec![-9; gates.len()]),
            (vec![9.0; gates.len()], vec![-9; gates.len()]),
        ];
        let [(a, b), (c, d)] = &mut own;
        let with = Route { norm: Some(norm), ..problem };
        route(&with, (a, b), &mut normed, &Threads::new(2, 1)).unwrap();
        route(&Route { x: &given, ..problem }, (c, d), &mut [], &Threads::new(2, 1)).unwrap();
        assert!(own[0] == own[1] && normed.iter().zip(&given).all(|(a, b)| a.to_f32() == b.to_f32()));
        for t in 0..tokens {
            let logit = |e: usize| -> f64 {
                let pair = |i: usize| {
                    f64::from(x[t * hidden + i].to_f32()) * f64::from(weight[e * hidden + i].to_f32())
                };
                (0..hidden).map(pair).sum()
            };
            let powers: Vec<f64> = (0..experts).map(|e| logit(e).exp()).collect();
            let total: f64 = powers.iter().sum();
            let p: Vec<f64> = powers.iter().map(|x| x / total).collect();
            let own = &picked[t * top_k..][..top_k];
            let score = |e: usize| p[e] + f64::from(bias[e]);
            let mut order: Vec<usize> = (0..experts).collect();
            order.sort_by(|&a, &b| score(b).total_cmp(&score(a)));
            // Scores closer than what rounding leaves may change places.
            for (choice, (&found, &want)) in own.iter().zip(&order).enumerate() {
                assert!((score(found as usize) - score(want)).abs() < 1e-5, "{choice}: {found} for {want}");
            }
            let chosen: f64 = own.iter().map(|&e| p[e as usize]).sum();
            for (&e, gate) in own.iter().zip(&gates[t * top_k..]) {
                let want = p[e as usize] / if normalise { chosen } else { 1.0 };
                assert!((f64::from(*gate) - want).abs() < 1e-5, "{gate} for {want}");
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn it_agrees_with_its_definition(
            sizes in (0..9_usize, 1..80_usize, 1..12_usize, 1..12_usize),
            normalise: bool,
            seed: u64,
        ) {
            let sizes = [sizes.0, sizes.1, sizes.2, sizes.3.min(sizes.2)];
            agrees::<f32>(sizes, normalise, seed);
            agrees::<bf16>(sizes, normalise, seed);
        }
    }

    #[test]
    fn ties_go_to_the_lower_expert_and_what_is_no_number_still_names_experts() {
        let mut found = ([0.0; 2], [9; 2]);
        let base = Route {
            x: &[0.0f32],
            weight: &[1.0; 3],
            bias: &[0.0; 3],
            num_tokens: 1,
            hidden: 1,
            top_k: 2,
            normalise: true,
            norm: None,
        };
        route(&base, (&mut found.0, &mut found.1), &mut [], &Threads::new(1, 1)).unwrap();
        assert_eq!(found, ([0.5; 2], [0, 1]));
        let none = Route { x: &[f32::NAN], ..base };
        route(&none, (&mut found.0, &mut found.1), &mut [], &Threads::new(1, 1)).unwrap();
        assert_eq!(found.1, [0, 1]);
        let error =
            route(&Route { top_k: 4, ..base }, (&mut [0.0; 4], &mut [0; 4]), &mut [], &Threads::new(1, 1))
                .unwrap_err();
        assert!(error.to_string().contains("at least 4 experts"), "{error}");
    }
}
