//! One step of AdamW (Loshchilov & Hutter, 1711.05101) in place, in one pass over memory.
//!
//! `g = scale · gradient`, `m = β₁ m + (1 - β₁) g`, `v = β₂ v + (1 - β₂) g²`, `p -= rate · (c₁ m / (√(c₂ v) + ε) + decay · p)`. In f32, an
//! element at a time, so that neither threads nor vectors change a bit.

use crate::check::length;
use crate::lanes::vectorized;
use crate::{ArgumentError, Operand, Threads};

const NAME: &str = "adamw";

/// Elements that a thread takes at once.
const CHUNK: usize = 1 << 14;
/// Elements computed before they are rounded to another type: they stay in the first-level cache.
const BLOCK: usize = 256;

/// Numbers of a step.
#[derive(Clone, Copy, Debug)]
pub struct Hyper {
    /// Learning rate.
    pub rate: f32,
    /// Decoupled weight decay.
    pub decay: f32,
    /// Decay of the first moment.
    pub beta1: f32,
    /// Decay of the second moment.
    pub beta2: f32,
    /// Bias correction of the first moment.
    pub correct1: f32,
    /// Bias correction of the second moment.
    pub correct2: f32,
    /// Added to the root.
    pub epsilon: f32,
    /// What gradients are multiplied by.
    pub scale: f32,
}

/// What is updated: slices of one length.
#[derive(Debug)]
pub struct State<'a, W> {
    /// Weights.
    pub master: &'a mut [f32],
    /// First moments.
    pub first: &'a mut [f32],
    /// Second moments.
    pub second: &'a mut [f32],
    /// The new weights in another type, written if there is such a slice.
    pub working: Option<&'a mut [W]>,
}

/// What decays: the first `end` of every `width` elements.
#[derive(Clone, Copy, Debug)]
pub struct Decaying {
    /// Size of the last dim.
    pub width: usize,
    /// Places of it that decay.
    pub end: usize,
}

/// One step with `gradient`, as long as the slices of `state`.
///
/// # Errors
/// Slices of different lengths.
pub fn adamw<W: Operand>(
    state: State<'_, W>,
    gradient: &[f32],
    hyper: &Hyper,
    decaying: Decaying,
    threads: &Threads,
) -> Result<(), ArgumentError> {
    let len = state.master.len();
    let working = state.working.as_ref().map_or(len, |w| w.len());
    let lens = [("m", state.first.len()), ("v", state.second.len()), ("gradient", gradient.len())];
    for (name, given) in lens.into_iter().chain([("working", working)]) {
        length(NAME, name, given, &[len])?;
    }
    let mut working: Box<dyn Iterator<Item = Option<&mut [W]>>> = match state.working {
        Some(working) => Box::new(working.chunks_mut(CHUNK).map(Some)),
        None => Box::new(std::iter::repeat_with(|| None)),
    };
    let moments = state.first.chunks_mut(CHUNK).zip(state.second.chunks_mut(CHUNK));
    let chunks = state.master.chunks_mut(CHUNK).zip(moments).zip(gradient.chunks(CHUNK));
    let tasks: Vec<_> = chunks
        .enumerate()
        .map(|(i, ((master, (first, second)), gradient))| {
            let working = working.next().flatten();
            (i * CHUNK, State { master, first, second, working }, gradient)
        })
        .collect();
    let work = |(): &mut (), (start, state, gradient)| chunk(start, state, gradient, hyper, decaying);
    threads.run(tasks, || (), work);
    Ok(())
}

/// A part of the elements, from `start` on.
fn chunk<W: Operand>(start: usize, state: State<'_, W>, gradient: &[f32], hyper: &Hyper, decaying: Decaying) {
    let State { master, first, second, working } = state;
    let mut done = 0;
    while done < master.len() {
        // As far as either all places decay or none does.
        let place = (start + done) % decaying.width;
        let (factor, left) = match decaying.end {
            0 => (0.0, usize::MAX),
            end if end >= decaying.width => (hyper.decay, usize::MAX),
            end if place < end => (hyper.decay, end - place),
            _ => (0.0, decaying.width - place),
        };
        let range = done..done + left.min(master.len() - done);
        let state = (&mut master[range.clone()], &mut first[range.clone()], &mut second[range.clone()]);
        vectorized(|| run(state, &gradient[range.clone()], hyper, factor));
        done = range.end;
    }
    if let Some(working) = working {
        vectorized(|| {
            for (from, to) in master.chunks(BLOCK).zip(working.chunks_mut(BLOCK)) {
                W::narrowed(from, 1.0, to);
            }
        });
    }
}

