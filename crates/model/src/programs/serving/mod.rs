//! Serving: tokens of many sequences, at any places, over a cache in pages.
//!
//! Tokens lie flat. Either they are `rows` of one token each, of sequences that decode, and one program takes them through all layers; or
//! `chunks` of [`PAGE`] tokens each, of prompts, and a program for each [`Part`] of the model takes them through it, so that those who decode
//! need not wait for all of it (layered prefill, Lee et al. 2025). A chunk is one page of one sequence, so it is written as a block; what is
//! behind its last token is written too and is overwritten before anybody sees it. Unused rows and chunks name page 0, which no sequence has.
//!
//! On one device nothing is decided between router and experts, so there is no cut. Where weights are packed, one operation serves any number of
//! tokens; elsewhere few tokens take their experts one by one ([`layers::picked_experts`]) and many are sorted by expert first ([`place`]).
//!
//! Over several devices experts are spread, and every device has sequences and pages of its own. A sparse layer is then cut between router and
//! experts ([`spread`]), as it is in training.

mod compact;
mod places;
mod spread;

use collegium_balance::Bucket;
use collegium_core::DType;
use collegium_hlo::{Graph, GraphError, Program, Value, dim};

use super::block::{attend_with, dense, packed_attention, packed_experts, packed_router, router};
use super::ends::{embedded, hidden_input, logits_of, logits_of_all};
use super::expert_layer::slot_weights;
use super::{Builder, Packing, Shape, Slabs};
use crate::config::{FeedForward, LayerConfig, MoeConfig};
use crate::layers::{self, PlanAhead, Room, Routed, Routing, place};
use places::{CACHE, Places};

pub use places::cache_parts;
pub use spread::LendRoom;

/// Places of a page of the cache, and tokens of a chunk.
pub const PAGE: usize = 16;

/// Most choices that are computed without sorting them by expert first.
const FEW_CHOICES: usize = 64;

/// What a step has room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StepShape {
    /// Sequences that decode; none where there are chunks.
    pub rows: usize,
    /// Pages of prompts; none where there are rows.
    pub chunks: usize,
    /// Pages of the longest sequence.
    pub pages: usize,
    /// Pages of the cache.
    pub cache_pages: usize,
    /// Rows of a block of the grouped products; one where weights are packed, whose kernel takes any number of rows of a slot.
    pub block: usize,
    /// How the weights of products lie.
    pub packing: Packing,
    /// Whether the cache is int8, with a scale for each row of a head; else it has the type of activations.
    pub int8_cache: bool,
}

impl StepShape {
    /// Tokens of a step.
    pub fn tokens(&self) -> usize {
        self.rows + self.chunks * PAGE
    }

    /// Tokens whose logits are given: every row, and one of each chunk.
    pub fn samples(&self) -> usize {
        self.rows + self.chunks
    }
}

/// What a program of serving computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Part {
    /// The whole model: `tokens` to `logits`.
    Whole,
    /// `tokens` to `hidden_out`.
    Embedding,
    /// `hidden` through the layer of this index to `hidden_out`.
    Layer(usize),
    /// `hidden` through attention and router of the layer of this index, whose experts are spread over devices.
    Router(usize),
    /// What a router gave through experts, by a plan that fits the bucket, to `hidden_out`.
    Experts(usize, Bucket),
    /// Experts of the layer of this index from their homes to other devices, in place.
    Lend(usize, LendRoom),
    /// What the places of a region of a cache are worth to the layer of this index, whose newest tokens are `hidden`: `region` {region_page} of so many pages to `scores`
    /// {place} f32 of all but its last page, and its rows, `rows.keys` and so on {place, kv_head, head_dim}.
    Scores(usize, usize),
    /// The rows of a region of the first number of pages that are `chosen` {kept}, as pages, of the second number: `pages.keys` and so on, for the layer of this index.
    Keep(usize, (usize, usize)),
    /// The page `from` of so many to the page `to` of the cache of the layer of this index, in place.
    Put(usize, usize),
    /// `hidden` to `logits`.
    Head,
    /// `hidden` to `logits` of every token, {token, vocab}.
    HeadOfAll,
}

