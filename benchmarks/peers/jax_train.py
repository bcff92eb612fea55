"""Training steps of a Qwen3-MoE model in plain JAX, jitted as one program: AdamW, clipping, router loss, float32.

    jax_train.py [--shape S|M] [--experts scan|unrolled|batched] [--capacity-factor F]

Each expert gets a fixed number of rows (tokens / experts x top_k x F); what does not fit is dropped and its share reported.
Tokens move to experts and back by gathers in both directions of differentiation, because scatters are slow on this back end.
Prints one JSON object (fields: see README.md).
"""
import argparse
import math
from functools import partial

import jax
import jax.numpy as jnp

from shapes import GEMM_SIZE, SHAPES, measure, report

CAUSAL_BLOCKS = 4  # blocks of queries, each against the keys it can see: five eighths of the full square


def init(shape, key):
    keys = iter(jax.random.split(key, 16 * shape.layers + 2))
    normal = lambda *dims: 0.02 * jax.random.normal(next(keys), dims)
    w, d, e, i = shape.width, shape.head_dim, shape.experts, shape.inner
    layer = lambda: dict(
        attention_norm=jnp.ones(w), q=normal(w, shape.heads * d), k=normal(w, shape.kv_heads * d),
        v=normal(w, shape.kv_heads * d), o=normal(shape.heads * d, w), q_norm=jnp.ones(d), k_norm=jnp.ones(d),
        moe_norm=jnp.ones(w), router=normal(w, e), gate=normal(e, w, i), up=normal(e, w, i), down=normal(e, i, w))
    return dict(embedding=normal(shape.vocab, w), layers=[layer() for _ in range(shape.layers)],
                norm=jnp.ones(w), head=normal(w, shape.vocab))


def rms_norm(x, weight, eps):
    return x * jax.lax.rsqrt(jnp.mean(x * x, -1, keepdims=True) + eps) * weight


def rotate(x, shape):
    """RoPE on [batch, head, position, dim], halves layout."""
    half = shape.head_dim // 2
    angles = jnp.arange(shape.sequence)[:, None] * shape.theta ** (-jnp.arange(half) / half)
    cos, sin = jnp.cos(angles), jnp.sin(angles)
    first, second = x[..., :half], x[..., half:]
    return jnp.concatenate([first * cos - second * sin, second * cos + first * sin], -1)


