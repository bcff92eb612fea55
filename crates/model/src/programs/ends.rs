//! The two ends of the model: embedding, and head with loss.

use collegium_core::DType;
use collegium_hlo::{ForwardBackward, Graph, GraphError, Program, Value, dim, split};

use super::packing::Matrix;
use super::{Builder, Shape, named};
use crate::layers;

/// Embedding: `tokens` {batch, seq} and `embed` {vocab, hidden} to `hidden_out` {token, hidden}.
///
/// # Errors
/// None for a checked configuration.
pub fn embed(shape: &Shape<'_>) -> Result<ForwardBackward, GraphError> {
    let graph = Graph::new(shape.mesh.clone());
    let b = Builder::new(&graph, shape.dtype);
    let out = embedded(&b, shape);
    let cotangent = b.input("d.hidden_out", shape.dtype, &[shape.token(), shape.hidden()]);
    let gradients = b.gradients(&[(out, cotangent)], &[]);
    split("embed", &[("hidden_out", out)], &[cotangent], &named(&gradients), shape.residuals)
}

/// The embedding of `tokens`: {token, hidden}.
pub(super) fn embedded<'g>(b: &Builder<'g>, shape: &Shape<'_>) -> Value<'g> {
    let tokens = b.input("tokens", DType::I32, &[dim("batch", shape.batch), dim("seq", shape.seq)]);
    let table =
        b.weight("embed", &[("vocab", shape.config.vocab_size), ("hidden", shape.config.hidden_size)]);
    if !b.is_natural() {
        return table.take_rows(tokens.merge(&["batch", "seq"], "token"));
    }
    let out = layers::embed(table, tokens, shape.dtype);
    shape.config.pad_token_id.map_or(out, |pad| without_gradient_at(out, tokens, pad))
}

/// `embedded` {token, hidden}, whose gradient skips the tokens `pad`: their row of the table is not learnt.
fn without_gradient_at<'g>(embedded: Value<'g>, tokens: Value<'g>, pad: u32) -> Value<'g> {
    let pad = tokens.graph().scalar(DType::I32, f64::from(pad));
    let is_pad = tokens.merge(&["batch", "seq"], "token").equals(pad).broadcast(&embedded.shape().dims);
    is_pad.select(embedded.stop_gradient(), embedded)
}

/// Final norm, head and loss with their gradients, in one program: `hidden`, `targets` {batch, seq} (negative: does not count)
/// and `loss_scale` to `loss` = scale · sum of cross-entropies, `d.hidden`, `d.norm`, `d.lm_head`.
///
/// # Errors
/// None for a checked configuration.
pub fn head(shape: &Shape<'_>) -> Result<Program, GraphError> {
    let graph = Graph::new(shape.mesh.clone());
    let b = Builder::new(&graph, shape.dtype);
    let hidden = hidden_input(&b, shape);
    let scale = b.input("loss_scale", DType::F32, &[]);
    let loss = loss(&b, shape, hidden, scale);
    let one = graph.scalar(DType::F32, 1.0);
    let mut outputs = vec![("loss".to_string(), loss)];
    outputs.extend(b.gradients(&[(loss, one)], &[("hidden", hidden)]));
    graph.finish("head", &named(&outputs))
}

/// The loss alone: `hidden` and `targets` to `loss`, the sum of cross-entropies.
///
/// # Errors
/// None for a checked configuration.
pub fn sum_loss(shape: &Shape<'_>) -> Result<Program, GraphError> {
    let graph = Graph::new(shape.mesh.clone());
    let b = Builder::new(&graph, shape.dtype);
    let hidden = hidden_input(&b, shape);
    graph.finish("sum_loss", &[("loss", loss(&b, shape, hidden, graph.scalar(DType::F32, 1.0)))])
}

/// Logits of some tokens: `hidden` and `places` {place} (token indices) to `logits` {place, vocab} f32.
///
/// # Errors
/// None for a checked configuration.
pub fn logits_at(shape: &Shape<'_>, places: usize) -> Result<Program, GraphError> {
    let graph = Graph::new(shape.mesh.clone());
    let b = Builder::new(&graph, shape.dtype);
    let hidden = hidden_input(&b, shape);
    let at = b.input("places", DType::I32, &[dim("place", places)]);
    graph.finish("logits", &[("logits", logits_of(&b, shape, hidden, at))])
}

/// Logits {token, vocab} of the tokens of `hidden` {token, hidden} that `at` {place} names.
pub(super) fn logits_of<'g>(
    b: &Builder<'g>,
    shape: &Shape<'_>,
    hidden: Value<'g>,
    at: Value<'g>,
) -> Value<'g> {
    let rows = if b.is_natural() { hidden.take(at, "token") } else { hidden.take_rows(at) };
    logits_of_all(b, shape, rows.rename(&[("place", "token")]))
}

/// Logits {token, vocab} of all tokens of `hidden` {token, hidden}.
pub(super) fn logits_of_all<'g>(b: &Builder<'g>, shape: &Shape<'_>, hidden: Value<'g>) -> Value<'g> {
    if b.is_natural() {
        let (normed, weight) = normed_and_weight(b, shape, hidden);
        return layers::logits(normed, weight);
    }
    let c = shape.config;
    let norm = b.norm_around("norm", ("hidden", c.hidden_size), c.rms_norm_eps);
    let head = Matrix { name: "lm_head", out: ("vocab", c.vocab_size), inner: ("hidden", c.hidden_size) };
    b.packed_product(hidden, head, DType::F32, norm)
}

/// The output of the last layer, as an input.
pub(super) fn hidden_input<'g>(b: &Builder<'g>, shape: &Shape<'_>) -> Value<'g> {
    b.input("hidden", shape.dtype, &[shape.token(), shape.hidden()])
}

/// `scale` times the sum of the cross-entropies of the tokens of `hidden` {token, hidden} that count, with the final norm.
pub(super) fn loss<'g>(b: &Builder<'g>, shape: &Shape<'_>, hidden: Value<'g>, scale: Value<'g>) -> Value<'g> {
    let targets = b.input("targets", DType::I32, &[dim("batch", shape.batch), dim("seq", shape.seq)]);
    let (normed, weight) = normed_and_weight(b, shape, hidden);
    normed.cross_entropy(weight, targets.merge(&["batch", "seq"], "token"), scale)
}

/// What the head multiplies: the normed hidden states and its weight.
fn normed_and_weight<'g>(b: &Builder<'g>, shape: &Shape<'_>, hidden: Value<'g>) -> (Value<'g>, Value<'g>) {
    let c = shape.config;
    let norm = b.weight("norm", &[("hidden", c.hidden_size)]);
    let weight = b.weight("lm_head", &[("vocab", c.vocab_size), ("hidden", c.hidden_size)]);
    (layers::rms_norm(hidden, norm, c.rms_norm_eps), weight)
}
