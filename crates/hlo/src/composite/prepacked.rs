//! Products with weights that were packed for the CPU's kernels when they were loaded: for serving, where weights never change.
//!
//! | value | dims |
//! | --- | --- |
//! | x | {token, in}, f32 or bf16; `in` by any name |
//! | weights, f32 | {panel, step, lane}: outputs side by side in panels of [`PACKED_LANES`], a step for each element of `in` |
//! | weights, bf16 or i8 | {panel, step, lane, pair}: a step for two neighbours of `in` |
//! | scales of i8 | {panel, block, lane} bf16: one for [`PACKED_BLOCK`] weights of an output |
//! | result | {token, feature} |
//!
//! A product may normalise its rows first, and add its result to a value ([`Around`]); experts may add theirs: a step of serving is a chain of few calls
//! then, with nothing between them that the compiler would run by other threads.
//!
//! Weights of experts have `slot` in front. Sums are f32. The kernels take rows that meet i8
//! as whole numbers of 16 bits, a scale for each block; the plain form takes them as they are. There is no gradient. The plain form lays the weights out again, so other devices should
//! be given weights as they are.

use collegium_core::DType;

use super::{Composite, norm, swiglu};
use crate::build::product::product_dtype;
use crate::{Dim, Shape, Value, dim};

/// Outputs of a panel of packed weights.
pub const PACKED_LANES: usize = 64;

/// Weights of an output that share a scale.
pub const PACKED_BLOCK: usize = 32;

/// Packed weights: the elements, and for int8 their scales.
#[derive(Clone, Copy)]
pub struct Packed<'g> {
    /// Elements.
    pub values: Value<'g>,
    /// Scales of int8.
    pub scales: Option<Value<'g>>,
}

impl Packed<'_> {
    /// Dims of the elements and scales of weights {feature, in} of element type `dtype`, `slots` of them where they are experts'.
    pub fn dims(dtype: DType, slots: Option<usize>, features: usize, inner: usize) -> (Vec<Dim>, Vec<Dim>) {
        let front: Vec<Dim> = slots
            .map(|s| dim("slot", s))
            .into_iter()
            .chain([dim("panel", features.div_ceil(PACKED_LANES))])
            .collect();
        let lane = dim("lane", PACKED_LANES);
        let values: &[Dim] = match dtype {
            DType::Bf16 | DType::I8 => &[dim("step", inner.div_ceil(2)), lane, dim("pair", 2)],
            _ => &[dim("step", inner), lane],
        };
        let scales = [dim("block", inner.div_ceil(PACKED_BLOCK)), lane];
        ([&front, values].concat(), [&front[..], &scales].concat())
    }
}

/// What a product with packed weights does besides.
#[derive(Clone, Copy, Default)]
pub struct Around<'g> {
    /// {in}: rows are normalised first as [`Value::rms_norm_rows`] does it, with this weight and what is added to the mean of squares.
    pub norm: Option<(Value<'g>, f32)>,
    /// {token, feature} in the type of the result, which is added to it.
    pub onto: Option<Value<'g>>,
}

/// Which of these there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Surrounded {
    /// The bits of an f32, where rows are normalised.
    pub eps_bits: Option<u32>,
    /// Whether something is added.
    pub is_added: bool,
}

impl Surrounded {
    /// How many inputs they are.
    pub(super) fn num_inputs(self) -> usize {
        usize::from(self.eps_bits.is_some()) + usize::from(self.is_added)
    }
}

impl<'g> Value<'g> {
    /// `self` {token, in} times packed weights of `features` outputs, and what is `around` that: {token, feature} in `dtype`.
    #[track_caller]
    pub fn packed_dot(self, weights: Packed<'g>, features: usize, dtype: DType, around: Around<'g>) -> Self {
        let Around { norm, onto } = around;
        let is_scaled = weights.scales.is_some();
        let around = Surrounded { eps_bits: norm.map(|n| n.1.to_bits()), is_added: onto.is_some() };
        let inputs = [self, weights.values].into_iter().chain(weights.scales).chain(norm.map(|n| n.0));
        let inputs: Vec<_> = inputs.chain(onto).collect();
        Self::composite(Composite::PackedDot { features, dtype, is_scaled, around }, 0, &inputs)
    }

