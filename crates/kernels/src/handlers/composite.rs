//! Attention, its gradient, and the head's loss.

use collegium_core::DType;
use half::bf16;

use super::{Attributes, BufferView, BufferViewMut, Call};
use crate::attention::{self, Attention, Kept};
use crate::cross_entropy::{self, CrossEntropy};
use crate::{ArgumentError, Instructions, Operand, Threads};

/// Operands query {batch, seq, head, head_dim}, key, value {batch, seq, kv_head, head_dim}, segments {batch, seq}; results output
/// as query and, if there are two, log-sum-exp {batch, head, seq}. The attribute `window` is 0 where a token sees all earlier ones.
pub fn attention(
    args: &[BufferView<'_>],
    outs: &mut [BufferViewMut<'_>],
    attributes: Attributes<'_>,
) -> Result<(), ArgumentError> {
    let call = Call { kernel: "attention" };
    let args: &[BufferView<'_>; 4] = call.operands(args)?;
    match args[0].dtype {
        DType::F32 => call.attention::<f32>(args, outs, attributes),
        DType::Bf16 => call.attention::<bf16>(args, outs, attributes),
        given => Err(call.dtype("query", "f32 or bf16", given)),
    }
}

/// Operands: those of [`attention()`], its two results, and the cotangent of the first; results as query, key and value.
pub fn attention_gradient(
    args: &[BufferView<'_>],
    outs: &mut [BufferViewMut<'_>],
    attributes: Attributes<'_>,
) -> Result<(), ArgumentError> {
    let call = Call { kernel: "attention_gradient" };
    let args: &[BufferView<'_>; 7] = call.operands(args)?;
    match args[0].dtype {
        DType::F32 => call.attention_gradient::<f32>(args, outs, attributes),
        DType::Bf16 => call.attention_gradient::<bf16>(args, outs, attributes),
        given => Err(call.dtype("query", "f32 or bf16", given)),
    }
}

/// Operands hidden {token, hidden}, weight {vocab, hidden}, targets {token}, scale {}; results loss {} and, if there are three, the
/// gradients to hidden and (in f32) to the weight.
pub fn cross_entropy(
    args: &[BufferView<'_>],
    outs: &mut [BufferViewMut<'_>],
    _: Attributes<'_>,
) -> Result<(), ArgumentError> {
    let call = Call { kernel: "cross_entropy" };
    let args: &[BufferView<'_>; 4] = call.operands(args)?;
    match args[0].dtype {
        DType::F32 => call.cross_entropy::<f32>(args, outs),
        DType::Bf16 => call.cross_entropy::<bf16>(args, outs),
        given => Err(call.dtype("hidden", "f32 or bf16", given)),
    }
}

impl Call {
    /// The operands of [`attention`], all sizes checked against each other.
    fn attention_problem<'a, T: Operand>(
        &self,
        [query, key, value, segments]: [&BufferView<'a>; 4],
        attributes: Attributes<'_>,
    ) -> Result<Attention<'a, T>, ArgumentError> {
        let window = self.count(attributes, "window")?;
        let [batch, seq, heads, head_dim] = self.dims("query", query.dims)?;
        let [_, _, kv_heads, _] = self.dims("key", key.dims)?;
        let own = [batch, seq, kv_heads, head_dim];
        self.same_dims("key", key.dims, &own)?;
        self.same_dims("value", value.dims, &own)?;
        self.same_dims("segments", segments.dims, &[batch, seq])?;
        Ok(Attention {
            query: self.input("query", T::DTYPE, query)?,
            key: self.input("key", T::DTYPE, key)?,
            value: self.input("value", T::DTYPE, value)?,
            segments: self.input("segments", DType::I32, segments)?,
            batch,
            seq,
            heads,
            kv_heads,
            head_dim,
            window: (window > 0).then_some(window),
        })
    }

    fn attention<T: Operand>(
        &self,
        [query, key, value, segments]: &[BufferView<'_>; 4],
        outs: &mut [BufferViewMut<'_>],
        attributes: Attributes<'_>,
    ) -> Result<(), ArgumentError> {
        let problem = self.attention_problem::<T>([query, key, value, segments], attributes)?;
        let (output, sums) = match outs {
            [output] => (output, None),
            [output, sums] => (output, Some(sums)),
            _ => return Err(self.number_of_results(2, outs.len())),
        };
        self.like("output", output.dims, query.dims)?;
        let sums = match sums {
            Some(sums) => {
                self.same_dims("sums", sums.dims, &[problem.batch, problem.heads, problem.seq])?;
                Some(self.result("sums", DType::F32, sums)?)
            }
            None => None,
        };
        let output = self.result("output", T::DTYPE, output)?;
        attention::attention(&problem, output, sums, &Threads::current(), Instructions::best())
    }

    fn attention_gradient<T: Operand>(
        &self,
        [query, key, value, segments, output, sums, d_output]: &[BufferView<'_>; 7],
        outs: &mut [BufferViewMut<'_>],
        attributes: Attributes<'_>,
    ) -> Result<(), ArgumentError> {
        let problem = self.attention_problem::<T>([query, key, value, segments], attributes)?;
        let count = outs.len();
        let [d_query, d_key, d_value] = outs else { return Err(self.number_of_results(3, count)) };
        for (name, out, like) in
            [("d_query", &*d_query, query), ("d_key", &*d_key, key), ("d_value", &*d_value, value)]
        {
            self.like(name, out.dims, like.dims)?;
        }
        let own = [problem.batch, problem.seq, problem.heads, problem.head_dim];
        self.same_dims("output", output.dims, &own)?;
        self.same_dims("d_output", d_output.dims, &own)?;
        self.same_dims("sums", sums.dims, &[problem.batch, problem.heads, problem.seq])?;
        let kept = Kept {
            output: self.input("output", T::DTYPE, output)?,
            sums: self.input("sums", DType::F32, sums)?,
            d_output: self.input("d_output", T::DTYPE, d_output)?,
        };
        let mut gradients = attention::Gradients {
            query: self.result("d_query", T::DTYPE, d_query)?,
            key: self.result("d_key", T::DTYPE, d_key)?,
            value: self.result("d_value", T::DTYPE, d_value)?,
        };
        let threads = Threads::current();
        attention::attention_gradient(&problem, &kept, &mut gradients, &threads, Instructions::best())
    }

    fn cross_entropy<T: Operand>(
        &self,
        [hidden, weight, targets, scale]: &[BufferView<'_>; 4],
        outs: &mut [BufferViewMut<'_>],
    ) -> Result<(), ArgumentError> {
        let [tokens, width] = self.dims("hidden", hidden.dims)?;
        let [vocab, _] = self.dims("weight", weight.dims)?;
        self.same_dims("weight", weight.dims, &[vocab, width])?;
        self.same_dims("targets", targets.dims, &[tokens])?;
        self.same_dims("scale", scale.dims, &[])?;
        let scale: &[f32] = self.input("scale", DType::F32, scale)?;
        let problem: CrossEntropy<'_, T> = CrossEntropy {
            hidden: self.input("hidden", T::DTYPE, hidden)?,
            weight: self.input("weight", T::DTYPE, weight)?,
            targets: self.input("targets", DType::I32, targets)?,
            scale: scale[0],
            vocab,
            width,
        };
        let (loss, gradients) = match outs {
            [loss] => (loss, None),
            [loss, d_hidden, d_weight] => (loss, Some((d_hidden, d_weight))),
            _ => return Err(self.number_of_results(3, outs.len())),
        };
        self.same_dims("loss", loss.dims, &[])?;
        let loss: &mut [f32] = self.result("loss", DType::F32, loss)?;
        let gradients = match gradients {
            Some((d_hidden, d_weight)) => {
                self.like("d_hidden", d_hidden.dims, hidden.dims)?;
                self.like("d_weight", d_weight.dims, weight.dims)?;
                Some(cross_entropy::Gradients {
                    hidden: self.result("d_hidden", T::DTYPE, d_hidden)?,
                    weight: self.result("d_weight", DType::F32, d_weight)?,
                })
            }
            None => None,
        };
        loss[0] =
            cross_entropy::cross_entropy(&problem, gradients, &Threads::current(), Instructions::best())?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::frame::{Frame, POISON, buffer, refuses};
    use super::*;

    impl Frame {
        fn attention() -> Self {
            let (query, key) = ([2, 3, 4, 5], [2, 3, 2, 5]);
            let f = |dims: &[i64]| buffer(DType::F32, dims, 0);
            let out = |dims: &[i64]| buffer(DType::F32, dims, POISON);
            Self {
                operands: vec![f(&query), f(&key), f(&key), buffer(DType::I32, &[2, 3], 0)],
                results: vec![out(&query), out(&[2, 4, 3])],
                attributes: vec![("window", 0)],
            }
        }

        fn attention_gradient() -> Self {
            let mut frame = Self::attention();
            let kept = [&frame.results[0], &frame.results[1], &frame.results[0]];
            let zeros = kept.map(|(dtype, dims, _)| buffer(*dtype, dims, 0));
            frame.operands.extend(zeros);
            frame.results = frame.operands[..3].iter().map(|(d, dims, _)| buffer(*d, dims, POISON)).collect();
            frame
        }

        fn cross_entropy() -> Self {
            let f = |dims: &[i64]| buffer(DType::F32, dims, 0);
            let out = |dims: &[i64]| buffer(DType::F32, dims, POISON);
            Self {
                operands: vec![f(&[3, 2]), f(&[7, 2]), buffer(DType::I32, &[3], 1), f(&[])],
                results: vec![out(&[]), out(&[3, 2]), out(&[7, 2])],
                attributes: Vec::new(),
            }
        }
    }

    #[test]
    fn faults_of_attention_are_named_and_nothing_is_written() {
        refuses(
            Frame::attention,
            attention,
            &[
                (|f| f.operands.truncate(3), "takes 4 operands, got 3"),
                (|f| f.results.clear(), "takes 2 results, got 0"),
                (|f| f.operands[0].0 = DType::F64, "`query` must hold f32 or bf16, got f64"),
                (|f| f.operands[0].1 = vec![2, 3, 20], "`query` must be 4 dims"),
                (|f| f.operands[0].1[0] = i64::MAX, "`query` must be 4 dims of a size that fits memory"),
                (|f| f.operands[1].1[1] = 4, "`key` must be [2, 3, 2, 5], got [2, 4, 2, 5]"),
                (|f| f.operands[2].1[3] = 6, "`value` must be [2, 3, 2, 5]"),
                (|f| f.operands[1].0 = DType::Bf16, "`key` must hold f32, got bf16"),
                (|f| f.operands[3].0 = DType::U32, "`segments` must hold i32, got ui32"),
                (|f| f.operands[3].1 = vec![3, 2], "`segments` must be [2, 3]"),
                (|f| f.operands[0].2.truncate(119), "`query` must be 120 elements in aligned memory"),
                (|f| f.results[0].1[3] = 4, "`output` must be [2, 3, 4, 5]"),
                (|f| f.results[0].2.truncate(1), "`output` must be 120 elements"),
                (|f| f.results[1].1 = vec![2, 3, 4], "`sums` must be [2, 4, 3]"),
                (|f| f.results[1].0 = DType::Bf16, "`sums` must hold f32"),
                (|f| f.attributes.clear(), "attribute `window` must be a whole number"),
                (|f| f.attributes[0].1 = -1, "got -1"),
                (heads_that_do_not_divide, "`key` must be of a number of heads that divides 4, got 3"),
                (no_key_heads, "of a number of heads that divides 4, got 0"),
            ],
        );
    }

    fn heads_that_do_not_divide(f: &mut Frame) {
        f.operands[1] = buffer(DType::F32, &[2, 3, 3, 5], 0);
        f.operands[2] = f.operands[1].clone();
    }

    fn no_key_heads(f: &mut Frame) {
        f.operands[1] = buffer(DType::F32, &[2, 3, 0, 5], 0);
        f.operands[2] = f.operands[1].clone();
    }

    #[test]
    fn faults_of_its_gradient_are_named_and_nothing_is_written() {
        refuses(
            Frame::attention_gradient,
            attention_gradient,
            &[
                (|f| f.operands.truncate(6), "takes 7 operands, got 6"),
                (|f| f.results.truncate(2), "takes 3 results, got 2"),
                (|f| f.operands[4].1[2] = 2, "`output` must be [2, 3, 4, 5]"),
                (|f| f.operands[5].1[0] = 1, "`sums` must be [2, 4, 3]"),
                (|f| f.operands[6].0 = DType::Bf16, "`d_output` must hold f32, got bf16"),
                (|f| f.results[1].1[2] = 4, "`d_key` must be [2, 3, 2, 5]"),
                (|f| f.results[2].2.clear(), "`d_value` must be 60 elements"),
                (heads_that_do_not_divide, "must be [2, 3, 3, 5]"),
            ],
        );
    }

    #[test]
    fn faults_of_the_loss_are_named_and_nothing_is_written() {
        refuses(
            Frame::cross_entropy,
            cross_entropy,
            &[
                (|f| f.operands.truncate(3), "takes 4 operands, got 3"),
                (|f| f.results.truncate(2), "takes 3 results, got 2"),
                (|f| f.operands[1].1[1] = 3, "`weight` must be [7, 2], got [7, 3]"),
                (|f| f.operands[1].0 = DType::Bf16, "`weight` must hold f32, got bf16"),
                (|f| f.operands[1].1[0] = -7, "`weight` must be 2 dims"),
                (|f| f.operands[2].1 = vec![4], "`targets` must be [3]"),
                (|f| f.operands[3].1 = vec![1], "`scale` must be []"),
                (|f| f.operands[3].2.clear(), "`scale` must be 1 elements"),
                (|f| f.results[0].1 = vec![1], "`loss` must be []"),
                (|f| f.results[1].0 = DType::I32, "`d_hidden` must hold f32, got i32"),
                (|f| f.results[2].1 = vec![2, 7], "`d_weight` must be [7, 2]"),
            ],
        );
    }
}
