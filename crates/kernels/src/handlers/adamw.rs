//! The step of the optimizer.

use collegium_core::DType;
use half::bf16;

use super::{Attributes, BufferView, BufferViewMut, Call};
use crate::adamw::{self, Decaying, Hyper, State};
use crate::{ArgumentError, Operand, Threads};

/// Results weights, m and v, which hold the old values, and, if there is a fourth, the weights in its type. Operands besides: gradient, of the
/// same shape, hyper {8} f32 and decay_end, an i32 scalar.
pub fn adamw(
    args: &[BufferView<'_>],
    outs: &mut [BufferViewMut<'_>],
    _: Attributes<'_>,
) -> Result<(), ArgumentError> {
    let call = Call { kernel: "adamw" };
    match outs.get(3).map(|w| w.dtype) {
        None | Some(DType::F32) => call.adamw::<f32>(args, outs),
        Some(DType::Bf16) => call.adamw::<bf16>(args, outs),
        Some(given) => Err(call.dtype("working", "f32 or bf16", given)),
    }
}

impl Call {
    fn adamw<W: Operand>(
        &self,
        args: &[BufferView<'_>],
        outs: &mut [BufferViewMut<'_>],
    ) -> Result<(), ArgumentError> {
        let [gradient, hyper, decay_end] = self.operands(args)?;
        let given = outs.len();
        let [master, first, second, working @ ..] = outs else {
            return Err(self.number_of_results(3, given));
        };
        if working.len() > 1 {
            return Err(self.number_of_results(4, given));
        }
        let dims = gradient.dims;
        for (name, out) in [("master", &*master), ("m", &*first), ("v", &*second)] {
            self.like(name, out.dims, dims)?;
        }
        let Some(width) = dims.last().and_then(|&d| usize::try_from(d).ok()) else {
            return Err(self.wrong_dims("gradient", "at least one dim".into(), dims));
        };
        self.same_dims("hyper", hyper.dims, &[8])?;
        self.same_dims("decay_end", decay_end.dims, &[])?;
        let gradient = self.input::<f32>("gradient", DType::F32, gradient)?;
        let end = self.input::<i32>("decay_end", DType::I32, decay_end)?[0];
        let [rate, decay, beta1, beta2, correct1, correct2, epsilon, scale] =
            *self.input::<f32>("hyper", DType::F32, hyper)?
        else {
            unreachable!("it has eight entries")
        };
        let hyper = Hyper { rate, decay, beta1, beta2, correct1, correct2, epsilon, scale };
        let working = match working {
            [working] => {
                self.like("working", working.dims, dims)?;
                Some(self.result::<W>("working", W::DTYPE, working)?)
            }
            _ => None,
        };
        let state = State {
            master: self.result("master", DType::F32, master)?,
            first: self.result("m", DType::F32, first)?,
            second: self.result("v", DType::F32, second)?,
            working,
        };
        let decaying = Decaying { width, end: usize::try_from(end).unwrap_or(0) };
        adamw::adamw(state, gradient, &hyper, decaying, &Threads::current())
    }
}

#[cfg(test)]
mod tests {
    use super::super::frame::{Frame, POISON, buffer, refuses};
    use super::*;

    fn good() -> Frame {
        Frame {
            operands: vec![
                buffer(DType::F32, &[3, 5], 0),
                buffer(DType::F32, &[8], 0),
                buffer(DType::I32, &[], 2),
            ],
            results: vec![buffer(DType::F32, &[3, 5], POISON); 4],
            attributes: Vec::new(),
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        refuses(
            good,
            adamw,
            &[
                (|f| f.operands.truncate(2), "adamw: takes 3 operands, got 2"),
                (|f| f.results.truncate(2), "takes 3 results, got 2"),
                (|f| f.results.push(f.results[0].clone()), "takes 4 results, got 5"),
                (|f| f.results[1].1 = vec![5, 3], "`m` must be [3, 5], got [5, 3]"),
                (|f| f.results[2].0 = DType::Bf16, "`v` must hold f32"),
                (|f| f.results[3].0 = DType::I32, "`working` must hold f32 or bf16"),
                (|f| f.results[3].1 = vec![15], "`working` must be [3, 5]"),
                (|f| f.operands[0].0 = DType::I32, "`gradient` must hold f32"),
                (|f| f.operands[1].1 = vec![7], "`hyper` must be [8], got [7]"),
                (|f| f.operands[2].1 = vec![1], "`decay_end` must be [], got [1]"),
                (|f| f.operands[2].2.clear(), "`decay_end` must be 1 elements"),
            ],
        );
    }
}
