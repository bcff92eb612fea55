//! Everything between the projections of attention in a step of serving: the norm of each head, the rotary embedding, the new rows of the cache,
//! and attention over it. One call, so that a step is a chain of few calls; each token is computed alone, in one order.

use crate::check::length;
use crate::lanes::{self, Loop};
use crate::paged::{PagedAttention, paged_attention};
use crate::{ArgumentError, Operand, Threads};

const NAME: &str = "paged_step";

/// Operands of [`paged_step`]: those of [`PagedAttention`], but for what this makes itself.
#[derive(Clone, Copy, Debug)]
pub struct PagedStep<'a, T> {
    /// {token, feature}: queries {head, head_dim}, then keys and values {kv_head, head_dim}.
    pub qkv: &'a [T],
    /// {token, half}: cosines of the tokens' angles.
    pub cos: &'a [f32],
    /// {token, half}: sines.
    pub sin: &'a [f32],
    /// {head_dim}: norms of queries and keys, where heads are normalised, and what is added to the mean of squares.
    pub norms: Option<([&'a [T]; 2], f32)>,
    /// {token}: place of the cache where keys and values go.
    pub place: &'a [i32],
    /// {sequence, page}.
    pub pages: &'a [i32],
    /// {token}.
    pub sequence: &'a [i32],
    /// {token}.
    pub position: &'a [i32],
    /// Size of `head`.
    pub heads: usize,
    /// Size of `kv_head`.
    pub kv_heads: usize,
    /// Size of `head_dim`.
    pub head_dim: usize,
    /// Columns of `pages`.
    pub columns: usize,
    /// Places of a page.
    pub page: usize,
    /// How many places back a token sees, its own included; all where `None`.
    pub window: Option<usize>,
}

/// Writes the tokens' keys and values to the caches {place, kv_head, head_dim}, and what they attend to, {token, head, head_dim}, to `out`.
///
/// # Errors
/// A slice that does not have the elements of its dims, places or pages that the cache does not have; nothing is written to the caches then.
pub fn paged_step<T: Operand>(
    step: &PagedStep<'_, T>,
    [keys, values]: [&mut [T]; 2],
    out: &mut [T],
    threads: &Threads,
) -> Result<(), ArgumentError> {
    let row = step.kv_heads * step.head_dim;
    let places = step.check(keys.len(), row)?;
    length(NAME, "values", values.len(), &[keys.len()])?;
    let mut query = vec![T::from_f32(0.0); step.place.len() * step.heads * step.head_dim];
    length(NAME, "out", out.len(), &[query.len()])?;
    step.attention(&query, keys, values).check(out.len())?;
    let (own, width) = (step.heads * step.head_dim, (step.heads + 2 * step.kv_heads) * step.head_dim);
    if out.is_empty() {
        return Ok(());
    }
    for (token, &place) in places.iter().enumerate() {
        let features = &step.qkv[token * width..][..width];
        let turned = [
            (0, &features[..own], &mut query[token * own..][..own]),
            (1, &features[own..own + row], &mut keys[place * row..][..row]),
        ];
        for (which, from, to) in turned {
            let norm = step.norms.map(|(weights, eps)| (weights[which], eps));
            lanes::run(Turn { step, token, norm, from, to });
        }
        values[place * row..][..row].copy_from_slice(&features[own + row..]);
    }
    paged_attention(&step.attention(&query, keys, values), out, threads)
}

impl<T: Operand> PagedStep<'_, T> {
    fn attention<'b>(&'b self, query: &'b [T], keys: &'b [T], values: &'b [T]) -> PagedAttention<'b, T> {
        PagedAttention {
            query,
            keys,
            values,
            pages: self.pages,
            sequence: self.sequence,
            position: self.position,
            heads: self.heads,
            kv_heads: self.kv_heads,
            head_dim: self.head_dim,
            columns: self.columns,
            page: self.page,
            window: self.window,
        }
    }

    /// The places where keys and values go.
    fn check(&self, cache: usize, row: usize) -> Result<Vec<usize>, ArgumentError> {
        let tokens = self.place.len();
        let (half, features) = (self.head_dim / 2, (self.heads + 2 * self.kv_heads) * self.head_dim);
        length(NAME, "qkv", self.qkv.len(), &[tokens, features])?;
        length(NAME, "cos", self.cos.len(), &[tokens, half])?;
        length(NAME, "sin", self.sin.len(), &[tokens, half])?;
        length(NAME, "sequence", self.sequence.len(), &[tokens])?;
        length(NAME, "position", self.position.len(), &[tokens])?;
        for weight in self.norms.iter().flat_map(|n| n.0) {
            length(NAME, "norm", weight.len(), &[self.head_dim])?;
        }
        let wrong = |name, required: String, given: String| ArgumentError::Dims {
            kernel: NAME,
            name,
            required,
            given,
        };
        if !self.head_dim.is_multiple_of(2) {
            return Err(wrong("head_dim", "even".into(), self.head_dim.to_string()));
        }
        let count = cache.checked_div(row).unwrap_or(0);
        let inside = |&place: &i32| {
            let found = usize::try_from(place).ok().filter(|&p| p < count);
            found.ok_or_else(|| wrong("place", format!("places below {count}"), place.to_string()))
        };
        self.place.iter().map(inside).collect()
    }
}

/// The heads of one token, normalised and turned.
struct Turn<'a, 'o, T> {
    step: &'a PagedStep<'a, T>,
    token: usize,
    norm: Option<(&'a [T], f32)>,
    from: &'a [T],
    to: &'o mut [T],
}

/// Largest head that is turned without memory of its own.
const WIDTH: usize = 256;

impl<T: Operand> Loop for Turn<'_, '_, T> {
    #[inline(always)]
    fn run<const FMA: bool>(self) {
        let Self { step, token, norm, from, to } = self;
        let width = step.head_dim;
        let half = width / 2;
        let (cos, sin) = (&step.cos[token * half..][..half], &step.sin[token * half..][..half]);
        let (mut few, mut many) = ([0f32; 2 * WIDTH], Vec::new());
        let room = if width <= WIDTH {
            &mut few[..2 * width]
        } else {
            many.resize(2 * width, 0f32);
            &mut many[..]
        };
        let (wide, turned) = room.split_at_mut(width);
        for (from, to) in from.chunks_exact(width).zip(to.chunks_exact_mut(width)) {
            for i in 0..width {
                wide[i] = from[i].to_f32();
            }
            if let Some((weight, eps)) = norm {
                let squares = lanes::dots::<f32, 1, FMA>([&*wide], wide)[0];
                T::narrowed(wide, 1.0 / (squares / width as f32 + eps).sqrt(), to);
                for i in 0..width {
                    wide[i] = to[i].to_f32() * weight[i].to_f32();
                }
                T::narrowed(wide, 1.0, to);
                for i in 0..width {
                    wide[i] = to[i].to_f32();
                }
            }
            for i in 0..half {
                turned[i] = wide[i] * cos[i] - wide[half + i] * sin[i];
                turned[half + i] = wide[half + i] * cos[i] + wide[i] * sin[i];
            }
            T::narrowed(turned, 1.0, to);
        }
    }
}
