//! Grouped products, and the experts' feed-forward made of them.

use collegium_core::DType;
use half::bf16;

use super::{Attributes, BufferView, BufferViewMut, Call, counted};
use crate::grouped::{self, ExpertResults, ExpertRows, ExpertRowsGradient, GroupedDot, GroupedOuter};
use crate::swiglu::{Swiglu, SwigluGradients};
use crate::{ArgumentError, Operand, Threads};

/// Operands rows {row, in}, weights {slot, in, out}, block_slot {block}; result {row, out}, in f32 or the rows' type. The
/// attribute `weights_transposed` is 1 for weights {slot, out, in}, else 0.
pub fn grouped_dot(
    args: &[BufferView<'_>],
    outs: &mut [BufferViewMut<'_>],
    attributes: Attributes<'_>,
) -> Result<(), ArgumentError> {
    let kernel = "grouped_dot";
    let ([rows, weights, block_slot], [out]) = counted(kernel, args, outs)?;
    let call = Call { kernel };
    match (rows.dtype, out.dtype) {
        (DType::F32, _) => call.grouped_dot::<f32, f32>(rows, weights, block_slot, out, attributes),
        (DType::Bf16, DType::F32) => {
            call.grouped_dot::<bf16, f32>(rows, weights, block_slot, out, attributes)
        }
        (DType::Bf16, DType::Bf16) => {
            call.grouped_dot::<bf16, bf16>(rows, weights, block_slot, out, attributes)
        }
        (DType::Bf16, given) => Err(call.dtype("out", "f32 or bf16", given)),
        (given, _) => Err(call.dtype("rows", "f32 or bf16", given)),
    }
}

/// Operands left {row, a}, right {row, b}, block_slot {block}; result {slot, a, b}.
pub fn grouped_outer(
    args: &[BufferView<'_>],
    outs: &mut [BufferViewMut<'_>],
    _: Attributes<'_>,
) -> Result<(), ArgumentError> {
    let kernel = "grouped_outer";
    let ([left, right, block_slot], [out]) = counted(kernel, args, outs)?;
    let call = Call { kernel };
    match left.dtype {
        DType::F32 => call.grouped_outer::<f32>(left, right, block_slot, out),
        DType::Bf16 => call.grouped_outer::<bf16>(left, right, block_slot, out),
        given => Err(call.dtype("left", "f32 or bf16", given)),
    }
}

/// Operands rows {row, in}, weights {slot, in, out}, rows and weights of a second product of the same sizes, block_slot {block}; result {row, out}
/// in the rows' type, the sum of both.
pub fn grouped_dot_sum(
    args: &[BufferView<'_>],
    outs: &mut [BufferViewMut<'_>],
    _: Attributes<'_>,
) -> Result<(), ArgumentError> {
    let kernel = "grouped_dot_sum";
    let (args, [out]): (&[_; 5], _) = counted(kernel, args, outs)?;
    let call = Call { kernel };
    match args[0].dtype {
        DType::F32 => call.grouped_dot_sum::<f32>(args, out),
        DType::Bf16 => call.grouped_dot_sum::<bf16>(args, out),
        given => Err(call.dtype("rows", "f32 or bf16", given)),
    }
}

/// Operands rows {n, hidden}, index {row, 1}, inverse {n, links} of which only the dims count, weights gate and up {slot, intermediate, hidden} and
/// down {slot, hidden, intermediate}, block_slot {block}, and perhaps the scale {row}; results: rows times gate and times up {row, intermediate}, and
/// perhaps what comes of them {row, hidden}.
pub fn expert_rows(
    args: &[BufferView<'_>],
    outs: &mut [BufferViewMut<'_>],
    _: Attributes<'_>,
) -> Result<(), ArgumentError> {
    let kernel = "expert_rows";
    let call = Call { kernel };
    let (args, scale) = args.split_at(args.len().min(7));
    let args: &[_; 7] = call.operands(args)?;
    match args[0].dtype {
        DType::F32 => call.expert_rows::<f32>(args, scale, outs),
        DType::Bf16 => call.expert_rows::<bf16>(args, scale, outs),
        given => Err(call.dtype("rows", "f32 or bf16", given)),
    }
}

/// Operands d_out {row, hidden}, gate and up {row, intermediate}, the weights down {slot, hidden, intermediate}, block_slot {block}, and perhaps the scale
/// {row}; results: what `down` was given, its gradients to gate and up, {row, intermediate} each, and that to the scale where there is one.
pub fn expert_rows_gradient(
    args: &[BufferView<'_>],
    outs: &mut [BufferViewMut<'_>],
    _: Attributes<'_>,
) -> Result<(), ArgumentError> {
    let kernel = "expert_rows_gradient";
    let call = Call { kernel };
    let (args, scale) = args.split_at(args.len().min(5));
    let args: &[_; 5] = call.operands(args)?;
    match args[0].dtype {
        DType::F32 => call.expert_rows_gradient::<f32>(args, scale, outs),
        DType::Bf16 => call.expert_rows_gradient::<bf16>(args, scale, outs),
        given => Err(call.dtype("d_out", "f32 or bf16", given)),
    }
}

impl Call {
    fn grouped_dot<T: Operand, O: Operand>(
        &self,
        rows: &BufferView<'_>,
        weights: &BufferView<'_>,
        block_slot: &BufferView<'_>,
        out: &mut BufferViewMut<'_>,
        attributes: Attributes<'_>,
    ) -> Result<(), ArgumentError> {
        let weights_transposed = self.flag(attributes, "weights_transposed")?;
        let problem = self.product::<T>([rows, weights, block_slot], weights_transposed, out.dims)?;
        grouped::grouped_dot(&problem, self.result::<O>("out", O::DTYPE, out)?, &Threads::current())
    }

    /// A grouped product whose result has the dims `out`.
    fn product<'a, T: Operand>(
        &self,
        [rows, weights, block_slot]: [&BufferView<'a>; 3],
        weights_transposed: bool,
        out: &[i64],
    ) -> Result<GroupedDot<'a, T>, ArgumentError> {
        let [num_rows, inner] = self.dims("rows", rows.dims)?;
        let [num_slots, a, b] = self.dims("weights", weights.dims)?;
        let (weights_inner, outer) = if weights_transposed { (b, a) } else { (a, b) };
        if weights_inner != inner {
            let required = format!("of contracted size {inner}, like rows {:?}", rows.dims);
            return Err(self.wrong_dims("weights", required, weights.dims));
        }
        self.same_dims("out", out, &[num_rows, outer])?;
        Ok(GroupedDot {
            rows: self.input("rows", T::DTYPE, rows)?,
            weights: self.input("weights", T::DTYPE, weights)?,
            second: None,
            weights_transposed,
            block_slot: self.block_slot(block_slot)?,
            num_rows,
            num_slots,
            inner,
            outer,
        })
    }

    fn grouped_outer<T: Operand>(
        &self,
        left: &BufferView<'_>,
        right: &BufferView<'_>,
        block_slot: &BufferView<'_>,
        out: &mut BufferViewMut<'_>,
    ) -> Result<(), ArgumentError> {
        let [num_rows, left_width] = self.dims("left", left.dims)?;
        let [right_rows, right_width] = self.dims("right", right.dims)?;
        if right_rows != num_rows {
            return Err(self.wrong_dims("right", format!("{num_rows} rows, like left"), right.dims));
        }
        let [num_slots, _, _] = self.dims("out", out.dims)?;
        self.same_dims("out", out.dims, &[num_slots, left_width, right_width])?;
        let problem = GroupedOuter {
            left: self.input::<T>("left", T::DTYPE, left)?,
            right: self.input::<T>("right", T::DTYPE, right)?,
            block_slot: self.block_slot(block_slot)?,
            num_rows,
            num_slots,
            left_width,
            right_width,
        };
        grouped::grouped_outer(&problem, self.output(out)?, &Threads::current())
    }

    fn block_slot<'a>(&self, buffer: &BufferView<'a>) -> Result<&'a [i32], ArgumentError> {
        let [_] = self.dims("block_slot", buffer.dims)?;
        self.input::<i32>("block_slot", DType::I32, buffer)
    }

    fn grouped_dot_sum<T: Operand>(
        &self,
        [rows, weights, more_rows, more_weights, block_slot]: &[BufferView<'_>; 5],
        out: &mut BufferViewMut<'_>,
    ) -> Result<(), ArgumentError> {
        let first = self.product([rows, weights, block_slot], false, out.dims)?;
        self.like("second rows", more_rows.dims, rows.dims)?;
        self.like("second weights", more_weights.dims, weights.dims)?;
        let second = [
            self.input::<T>("second rows", T::DTYPE, more_rows)?,
            self.input::<T>("second weights", T::DTYPE, more_weights)?,
        ];
        let problem = GroupedDot { second: Some(second), ..first };
        grouped::grouped_dot(&problem, self.result::<T>("out", T::DTYPE, out)?, &Threads::current())
    }

    /// The scale of `rows`, where there is one, the last of so many operands.
    fn scale<'a>(
        &self,
        scale: &[BufferView<'a>],
        rows: usize,
        operands: usize,
    ) -> Result<Option<&'a [f32]>, ArgumentError> {
        match scale {
            [] => Ok(None),
            [scale] => {
                self.same_dims("scale", scale.dims, &[rows])?;
                self.input("scale", DType::F32, scale).map(Some)
            }
            more => Err(ArgumentError::Count {
                kernel: self.kernel,
                what: "operands",
                required: operands,
                given: operands - 1 + more.len(),
            }),
        }
    }

    fn expert_rows<T: Operand>(
        &self,
        [rows, index, inverse, gate, up, down, block_slot]: &[BufferView<'_>; 7],
        scale: &[BufferView<'_>],
        outs: &mut [BufferViewMut<'_>],
    ) -> Result<(), ArgumentError> {
        let given = self.links::<T>(&[*rows, *index, *inverse])?;
        self.same_dims("index", index.dims, &[given.num_results, 1])?;
        let [num_slots, intermediate, _] = self.dims("gate", gate.dims)?;
        self.same_dims("gate", gate.dims, &[num_slots, intermediate, given.width])?;
        self.like("up", up.dims, gate.dims)?;
        self.same_dims("down", down.dims, &[num_slots, given.width, intermediate])?;
        let problem = ExpertRows {
            given,
            scale: self.scale(scale, given.num_results, 8)?,
            gate: self.input("gate", T::DTYPE, gate)?,
            up: self.input("up", T::DTYPE, up)?,
            down: self.input("down", T::DTYPE, down)?,
            block_slot: self.block_slot(block_slot)?,
            num_slots,
            intermediate,
        };
        let num_outs = outs.len();
        let (gate, up, out) = match outs {
            [gate, up] => (gate, up, None),
            [gate, up, out] => (gate, up, Some(out)),
            _ => return Err(self.number_of_results(3, num_outs)),
        };
        let inner = [given.num_results, intermediate];
        self.same_dims("gate rows", gate.dims, &inner)?;
        self.same_dims("up rows", up.dims, &inner)?;
        let out = out.map(|out| {
            self.same_dims("out", out.dims, &[given.num_results, given.width])?;
            self.result("out", T::DTYPE, out)
        });
        let results = ExpertResults {
            gate: self.result("gate rows", T::DTYPE, gate)?,
            up: self.result("up rows", T::DTYPE, up)?,
            out: out.transpose()?,
        };
        grouped::expert_rows(&problem, results, &Threads::current())
    }

    fn expert_rows_gradient<T: Operand>(
        &self,
        [d_out, gate, up, down, block_slot]: &[BufferView<'_>; 5],
        scale: &[BufferView<'_>],
        outs: &mut [BufferViewMut<'_>],
    ) -> Result<(), ArgumentError> {
        let [num_rows, hidden] = self.dims("d_out", d_out.dims)?;
        let [_, intermediate] = self.dims("gate", gate.dims)?;
        let [num_slots, ..] = self.dims::<3>("down", down.dims)?;
        self.same_dims("gate", gate.dims, &[num_rows, intermediate])?;
        self.same_dims("down", down.dims, &[num_slots, hidden, intermediate])?;
        let scale = self.scale(scale, num_rows, 6)?;
        let problem = ExpertRowsGradient {
            d_out: self.input::<T>("d_out", T::DTYPE, d_out)?,
            kept: Swiglu { scale, ..self.gate_and_up(&[*gate, *up])? },
            down: self.input("down", T::DTYPE, down)?,
            block_slot: self.block_slot(block_slot)?,
            num_rows,
            num_slots,
            hidden,
            intermediate,
        };
        let wrong_count = self.number_of_results(3 + usize::from(scale.is_some()), outs.len());
        let (of_rows, d_scale) = match (scale, outs.split_first_chunk_mut::<3>()) {
            (None, Some((of_rows, []))) => (of_rows, None),
            (Some(_), Some((of_rows, [d_scale]))) => (of_rows, Some(d_scale)),
            _ => return Err(wrong_count),
        };
        let d_scale = d_scale.map(|d_scale| {
            self.same_dims("d_scale", d_scale.dims, &[num_rows])?;
            self.result("d_scale", DType::F32, d_scale)
        });
        let results =
            SwigluGradients { d_scale: d_scale.transpose()?, ..self.gradients(of_rows, gate.dims)? };
        grouped::expert_rows_gradient(&problem, results, &Threads::current())
    }
}

#[cfg(test)]
mod tests {
    use super::super::frame::{Frame, POISON, buffer, refuses};
    use super::*;

    fn floats(dims: &[i64]) -> (DType, Vec<i64>, Vec<u32>) {
        buffer(DType::F32, dims, 0)
    }

    fn numbers(dims: &[i64]) -> (DType, Vec<i64>, Vec<u32>) {
        buffer(DType::I32, dims, 0)
    }

    fn out(dims: &[i64]) -> (DType, Vec<i64>, Vec<u32>) {
        buffer(DType::F32, dims, POISON)
    }

    fn sum_frame() -> Frame {
        let product = [floats(&[4, 3]), floats(&[2, 3, 5])];
        Frame {
            operands: [&product[..], &product, &[numbers(&[2])]].concat(),
            results: vec![out(&[4, 5])],
            attributes: Vec::new(),
        }
    }

    fn rows_frame() -> Frame {
        let links = [floats(&[3, 6]), numbers(&[4, 1]), numbers(&[3, 2])];
        let weights = [floats(&[2, 5, 6]), floats(&[2, 5, 6]), floats(&[2, 6, 5])];
        Frame {
            operands: [&links[..], &weights, &[numbers(&[2]), floats(&[4])]].concat(),
            results: vec![out(&[4, 5]), out(&[4, 5]), out(&[4, 6])],
            attributes: Vec::new(),
        }
    }

    fn gradient_frame() -> Frame {
        let given = [floats(&[4, 6]), floats(&[4, 5]), floats(&[4, 5]), floats(&[2, 6, 5])];
        Frame {
            operands: [&given[..], &[numbers(&[2]), floats(&[4])]].concat(),
            results: vec![out(&[4, 5]), out(&[4, 5]), out(&[4, 5]), out(&[4])],
            attributes: Vec::new(),
        }
    }

    #[test]
    fn faults_of_the_sum_are_named_and_nothing_is_written() {
        refuses(
            sum_frame,
            grouped_dot_sum,
            &[
                (|f| f.operands.truncate(4), "takes 5 operands, got 4"),
                (|f| f.operands[0].0 = DType::F64, "`rows` must hold f32 or bf16, got f64"),
                (|f| f.operands[1].1 = vec![2, 5, 3], "`weights` must be of contracted size 3"),
                (|f| f.operands[2].1 = vec![3, 4], "`second rows` must be [4, 3]"),
                (|f| f.operands[3].0 = DType::Bf16, "`second weights` must hold f32"),
                (|f| f.operands[4].1 = vec![1, 2], "`block_slot` must be 1 dims"),
                (|f| f.results[0].1 = vec![5, 4], "`out` must be [4, 5]"),
            ],
        );
    }

    #[test]
    fn faults_of_experts_are_named_and_nothing_is_written() {
        refuses(
            rows_frame,
            expert_rows,
            &[
                (|f| f.operands.truncate(6), "takes 7 operands, got 6"),
                (|f| f.operands.push(floats(&[4])), "takes 8 operands, got 9"),
                (|f| f.operands[0].0 = DType::I32, "`rows` must hold f32 or bf16"),
                (|f| f.operands[1].1 = vec![2, 2], "`index` must be [2, 1]"),
                (|f| f.operands[2].1 = vec![2, 3], "`inverse` must be [3, 3]"),
                (|f| f.operands[3].1 = vec![2, 6, 5], "`gate` must be [2, 6, 6]"),
                (|f| f.operands[4].1[0] = 1, "`up` must be [2, 5, 6]"),
                (|f| f.operands[5].1 = vec![2, 5, 6], "`down` must be [2, 6, 5]"),
                (
                    |f| f.operands[6] = numbers(&[3]),
                    "`block_slot` must be as many blocks as divide the 4 rows",
                ),
                (|f| f.operands[7].1 = vec![2, 2], "`scale` must be [4]"),
                (|f| f.results.truncate(1), "takes 3 results, got 1"),
                (|f| f.results[0].1 = vec![4, 6], "`gate rows` must be [4, 5]"),
                (|f| f.results[2].1 = vec![4, 5], "`out` must be [4, 6]"),
                (|f| f.results[1].2.truncate(3), "`up rows` must be 20 elements"),
            ],
        );
    }

    #[test]
    fn faults_of_their_gradient_are_named_and_nothing_is_written() {
        refuses(
            gradient_frame,
            expert_rows_gradient,
            &[
                (|f| f.operands.truncate(4), "takes 5 operands, got 4"),
                (|f| f.operands.truncate(5), "takes 3 results, got 4"),
                (|f| f.operands[1].1 = vec![5, 4], "`gate` must be [4, 4]"),
                (|f| f.operands[3].1 = vec![2, 5, 6], "`down` must be [2, 6, 5]"),
                (|f| f.operands[5].0 = DType::I32, "`scale` must hold f32"),
                (|f| f.results.truncate(3), "takes 4 results, got 3"),
                (|f| f.results[1].1 = vec![20], "`d_gate` must be [4, 5]"),
                (|f| f.results[3].1 = vec![4, 1], "`d_scale` must be [4]"),
                (|f| f.results[0].0 = DType::Bf16, "`value` must hold f32"),
            ],
        );
    }
}
