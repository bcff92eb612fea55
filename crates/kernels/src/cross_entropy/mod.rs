//! Output head and loss with their gradients, in one pass over tiles of tokens: the logits of all tokens are never there at
//! once.
//!
//! `loss = scale · sum over tokens with a target of (log-sum-exp - logit of the target)`, logits `hidden weightᵀ`; with
//! `g = scale (softmax - target's unit vector)`: `d_hidden = g weight`, `d_weight = gᵀ hidden`. Layout: hidden {token, hidden},
//! weight {vocab, hidden}, targets {token}. A negative target does not count; one beyond the vocabulary is no word's, so its
//! token's loss is the log-sum-exp. Logits and sums are f32; in bf16 `g` is rounded for its products.
//!
//! For each tile of tokens: logits and their sums, by chunks of the vocabulary; then `g` and its part of `d_weight`, by chunks; then
//! `d_hidden`, by rows. Chunks and tiles depend on sizes alone, and so does the order of every sum.

#[cfg(test)]
mod tests;
mod tile;

use crate::check::length;
use crate::{ArgumentError, Instructions, Operand, Threads};

/// Operands of the loss.
#[derive(Clone, Copy, Debug)]
pub struct CrossEntropy<'a, T> {
    /// {token, hidden}
    pub hidden: &'a [T],
    /// {vocab, hidden}
    pub weight: &'a [T],
    /// {token}; negative where a token does not count.
    pub targets: &'a [i32],
    /// What the loss is multiplied with.
    pub scale: f32,
    /// Size of the vocabulary.
    pub vocab: usize,
    /// Size of a hidden state.
    pub width: usize,
}

/// Gradients to be written.
#[derive(Debug)]
pub struct Gradients<'a, T> {
    /// As hidden.
    pub hidden: &'a mut [T],
    /// {vocab, hidden}
    pub weight: &'a mut [f32],
}

/// The loss; writes its gradients where they are wanted.
///
/// # Errors
/// A slice that does not have the elements of its dims.
pub fn cross_entropy<T: Operand>(
    problem: &CrossEntropy<'_, T>,
    gradients: Option<Gradients<'_, T>>,
    threads: &Threads,
    instructions: Instructions,
) -> Result<f32, ArgumentError> {
    let kernel = "cross_entropy";
    let (tokens, vocab, width) = (problem.targets.len(), problem.vocab, problem.width);
    length(kernel, "hidden", problem.hidden.len(), &[tokens, width])?;
    length(kernel, "weight", problem.weight.len(), &[vocab, width])?;
    if let Some(g) = &gradients {
        length(kernel, "d_hidden", g.hidden.len(), &[tokens, width])?;
        length(kernel, "d_weight", g.weight.len(), &[vocab, width])?;
    }
    let mut loss = 0.0;
    T::on(instructions, tile::Pass { problem, gradients, threads, loss: &mut loss });
    Ok(loss)
}
