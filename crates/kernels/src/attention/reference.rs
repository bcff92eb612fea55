//! Attention as loops in f64, for tests.

use super::{Attention, Kept};
use crate::Operand;

/// Output {batch, seq, head, head_dim} and log-sum-exp {batch, head, seq}.
pub(super) fn attention<T: Operand>(p: &Attention<'_, T>) -> (Vec<f64>, Vec<f64>) {
    let mut output = vec![0.0; p.query.len()];
    let mut sums = vec![0.0; p.batch * p.heads * p.seq];
    each_query(p, |b, h, q| {
        let (scores, largest) = scores(p, b, h, q);
        let sum: f64 = scores.iter().map(|s| (s.1 - largest).exp()).sum();
        for &(k, s) in &scores {
            let weight = (s - largest).exp() / sum;
            for d in 0..p.head_dim {
                output[query_at(p, b, h, q) + d] +=
                    weight * f64::from(p.value[key_at(p, b, h, k) + d].to_f32());
            }
        }
        sums[(b * p.heads + h) * p.seq + q] = largest + sum.ln();
    });
    (output, sums)
}

/// Gradients to query, key and value.
pub(super) fn gradient<T: Operand>(p: &Attention<'_, T>, kept: &Kept<'_, T>) -> [Vec<f64>; 3] {
    let of = |x: T| f64::from(x.to_f32());
    let mut d_query = vec![0.0; p.query.len()];
    let (mut d_key, mut d_value) = (vec![0.0; p.key.len()], vec![0.0; p.value.len()]);
    let scale = 1.0 / (p.head_dim as f64).sqrt();
    each_query(p, |b, h, q| {
        let at = query_at(p, b, h, q);
        let (scores, largest) = scores(p, b, h, q);
        let sum: f64 = scores.iter().map(|s| (s.1 - largest).exp()).sum();
        let d_weight = |k: usize| -> f64 {
            (0..p.head_dim).map(|d| of(kept.d_output[at + d]) * of(p.value[key_at(p, b, h, k) + d])).sum()
        };
        let weights: Vec<(usize, f64, f64)> =
            scores.iter().map(|&(k, s)| (k, (s - largest).exp() / sum, d_weight(k))).collect();
        let delta: f64 = weights.iter().map(|(_, w, d)| w * d).sum();
        for (k, weight, d_weight) in weights {
            let d_score = weight * (d_weight - delta) * scale;
            let key = key_at(p, b, h, k);
            for d in 0..p.head_dim {
                d_query[at + d] += d_score * of(p.key[key + d]);
                d_key[key + d] += d_score * of(p.query[at + d]);
                d_value[key + d] += weight * of(kept.d_output[at + d]);
            }
        }
    });
    [d_query, d_key, d_value]
}

fn each_query<T>(p: &Attention<'_, T>, mut run: impl FnMut(usize, usize, usize)) {
    for b in 0..p.batch {
        for h in 0..p.heads {
            (0..p.seq).for_each(|q| run(b, h, q));
        }
    }
}

fn query_at<T>(p: &Attention<'_, T>, b: usize, h: usize, q: usize) -> usize {
    ((b * p.seq + q) * p.heads + h) * p.head_dim
}

fn key_at<T>(p: &Attention<'_, T>, b: usize, h: usize, k: usize) -> usize {
    ((b * p.seq + k) * p.kv_heads + h / (p.heads / p.kv_heads)) * p.head_dim
}

/// Keys that a query sees with their scores, and the largest score.
fn scores<T: Operand>(p: &Attention<'_, T>, b: usize, h: usize, q: usize) -> (Vec<(usize, f64)>, f64) {
    let of = |x: T| f64::from(x.to_f32());
    let segment = |at: usize| p.segments[b * p.seq + at];
    let seen = |&k: &usize| segment(k) == segment(q) && p.window.is_none_or(|w| q - k < w);
    let score = |k: usize| -> f64 {
        let (query, key) = (query_at(p, b, h, q), key_at(p, b, h, k));
        (0..p.head_dim).map(|d| of(p.query[query + d]) * of(p.key[key + d])).sum::<f64>()
            / (p.head_dim as f64).sqrt()
    };
    let found: Vec<(usize, f64)> = (0..=q).filter(seen).map(|k| (k, score(k))).collect();
    let largest = found.iter().map(|s| s.1).fold(f64::NEG_INFINITY, f64::max);
    (found, largest)
}
