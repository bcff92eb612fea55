//! Serving on a lone device: tokens of many sequences, at any places, over a cache in pages.
//!
//! Tokens lie flat. Either they are `rows` of one token each, of sequences that decode, and one program takes them through all layers; or
//! `chunks` of [`PAGE`] tokens each, of prompts, and a program for each [`Part`] of the model takes them through it, so that those who decode
//! need not wait for all of it (layered prefill, Lee et al. 2025). A chunk is one page of one sequence, so it is written as a block; what is
//! behind its last token is written too and is overwritten before anybody sees it. Unused rows and chunks name page 0, which no sequence has.
//!
//! On one device nothing is decided between router and experts, so there is no cut. Where weights are packed, one operation serves any number of
//! tokens; elsewhere few tokens take their experts one by one ([`layers::picked_experts`]) and many are sorted by expert first ([`place`]).

use collegium_core::DType;
use collegium_hlo::{Dim, Graph, GraphError, PagedStep, Program, Value, dim};

use super::block::{attend_with, dense, packed_attention, packed_experts, rotation, router};
use super::ends::{embedded, hidden_input, logits_of, logits_of_all};
use super::expert_layer::slot_weights;
use super::{Builder, Packing, Shape};
use crate::config::{FeedForward, LayerConfig, ModelConfig, MoeConfig};
use crate::layers::{self, PlanAhead, Room, Routed, Routing, place};

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
    /// Rows of a block of the grouped products.
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
    /// `hidden` to `logits`.
    Head,
    /// `hidden` to `logits` of every token, {token, vocab}.
    HeadOfAll,
}