/// The program of a part. `shape` has a batch of one and a `seq` of [`StepShape::tokens`].
///
/// Inputs, as far as the part reads them: `tokens` {batch, seq} or `hidden` {token, hidden}; `cos`, `sin` {batch, seq, half}; `row.pages` {unit, page},
/// `row.position` {unit} (the token's own place in its sequence) and `row.place` {unit} (its place in the cache), the same with `chunk.` for the first
/// token of every chunk; `places` {place} (tokens of chunks whose logits are wanted); the weights, `router_bias`, and `cache.keys`, `cache.values` and what else
/// [`cache_parts`] names, those of a layer behind `layers.<n>.` where the whole model is computed. Where weights are packed, tokens are given each by
/// itself: `cos`, `sin` {token, half}, `sequence`, `position`, `place` {token}, and `pages` {sequence, page}. Packed weights have the dims of
/// [`collegium_hlo::Packed`] and one matrix `self_attn.qkv_proj.weight`; scales are called as their weights with `.scales` behind. Outputs: `hidden_out`, or
/// `logits` {place, vocab} f32; and the caches, in place.
///
/// A router also reads `used` {token} i32: zero for tokens that nobody asked for, which go to no expert. Its outputs are `mixed` and `normed`
/// {token, hidden}, `gates` f32 and `choices` i32 {token, choice}, and how many go to each expert, `counts` {expert} f32. Experts read these but for the
/// counts, the tables of [`AllToAll`](crate::layers::transport::AllToAll), and weights of the bucket's slots. To lend, `send` {rank, clone} i32 says which own
/// slot goes to that rank's clone slot (any where none does), and `source` {clone} i32 from which rank a clone comes, negative where what lies there stays;
/// the weights are written in place.
///
/// # Errors
/// A configuration whose sizes do not fit together.
pub fn serving(shape: &Shape<'_>, how: StepShape, part: Part) -> Result<Program, GraphError> {
    let graph = Graph::new(shape.mesh.clone());
    let b = Builder { packing: how.packing, ..Builder::new(&graph, shape.dtype) };
    if let Some(layer) = part.layer() {
        b.slabs.replace(slabs(&b, shape, layer));
    }
    let mut outputs: Vec<(String, Value<'_>)> = Vec::new();
    let logits = |hidden| {
        // Of rows all logits are wanted.
        if how.chunks == 0 {
            return ("logits".to_string(), logits_of_all(&b, shape, hidden));
        }
        let at = b.input("places", DType::I32, &[dim("place", how.samples())]);
        ("logits".to_string(), logits_of(&b, shape, hidden, at))
    };
    match part {
        Part::Whole => {
            let places = Places::new(&b, shape, how);
            let mut hidden = embedded(&b, shape);
            for index in 0..shape.config.layers.len() {
                b.slabs.replace(slabs(&b, shape, index));
                let (out, caches) =
                    layer_in(&b, shape, (&format!("layers.{index}."), index), hidden, &places);
                hidden = out;
                outputs.extend(caches);
            }
            outputs.push(logits(hidden));
        }
        Part::Embedding => outputs.push(("hidden_out".into(), embedded(&b, shape))),
        Part::Layer(index) => {
            let places = Places::new(&b, shape, how);
            let (hidden, caches) = layer_in(&b, shape, ("", index), hidden_input(&b, shape), &places);
            outputs.push(("hidden_out".into(), hidden));
            outputs.extend(caches);
        }
        Part::Router(index) => {
            let layer = &shape.config.layers[index];
            let (mixed, caches) =
                attended(&b, shape, layer, hidden_input(&b, shape), &Places::new(&b, shape, how));
            outputs.extend(spread::routed(&b, shape, sparse(layer), mixed));
            outputs.extend(named("", caches));
        }
        Part::Experts(index, bucket) => {
            let moe = sparse(&shape.config.layers[index]);
            outputs.push(("hidden_out".into(), spread::experts(&b, shape, moe, (bucket, how.block))));
        }
        Part::Lend(index, room) => {
            outputs.extend(spread::lent(&b, shape, sparse(&shape.config.layers[index]), room));
        }
        Part::Scores(_, pages) => outputs.extend(compact::scored(&b, shape, how, pages)),
        Part::Keep(_, pages) => outputs.extend(compact::kept(&b, shape, how, pages)),
        Part::Put(_, pages) => outputs.extend(compact::put(&b, shape, how, pages)),
        Part::Head => outputs.push(logits(hidden_input(&b, shape))),
        Part::HeadOfAll => {
            let all = logits_of_all(&b, shape, hidden_input(&b, shape));
            outputs.push(("logits".into(), all));
        }
    }
    let mut program = graph.finish(part.name(), &super::named(&outputs))?;
    let is_in_place = |name: &str| name.contains("cache.") || matches!(part, Part::Lend(..));
    for (out, _) in outputs.iter().filter(|(name, _)| is_in_place(name)) {
        program = program.donate(out.trim_end_matches("_out"), out)?;
    }
    Ok(program)
}

impl Part {
    /// The layer whose weights and cache it reads, if it is one.
    pub fn layer(self) -> Option<usize> {
        match self {
            Self::Layer(layer) | Self::Router(layer) | Self::Experts(layer, _) => Some(layer),
            Self::Scores(layer, _) | Self::Keep(layer, _) | Self::Put(layer, _) => Some(layer),
            Self::Whole | Self::Embedding | Self::Lend(..) | Self::Head | Self::HeadOfAll => None,
        }
    }

    /// The name of its program.
    fn name(self) -> &'static str {
        match self {
            Self::Whole => "serving_step",
            Self::Embedding => "serving_embedding",
            Self::Layer(_) => "serving_layer",
            Self::Router(_) => "serving_router",
            Self::Experts(..) => "serving_experts",
            Self::Lend(..) => "serving_lend",
            Self::Scores(..) => "serving_scores",
            Self::Keep(..) => "serving_keep",
            Self::Put(..) => "serving_put",
            Self::Head => "serving_head",
            Self::HeadOfAll => "serving_head_of_all",
        }
    }
}

