//! Passes over rows: the inside of a gated feed-forward, links between rows, sums of squares.

use collegium_core::DType;
use half::bf16;

use super::{Attributes, BufferView, BufferViewMut, Call, counted};
use crate::gathered::{self, Gathered};
use crate::squares;
use crate::swiglu::{self, Swiglu, SwigluGradients};
use crate::{ArgumentError, Operand, Threads};

/// Operands gate and up, of one shape; result of that shape.
pub fn swiglu(
    args: &[BufferView<'_>],
    outs: &mut [BufferViewMut<'_>],
    _: Attributes<'_>,
) -> Result<(), ArgumentError> {
    let kernel = "swiglu";
    let (args, [out]): (&[_; 2], _) = counted(kernel, args, outs)?;
    let call = Call { kernel };
    match (args[0].dtype, out.dtype) {
        (DType::F32, DType::F32) => call.swiglu::<f32, f32>(args, out),
        (DType::F32, DType::Bf16) => call.swiglu::<f32, bf16>(args, out),
        (DType::Bf16, DType::F32) => call.swiglu::<bf16, f32>(args, out),
        (DType::Bf16, DType::Bf16) => call.swiglu::<bf16, bf16>(args, out),
        (DType::F32 | DType::Bf16, given) => Err(call.dtype("out", "f32 or bf16", given)),
        (given, _) => Err(call.dtype("gate", "f32 or bf16", given)),
    }
}

/// Operands gate and up, of one shape; results: the result of the forward pass, which holds its cotangent before, and the gradients to gate and up, in the same
/// type.
pub fn swiglu_gradient(
    args: &[BufferView<'_>],
    outs: &mut [BufferViewMut<'_>],
    _: Attributes<'_>,
) -> Result<(), ArgumentError> {
    let kernel = "swiglu_gradient";
    let (args, outs): (&[_; 2], &mut [_; 3]) = counted(kernel, args, outs)?;
    let call = Call { kernel };
    match (args[0].dtype, outs[0].dtype) {
        (DType::F32, DType::F32) => call.swiglu_gradient::<f32, f32>(args, outs),
        (DType::F32, DType::Bf16) => call.swiglu_gradient::<f32, bf16>(args, outs),
        (DType::Bf16, DType::F32) => call.swiglu_gradient::<bf16, f32>(args, outs),
        (DType::Bf16, DType::Bf16) => call.swiglu_gradient::<bf16, bf16>(args, outs),
        (DType::F32 | DType::Bf16, given) => Err(call.dtype("value", "f32 or bf16", given)),
        (given, _) => Err(call.dtype("gate", "f32 or bf16", given)),
    }
}

/// Operands rows {n, width}, index {m, f}, inverse {n, g}; result {m, width}. Of the inverse only the dims count.
pub fn gathered_sum(
    args: &[BufferView<'_>],
    outs: &mut [BufferViewMut<'_>],
    _: Attributes<'_>,
) -> Result<(), ArgumentError> {
    let kernel = "gathered_sum";
    let (links, [out]): (&[_; 3], _) = counted(kernel, args, outs)?;
    let call = Call { kernel };
    match links[0].dtype {
        DType::F32 => call.gathered_sum::<f32>(links, out),
        DType::Bf16 => call.gathered_sum::<bf16>(links, out),
        given => Err(call.dtype("rows", "f32 or bf16", given)),
    }
}

/// Operands table {n, width} and index {m}; result {m, width}. Rows that are not in the table are zero.
pub fn take_rows(
    args: &[BufferView<'_>],
    outs: &mut [BufferViewMut<'_>],
    _: Attributes<'_>,
) -> Result<(), ArgumentError> {
    let kernel = "take_rows";
    let (args, [out]): (&[_; 2], _) = counted(kernel, args, outs)?;
    let call = Call { kernel };
    match args[0].dtype {
        DType::F32 => call.take_rows::<f32>(args, out),
        DType::Bf16 => call.take_rows::<bf16>(args, out),
        given => Err(call.dtype("table", "f32 or bf16", given)),
    }
}

/// Operand values; result a scalar.
pub fn sum_of_squares(
    args: &[BufferView<'_>],
    outs: &mut [BufferViewMut<'_>],
    _: Attributes<'_>,
) -> Result<(), ArgumentError> {
    let kernel = "sum_of_squares";
    let ([values], [out]) = counted(kernel, args, outs)?;
    let call = Call { kernel };
    call.same_dims("out", out.dims, &[])?;
    let values = call.input("values", DType::F32, values)?;
    let out = call.output(out)?;
    out[0] = squares::sum_of_squares(values, &Threads::current());
    Ok(())
}

impl Call {
    fn swiglu<G: Operand, T: Operand>(
        &self,
        args: &[BufferView<'_>; 2],
        out: &mut BufferViewMut<'_>,
    ) -> Result<(), ArgumentError> {
        let given = self.gate_and_up::<G>(args)?;
        self.like("out", out.dims, args[0].dims)?;
        swiglu::swiglu(&given, self.result::<T>("out", T::DTYPE, out)?, &Threads::current())
    }

    pub(super) fn gate_and_up<'a, G: Operand>(
        &self,
        [gate, up]: &[BufferView<'a>; 2],
    ) -> Result<Swiglu<'a, G>, ArgumentError> {
        self.like("up", up.dims, gate.dims)?;
        let [gate, up] = [self.input("gate", G::DTYPE, gate)?, self.input("up", G::DTYPE, up)?];
        Ok(Swiglu { gate, up, scale: None })
    }

    fn swiglu_gradient<G: Operand, T: Operand>(
        &self,
        args: &[BufferView<'_>; 2],
        outs: &mut [BufferViewMut<'_>; 3],
    ) -> Result<(), ArgumentError> {
        let given = self.gate_and_up::<G>(args)?;
        let results = self.gradients::<T>(outs, args[0].dims)?;
        swiglu::swiglu_gradient(&given, results, &Threads::current())
    }

    /// Results that all have these dims, and no gradient to a scale.
    pub(super) fn gradients<'a, T: Operand>(
        &self,
        [value, d_gate, d_up]: &'a mut [BufferViewMut<'_>; 3],
        dims: &[i64],
    ) -> Result<SwigluGradients<'a, T>, ArgumentError> {
        self.like("value", value.dims, dims)?;
        self.like("d_gate", d_gate.dims, dims)?;
        self.like("d_up", d_up.dims, dims)?;
        Ok(SwigluGradients {
            value: self.result("value", T::DTYPE, value)?,
            d_gate: self.result("d_gate", T::DTYPE, d_gate)?,
            d_up: self.result("d_up", T::DTYPE, d_up)?,
            d_scale: None,
        })
    }

    pub(super) fn links<'a, T: Operand>(
        &self,
        [rows, index, inverse]: &[BufferView<'a>; 3],
    ) -> Result<Gathered<'a, T>, ArgumentError> {
        let [num_rows, width] = self.dims("rows", rows.dims)?;
        let [num_results, links] = self.dims("index", index.dims)?;
        let [_, fan] = self.dims("inverse", inverse.dims)?;
        self.same_dims("inverse", inverse.dims, &[num_rows, fan])?;
        Ok(Gathered {
            rows: self.input("rows", T::DTYPE, rows)?,
            index: self.input("index", DType::I32, index)?,
            num_results,
            links,
            num_rows,
            fan,
            width,
        })
    }

    fn take_rows<T: Operand>(
        &self,
        [table, index]: &[BufferView<'_>; 2],
        out: &mut BufferViewMut<'_>,
    ) -> Result<(), ArgumentError> {
        let [num_rows, width] = self.dims("table", table.dims)?;
        let [num_results] = self.dims("index", index.dims)?;
        self.same_dims("out", out.dims, &[num_results, width])?;
        let problem = Gathered {
            rows: self.input::<T>("table", T::DTYPE, table)?,
            index: self.input("index", DType::I32, index)?,
            num_results,
            links: 1,
            num_rows,
            fan: 1,
            width,
        };
        gathered::gathered_sum(&problem, self.result::<T>("out", T::DTYPE, out)?, &Threads::current())
    }

    fn gathered_sum<T: Operand>(
        &self,
        links: &[BufferView<'_>; 3],
        out: &mut BufferViewMut<'_>,
    ) -> Result<(), ArgumentError> {
        let given = self.links::<T>(links)?;
        self.same_dims("out", out.dims, &[given.num_results, given.width])?;
        gathered::gathered_sum(&given, self.result("out", T::DTYPE, out)?, &Threads::current())
    }
}

#[cfg(test)]
mod tests {
    use super::super::frame::{Frame, POISON, buffer, refuses};
    use super::*;

    fn swiglu_frame() -> Frame {
        let given = || buffer(DType::F32, &[3, 5], 0);
        Frame {
            operands: vec![given(), given()],
            results: vec![buffer(DType::F32, &[3, 5], POISON)],
            attributes: Vec::new(),
        }
    }

    fn gradient_frame() -> Frame {
        let mut frame = swiglu_frame();
        let results = [0, 0].map(|i| frame.results[i].clone());
        frame.results.extend(results);
        frame
    }

    fn sum_frame() -> Frame {
        let (f, i) = (|dims: &[i64]| buffer(DType::F32, dims, 0), |dims: &[i64]| buffer(DType::I32, dims, 0));
        Frame {
            operands: vec![f(&[4, 3]), i(&[6, 2]), i(&[4, 3])],
            results: vec![buffer(DType::F32, &[6, 3], POISON)],
            attributes: Vec::new(),
        }
    }

    fn squares_frame() -> Frame {
        Frame {
            operands: vec![buffer(DType::F32, &[4, 3], 0)],
            results: vec![buffer(DType::F32, &[], POISON)],
            attributes: Vec::new(),
        }
    }

    #[test]
    fn faults_of_swiglu_are_named_and_nothing_is_written() {
        refuses(
            swiglu_frame,
            swiglu,
            &[
                (|f| f.operands.truncate(1), "takes 2 operands, got 1"),
                (|f| f.operands[1].1 = vec![5, 3], "`up` must be [3, 5], got [5, 3]"),
                (|f| f.operands[1].0 = DType::Bf16, "`up` must hold f32, got bf16"),
                (|f| f.operands[0].0 = DType::F64, "`gate` must hold f32 or bf16, got f64"),
                (|f| f.operands[0].2.truncate(14), "`gate` must be 15 elements"),
                (|f| f.results[0].0 = DType::I32, "`out` must hold f32 or bf16"),
                (|f| f.results[0].1 = vec![15], "`out` must be [3, 5]"),
            ],
        );
        refuses(
            gradient_frame,
            swiglu_gradient,
            &[
                (|f| f.results.truncate(2), "takes 3 results, got 2"),
                (|f| f.results[0].1 = vec![15], "`value` must be [3, 5]"),
                (|f| f.results[0].0 = DType::U32, "`value` must hold f32 or bf16"),
                (|f| f.results[2].1 = vec![4, 5], "`d_up` must be [3, 5]"),
                (|f| f.results[2].0 = DType::Bf16, "`d_up` must hold f32"),
            ],
        );
    }

    #[test]
    fn faults_of_links_are_named_and_nothing_is_written() {
        refuses(
            sum_frame,
            gathered_sum,
            &[
                (|f| f.operands.truncate(2), "takes 3 operands, got 2"),
                (|f| f.operands[1].0 = DType::F32, "`index` must hold i32"),
                (|f| f.operands[2].1[0] = 5, "`inverse` must be [4, 3], got [5, 3]"),
                (|f| f.operands[0].1 = vec![4, -3], "`rows` must be 2 dims"),
                (|f| f.results[0].1[0] = 7, "`out` must be [6, 3]"),
            ],
        );
        refuses(
            squares_frame,
            sum_of_squares,
            &[
                (|f| f.operands[0].0 = DType::Bf16, "`values` must hold f32"),
                (|f| f.operands[0].2.truncate(3), "`values` must be 12 elements"),
                (|f| f.results[0].1 = vec![1], "`out` must be []"),
            ],
        );
    }
}
