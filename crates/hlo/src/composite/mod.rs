//! Composite operations: computations with several results that a device may have a kernel for, each defined by a plain
//! form in other operations.
//!
//! A result is a node of its own ([`Op::Composite`] with its number), so a graph stays one value a node, and results that
//! nobody reads are never made. Nodes of one composite on the same inputs are one call of the kernel. Where there is no
//! kernel, the plain form stands in their place ([`Program::plain`]): it is what other devices run, what the reference
//! evaluates, what costs are counted on and what target rules look at. So a composite needs no arm in those passes, and its
//! kernel is tested against the very program that it replaces.

mod adamw;
mod attention;
mod cross_entropy;
mod experts;
mod gathered;
mod norm;
mod paged;
mod paged_step;
mod prepacked;
mod route;
mod slots;
mod squares;
mod swiglu;
mod take_rows;

use std::borrow::Cow;

use collegium_core::DType;

use crate::{Graph, Node, NodeId, Op, Program, Shape, Value};

pub use adamw::{ADAMW_HYPER, AdamW};
pub use attention::masked_attention;
pub use gathered::Links;
pub use paged_step::{PagedStep, Paging};
pub use prepacked::{Around, PACKED_BLOCK, PACKED_LANES, Packed, Surrounded};

/// What a composite operation computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Composite {
    /// [`Value::attention`]. Inputs: query, key, value, segments. Results: output, and the log-sum-exp of each query's
    /// scores, {batch, head, seq} f32.
    Attention {
        /// How many tokens back a token sees, itself included; all where `None`.
        window: Option<usize>,
    },
    /// Gradients of attention's output to query, key and value. Inputs: those of attention, its two results, and the
    /// cotangent of the first.
    AttentionGradient {
        /// As in attention.
        window: Option<usize>,
    },
    /// [`Value::cross_entropy`]. Inputs: hidden, weight, targets, scale. Results: the loss, its gradients to hidden and (in f32)
    /// to the weight.
    CrossEntropy,
    /// [`Value::slot_shards`]. Inputs: wanted, shards. Result: slots in `dtype`.
    SlotShards {
        /// Element type of the result.
        dtype: DType,
    },
    /// [`Value::slot_sums`]. Inputs: wanted, slots. Result: sums.
    SlotSums,
    /// [`Value::swiglu`]. Inputs: gate, up. Result: their product in `dtype`.
    Swiglu {
        /// Element type of the result.
        dtype: DType,
    },
    /// Its gradients. Inputs: the result's cotangent, gate, up. Results: the result, in the place of its cotangent, and the gradients to gate and up, in
    /// the same type.
    SwigluGradient,
    /// [`Value::gathered_sum`]. Inputs: rows, index, inverse. Result: sums.
    GatheredSum,
    /// [`Value::expert_rows`]. Inputs: rows, index, inverse, weights of gate, up and down, block slots, and the scale of rows. Results: products with gate and up, and
    /// the experts' result.
    ExpertRows {
        /// Whether rows have scales.
        is_scaled: bool,
    },
    /// Gradients inside it. Inputs: the cotangent of its last result, the two others, the weights of down, block slots, and the scale. Results: what down was
    /// given, the gradients to the products with gate and up, and that to the scale.
    ExpertRowsGradient {
        /// Whether rows have scales.
        is_scaled: bool,
    },
    /// Its gradient to the rows. Inputs: rows and weights {slot, in, out} of two grouped products, block slots. Result: their sum.
    GroupedDotSum,
    /// [`Value::sum_of_squares`].
    SumOfSquares,
    /// [`Value::paged_step`]. Inputs: keys, values and their scales, queries with keys and values, cosines, sines, pages, sequence, position, place, norms
    /// where there are. Results: keys, values and scales, in place, and the output. No gradient.
    PagedStep(Paging),
    /// [`Value::packed_dot`]. Inputs: rows, weights, their scales, a norm of rows, what the result is added to. Result: products in `dtype`. No gradient.
    PackedDot {
        /// Outputs.
        features: usize,
        /// Element type of the result.
        dtype: DType,
        /// Whether weights have scales.
        is_scaled: bool,
        /// What it does besides.
        around: Surrounded,
    },
    /// [`Value::packed_experts`]. Inputs: tokens, gates, choices, weights of gate, up and down, their scales, and what the result is added to. No gradient.
    PackedExperts {
        /// Size inside the experts.
        intermediate: usize,
        /// Whether weights have scales.
        is_scaled: bool,
        /// Whether the result is added to something.
        is_added: bool,
    },
    /// [`Value::route`]. Inputs: tokens, weight, bias, and a norm. Results: weights and experts of the choices, and what the norm gives. No gradient.
    Route {
        /// Choices of a token.
        top_k: usize,
        /// Whether the weights of a token's choices add up to one.
        normalise: bool,
        /// What is added to the mean of squares, as the bits of an f32, where tokens are normalised first.
        eps_bits: Option<u32>,
    },
    /// [`Value::rms_norm_rows`]. Inputs: rows, weight. No gradient.
    RmsNorm {
        /// What is added to the mean of squares, as the bits of an f32.
        eps_bits: u32,
    },
    /// [`Value::take_rows`]. Inputs: table, index. No gradient.
    TakeRows,
    /// [`Value::adamw`]. Inputs: weights, two moments, gradient, hyper, where decay ends. Results: weights, moments, the weights in
    /// `working`. No gradient.
    AdamW {
        /// Element type of the last result.
        working: DType,
    },
}

