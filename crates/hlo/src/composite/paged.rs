//! Attention of tokens from many sequences over a cache in pages (Kwon et al., 2309.06180): each token sees the places of its own
//! sequence up to its position. `o = softmax(q kᵀ / sqrt(head_dim)) v`, scores and softmax in f32.
//!
//! | value | dims |
//! | --- | --- |
//! | query, output | {token, head, head_dim} |
//! | keys, values | {place, kv_head, head_dim}; `kv_head` divides `head` |
//! | pages | {sequence, page} i32: the page of the cache that holds each `page` places of a sequence |
//! | sequence | {token} i32: the row of `pages` |
//! | position | {token} i32: the last place that the token sees; negative for padding, whose output is undefined but finite |
//! | scales | of keys and values in int8: {place, kv_head} f32, what 1 stands for in a row ([`Value::int8_rows`]) |
//!
//! It gathers the keys and values of every token, so it suits the few tokens of a step on devices whose memory is fast; the CPU's kernel
//! ([`Value::paged_step`]) reads them where they lie.

use collegium_core::DType;

use super::masked_attention;
use crate::{Shape, Value, dim};

impl<'g> Value<'g> {
    /// Attention of `self` {token, head, head_dim} over the cache `keys` and `values` {place, kv_head, head_dim}, whose places are
    /// pages of `page`, in the type of the query or in int8 with scales. `pages` {sequence, page}, `sequence` and `position` {token} are i32 and in range.
    #[track_caller]
    #[allow(clippy::too_many_arguments)]
    pub fn paged_attention(
        self,
        [keys, values]: [Self; 2],
        scales: Option<[Self; 2]>,
        pages: Self,
        sequence: Self,
        position: Self,
        page: usize,
        window: Option<usize>,
    ) -> Self {
        let inputs = [self, keys, values, pages, sequence, position];
        let given = inputs.map(|x| x.shape());
        let scale_shapes = scales.map(|scales| scales.map(|x| x.shape()));
        let fits = fits(&given.each_ref(), scale_shapes.as_ref().map(|s| s.each_ref()), page, window);
        assert!(
            fits,
            "paged attention does not take {given:?}, {scale_shapes:?} in pages of {page}, window {window:?}"
        );
        plain(&inputs, scales, page, window)
    }

    /// Rows along `head_dim` as whole numbers from -127 to 127 of a row's scale, its largest magnitude over 127; and the scales, f32, without that dim.
    pub fn int8_rows(self) -> [Self; 2] {
        let (g, wide) = (self.graph(), self.convert(DType::F32));
        let largest = wide.abs().reduce_max(&["head_dim"]) / g.scalar(DType::F32, 127.0);
        // Rows of zeros have a scale too, whose inverse is a number.
        let scales = largest.max(g.scalar(DType::F32, 1e-30));
        let inverse = g.scalar(DType::F32, 1.0) / scales;
        [(wide * inverse + 0.5).floor().convert(DType::I8), scales]
    }
}

/// Whether these are inputs that belong together.
pub(super) fn fits(
    [query, keys, values, pages, sequence, position]: &[&Shape; 6],
    scales: Option<[&Shape; 2]>,
    page: usize,
    window: Option<usize>,
) -> bool {
    let ([token, head, head_dim], [place, kv_head, width]) = (&query.dims[..], &keys.dims[..]) else {
        return false;
    };
    let [rows, columns] = &pages.dims[..] else { return false };
    let named = [token.name, head.name, head_dim.name, place.name, kv_head.name, rows.name, columns.name]
        == ["token", "head", "head_dim", "place", "kv_head", "sequence", "page"];
    let sized = kv_head.size > 0
        && head.size.is_multiple_of(kv_head.size)
        && page > 0
        && place.size.is_multiple_of(page)
        && window != Some(0);
    let index = Shape::new(DType::I32, &[*token]);
    let typed = width == head_dim
        && keys == values
        && keys.dtype == scales.map_or(query.dtype, |_| DType::I8)
        && scales.iter().flatten().all(|s| **s == Shape::new(DType::F32, &[*place, *kv_head]))
        && query.dtype.is_float()
        && pages.dtype == DType::I32
        && **sequence == index
        && **position == index;
    named && sized && typed
}

pub(super) fn plain<'g>(
    &[query, keys, values, pages, sequence, position]: &[Value<'g>; 6],
    scales: Option<[Value<'g>; 2]>,
    page: usize,
    window: Option<usize>,
) -> Value<'g> {
    let g = query.graph();
    let (tokens, heads, kv_heads) = (query.size("token"), query.size("head"), keys.size("kv_head"));
    let length = pages.size("page") * page;
    // Places of every sequence, then of every token.
    let table = [pages.shape().dims[0], pages.shape().dims[1], dim("row", page)];
    let places = (pages * page as f64).broadcast(&table) + g.iota(DType::I32, &table, "row");
    let places = places.merge(&["page", "row"], "key").take(sequence, "sequence");
    let rows = |cache: Value<'g>| cache.take(places, "place").rename(&[("token", "batch")]);
    let gathered = |cache: Value<'g>, which: usize| {
        let own = match scales {
            Some(scales) => rows(cache).convert(DType::F32) * rows(scales[which]),
            None => rows(cache),
        };
        own.transpose(&["batch", "kv_head", "key", "head_dim"])
    };
    let dims = [dim("batch", tokens), dim("query", 1), dim("key", length)];
    let key_at = g.iota(DType::I32, &dims, "key");
    let last = position.rename(&[("token", "batch")]).broadcast(&dims);
    let mut seen = key_at.at_most(last);
    if let Some(window) = window {
        seen = seen.and((last - key_at).less(g.scalar(DType::I32, window as f64)));
    }
    let grouped = [
        dim("batch", tokens),
        dim("kv_head", kv_heads),
        dim("group", heads / kv_heads),
        dim("query", 1),
        dim("head_dim", query.size("head_dim")),
    ];
    let (keys, values) = (gathered(keys, 0), gathered(values, 1));
    let (mixed, _) = masked_attention(query.reshape(&grouped).convert(keys.dtype()), keys, values, seen);
    mixed.reshape(&query.shape().dims).convert(query.dtype())
}
