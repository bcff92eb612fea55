//! Products with packed weights, and what stands between them in a step of serving.

use collegium_core::DType;
use half::bf16;

use super::{Attributes, BufferView, BufferViewMut, Call, counted};
use crate::norm::{self, Norm};
use crate::prepacked::{self, BLOCK, LANES, PackedDot, PickedExperts, Values, Weights};
use crate::route::{self, Route};
use crate::{ArgumentError, Operand, Threads};

/// Operands rows {row, in} and packed weights: {panel, in, lane} f32, {panel, step, lane, pair} bf16, or {panel, step, lane, pair} i8 with a third
/// operand of scales {panel, block, lane} bf16; behind them a norm of the rows {in}, where the attribute `is_normed` is 1, and {row, feature} that the
/// result is added to, where `is_added` is. Result {row, feature}, f32 or as the rows. Further attributes: `features`, how many outputs there are, and
/// `eps_bits` of the norm, an f32.
pub fn packed_dot(
    args: &[BufferView<'_>],
    outs: &mut [BufferViewMut<'_>],
    attributes: Attributes<'_>,
) -> Result<(), ArgumentError> {
    let call = Call { kernel: "packed_dot" };
    let (args, rest) = args.split_at(args.len().min(2));
    let ([rows, weights], [out]): (&[BufferView<'_>; 2], _) = counted(call.kernel, args, outs)?;
    let (is_normed, is_added) = (call.flag(attributes, "is_normed")?, call.flag(attributes, "is_added")?);
    let wanted = [weights.dtype == DType::I8, is_normed, is_added];
    let required = wanted.iter().filter(|is_wanted| **is_wanted).count();
    if rest.len() != required {
        let (required, given) = (2 + required, 2 + rest.len());
        return Err(ArgumentError::Count { kernel: call.kernel, what: "operands", required, given });
    }
    let mut rest = rest.iter();
    let rest = wanted.map(|is_wanted| if is_wanted { rest.next() } else { None });
    match (rows.dtype, out.dtype) {
        (DType::F32, DType::F32) => call.packed_dot::<f32, f32>([rows, weights], rest, attributes, out),
        (DType::F32, DType::Bf16) => call.packed_dot::<f32, bf16>([rows, weights], rest, attributes, out),
        (DType::Bf16, DType::F32) => call.packed_dot::<bf16, f32>([rows, weights], rest, attributes, out),
        (DType::Bf16, DType::Bf16) => call.packed_dot::<bf16, bf16>([rows, weights], rest, attributes, out),
        (DType::F32 | DType::Bf16, given) => Err(call.dtype("out", "f32 or bf16", given)),
        (given, _) => Err(call.dtype("rows", "f32 or bf16", given)),
    }
}

/// Operands x {token, hidden}, gates {token, choice} f32, choices {token, choice} i32, packed weights of gate, up and down with a leading dim of
/// experts, the scales of those where they are i8, and, where the attribute `is_added` is 1, what the result is added to, as x. Result as x. The attribute
/// `intermediate` is the size inside.
pub fn packed_experts(
    args: &[BufferView<'_>],
    outs: &mut [BufferViewMut<'_>],
    attributes: Attributes<'_>,
) -> Result<(), ArgumentError> {
    let call = Call { kernel: "packed_experts" };
    let is_added = call.flag(attributes, "is_added")?;
    let (args, onto) = args.split_at(args.len().saturating_sub(usize::from(is_added)));
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
        DType::F32 => call.packed_experts::<f32>(args, (scales, onto.first()), intermediate, out),
        DType::Bf16 => call.packed_experts::<bf16>(args, (scales, onto.first()), intermediate, out),
        given => Err(call.dtype("x", "f32 or bf16", given)),
    }
}

/// Operands x {token, hidden}, weight {expert, hidden}, bias {expert} f32; results weights {token, choice} f32 and experts {token, choice} i32. With a
/// norm {hidden} of x behind them a third result is what it gives, as x. The attribute `normalise` is 1 where a token's weights add up to one, `eps_bits` is
/// an f32.
pub fn route(
    args: &[BufferView<'_>],
    outs: &mut [BufferViewMut<'_>],
    attributes: Attributes<'_>,
) -> Result<(), ArgumentError> {
    let call = Call { kernel: "route" };
    let (args, norm) = args.split_at(args.len().min(3));
    let (norm, outs, normed) = match (norm, outs) {
        ([norm], [outs @ .., normed]) => (Some(norm), outs, Some(normed)),
        ([], outs) => (None, outs, None),
        (more, _) => {
            let given = args.len() + more.len();
            return Err(ArgumentError::Count { kernel: call.kernel, what: "operands", required: 3, given });
        }
    };
    let (args, outs): (&[BufferView<'_>; 3], &mut [BufferViewMut<'_>; 2]) = counted(call.kernel, args, outs)?;
    match args[0].dtype {
        DType::F32 => call.route::<f32>(args, outs, (norm, normed), attributes),
        DType::Bf16 => call.route::<bf16>(args, outs, (norm, normed), attributes),
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
        [scales, norm, onto]: [Option<&BufferView<'_>>; 3],
        attributes: Attributes<'_>,
        out: &mut BufferViewMut<'_>,
    ) -> Result<(), ArgumentError> {
        let features = self.count(attributes, "features")?;
        let [num_rows, inner] = self.dims("rows", rows.dims)?;
        self.same_dims("out", out.dims, &[num_rows, features])?;
        let weights = self.packed("weights", (weights, scales), false, T::DTYPE, (features, inner))?;
        let rows = self.input::<T>("rows", T::DTYPE, rows)?;
        let norm = norm.map(|norm| self.norm(norm, inner, attributes)).transpose()?;
        let onto = onto.map(|onto| self.onto::<O>(onto, out.dims)).transpose()?;
        let problem = PackedDot { rows, weights, num_rows, norm, onto };
        prepacked::packed_dot(&problem, self.result::<O>("out", O::DTYPE, out)?, &Threads::current())
    }

    fn packed_experts<T: Operand>(
        &self,
        [x, gates, choices, gate, up, down]: &[BufferView<'_>; 6],
        (scales, onto): ([Option<&BufferView<'_>>; 3], Option<&BufferView<'_>>),
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
            onto: onto.map(|onto| self.onto::<T>(onto, out.dims)).transpose()?,
        };
        prepacked::picked_experts(&problem, self.result("out", T::DTYPE, out)?, &Threads::current())
    }

    fn route<T: Operand>(
        &self,
        [x, weight, bias]: &[BufferView<'_>; 3],
        [gates, experts]: &mut [BufferViewMut<'_>; 2],
        (norm, normed): (Option<&BufferView<'_>>, Option<&mut BufferViewMut<'_>>),
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
        for normed in normed.iter() {
            self.like("normed", normed.dims, x.dims)?;
        }
        let problem = Route {
            norm: norm.map(|norm| self.norm(norm, hidden, attributes)).transpose()?,
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
        let normed = match normed {
            Some(normed) => self.result("normed", T::DTYPE, normed)?,
            None => &mut [],
        };
        route::route(&problem, (gates, experts), normed, &Threads::current())
    }

    /// A norm of rows of so many elements.
    fn norm<'a, T: Operand>(
        &self,
        weight: &BufferView<'a>,
        width: usize,
        attributes: Attributes<'_>,
    ) -> Result<Norm<'a, T>, ArgumentError> {
        let eps = f32::from_bits(self.count(attributes, "eps_bits")? as u32);
        self.same_dims("norm", weight.dims, &[width])?;
        Ok(Norm { weight: self.input("norm", T::DTYPE, weight)?, eps })
    }

    /// What a result of these dims is added to.
    fn onto<'a, T: Operand>(&self, onto: &BufferView<'a>, out: &[i64]) -> Result<&'a [T], ArgumentError> {
        self.like("onto", onto.dims, out)?;
        self.input("onto", T::DTYPE, onto)
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