/// Elements that all decay by `decay`.
#[inline(always)]
fn run(
    (master, first, second): (&mut [f32], &mut [f32], &mut [f32]),
    gradient: &[f32],
    hyper: &Hyper,
    decay: f32,
) {
    let Hyper { rate, beta1, beta2, correct1, correct2, epsilon, scale, .. } = *hyper;
    let len = master.len();
    let (first, second, gradient) = (&mut first[..len], &mut second[..len], &gradient[..len]);
    for i in 0..len {
        let g = gradient[i] * scale;
        let m = first[i] * beta1 + g * (1.0 - beta1);
        let v = second[i] * beta2 + g * g * (1.0 - beta2);
        let p = master[i];
        first[i] = m;
        second[i] = v;
        master[i] = p - rate * (m * correct1 / ((v * correct2).sqrt() + epsilon) + p * decay);
    }
}

#[cfg(test)]
mod tests {
    use half::bf16;
    use proptest::prelude::*;

    use super::*;
    use crate::random::numbers;

    const HYPER: Hyper = Hyper {
        rate: 0.1,
        decay: 0.3,
        beta1: 0.9,
        beta2: 0.95,
        correct1: 2.0,
        correct2: 3.0,
        epsilon: 1e-3,
        scale: 0.5,
    };

    /// The definition in f64: weights, moments.
    fn exact([p, m, v, g]: [f32; 4], decays: bool) -> [f64; 3] {
        let h = [HYPER.rate, HYPER.decay, HYPER.beta1, HYPER.beta2, HYPER.epsilon].map(f64::from);
        let [p, m, v, g] = [p, m, v, g * HYPER.scale].map(f64::from);
        let (m, v) = (h[2] * m + (1.0 - h[2]) * g, h[3] * v + (1.0 - h[3]) * g * g);
        let decay = if decays { h[1] } else { 0.0 };
        [p - h[0] * (2.0 * m / ((3.0 * v).sqrt() + h[4]) + decay * p), m, v]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn it_agrees_with_its_definition(
            rows in prop_oneof![1..9_usize, Just(5)],
            width in prop_oneof![1..40_usize, Just(CHUNK / 3 + 1)],
            end in 0..50_usize,
            seed: u64,
            threads in 1..4_usize,
        ) {
            let len = rows * width;
            let given: [Vec<f32>; 4] =
                std::array::from_fn(|i| numbers(len, seed + i as u64, |x| if i == 2 { x.abs() } else { x }));
            let [mut master, mut first, mut second, gradient] = given.clone();
            let mut working = vec![bf16::ZERO; len];
            let state = State {
                master: &mut master, first: &mut first, second: &mut second, working: Some(&mut working),
            };
            let decaying = Decaying { width, end };
            adamw(state, &gradient, &HYPER, decaying, &Threads::new(threads, 1)).unwrap();
            for i in 0..len {
                let want = exact([0, 1, 2, 3].map(|k| given[k][i]), i % width < end);
                for (found, want) in [master[i], first[i], second[i]].into_iter().zip(want) {
                    prop_assert!((f64::from(found) - want).abs() <= 2e-6 * (1.0 + want.abs()), "{i}: {found} for {want}");
                }
                prop_assert_eq!(working[i], bf16::from_f32(master[i]));
            }
        }
    }

    #[test]
    fn nan_stays_and_lengths_are_checked() {
        let (mut p, mut m, mut v) = ([1.0, 2.0], [0.0; 2], [0.0; 2]);
        fn state<'a>([p, m, v]: [&'a mut [f32]; 3]) -> State<'a, bf16> {
            State { master: p, first: m, second: v, working: None }
        }
        let decaying = Decaying { width: 2, end: 0 };
        let threads = Threads::new(1, 1);
        adamw(state([&mut p, &mut m, &mut v]), &[f32::NAN, 0.0], &HYPER, decaying, &threads).unwrap();
        assert!(p[0].is_nan() && m[0].is_nan() && v[0].is_nan() && p[1] == 2.0);
        let error = adamw(state([&mut p, &mut m, &mut v]), &[0.0], &HYPER, decaying, &threads).unwrap_err();
        assert!(error.to_string().contains("`gradient`"), "{error}");
    }
}
