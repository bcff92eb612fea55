//! Passes over rows: the inside of a gated feed-forward, links between rows, sums of squares.

use collegium_core::DType;
use half::bf16;

use super::{Attributes, BufferView, BufferViewMut, Call, counted};
use crate::gathered::{self, Gathered};
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

/// Operands rows {n, width}, index {m, f}, inverse {n, g} and, if there is a fourth, scale {m, f}; result {m, width}. Of the inverse only
/// the dims count.
pub fn gathered_sum(
    args: &[BufferView<'_>],
    outs: &mut [BufferViewMut<'_>],
    _: Attributes<'_>,
) -> Result<(), ArgumentError> {
    let kernel = "gathered_sum";
    let call = Call { kernel };
    let (links, scale) = match args {
        [links @ .., scale] if args.len() == 4 => (links, Some(scale)),
        _ => (args, None),
    };
    let (links, [out]): (&[_; 3], _) = counted(kernel, links, outs)?;
    match links[0].dtype {
        DType::F32 => call.gathered_sum::<f32>(links, scale, out),
        DType::Bf16 => call.gathered_sum::<bf16>(links, scale, out),
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
        self.operand_like("up", up, gate)?;
        self.like("out", out, gate)?;
        let (gate, up) = (self.input::<G>("gate", G::DTYPE, gate)?, self.input("up", G::DTYPE, up)?);
        swiglu::swiglu(gate, up, self.result::<T>("out", T::DTYPE, out)?, &Threads::current())
    }

    fn swiglu_gradient<G: Operand, T: Operand>(
        &self,
        [gate, up, d]: &[BufferView<'_>; 3],
        [d_gate, d_up]: &mut [BufferViewMut<'_>; 2],
    ) -> Result<(), ArgumentError> {
        self.operand_like("up", up, gate)?;
        self.operand_like("d", d, gate)?;
        self.like("d_gate", d_gate, gate)?;
        self.like("d_up", d_up, gate)?;
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
        scale: Option<&BufferView<'_>>,
        out: &mut BufferViewMut<'_>,
    ) -> Result<(), ArgumentError> {
        let given = self.links::<T>(links)?;
        let scale = match scale {
            Some(scale) => {
                self.operand_like("scale", scale, &links[1])?;
                Some(self.input::<f32>("scale", DType::F32, scale)?)
            }
            None => None,
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
        self.like("out", out, &links[1])?;
        let d = self.input("d", T::DTYPE, d)?;
        gathered::gathered_dots(&given, d, self.output(out)?, &Threads::current())
    }

    /// That an operand has the dims of another one.
    fn operand_like(
        &self,
        name: &'static str,
        operand: &BufferView<'_>,
        like: &BufferView<'_>,
    ) -> Result<(), ArgumentError> {
        if operand.dims == like.dims {
            return Ok(());
        }
        Err(self.wrong_dims(name, format!("{:?}", like.dims), operand.dims))
    }
}
