//! Root-mean-square normalisation of rows (Zhang & Sennrich, 1910.07467): `y = weight · x / sqrt(mean(x²) + eps)`, in f32, rounded to the element
//! type before the weight. Each row's sum is taken in one order, whatever the number of rows.

use crate::check::length;
use crate::lanes::{self, Loop};
use crate::{ArgumentError, Operand, Threads};

/// Elements that a thread takes at once, at least.
const ELEMENTS: usize = 1 << 15;

/// Writes `out` {row, width}: `x` {row, width} normalised, times `weight` {width}.
///
/// # Errors
/// A slice that does not have the elements of its dims.
pub fn rms_norm<T: Operand>(
    x: &[T],
    weight: &[T],
    eps: f32,
    out: &mut [T],
    threads: &Threads,
) -> Result<(), ArgumentError> {
    const NAME: &str = "rms_norm";
    length(NAME, "out", out.len(), &[x.len()])?;
    let width = weight.len();
    if x.is_empty() {
        return Ok(());
    }
    length(NAME, "x", x.len(), &[x.len() / width.max(1), width])?;
    let each = (ELEMENTS / width).max(1) * width;
    let tasks: Vec<_> = x.chunks(each).zip(out.chunks_mut(each)).collect();
    threads.run(tasks, Vec::new, |wide, (x, out)| lanes::run(Rows { x, weight, eps, out, wide }));
    Ok(())
}

/// A norm whose rows are something else's operands.
#[derive(Clone, Copy, Debug)]
pub struct Norm<'a, T> {
    /// {width}.
    pub weight: &'a [T],
    /// What is added to the mean of squares.
    pub eps: f32,
}

impl<T: Operand> Norm<'_, T> {
    /// Writes `x` normalised to `out`; both have whole rows.
    pub(crate) fn write(self, x: &[T], out: &mut [T], wide: &mut Vec<f32>) {
        lanes::run(Rows { x, weight: self.weight, eps: self.eps, out, wide });
    }
}

struct Rows<'a, T> {
    x: &'a [T],
    weight: &'a [T],
    eps: f32,
    out: &'a mut [T],
    wide: &'a mut Vec<f32>,
}

impl<T: Operand> Loop for Rows<'_, T> {
    #[inline(always)]
    fn run<const FMA: bool>(self) {
        let Self { x, weight, eps, out, wide } = self;
        let width = weight.len();
        wide.resize(width, 0.0);
        let (wide, weight) = (&mut wide[..width], &weight[..width]);
        for (x, out) in x.chunks_exact(width).zip(out.chunks_exact_mut(width)) {
            // As long as the others, which the compiler is to see.
            let (x, out) = (&x[..width], &mut out[..width]);
            for i in 0..width {
                wide[i] = x[i].to_f32();
            }
            let squares = lanes::dots::<f32, 1, FMA>([&*wide], &*wide)[0];
            let scale = 1.0 / (squares / width as f32 + eps).sqrt();
            T::narrowed(wide, scale, out);
            for i in 0..width {
                wide[i] = out[i].to_f32() * weight[i].to_f32();
            }
            T::narrowed(wide, 1.0, out);
        }
    }
}

#[cfg(test)]
mod tests {
    use half::bf16;
    use proptest::prelude::*;

    use super::*;
    use crate::random::numbers;

    fn agrees<T: Operand>(rows: usize, width: usize, seed: u64, unit: f64) {
        let x = numbers(rows * width, seed, |x| T::from_f32(x));
        let weight = numbers(width, seed + 1, |x| T::from_f32(x));
        let mut out = vec![T::from_f32(9.0); x.len()];
        rms_norm(&x, &weight, 1e-6, &mut out, &Threads::new(2, 1)).unwrap();
        for (x, out) in x.chunks(width).zip(out.chunks(width)) {
            let value = |x: &T| f64::from(x.to_f32());
            let mean = x.iter().map(|x| value(x) * value(x)).sum::<f64>() / width as f64;
            for ((x, w), out) in x.iter().zip(&weight).zip(out) {
                let want = value(w) * value(x) / (mean + 1e-6).sqrt();
                assert!(
                    (value(out) - want).abs() <= unit * (1.0 + want.abs()),
                    "{} for {want}",
                    out.to_f32()
                );
            }
            let mut alone = vec![T::from_f32(9.0); width];
            rms_norm(x, &weight, 1e-6, &mut alone, &Threads::new(1, 1)).unwrap();
            assert!(alone.iter().zip(out).all(|(a, b)| a.to_f32().to_bits() == b.to_f32().to_bits()));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn it_agrees_with_its_definition(rows in 0..5_usize, width in 1..100_usize, seed: u64) {
            agrees::<f32>(rows, width, seed, 2e-6);
            agrees::<bf16>(rows, width, seed, 1e-2);
        }
    }

    #[test]
    fn lengths_are_checked() {
        let error = rms_norm(&[1f32; 3], &[1.0; 2], 0.0, &mut [0.0; 3], &Threads::new(1, 1)).unwrap_err();
        assert!(error.to_string().contains("`x`"), "{error}");
        assert!(rms_norm(&[1f32; 2], &[], 0.0, &mut [0.0; 2], &Threads::new(1, 1)).is_err());
    }
}