    /// For `self` {token, hidden} the sum over a token's choices of the gated feed-forward of the experts `choices` {token, choice} i32, each of
    /// `intermediate` inside, which is multiplied with `gates` {token, choice} f32 as [`Value::expert_rows`] does it: {token, hidden}. Weights are gate,
    /// up and down. A choice below zero is no expert and adds nothing. The sum is added to `onto` {token, hidden}, if it is given.
    #[track_caller]
    pub fn packed_experts(
        self,
        (gates, choices): (Self, Self),
        weights: [Packed<'g>; 3],
        intermediate: usize,
        onto: Option<Self>,
    ) -> Self {
        let is_scaled = weights[0].scales.is_some();
        let mut inputs = vec![self, gates, choices];
        inputs.extend(weights.iter().map(|w| w.values));
        inputs.extend(weights.iter().filter_map(|w| w.scales));
        inputs.extend(onto);
        let is_added = onto.is_some();
        Self::composite(Composite::PackedExperts { intermediate, is_scaled, is_added }, 0, &inputs)
    }
}

/// Whether these are weights of the sizes, for tokens of type `x`.
fn fits(
    x: DType,
    values: &Shape,
    scales: Option<&Shape>,
    slots: Option<usize>,
    (features, inner): (usize, usize),
) -> bool {
    let (dims, scale_dims) = Packed::dims(values.dtype, slots, features, inner);
    let typed = match scales {
        None => values.dtype == x && x.is_float(),
        Some(scales) => values.dtype == DType::I8 && scales.dtype == DType::Bf16 && scales.dims == scale_dims,
    };
    typed && values.dims == dims
}

pub(super) fn dot_shapes(
    x: &[&Shape],
    (features, dtype): (usize, DType),
    is_scaled: bool,
    around: Surrounded,
) -> Option<Vec<Shape>> {
    let [rows, values, rest @ ..] = x else { return None };
    let (scales, rest) = rest.split_at_checked(usize::from(is_scaled))?;
    let (norm, onto) = rest.split_at_checked(usize::from(around.eps_bits.is_some()))?;
    let [token, inner] = &rows.dims[..] else { return None };
    let out = Shape::new(dtype, &[*token, dim("feature", features)]);
    let sound = fits(rows.dtype, values, scales.first().copied(), None, (features, inner.size))
        && features > 0
        && rows.dtype.is_float()
        && dtype.is_float()
        && token.name == "token"
        && norm.iter().all(|norm| **norm == Shape::new(rows.dtype, &[*inner]))
        && onto.len() == usize::from(around.is_added)
        && onto.iter().all(|onto| **onto == out);
    sound.then(|| vec![out])
}

pub(super) fn experts_shapes(
    x: &[&Shape],
    intermediate: usize,
    (is_scaled, is_added): (bool, bool),
) -> Option<Vec<Shape>> {
    let (x, onto) = x.split_at_checked(x.len() - usize::from(is_added))?;
    let [rows, gates, choices, rest @ ..] = x else { return None };
    let ([token, hidden], [also, choice]) = (&rows.dims[..], &gates.dims[..]) else { return None };
    let slots = rest.first()?.dims.first()?.size;
    let sizes = [(intermediate, hidden.size), (intermediate, hidden.size), (hidden.size, intermediate)];
    let weight = |i: usize| {
        let scales = is_scaled.then(|| rest.get(3 + i).copied()).flatten();
        is_scaled == scales.is_some()
            && rest.get(i).is_some_and(|w| fits(rows.dtype, w, scales, Some(slots), sizes[i]))
    };
    let sound = rest.len() == if is_scaled { 6 } else { 3 }
        && (0..3).all(weight)
        && rows.dtype.is_float()
        && [token.name, hidden.name, choice.name] == ["token", "hidden", "choice"]
        && token == also
        && gates.dtype == product_dtype(rows.dtype)
        && choices.dims == gates.dims
        && choices.dtype == DType::I32
        && onto.iter().all(|onto| onto == rows)
        && intermediate > 0;
    sound.then(|| vec![(*rows).clone()])
}

/// Packed weights as {.., out, in}, in the type of their products.
fn unpacked<'g>(
    values: Value<'g>,
    scales: Option<Value<'g>>,
    slots: bool,
    [out, inner]: [Dim; 2],
) -> Value<'g> {
    let front: &[&'static str] = if slots { &["slot"] } else { &[] };
    let ordered = |x: Value<'g>, rest: &[&'static str]| x.transpose(&[front, rest].concat());
    // Dims are merged where they lie side by side.
    let pairs = |values: Value<'g>, name: &'static str| {
        ordered(values, &["panel", "lane", "step", "pair"]).merge(&["step", "pair"], name)
    };
    let flat = match scales {
        None if values.dtype() == DType::Bf16 => pairs(values, inner.name),
        None => ordered(values, &["panel", "lane", "step"]).rename(&[("step", inner.name)]),
        Some(scales) => {
            let wide = DType::F32;
            let values = pairs(values.convert(wide), "step");
            let blocks = scales.size("block");
            let padded = values.pad("step", 0, blocks * PACKED_BLOCK - values.size("step"));
            let parts = padded.split("step", &[dim("block", blocks), dim("within", PACKED_BLOCK)]);
            let scaled = parts * scales.convert(wide).broadcast(&parts.shape().dims);
            scaled.merge(&["block", "within"], inner.name)
        }
    };
    flat.slice(inner.name, 0, inner.size).merge(&["panel", "lane"], out.name).slice(out.name, 0, out.size)
}