impl Composite {
    /// Short name for messages; the kernel's is `collegium.` and this.
    pub fn name(self) -> &'static str {
        match self {
            Self::Attention { .. } => "attention",
            Self::AttentionGradient { .. } => "attention_gradient",
            Self::CrossEntropy => "cross_entropy",
            Self::SlotShards { .. } => "slot_shards",
            Self::SlotSums => "slot_sums",
            Self::Swiglu { .. } => "swiglu",
            Self::SwigluGradient => "swiglu_gradient",
            Self::GatheredSum => "gathered_sum",
            Self::ExpertRows { .. } => "expert_rows",
            Self::ExpertRowsGradient { .. } => "expert_rows_gradient",
            Self::GroupedDotSum => "grouped_dot_sum",
            Self::SumOfSquares => "sum_of_squares",
            Self::PagedStep(how) if how.is_int8 => "paged_step_int8",
            Self::PagedStep(_) => "paged_step",
            Self::PackedDot { .. } => "packed_dot",
            Self::PackedExperts { .. } => "packed_experts",
            Self::Route { .. } => "route",
            Self::RmsNorm { .. } => "rms_norm",
            Self::TakeRows => "take_rows",
            Self::AdamW { .. } => "adamw",
        }
    }

    /// How many inputs it takes.
    pub(crate) fn num_inputs(self) -> usize {
        match self {
            Self::Attention { .. } | Self::CrossEntropy => 4,
            Self::AdamW { .. } => 6,
            Self::AttentionGradient { .. } => 7,
            Self::SlotShards { .. } | Self::SlotSums | Self::Swiglu { .. } => 2,
            Self::GatheredSum | Self::SwigluGradient => 3,
            Self::ExpertRows { is_scaled } => 7 + usize::from(is_scaled),
            Self::ExpertRowsGradient { is_scaled } => 5 + usize::from(is_scaled),
            Self::GroupedDotSum => 5,
            Self::SumOfSquares => 1,
            Self::PagedStep(how) => how.num_inputs(),
            Self::PackedDot { is_scaled, around, .. } => 2 + usize::from(is_scaled) + around.num_inputs(),
            Self::PackedExperts { is_scaled, is_added, .. } => {
                6 + 3 * usize::from(is_scaled) + usize::from(is_added)
            }
            Self::Route { eps_bits, .. } => 3 + usize::from(eps_bits.is_some()),
            Self::RmsNorm { .. } | Self::TakeRows => 2,
        }
    }

    /// Shapes of all results; none where the inputs do not fit.
    pub(crate) fn shapes(self, x: &[&Shape]) -> Option<Vec<Shape>> {
        match self {
            Self::Attention { window } => attention::shapes(x, window),
            Self::AttentionGradient { window } => attention::gradient_shapes(x, window),
            Self::CrossEntropy => cross_entropy::shapes(x),
            Self::SlotShards { dtype } => slots::shards_shape(x, dtype),
            Self::SlotSums => slots::sums_shape(x),
            Self::Swiglu { dtype } => swiglu::shapes(x, dtype),
            Self::SwigluGradient => swiglu::gradient_shapes(x),
            Self::GatheredSum => gathered::shapes(x),
            Self::ExpertRows { .. } => experts::shapes(x),
            Self::ExpertRowsGradient { .. } => experts::gradient_shapes(x),
            Self::GroupedDotSum => experts::sum_shapes(x),
            Self::SumOfSquares => squares::shapes(x),
            Self::PagedStep(how) => paged_step::shapes(x, how),
            Self::PackedDot { features, dtype, is_scaled, around } => {
                prepacked::dot_shapes(x, (features, dtype), is_scaled, around)
            }
            Self::PackedExperts { intermediate, is_scaled, is_added } => {
                prepacked::experts_shapes(x, intermediate, (is_scaled, is_added))
            }
            Self::Route { top_k, eps_bits, .. } => route::shapes(x, top_k, eps_bits.is_some()),
            Self::RmsNorm { .. } => norm::shapes(x),
            Self::TakeRows => take_rows::shapes(x),
            Self::AdamW { working } => adamw::shapes(x, working),
        }
    }

    /// All results in other operations.
    fn plain<'g>(self, x: &[Value<'g>]) -> Vec<Value<'g>> {
        match self {
            Self::Attention { window } => attention::plain(x, window),
            Self::AttentionGradient { window } => attention::plain_gradient(x, window),
            Self::CrossEntropy => cross_entropy::plain(x),
            Self::SlotShards { dtype } => slots::plain_shards(x, dtype),
            Self::SlotSums => slots::plain_sums(x),
            Self::Swiglu { dtype } => swiglu::plain(x, dtype),
            Self::SwigluGradient => swiglu::plain_gradient(x),
            Self::GatheredSum => gathered::plain(x),
            Self::ExpertRows { .. } => experts::plain(x),
            Self::ExpertRowsGradient { .. } => experts::plain_gradient(x),
            Self::GroupedDotSum => experts::plain_sum(x),
            Self::SumOfSquares => squares::plain(x),
            Self::PagedStep(how) => paged_step::plain(x, how),
            Self::PackedDot { features, dtype, is_scaled, around } => {
                prepacked::plain_dot(x, (features, dtype), is_scaled, around)
            }
            Self::PackedExperts { intermediate, is_scaled, is_added } => {
                prepacked::plain_experts(x, intermediate, (is_scaled, is_added))
            }
            Self::Route { top_k, normalise, eps_bits } => route::plain(x, (top_k, normalise), eps_bits),
            Self::RmsNorm { eps_bits } => norm::plain(x, eps_bits),
            Self::TakeRows => take_rows::plain(x),
            Self::AdamW { working } => adamw::plain(x, working),
        }
    }

    /// Cotangents of inputs from the cotangent of one result; none where no gradient passes.
    pub(crate) fn pull_back<'g>(
        self,
        result: usize,
        x: &[Value<'g>],
        d: Value<'g>,
    ) -> Option<Vec<(Value<'g>, Value<'g>)>> {
        match (self, result) {
            (Self::Attention { window }, 0) => Some(attention::pull_back(x, window, d)),
            (Self::CrossEntropy, 0) => Some(cross_entropy::pull_back(x, d)),
            (Self::SlotShards { .. }, 0) => Some(slots::pull_back_shards(x, d)),
            (Self::SlotSums, 0) => Some(slots::pull_back_sums(x, d)),
            (Self::Swiglu { .. }, 0) => Some(swiglu::pull_back(x, d)),
            (Self::GatheredSum, 0) => Some(gathered::pull_back(x, d)),
            (Self::ExpertRows { .. }, 2) => Some(experts::pull_back(x, d)),
            (Self::SumOfSquares, 0) => Some(squares::pull_back(x, d)),
            _ => None,
        }
    }

    /// The result that a pass of its gradient makes again from the cotangent `d`, where it does.
    pub(crate) fn again<'g>(self, x: &[Value<'g>], d: Value<'g>) -> Option<Value<'g>> {
        matches!(self, Self::Swiglu { .. }).then(|| swiglu::again(x, d))
    }

    /// Attributes of the kernel's call: names and values, by name.
    pub(crate) fn attributes(self) -> Vec<(&'static str, i64)> {
        let size = |size: usize| size as i64;
        let bits = |bits: Option<u32>| i64::from(bits.unwrap_or(0));
        match self {
            Self::Attention { window } | Self::AttentionGradient { window } => {
                vec![("window", size(window.unwrap_or(0)))]
            }
            Self::PagedStep(Paging { window, eps_bits, .. }) => {
                vec![("eps_bits", bits(eps_bits)), ("window", size(window.unwrap_or(0)))]
            }
            Self::PackedDot { features, around: Surrounded { eps_bits, is_added }, .. } => vec![
                ("eps_bits", bits(eps_bits)),
                ("features", size(features)),
                ("is_added", i64::from(is_added)),
                ("is_normed", i64::from(eps_bits.is_some())),
            ],
            Self::PackedExperts { intermediate, is_added, .. } => {
                vec![("intermediate", size(intermediate)), ("is_added", i64::from(is_added))]
            }
            Self::Route { normalise, eps_bits, .. } => {
                vec![("eps_bits", bits(eps_bits)), ("normalise", i64::from(normalise))]
            }
            Self::RmsNorm { eps_bits } => vec![("eps_bits", bits(Some(eps_bits)))],
            _ => Vec::new(),
        }
    }

    /// Whether its kernel joins others in one call: those that steps of serving are made of, which are short and have small results.
    pub(crate) fn is_chained(self) -> bool {
        matches!(
            self,
            Self::PagedStep(_)
                | Self::PackedDot { .. }
                | Self::PackedExperts { .. }
                | Self::Route { .. }
                | Self::RmsNorm { .. }
                | Self::Swiglu { .. }
                | Self::TakeRows
        )
    }

    /// How many of its inputs, the first ones, the kernel turns into the results of the same number, in their memory.
    pub(crate) fn num_in_place(self) -> usize {
        match self {
            Self::SwigluGradient => 1,
            Self::AdamW { .. } => 3,
            Self::PagedStep(how) => how.num_held(),
            _ => 0,
        }
    }

    /// Results that a call of the kernel has at least, whichever are read.
    pub(crate) fn least_results(self) -> usize {
        match self {
            Self::AdamW { .. } => 3,
            Self::PagedStep(how) => how.num_held() + 1,
            Self::Route { eps_bits, .. } => 2 + usize::from(eps_bits.is_some()),
            Self::SwigluGradient => 3,
            Self::ExpertRowsGradient { is_scaled } => 3 + usize::from(is_scaled),
            Self::ExpertRows { .. } => 2,
            _ => 1,
        }
    }

    /// Whether its results come of matrix products, which a backward pass would not do again.
    pub(crate) fn is_product(self) -> bool {
        let is_pass =
            matches!(self, Self::SumOfSquares | Self::RmsNorm { .. } | Self::TakeRows | Self::AdamW { .. });
        !self.is_free() && !is_pass
    }

    /// Whether a backward pass computes it again rather than keep it: one pass over what is kept anyway.
    pub(crate) fn is_free(self) -> bool {
        matches!(self, Self::Swiglu { .. } | Self::GatheredSum)
    }

    /// Whether the CPU kernels of this process take inputs of these shapes.
    pub(crate) fn has_cpu_kernel(x: &[&Shape]) -> bool {
        let float = x.iter().map(|s| s.dtype).find(|dtype| dtype.is_float());
        matches!(float, Some(DType::F32 | DType::Bf16))
    }
}

