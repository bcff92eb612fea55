//! Passes over rows: the inside of a gated feed-forward, links between rows, sums of squares.

use collegium_core::DType;
use half::bf16;

use super::{Attributes, BufferView, BufferViewMut, Call, counted};
use crate::gathered::{self, Gathered, Scale};
use crate::squares;
use crate::swiglu::{self, SwigluGradient};
use crate::{ArgumentError, Operand, Threads};

/// Operands gate and up, of one shape; result of that shape.
pub fn swiglu(
    args: &[BufferView<'_>],
    outs: &mut [BufferViewMut<'_>],
    _: Attributes<'_>,
) -> Result<(), ArgumentError> {
    let kernel = "swiglu";
    let ([gate, up], [out]) = counted(kernel, args, outs)?;
    let call = Call { kernel };
    match (gate.dtype, out.dtype) {
        (DType::F32, DType::F32) => call.swiglu::<f32, f32>(gate, up, out),
        (DType::F32, DType::Bf16) => call.swiglu::<f32, bf16>(gate, up, out),
        (DType::Bf16, DType::F32) => call.swiglu::<bf16, f32>(gate, up, out),
        (DType::Bf16, DType::Bf16) => call.swiglu::<bf16, bf16>(gate, up, out),
        (DType::F32 | DType::Bf16, given) => Err(call.dtype("out", "f32 or bf16", given)),
        (given, _) => Err(call.dtype("gate", "f32 or bf16", given)),
    }
}

/// Operands gate, up and the result's cotangent, of one shape; results: the gradients to gate and up, in the cotangent's type.
pub fn swiglu_gradient(
    args: &[BufferView<'_>],
    outs: &mut [BufferViewMut<'_>],
    _: Attributes<'_>,
) -> Result<(), ArgumentError> {
    let kernel = "swiglu_gradient";
    let (args, outs): (&[_; 3], &mut [_; 2]) = counted(kernel, args, outs)?;
    let call = Call { kernel };
    match (args[0].dtype, args[2].dtype) {
        (DType::F32, DType::F32) => call.swiglu_gradient::<f32, f32>(args, outs),
        (DType::F32, DType::Bf16) => call.swiglu_gradient::<f32, bf16>(args, outs),
        (DType::Bf16, DType::F32) => call.swiglu_gradient::<bf16, f32>(args, outs),
        (DType::Bf16, DType::Bf16) => call.swiglu_gradient::<bf16, bf16>(args, outs),
        (DType::F32 | DType::Bf16, given) => Err(call.dtype("d", "f32 or bf16", given)),
        (given, _) => Err(call.dtype("gate", "f32 or bf16", given)),
    }
}

/// Operands rows {n, width}, index {m, f}, inverse {n, g} and, if there is a fourth, scale {m, f}, or {n, g} where the
/// attribute `scale_behind` is 1, else 0; result {m, width}. Of the inverse only the dims count.
pub fn gathered_sum(
    args: &[BufferView<'_>],
    outs: &mut [BufferViewMut<'_>],
    attributes: Attributes<'_>,
) -> Result<(), ArgumentError> {
    let kernel = "gathered_sum";
    let call = Call { kernel };
    let behind = call.flag(attributes, "scale_behind")?;
    let (links, scale) = match args {
        [links @ .., scale] if args.len() == 4 => (links, Some(scale)),
        _ => (args, None),
    };
    let (links, [out]): (&[_; 3], _) = counted(kernel, links, outs)?;
    match links[0].dtype {
        DType::F32 => call.gathered_sum::<f32>(links, scale.map(|s| (s, behind)), out),
        DType::Bf16 => call.gathered_sum::<bf16>(links, scale.map(|s| (s, behind)), out),
        given => Err(call.dtype("rows", "f32 or bf16", given)),
    }
}

/// Operands d {m, width}, rows {n, width}, index {m, f}, inverse {n, g}; result {m, f}.
pub fn gathered_dots(
    args: &[BufferView<'_>],
    outs: &mut [BufferViewMut<'_>],
    _: Attributes<'_>,
) -> Result<(), ArgumentError> {
    let kernel = "gathered_dots";
    let ([d, rows, index, inverse], [out]) = counted(kernel, args, outs)?;
    let call = Call { kernel };
    let links = &[*rows, *index, *inverse];
    match rows.dtype {
        DType::F32 => call.gathered_dots::<f32>(d, links, out),
        DType::Bf16 => call.gathered_dots::<bf16>(d, links, out),
        given => Err(call.dtype("rows", "f32 or bf16", given)),
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
        gate: &BufferView<'_>,
        up: &BufferView<'_>,
        out: &mut BufferViewMut<'_>,
    ) -> Result<(), ArgumentError> {
        self.like("up", up.dims, gate.dims)?;
        self.like("out", out.dims, gate.dims)?;
        let (gate, up) = (self.input::<G>("gate", G::DTYPE, gate)?, self.input("up", G::DTYPE, up)?);
        swiglu::swiglu(gate, up, self.result::<T>("out", T::DTYPE, out)?, &Threads::current())
    }

    fn swiglu_gradient<G: Operand, T: Operand>(
        &self,
        [gate, up, d]: &[BufferView<'_>; 3],
        [d_gate, d_up]: &mut [BufferViewMut<'_>; 2],
    ) -> Result<(), ArgumentError> {
        self.like("up", up.dims, gate.dims)?;
        self.like("d", d.dims, gate.dims)?;
        self.like("d_gate", d_gate.dims, gate.dims)?;
        self.like("d_up", d_up.dims, gate.dims)?;
        let given: SwigluGradient<'_, G, T> = SwigluGradient {
            gate: self.input("gate", G::DTYPE, gate)?,
            up: self.input("up", G::DTYPE, up)?,
            d: self.input("d", T::DTYPE, d)?,
        };
        let d_gate = self.result("d_gate", T::DTYPE, d_gate)?;
        swiglu::swiglu_gradient(&given, d_gate, self.result("d_up", T::DTYPE, d_up)?, &Threads::current())
    }

    fn links<'a, T: Operand>(
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

    fn gathered_sum<T: Operand>(
        &self,
        links: &[BufferView<'_>; 3],
        scale: Option<(&BufferView<'_>, bool)>,
        out: &mut BufferViewMut<'_>,
    ) -> Result<(), ArgumentError> {
        let given = self.links::<T>(links)?;
        let scale = match scale {
            Some((scale, behind)) => {
                self.like("scale", scale.dims, links[if behind { 2 } else { 1 }].dims)?;
                let values = self.input::<f32>("scale", DType::F32, scale)?;
                if behind { Scale::Behind(values) } else { Scale::Own(values) }
            }
            None => Scale::None,
        };
        self.same_dims("out", out.dims, &[given.num_results, given.width])?;
        gathered::gathered_sum(&given, scale, self.result("out", T::DTYPE, out)?, &Threads::current())
    }

    fn gathered_dots<T: Operand>(
        &self,
        d: &BufferView<'_>,
        links: &[BufferView<'_>; 3],
        out: &mut BufferViewMut<'_>,
    ) -> Result<(), ArgumentError> {
        let given = self.links::<T>(links)?;
        self.same_dims("d", d.dims, &[given.num_results, given.width])?;
        self.like("out", out.dims, links[1].dims)?;
        let d = self.input("d", T::DTYPE, d)?;
        gathered::gathered_dots(&given, d, self.output(out)?, &Threads::current())
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
        frame.operands.push(frame.operands[0].clone());
        frame.results.push(frame.results[0].clone());
        frame
    }

    fn sum_frame() -> Frame {
        let (f, i) = (|dims: &[i64]| buffer(DType::F32, dims, 0), |dims: &[i64]| buffer(DType::I32, dims, 0));
        Frame {
            operands: vec![f(&[4, 3]), i(&[6, 2]), i(&[4, 3]), f(&[6, 2])],
            results: vec![buffer(DType::F32, &[6, 3], POISON)],
            attributes: vec![("scale_behind", 0)],
        }
    }

    fn dots_frame() -> Frame {
        let mut frame = sum_frame();
        frame.operands.rotate_right(1);
        frame.operands[0] = buffer(DType::F32, &[6, 3], 0);
        frame.results = vec![buffer(DType::F32, &[6, 2], POISON)];
        frame
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
                (|f| f.results.truncate(1), "takes 2 results, got 1"),
                (|f| f.operands[2].1 = vec![3, 4], "`d` must be [3, 5]"),
                (|f| f.results[1].1 = vec![4, 5], "`d_up` must be [3, 5]"),
                (|f| f.results[1].0 = DType::Bf16, "`d_up` must hold f32"),
                (|f| f.operands[2].0 = DType::U32, "`d` must hold f32 or bf16"),
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
                (|f| f.operands[3].1[1] = 3, "`scale` must be [6, 2]"),
                (|f| f.attributes[0].1 = 1, "`scale` must be [4, 3], got [6, 2]"),
                (|f| f.attributes.clear(), "attribute `scale_behind` must be 0 or 1"),
                (|f| f.operands[0].1 = vec![4, -3], "`rows` must be 2 dims"),
                (|f| f.results[0].1[0] = 7, "`out` must be [6, 3]"),
            ],
        );
        refuses(
            dots_frame,
            gathered_dots,
            &[
                (|f| f.operands[0].1[1] = 2, "`d` must be [6, 3]"),
                (|f| f.operands[0].0 = DType::Bf16, "`d` must hold f32, got bf16"),
                (|f| f.results[0].1[1] = 3, "`out` must be [6, 2]"),
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