def attention(p, x, shape):
    split = lambda y, heads: y.reshape(shape.batch, shape.sequence, heads, shape.head_dim).swapaxes(1, 2)
    q = rotate(rms_norm(split(x @ p["q"], shape.heads), p["q_norm"], shape.norm_eps), shape)
    k = rotate(rms_norm(split(x @ p["k"], shape.kv_heads), p["k_norm"], shape.norm_eps), shape)
    v = split(x @ p["v"], shape.kv_heads)
    mixed = []
    for block in range(CAUSAL_BLOCKS):
        begin, end = (shape.sequence * n // CAUSAL_BLOCKS for n in (block, block + 1))
        # The query heads of one group become more rows of one product, so keys and values are never repeated.
        rows = q[:, :, begin:end].reshape(shape.batch, shape.kv_heads, -1, shape.head_dim)
        position = jnp.tile(jnp.arange(begin, end), shape.heads // shape.kv_heads)
        scores = jnp.einsum("bgqd,bgkd->bgqk", rows, k[:, :, :end]) / math.sqrt(shape.head_dim)
        weights = jax.nn.softmax(jnp.where(jnp.arange(end) <= position[:, None], scores, -1e30), -1)
        out = jnp.einsum("bgqk,bgkd->bgqd", weights, v[:, :, :end])
        mixed.append(out.reshape(shape.batch, shape.heads, end - begin, shape.head_dim))
    mixed = jnp.concatenate(mixed, 2)
    return mixed.swapaxes(1, 2).reshape(x.shape[0], -1) @ p["o"]


@jax.custom_vjp
def take_rows(x, index, inverse):
    """Rows of x by index, zeros where index is past the end. `inverse` lists, per row of x, the places it went to."""
    return jnp.concatenate([x, jnp.zeros_like(x[:1])])[index]


take_rows.defvjp(
    lambda x, index, inverse: (take_rows(x, index, inverse), inverse),
    lambda inverse, g: (jnp.concatenate([g, jnp.zeros_like(g[:1])])[inverse].sum(1), None, None))


def moe(p, x, shape, capacity, run_experts):
    """x [token, width] -> (y, routes per expert, mean probability per expert)."""
    probabilities = jax.nn.softmax(x @ p["router"])
    weights, expert = jax.lax.top_k(probabilities, shape.top_k)
    weights = weights / weights.sum(-1, keepdims=True)

    routes, rows = shape.tokens * shape.top_k, shape.experts * capacity
    count = jax.nn.one_hot(expert.reshape(-1), shape.experts, dtype=jnp.int32).sum(0)
    order = jnp.argsort(expert.reshape(-1), stable=True)
    start = jnp.cumsum(count) - count
    place = jnp.arange(capacity)
    route = order[jnp.minimum(start[:, None] + place, routes - 1)]
    route = jnp.where(place < count[:, None], route, routes).reshape(rows)  # row of an expert -> route, `routes` = none
    rank = jnp.argsort(order) - start[expert.reshape(-1)]
    row = jnp.where(rank < capacity, expert.reshape(-1) * capacity + rank, rows)  # route -> row, `rows` = dropped

    into = take_rows(x, jnp.where(route < routes, route // shape.top_k, shape.tokens), row.reshape(-1, shape.top_k))
    out = run_experts(p["gate"], p["up"], p["down"], into.reshape(shape.experts, capacity, -1)).reshape(rows, -1)
    back = take_rows(out, row, route[:, None]).reshape(shape.tokens, shape.top_k, -1)
    return jnp.einsum("tk,tkw->tw", weights, back), count, probabilities.mean(0)


def expert(gate, up, down, x):
    return (jax.nn.silu(x @ gate) * (x @ up)) @ down


RUN_EXPERTS = {
    "scan": lambda *stacked: jax.lax.map(lambda one: expert(*one), stacked),
    "unrolled": lambda *stacked: jnp.stack([expert(*one) for one in zip(*stacked)]),
    "batched": jax.vmap(expert),
}


def loss(p, ids, shape, capacity, run_experts):
    x = p["embedding"][ids.reshape(-1)]
    counts, probabilities = [], []
    for layer in p["layers"]:
        x = x + attention(layer, rms_norm(x, layer["attention_norm"], shape.norm_eps), shape)
        y, count, probability = moe(layer, rms_norm(x, layer["moe_norm"], shape.norm_eps), shape, capacity, run_experts)
        x = x + y
        counts.append(count)
        probabilities.append(probability)
    logits = (rms_norm(x, p["norm"], shape.norm_eps) @ p["head"]).reshape(shape.batch, shape.sequence, -1)[:, :-1]
    chosen = jnp.take_along_axis(logits, ids[:, 1:, None], -1)[..., 0]
    cross_entropy = jnp.mean(jax.nn.logsumexp(logits, -1) - chosen)
    counts = jnp.stack(counts)
    # As `transformers` does it: means over the tokens of all layers together, then the product.
    auxiliary = shape.experts * jnp.sum(counts.mean(0) / shape.tokens * sum(probabilities) / shape.layers)
    return cross_entropy + shape.aux_coef * auxiliary, 1 - jnp.minimum(counts, capacity).sum() / counts.sum()


def train_step(state, ids, loss):
    params, first, second, count = state
    (value, dropped), grads = jax.value_and_grad(loss, has_aux=True)(params, ids)
    norm = jnp.sqrt(sum(jnp.sum(g * g) for g in jax.tree.leaves(grads)))
    grads = jax.tree.map(lambda g: g * jnp.minimum(1.0, 1.0 / norm), grads)
    count = count + 1
    first = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, first, grads)
    second = jax.tree.map(lambda v, g: 0.95 * v + 0.05 * g * g, second, grads)
    adam = lambda m, v: m / (1 - 0.9**count) / (jnp.sqrt(v / (1 - 0.95**count)) + 1e-8)
    decay = lambda p: 0.1 * p if p.ndim > 1 else 0.0
    params = jax.tree.map(lambda p, m, v: p - 3e-4 * (adam(m, v) + decay(p)), params, first, second)
    return (params, first, second, count), value, dropped


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", choices=SHAPES, default="S")
    parser.add_argument("--experts", choices=RUN_EXPERTS, default="scan", help="how experts run")
    parser.add_argument("--capacity-factor", type=float, default=1.25)
    parser.add_argument("--steps", type=int, default=10, help="steps to time, after the warm-up")
    arguments = parser.parse_args()
    shape = SHAPES[arguments.shape]
    # Rounded up to a multiple of 16 rows, which suits the GEMM.
    capacity = 16 * math.ceil(shape.tokens * shape.top_k * arguments.capacity_factor / shape.experts / 16)

    params = jax.jit(partial(init, shape))(jax.random.key(0))
    zeros = lambda: jax.tree.map(jnp.zeros_like, params)
    state = [(params, zeros(), zeros(), jnp.zeros(()))]
    parameters = sum(p.size for p in jax.tree.leaves(params))
    ids = jax.random.randint(jax.random.key(1), (shape.batch, shape.sequence), 0, shape.vocab)
    model_loss = partial(loss, shape=shape, capacity=capacity, run_experts=RUN_EXPERTS[arguments.experts])
    jitted = jax.jit(partial(train_step, loss=model_loss), donate_argnums=0)
    square = jax.random.normal(jax.random.key(2), (GEMM_SIZE, GEMM_SIZE))
    multiply = jax.jit(jnp.matmul)
    losses, dropped = [], []

    def compile_only():
        compiled.append(jitted.lower(state[0], ids).compile())

    def step():
        state[0], value, share = compiled[0](state[0], ids)
        jax.block_until_ready(state[0])
        losses.append(float(value))
        dropped.append(float(share))

    compiled = []
    figures = measure(shape, compile_only, step, lambda: multiply(square, square).block_until_ready(), arguments.steps)
    report(peer="jax", version=jax.__version__, shape=arguments.shape, experts=arguments.experts, capacity=capacity,
           dropped=max(dropped), parameters=parameters, first_loss=losses[0], last_loss=losses[-1], **figures)


if __name__ == "__main__":
    main()
