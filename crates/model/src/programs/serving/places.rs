//! Where the tokens of a step are, in their sequences and in the cache, and what they attend to.

use collegium_core::DType;
use collegium_hlo::{Dim, PagedStep, Value, dim};

use super::{PAGE, StepShape};
use crate::config::{LayerConfig, ModelConfig};
use crate::layers;
use crate::programs::block::rotation;
use crate::programs::{Builder, Packing, Shape};

/// Where the tokens of a step are.
pub(super) enum Places<'g> {
    /// Given by unit, as the devices without the CPU's kernels take them.
    Units(layers::Rotation<'g>, Units<'g>),
    /// Given by token.
    Tokens(Tokens<'g>),
}

impl<'g> Places<'g> {
    pub(super) fn new(b: &Builder<'g>, shape: &Shape<'_>, how: StepShape) -> Self {
        if b.is_natural() {
            Self::Units(rotation(b, shape), Units::new(b, how))
        } else {
            Self::Tokens(Tokens::new(b, shape, how))
        }
    }

    /// What the step has room for.
    pub(super) fn how(&self) -> StepShape {
        match self {
            Self::Units(_, units) => units.how,
            Self::Tokens(tokens) => tokens.how,
        }
    }
}

/// Where the tokens of a step are, each by itself: a step is then a chain of few calls, with nothing computed beside it.
pub(super) struct Tokens<'g> {
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
    pub(super) fn attention(
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
pub(super) const CACHE: [&str; 4] = ["keys", "values", "key_scales", "value_scales"];

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
pub(super) struct Units<'g> {
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
    pub(super) fn attention(
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
