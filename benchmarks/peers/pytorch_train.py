"""Training steps of a Qwen3-MoE model with `transformers` and PyTorch on CPU: AdamW, clipping, router loss.

    pytorch_train.py [--shape S|M] [--dtype float32|bfloat16|autocast] [--experts eager|grouped_mm|batched_mm] [--compile]

bfloat16 holds weights and moments in it, which is less than Collegium keeps (float32 masters); autocast keeps float32 weights and
multiplies in bfloat16.

Prints one JSON object (fields: see README.md).
"""
import argparse
import contextlib

import torch
import transformers

from shapes import GEMM_SIZE, SHAPES, measure, report

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--shape", choices=SHAPES, default="S")
parser.add_argument("--dtype", choices=["float32", "bfloat16", "autocast"], default="float32", help="what products are in")
parser.add_argument("--experts", choices=["eager", "grouped_mm", "batched_mm"], default="grouped_mm", help="how experts run")
parser.add_argument("--compile", action="store_true", help="torch.compile the model")
parser.add_argument("--steps", type=int, default=10, help="steps to time, after the warm-up")
arguments = parser.parse_args()
shape = SHAPES[arguments.shape]

torch.manual_seed(0)
config = transformers.Qwen3MoeConfig(
    vocab_size=shape.vocab, hidden_size=shape.width, num_hidden_layers=shape.layers, num_attention_heads=shape.heads,
    num_key_value_heads=shape.kv_heads, head_dim=shape.head_dim, num_experts=shape.experts, num_experts_per_tok=shape.top_k,
    moe_intermediate_size=shape.inner, norm_topk_prob=True, output_router_logits=True, router_aux_loss_coef=shape.aux_coef,
    rms_norm_eps=shape.norm_eps, rope_parameters=dict(rope_type="default", rope_theta=shape.theta),
    max_position_embeddings=shape.sequence, use_cache=False)
config._attn_implementation = "sdpa"
config._experts_implementation = arguments.experts
model = transformers.AutoModelForCausalLM.from_config(config).train()
model = model.bfloat16() if arguments.dtype == "bfloat16" else model.float()
precision = torch.autocast("cpu", torch.bfloat16) if arguments.dtype == "autocast" else contextlib.nullcontext()
forward = torch.compile(model) if arguments.compile else model
optimizer = torch.optim.AdamW(model.parameters(), lr=3e-4, betas=(0.9, 0.95), weight_decay=0.1, fused=True)
ids = torch.randint(0, shape.vocab, (shape.batch, shape.sequence))
square = torch.randn(GEMM_SIZE, GEMM_SIZE)
losses = []


def step():
    with precision:
        loss = forward(input_ids=ids, labels=ids).loss
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    losses.append(loss.item())


figures = measure(shape, step, step, lambda: square @ square, arguments.steps)
report(peer="pytorch", version=torch.__version__, transformers=transformers.__version__, shape=arguments.shape, dtype=arguments.dtype,
       experts=arguments.experts, compiled=arguments.compile, threads=torch.get_num_threads(),
       parameters=sum(p.numel() for p in model.parameters()), first_loss=losses[0], last_loss=losses[-1], **figures)