/// The program of a part. `shape` has a batch of one and a `seq` of [`StepShape::tokens`].
///
/// Inputs, as far as the part reads them: `tokens` {batch, seq} or `hidden` {token, hidden}; `cos`, `sin` {batch, seq, half}; `row.pages` {unit, page},
/// `row.position` {unit} (the token's own place in its sequence) and `row.place` {unit} (its place in the cache), the same with `chunk.` for the first
/// token of every chunk; `places` {place} (tokens whose logits are wanted); the weights, `router_bias`, and `cache.keys`, `cache.values` and what else
/// [`cache_parts`] names, those of a layer behind `layers.<n>.` where the whole model is computed. Where weights are packed, tokens are given each by
/// itself: `cos`, `sin` {token, half}, `sequence`, `position`, `place` {token}, and `pages` {sequence, page}. Packed weights have the dims of
/// [`collegium_hlo::Packed`] and one matrix `self_attn.qkv_proj.weight`; scales are called as their weights with `.scales` behind. Outputs: `hidden_out`, or
/// `logits` {place, vocab} f32; and the caches, in place.
///
/// # Errors
/// A configuration whose sizes do not fit together.
pub fn serving(shape: &Shape<'_>, how: StepShape, part: Part) -> Result<Program, GraphError> {
    let graph = Graph::new(shape.mesh.clone());
    let b = Builder { packing: how.packing, ..Builder::new(&graph, shape.dtype) };
    let mut outputs: Vec<(String, Value<'_>)> = Vec::new();
    let logits = |hidden| {
        let at = b.input("places", DType::I32, &[dim("place", how.samples())]);
        ("logits".to_string(), logits_of(&b, shape, hidden, at))
    };
    match part {
        Part::Whole => {
            let places = Places::new(&b, shape, how);
            let mut hidden = embedded(&b, shape);
            for index in 0..shape.config.layers.len() {
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
        Part::Head => outputs.push(logits(hidden_input(&b, shape))),
        Part::HeadOfAll => {
            let all = logits_of_all(&b, shape, hidden_input(&b, shape));
            outputs.push(("logits".into(), all));
        }
    }
    let mut program = graph.finish(part.name(), &super::named(&outputs))?;
    for (out, _) in outputs.iter().filter(|(name, _)| name.contains("cache.")) {
        program = program.donate(out.trim_end_matches("_out"), out)?;
    }
    Ok(program)
}

impl Part {
    /// The name of its program.
    fn name(self) -> &'static str {
        match self {
            Self::Whole => "serving_step",
            Self::Embedding => "serving_embedding",
            Self::Layer(_) => "serving_layer",
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
    let named = |(name, value): (&str, Value<'g>)| (format!("{prefix}cache.{name}_out"), value);
    (out, CACHE.into_iter().zip(caches).map(named).collect())
}

fn one_layer<'g>(
    b: &Builder<'g>,
    shape: &Shape<'_>,
    layer: &LayerConfig,
    hidden: Value<'g>,
    places: &Places<'g>,
) -> (Value<'g>, Vec<Value<'g>>) {
    let (mixed, caches) = match places {
        Places::Units(turned, units) => {
            attend_with(b, shape, hidden, *turned, |q, k, v| units.attention(b, shape, layer, [q, k, v]))
        }
        Places::Tokens(tokens) => {
            packed_attention(b, shape, hidden, |qkv, norms| tokens.attention(b, shape, layer, (qkv, norms)))
        }
    };
    let out = match &layer.feed_forward {
        FeedForward::Dense { intermediate } => dense(b, shape, mixed, *intermediate),
        FeedForward::Moe(moe) if !b.is_natural() => mixed + packed_experts(b, shape, mixed, moe),
        FeedForward::Moe(moe) => {
            let (normed, routing) = router(b, shape, mixed, moe);
            mixed + experts(b, shape, moe, (normed, &routing), how(places))
        }
    };
    (out, caches)
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

/// Where the tokens of a step are.
enum Places<'g> {
    /// Given by unit, as the devices without the CPU's kernels take them.
    Units(layers::Rotation<'g>, Units<'g>),
    /// Given by token.
    Tokens(Tokens<'g>),
}

impl<'g> Places<'g> {
    fn new(b: &Builder<'g>, shape: &Shape<'_>, how: StepShape) -> Self {
        if b.is_natural() {
            Self::Units(rotation(b, shape), Units::new(b, how))
        } else {
            Self::Tokens(Tokens::new(b, shape, how))
        }
    }
}

fn how(places: &Places<'_>) -> StepShape {
    match places {
        Places::Units(_, units) => units.how,
        Places::Tokens(tokens) => tokens.how,
    }
}

/// Where the tokens of a step are, each by itself: a step is then a chain of few calls, with nothing computed beside it.
struct Tokens<'g> {
    how: StepShape,
    /// {token, half}
    turned: [Value<'g>; 2],
    /// {sequence, page}
    pages: Value<'g>,
    /// {token}: the row of `pages`, the place in the sequence, and the place in the cache.
    at: [Value<'g>; 3],
}

impl<'g> Tokens<'g> {
    fn new(b: &Builder<'g>, shape: &Shape<'_>, how: StepShape) -> Self {
        let token = dim("token", how.tokens());
        let half = dim("half", shape.config.head_dim / 2);
        let pages = [dim("sequence", how.samples()), dim("page", how.pages)];
        Self {
            how,
            turned: ["cos", "sin"].map(|name| b.input(name, DType::F32, &[token, half])),
            pages: b.input("pages", DType::I32, &pages),
            at: ["sequence", "position", "place"].map(|name| b.input(name, DType::I32, &[token])),
        }
    }

    /// What tokens of queries, keys and values {token, feature} attend to, and the caches.
    fn attention(
        &self,
        b: &Builder<'g>,
        shape: &Shape<'_>,
        layer: &LayerConfig,
        (qkv, norms): (Value<'g>, Option<([Value<'g>; 2], f32)>),
    ) -> (Value<'g>, Vec<Value<'g>>) {
        let [cos, sin] = self.turned;
        let [sequence, position, place] = self.at;
        let (caches, scales) = caches(b, shape, self.how);
        let (pages, window) = (self.pages, layer.sliding_window);
        qkv.paged_step(&PagedStep {
            cos,
            sin,
            pages,
            sequence,
            position,
            place,
            norms,
            caches,
            scales,
            window,
        })
    }
}

/// What a cache is made of; without scales where it has the type of activations.
const CACHE: [&str; 4] = ["keys", "values", "key_scales", "value_scales"];

/// What a layer's cache is made of, with element types and dims: keys and values {place, kv_head, head_dim}, and scales {place, kv_head} where it is
/// int8; or, where weights are packed, by page as [`Value::paged_step`] takes them. `dtype` is that of activations.
pub fn cache_parts(
    config: &ModelConfig,
    how: &StepShape,
    dtype: DType,
) -> Vec<(&'static str, DType, Vec<Dim>)> {
    let (kv_head, head_dim) = (dim("kv_head", config.num_kv_heads), dim("head_dim", config.head_dim));
    let (page, row) = (dim("cache_page", how.cache_pages), dim("row", PAGE));
    let [keys, values, scales] = if how.packing == Packing::Natural {
        let place = dim("place", how.cache_pages * PAGE);
        [vec![place, kv_head, head_dim], vec![place, kv_head, head_dim], vec![place, kv_head]]
    } else {
        [vec![page, kv_head, head_dim, row], vec![page, kv_head, row, head_dim], vec![page, kv_head, row]]
    };
    let cell = if how.int8_cache { DType::I8 } else { dtype };
    let dims = [(cell, keys), (cell, values), (DType::F32, scales.clone()), (DType::F32, scales)];
    let parts = CACHE.into_iter().zip(dims).map(|(name, (dtype, dims))| (name, dtype, dims));
    parts.take(if how.int8_cache { 4 } else { 2 }).collect()
}

/// The cache of this layer: keys and values, and their scales.
fn caches<'g>(
    b: &Builder<'g>,
    shape: &Shape<'_>,
    how: StepShape,
) -> ([Value<'g>; 2], Option<[Value<'g>; 2]>) {
    let input =
        |(name, dtype, dims): (&str, DType, Vec<Dim>)| b.input(&format!("cache.{name}"), dtype, &dims);
    let parts: Vec<Value<'g>> = cache_parts(shape.config, &how, shape.dtype).into_iter().map(input).collect();
    ([parts[0], parts[1]], parts.get(2).map(|&keys| [keys, parts[3]]))
}

/// The same by unit.
struct Units<'g> {
    how: StepShape,
    /// Rows, then chunks; what there is none of is left out.
    kinds: Vec<Kind<'g>>,
}

/// Units of equally many tokens.
struct Kind<'g> {
    units: usize,
    /// Tokens of a unit.
    width: usize,
    /// {unit, page}
    pages: Value<'g>,
    /// {unit}
    position: Value<'g>,
    /// {unit}
    place: Value<'g>,
}

impl<'g> Units<'g> {
    fn new(b: &Builder<'g>, how: StepShape) -> Self {
        let kind = |(name, units, width): (&str, usize, usize)| {
            let unit = dim("unit", units);
            let input = |of: &str, dims: &[Dim]| b.input(&format!("{name}.{of}"), DType::I32, dims);
            Kind {
                units,
                width,
                pages: input("pages", &[unit, dim("page", how.pages)]),
                position: input("position", &[unit]),
                place: input("place", &[unit]),
            }
        };
        let kinds = [("row", how.rows, 1), ("chunk", how.chunks, PAGE)];
        Self { how, kinds: kinds.into_iter().filter(|k| k.1 > 0).map(kind).collect() }
    }

    /// Writes keys and values {batch, seq, kv_head, head_dim} to the cache of this layer, then attends: {batch, seq, head, head_dim}.
    fn attention(
        &self,
        b: &Builder<'g>,
        shape: &Shape<'_>,
        layer: &LayerConfig,
        qkv: [Value<'g>; 3],
    ) -> (Value<'g>, Vec<Value<'g>>) {
        let [q, k, v] = qkv.map(|x| x.merge(&["batch", "seq"], "token"));
        let ([keys, values], scales) = caches(b, shape, self.how);
        let (caches, scales) = match scales {
            None => ([self.written(keys, k), self.written(values, v)], None),
            Some(scales) => {
                let [new_keys, new_values] = [k, v].map(Value::int8_rows);
                let written = |old: [Value<'g>; 2], which| {
                    [self.written(old[0], new_keys[which]), self.written(old[1], new_values[which])]
                };
                (written([keys, values], 0), Some(written(scales, 1)))
            }
        };
        let sequence = self.table(|kind, dims, first| {
            let g = kind.pages.graph();
            g.iota(DType::I32, dims, "unit") + g.scalar(DType::I32, first as f64)
        });
        let position = self.table(|kind, dims, _| {
            kind.position.broadcast(dims) + kind.position.graph().iota(DType::I32, dims, "query")
        });
        let pages: Vec<Value<'g>> =
            self.kinds.iter().map(|k| k.pages.rename(&[("unit", "sequence")])).collect();
        let pages = Value::concat(&pages, "sequence");
        let window = layer.sliding_window;
        let mixed = q.paged_attention(caches, scales, pages, sequence, position, PAGE, window);
        let all = [&caches[..], scales.as_ref().map_or(&[], |s| &s[..])].concat();
        (mixed.split("token", &[dim("batch", 1), dim("seq", self.how.tokens())]), all)
    }

    /// A number for every token, {token}, from {unit, query} of every kind and the number of units before it.
    fn table(&self, of: impl Fn(&Kind<'g>, &[Dim], usize) -> Value<'g>) -> Value<'g> {
        let mut before = 0;
        let mut parts = Vec::new();
        for kind in &self.kinds {
            let dims = [dim("unit", kind.units), dim("query", kind.width)];
            parts.push(of(kind, &dims, before).merge(&["unit", "query"], "token"));
            before += kind.units;
        }
        Value::concat(&parts, "token")
    }

    /// `cache` {place, ..} with the new rows {token, ..}.
    fn written(&self, mut cache: Value<'g>, new: Value<'g>) -> Value<'g> {
        let new = new.rename(&[("token", "place")]);
        let mut start = 0;
        for kind in &self.kinds {
            for unit in 0..kind.units {
                let rows = new.slice("place", start, start + kind.width);
                cache = cache.dynamic_update("place", rows, kind.place.index("unit", unit));
                start += kind.width;
            }
        }
        cache
    }
}