impl<'g> Value<'g> {
    /// Result number `result` of a composite on these inputs.
    #[track_caller]
    fn composite(what: Composite, result: usize, x: &[Value<'g>]) -> Value<'g> {
        let graph = x[0].graph;
        let shapes: Vec<Shape> = x.iter().map(|v| v.shape()).collect();
        let found = what.shapes(&shapes.iter().collect::<Vec<_>>());
        let Some(shape) = found.and_then(|s| s.into_iter().nth(result)) else {
            let given: Vec<String> = shapes.iter().map(ToString::to_string).collect();
            return graph.fail(format!("{}: inputs {} do not fit each other", what.name(), given.join(", ")));
        };
        let inputs: Vec<NodeId> = x.iter().map(|v| v.id).collect();
        graph.push(Op::Composite { what, result }, &inputs, shape)
    }
}

impl Program {
    /// The same program with every composite operation in its plain form.
    pub fn plain(&self) -> Cow<'_, Self> {
        self.expanded(|_| false)
    }

    /// The same program with the plain form of every composite operation that `keep` does not hold (it is shown the
    /// inputs' shapes).
    pub(crate) fn expanded(&self, keep: impl Fn(&[&Shape]) -> bool) -> Cow<'_, Self> {
        let stays = |node: &Node| {
            let shapes: Vec<&Shape> = node.inputs.iter().map(|&n| self.shape(n)).collect();
            !matches!(node.op, Op::Composite { .. }) || keep(&shapes)
        };
        if self.nodes.iter().all(&stays) {
            return Cow::Borrowed(self);
        }
        let graph = Graph::new(self.mesh.clone());
        let mut values: Vec<Value<'_>> = Vec::with_capacity(self.nodes.len());
        for node in &self.nodes {
            let inputs: Vec<Value<'_>> = node.inputs.iter().map(|n| values[n.index()]).collect();
            let value = match node.op {
                // Results of one composite share their nodes: equal nodes are stored once.
                Op::Composite { what, result } if !stays(node) => what.plain(&inputs)[result],
                _ => graph.push(
                    node.op.clone(),
                    &inputs.iter().map(|v| v.id).collect::<Vec<_>>(),
                    node.shape.clone(),
                ),
            };
            values.push(value);
        }
        let outputs: Vec<_> = self.outputs.iter().map(|(n, id)| (n.clone(), values[id.index()].id)).collect();
        let program = graph.extract_with_all_inputs(&self.name, &outputs);
        let mut program = program.expect("plain forms fit wherever their composite was accepted");
        program.donations.clone_from(&self.donations);
        Cow::Owned(program)
    }
}
