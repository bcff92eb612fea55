//! Operations that move elements without computing.

use collegium_hlo::{Name, Shape};

use super::tensor::{Tensor, places, stride};

/// Broadcast and transpose: every result dim reads the input's dim of its name, or repeats.
pub(super) fn by_name(x: &Tensor, y: &Shape) -> Vec<f64> {
    x.pick(&places(&y.dims, &x.shape))
}

/// The window of shape `y` that begins at `start` of dim `name`.
pub(super) fn window(x: &Tensor, y: &Shape, name: Name, start: usize) -> Vec<f64> {
    let first = start * x.stride(name);
    places(&y.dims, &x.shape).into_iter().map(|p| x.values[first + p]).collect()
}

/// Writes `piece` into `out` (of shape `y`) from index `start` of dim `name` on.
pub(super) fn write(out: &mut [f64], y: &Shape, piece: &Tensor, name: Name, start: usize) {
    let first = start * stride(y, name);
    for (p, v) in places(&piece.shape.dims, y).into_iter().zip(&piece.values) {
        out[first + p] = *v;
    }
}

/// The pieces one after another along `name`.
pub(super) fn concat(pieces: &[&Tensor], y: &Shape, name: Name) -> Vec<f64> {
    let mut out = vec![0.0; y.num_elements()];
    let mut start = 0;
    for piece in pieces {
        write(&mut out, y, piece, name, start);
        start += piece.shape.size(name).unwrap_or(0);
    }
    out
}

/// Zeros around `x`.
pub(super) fn pad(x: &Tensor, y: &Shape, name: Name, low: usize) -> Vec<f64> {
    let mut out = vec![0.0; y.num_elements()];
    write(&mut out, y, x, name, low);
    out
}

/// One dim backwards.
pub(super) fn reverse(x: &Tensor, name: Name) -> Vec<f64> {
    let (size, step) = (x.shape.size(name).unwrap_or(1), x.stride(name));
    (0..x.values.len())
        .map(|p| {
            let at = p / step % size;
            x.values[p - at * step + (size - 1 - at) * step]
        })
        .collect()
}

/// A start given at run time, moved so that a window of `size` lies inside `full`, as devices do.
pub(super) fn clamped(start: &Tensor, full: usize, size: usize) -> usize {
    start.values[0].clamp(0.0, (full - size) as f64) as usize
}