/// The layer of this index, whose weights and caches have names behind `prefix`: hidden states, and the caches with their names.
fn layer_in<'g>(
    b: &Builder<'g>,
    shape: &Shape<'_>,
    (prefix, index): (&str, usize),
    hidden: Value<'g>,
    places: &Places<'g>,
) -> (Value<'g>, Vec<(String, Value<'g>)>) {
    let layer = &shape.config.layers[index];
    let build = || b.within(prefix, || one_layer(b, shape, layer, hidden, places));
    let (out, caches) = b.graph.scope(prefix, build);
    (out, named(prefix, caches))
}

/// Where the weights of a layer lie.
fn slabs(b: &Builder<'_>, shape: &Shape<'_>, layer: usize) -> Slabs {
    Slabs::of(shape.config, layer, (shape.dtype, b.packing), shape.mesh.num_devices() == 1)
}

/// The caches of a layer with the names of outputs behind `prefix`.
fn named<'g>(prefix: &str, caches: Vec<Value<'g>>) -> Vec<(String, Value<'g>)> {
    let named = |(name, value): (&str, Value<'g>)| (format!("{prefix}cache.{name}_out"), value);
    CACHE.into_iter().zip(caches).map(named).collect()
}

/// The experts of a layer that has some.
fn sparse(layer: &LayerConfig) -> &MoeConfig {
    layer.feed_forward.moe().expect("only layers with experts are cut")
}

fn one_layer<'g>(
    b: &Builder<'g>,
    shape: &Shape<'_>,
    layer: &LayerConfig,
    hidden: Value<'g>,
    places: &Places<'g>,
) -> (Value<'g>, Vec<Value<'g>>) {
    let (mixed, caches) = attended(b, shape, layer, hidden, places);
    let out = match &layer.feed_forward {
        FeedForward::Dense { intermediate } => dense(b, shape, mixed, *intermediate),
        FeedForward::Moe(moe) if !b.is_natural() => {
            let routed = packed_router(b, shape, mixed, moe);
            packed_experts(b, moe, moe.num_experts, routed, Some(mixed))
        }
        FeedForward::Moe(moe) => {
            let (normed, routing) = router(b, shape, mixed, moe);
            mixed + experts(b, shape, moe, (normed, &routing), places.how())
        }
    };
    (out, caches)
}

/// `hidden` and what its tokens attend to, and the caches.
fn attended<'g>(
    b: &Builder<'g>,
    shape: &Shape<'_>,
    layer: &LayerConfig,
    hidden: Value<'g>,
    places: &Places<'g>,
) -> (Value<'g>, Vec<Value<'g>>) {
    match places {
        Places::Units(turned, units) => {
            attend_with(b, shape, hidden, *turned, |q, k, v| units.attention(b, shape, layer, [q, k, v]))
        }
        Places::Tokens(tokens) => {
            packed_attention(b, shape, hidden, |qkv, norms| tokens.attention(b, shape, layer, (qkv, norms)))
        }
    }
}

fn experts<'g>(
    b: &Builder<'g>,
    shape: &Shape<'_>,
    moe: &MoeConfig,
    (x, routing): (Value<'g>, &Routing<'g>),
    how: StepShape,
) -> Value<'g> {
    let weights = slot_weights(b, shape, moe, moe.num_experts);
    let routed =
        Routed { x, gates: routing.gates, choices: routing.experts, weights, sent_as: shape.sent_as() };
    let choices = how.tokens() * moe.top_k;
    if choices <= FEW_CHOICES {
        return layers::picked_experts(&routed);
    }
    let (expert, rank) = (dim("expert", moe.num_experts), dim("rank", 1));
    let square = [dim("slot", moe.num_experts), expert];
    let along = |name| b.graph.iota(DType::F32, &square, name);
    let plan = PlanAhead {
        below: b.graph.full(DType::F32, &[expert, rank], 0.0),
        slots: along("slot").equals(along("expert")).convert(DType::F32),
        member: b.graph.full(DType::F32, &[rank], 1.0),
    };
    // Every expert that has rows may leave all but one row of its last block empty.
    let blocks = choices.div_ceil(how.block) + moe.num_experts.min(choices);
    let room = Room { places: blocks * how.block, blocks, block: how.block };
    layers::experts(&routed, &place(routing.counts, &plan, room, shape.sent_as()).addressing)
}
