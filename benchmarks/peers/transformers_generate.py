"""Prompts and decoding of `transformers` on CPU: the model of `cargo bench -p collegium-serve --bench engine`, random weights, greedy.

    transformers_generate.py [--dtype float32|bfloat16] [--batch N] [--experts eager|grouped_mm|batched_mm]

Prints one JSON object: tokens/s of prompts of 128 tokens, and of the 128 tokens that follow each.
"""
import argparse
import json
import time

import torch
import transformers

PROMPT, NEW = 128, 128

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--dtype", choices=["float32", "bfloat16"], default="bfloat16")
parser.add_argument("--batch", type=int, default=1)
parser.add_argument("--experts", choices=["eager", "grouped_mm", "batched_mm"], default="grouped_mm", help="how experts run")
arguments = parser.parse_args()

torch.manual_seed(0)
config = transformers.Qwen3MoeConfig(
    vocab_size=8192, hidden_size=768, num_hidden_layers=12, num_attention_heads=12, num_key_value_heads=4, head_dim=64,
    num_experts=32, num_experts_per_tok=4, moe_intermediate_size=320, norm_topk_prob=True, rms_norm_eps=1e-6,
    rope_parameters=dict(rope_type="default", rope_theta=10000.0), max_position_embeddings=4096, tie_word_embeddings=False)
config._attn_implementation = "sdpa"
config._experts_implementation = arguments.experts
model = transformers.AutoModelForCausalLM.from_config(config).to(getattr(torch, arguments.dtype)).eval()
prompt = torch.randint(0, config.vocab_size, (arguments.batch, PROMPT))


@torch.inference_mode()
def round():
    started = time.perf_counter()
    out = model(prompt, use_cache=True, logits_to_keep=1)
    first = time.perf_counter()
    for _ in range(NEW - 1):
        token = out.logits[:, -1].argmax(-1, keepdim=True)
        out = model(token, past_key_values=out.past_key_values, use_cache=True, logits_to_keep=1)
    return first - started, time.perf_counter() - first


round()
prefill, decode = map(min, zip(round(), round()))
print(json.dumps(dict(
    peer="transformers", version=transformers.__version__, torch=torch.__version__, dtype=arguments.dtype, batch=arguments.batch,
    experts=arguments.experts, threads=torch.get_num_threads(), prefill_tokens_per_second=arguments.batch * PROMPT / prefill,
    decode_tokens_per_second=arguments.batch * (NEW - 1) / decode)))
