//! Products with packed weights, and what stands between them in a step of serving.

use collegium_core::DType;
use half::bf16;

use super::{Attributes, BufferView, BufferViewMut, Call, counted};
use crate::prepacked::{self, BLOCK, LANES, PackedDot, PickedExperts, Values, Weights};
use crate::route::{self, Route};
use crate::{ArgumentError, Operand, Threads, norm};

/// Operands rows {row, in} and packed weights: {panel, in, lane} f32, {panel, step, lane, pair} bf16, or {panel, step, lane, pair} i8 with a third
/// operand of scales {panel, block, lane} bf16. Result {row, feature}, f32 or as the rows. The attribute `features` says how many outputs there are.
pub fn packed_dot(
    args: &[BufferView<'_>],
    outs: &mut [BufferViewMut<'_>],
    attributes: Attributes<'_>,
) -> Result<(), ArgumentError> {
    let call = Call { kernel: "packed_dot" };
    let (args, scales) = match args {
        [front @ .., scales] if front.len() == 2 => (front, Some(scales)),
        all => (all, None),
    };
    let ([rows, weights], [out]) = counted(call.kernel, args, outs)?;
    let features = call.count(attributes, "features")?;
    match (rows.dtype, out.dtype) {
        (DType::F32, DType::F32) => call.packed_dot::<f32, f32>([rows, weights], scales, features, out),
        (DType::F32, DType::Bf16) => call.packed_dot::<f32, bf16>([rows, weights], scales, features, out),
        (DType::Bf16, DType::F32) => call.packed_dot::<bf16, f32>([rows, weights], scales, features, out),
        (DType::Bf16, DType::Bf16) => call.packed_dot::<bf16, bf16>([rows, weights], scales, features, out),
        (DType::F32 | DType::Bf16, given) => Err(call.dtype("out", "f32 or bf16", given)),
        (given, _) => Err(call.dtype("rows", "f32 or bf16", given)),
    }
}

/// Operands x {token, hidden}, gates {token, choice} f32, choices {token, choice} i32, packed weights of gate, up and down with a leading dim of
/// experts, and the scales of those where they are i8. Result as x. The attribute `intermediate` is the size inside.
pub fn packed_experts(
    args: &[BufferView<'_>],
    outs: &mut [BufferViewMut<'_>],
    attributes: Attributes<'_>,
) -> Result<(), ArgumentError> {
    let call = Call { kernel: "packed_experts" };
    let (args, scales) = args.split_at(args.len().min(6));
    let (args, [out]): (&[BufferView<'_>; 6], _) = counted(call.kernel, args, outs)?;
    let scales = match scales {
        [] => [None; 3],
        [a, b, c] => [Some(a), Some(b), Some(c)],
        more => {
            let given = args.len() + more.len();
            return Err(ArgumentError::Count { kernel: call.kernel, what: "operands", required: 9, given });
        }
    };
    let intermediate = call.count(attributes, "intermediate")?;
    match args[0].dtype {
        DType::F32 => call.packed_experts::<f32>(args, scales, intermediate, out),
        DType::Bf16 => call.packed_experts::<bf16>(args, scales, intermediate, out),
        given => Err(call.dtype("x", "f32 or bf16", given)),
    }
}

/// Operands x {token, hidden}, weight {expert, hidden}, bias {expert} f32; results weights {token, choice} f32 and experts {token, choice} i32. The
/// attribute `normalise` is 1 where a token's weights add up to one.
pub fn route(
    args: &[BufferView<'_>],
    outs: &mut [BufferViewMut<'_>],
    attributes: Attributes<'_>,
) -> Result<(), ArgumentError> {
    let call = Call { kernel: "route" };
    let (args, outs): (&[BufferView<'_>; 3], &mut [BufferViewMut<'_>; 2]) = counted(call.kernel, args, outs)?;
    match args[0].dtype {
        DType::F32 => call.route::<f32>(args, outs, attributes),
        DType::Bf16 => call.route::<bf16>(args, outs, attributes),
        given => Err(call.dtype("x", "f32 or bf16", given)),
    }
}

/// Operands x {.., width} and weight {width}; result as x. The attribute `eps_bits` is an f32.
pub fn rms_norm(
    args: &[BufferView<'_>],
    outs: &mut [BufferViewMut<'_>],
    attributes: Attributes<'_>,
) -> Result<(), ArgumentError> {
    let call = Call { kernel: "rms_norm" };
    let ([x, weight], [out]) = counted(call.kernel, args, outs)?;
    match x.dtype {
        DType::F32 => call.rms_norm::<f32>([x, weight], out, attributes),
        DType::Bf16 => call.rms_norm::<bf16>([x, weight], out, attributes),
        given => Err(call.dtype("x", "f32 or bf16", given)),
    }
}

impl Call {
    /// Packed weights of `features` by `inner`, with a leading dim where they are experts'.
    fn packed<'a>(
        &self,
        name: &'static str,
        (values, scales): (&BufferView<'a>, Option<&BufferView<'a>>),
        is_expert: bool,
        rows: DType,
        (features, inner): (usize, usize),
    ) -> Result<Weights<'a>, ArgumentError> {
        let slots = match (is_expert, values.dims.first()) {
            (true, Some(&slots)) => usize::try_from(slots).unwrap_or(0),
            _ => 1,
        };
        let front = if is_expert { vec![slots] } else { vec![] };
        let dims = |rest: &[usize]| [&front[..], &[features.div_ceil(LANES)], rest].concat();
        let values = match scales {
            Some(scales) => {
                self.same_dims(name, values.dims, &dims(&[inner.div_ceil(2), LANES, 2]))?;
                self.same_dims(name, scales.dims, &dims(&[inner.div_ceil(BLOCK), LANES]))?;
                Values::Int8(self.input(name, DType::I8, values)?, self.input(name, DType::Bf16, scales)?)
            }
            None if rows == DType::Bf16 => {
                self.same_dims(name, values.dims, &dims(&[inner.div_ceil(2), LANES, 2]))?;
                Values::Bf16(self.input(name, DType::Bf16, values)?)
            }
            None => {
                self.same_dims(name, values.dims, &dims(&[inner, LANES]))?;
                Values::F32(self.input(name, DType::F32, values)?)
            }
        };
        Ok(Weights { values, slots, features, inner })
    }

    fn packed_dot<T: Operand, O: Operand>(
        &self,
        [rows, weights]: [&BufferView<'_>; 2],
        scales: Option<&BufferView<'_>>,
        features: usize,
        out: &mut BufferViewMut<'_>,
    ) -> Result<(), ArgumentError> {
        let [num_rows, inner] = self.dims("rows", rows.dims)?;
        self.same_dims("out", out.dims, &[num_rows, features])?;
        let weights = self.packed("weights", (weights, scales), false, T::DTYPE, (features, inner))?;
        let problem = PackedDot { rows: self.input::<T>("rows", T::DTYPE, rows)?, weights, num_rows };
        prepacked::packed_dot(&problem, self.result::<O>("out", O::DTYPE, out)?, &Threads::current())
    }

    fn packed_experts<T: Operand>(
        &self,
        [x, gates, choices, gate, up, down]: &[BufferView<'_>; 6],
        scales: [Option<&BufferView<'_>>; 3],
        intermediate: usize,
        out: &mut BufferViewMut<'_>,
    ) -> Result<(), ArgumentError> {
        let [num_tokens, hidden] = self.dims("x", x.dims)?;
        let [_, top_k] = self.dims("gates", gates.dims)?;
        self.same_dims("gates", gates.dims, &[num_tokens, top_k])?;
        self.same_dims("choices", choices.dims, &[num_tokens, top_k])?;
        self.like("out", out.dims, x.dims)?;
        let weights =
            |name, values, at: usize, sizes| self.packed(name, (values, scales[at]), true, T::DTYPE, sizes);
        let problem = PickedExperts {
            x: self.input::<T>("x", T::DTYPE, x)?,
            gates: self.input("gates", DType::F32, gates)?,
            choices: self.input("choices", DType::I32, choices)?,
            gate: weights("gate", gate, 0, (intermediate, hidden))?,
            up: weights("up", up, 1, (intermediate, hidden))?,
            down: weights("down", down, 2, (hidden, intermediate))?,
            num_tokens,
        };
        prepacked::picked_experts(&problem, self.result("out", T::DTYPE, out)?, &Threads::current())
    }

    fn route<T: Operand>(
        &self,
        [x, weight, bias]: &[BufferView<'_>; 3],
        [gates, experts]: &mut [BufferViewMut<'_>; 2],
        attributes: Attributes<'_>,
    ) -> Result<(), ArgumentError> {
        let normalise = self.flag(attributes, "normalise")?;
        let [num_tokens, hidden] = self.dims("x", x.dims)?;
        let [num_experts, _] = self.dims("weight", weight.dims)?;
        let [_, top_k] = self.dims("gates", gates.dims)?;
        self.same_dims("weight", weight.dims, &[num_experts, hidden])?;
        self.same_dims("bias", bias.dims, &[num_experts])?;
        self.same_dims("gates", gates.dims, &[num_tokens, top_k])?;
        self.same_dims("experts", experts.dims, &[num_tokens, top_k])?;
        let problem = Route {
            x: self.input::<T>("x", T::DTYPE, x)?,
            weight: self.input("weight", T::DTYPE, weight)?,
            bias: self.input("bias", DType::F32, bias)?,
            num_tokens,
            hidden,
            top_k,
            normalise,
        };
        let gates = self.result("gates", DType::F32, gates)?;
        let experts = self.result("experts", DType::I32, experts)?;
        route::route(&problem, gates, experts, &Threads::current())
    }

    fn rms_norm<T: Operand>(
        &self,
        [x, weight]: [&BufferView<'_>; 2],
        out: &mut BufferViewMut<'_>,
        attributes: Attributes<'_>,
    ) -> Result<(), ArgumentError> {
        let bits = self.count(attributes, "eps_bits")?;
        let [width] = self.dims("weight", weight.dims)?;
        if x.dims.last().and_then(|&w| usize::try_from(w).ok()) != Some(width) {
            return Err(self.wrong_dims("x", format!("a last dim of {width}, like weight"), x.dims));
        }
        self.like("out", out.dims, x.dims)?;
        let values = self.input::<T>("x", T::DTYPE, x)?;
        let weight = self.input("weight", T::DTYPE, weight)?;
        let eps = f32::from_bits(bits as u32);
        norm::rms_norm(values, weight, eps, self.result("out", T::DTYPE, out)?, &Threads::current())
    }
}