pub(super) fn plain_dot<'g>(
    x: &[Value<'g>],
    (features, dtype): (usize, DType),
    is_scaled: bool,
    around: Surrounded,
) -> Vec<Value<'g>> {
    let scales = is_scaled.then(|| x[2]);
    let behind = 2 + usize::from(is_scaled);
    let rows = around.eps_bits.map_or(x[0], |eps| norm::plain(&[x[0], x[behind]], eps)[0]);
    let inner = rows.shape().dims[1];
    // The result's dim may have the name of the contracted one.
    let rows = rows.rename(&[(inner.name, "in")]);
    let weight = unpacked(x[1], scales, false, [dim("feature", features), dim("in", inner.size)]);
    let rows = if scales.is_some() { rows.convert(weight.dtype()) } else { rows };
    let product = rows.dot_as(weight, &["in"], product_dtype(rows.dtype())).convert(dtype);
    vec![if around.is_added { *x.last().expect("shapes were checked") + product } else { product }]
}

pub(super) fn plain_experts<'g>(
    x: &[Value<'g>],
    intermediate: usize,
    (is_scaled, is_added): (bool, bool),
) -> Vec<Value<'g>> {
    let (rows, gates, choices) = (x[0], x[1], x[2]);
    let dims = gates.shape().dims;
    let hidden = rows.shape().dims[1];
    let inside = dim("intermediate", intermediate);
    let weight = |i: usize, sizes: [Dim; 2]| unpacked(x[3 + i], is_scaled.then(|| x[6 + i]), true, sizes);
    let (gate, up, down) =
        (weight(0, [inside, hidden]), weight(1, [inside, hidden]), weight(2, [hidden, inside]));
    let dtype = rows.dtype();
    // What goes into a product has the type of the weights; int8 stands for f32.
    let given = |v: Value<'g>| v.convert(dtype).convert(gate.dtype());
    let each = given(rows).broadcast(&[dims[0], dims[1], hidden]).merge(&["token", "choice"], "row");
    let zero = choices.graph().scalar(DType::I32, 0.0);
    let slots = choices.max(zero).merge(&["token", "choice"], "block");
    let product = |rows: Value<'g>, w: Value<'g>, over| rows.grouped_dot(w, slots, over).convert(dtype);
    let gates = choices.at_least(zero).select(gates, gates.graph().scalar(gates.dtype(), 0.0));
    let [gate_rows, up_rows] = [gate, up].map(|w| product(each, w, "hidden"));
    let scale = gates.merge(&["token", "choice"], "row");
    let inside = swiglu::plain(&[gate_rows, up_rows, scale], dtype)[0];
    let made = product(given(inside), down, "intermediate");
    let sum = made.split("row", &dims).convert(gates.dtype()).sum(&["choice"]).convert(dtype);
    vec![if is_added { *x.last().expect("shapes were checked") + sum } else { sum }]
}
