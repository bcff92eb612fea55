"""Prompts and decoding of llama.cpp on CPU: the model of `cargo bench -p collegium-serve --bench engine`, random weights.

    llama_cpp.py --build FOLDER [--dtype float32|bfloat16|int8] [--batch N]

FOLDER is where llama.cpp was built (README.md says how); int8 is its Q8_0. Prints one JSON object: tokens/s of prompts of 128 tokens, and of the 128
tokens that follow each.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile

import gguf
import numpy

PROMPT, NEW = 128, 128
VOCAB, WIDTH, LAYERS, HEADS, KV_HEADS, HEAD_DIM, EXPERTS, TOP_K, INNER = 8192, 768, 12, 12, 4, 64, 32, 4, 320
TYPES = {name: getattr(gguf.GGMLQuantizationType, name) for name in ["F32", "BF16", "Q8_0"]}
FILE_TYPES = {"F32": gguf.LlamaFileType.ALL_F32, "BF16": gguf.LlamaFileType.MOSTLY_BF16, "Q8_0": gguf.LlamaFileType.MOSTLY_Q8_0}


def write_model(path, kind):
    random = numpy.random.default_rng(0)
    writer = gguf.GGUFWriter(path, "qwen3moe")
    writer.add_file_type(FILE_TYPES[kind])
    writer.add_vocab_size(VOCAB)
    writer.add_tokenizer_model("none")
    writer.add_context_length(4096)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(INNER)
    writer.add_expert_feed_forward_length(INNER)
    writer.add_expert_count(EXPERTS)
    writer.add_expert_used_count(TOP_K)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_key_length(HEAD_DIM)
    writer.add_value_length(HEAD_DIM)
    writer.add_rope_freq_base(10000.0)
    writer.add_layer_norm_rms_eps(1e-6)

    def matrix(name, *sizes):
        values = random.standard_normal(sizes, dtype=numpy.float32) * 0.02
        data = values if kind == "F32" else gguf.quants.quantize(values, TYPES[kind])
        writer.add_tensor(f"{name}.weight", data, raw_dtype=TYPES[kind])

    def ones(name, size):
        writer.add_tensor(f"{name}.weight", numpy.ones(size, dtype=numpy.float32))

    matrix("token_embd", VOCAB, WIDTH)
    for layer in range(LAYERS):
        block = f"blk.{layer}"
        ones(f"{block}.attn_norm", WIDTH)
        matrix(f"{block}.attn_q", HEADS * HEAD_DIM, WIDTH)
        matrix(f"{block}.attn_k", KV_HEADS * HEAD_DIM, WIDTH)
        matrix(f"{block}.attn_v", KV_HEADS * HEAD_DIM, WIDTH)
        ones(f"{block}.attn_q_norm", HEAD_DIM)
        ones(f"{block}.attn_k_norm", HEAD_DIM)
        matrix(f"{block}.attn_output", WIDTH, HEADS * HEAD_DIM)
        ones(f"{block}.ffn_norm", WIDTH)
        # As its converter writes routers.
        router = random.standard_normal((EXPERTS, WIDTH), dtype=numpy.float32) * 0.02
        writer.add_tensor(f"{block}.ffn_gate_inp.weight", router)
        matrix(f"{block}.ffn_gate_exps", EXPERTS, INNER, WIDTH)
        matrix(f"{block}.ffn_up_exps", EXPERTS, INNER, WIDTH)
        matrix(f"{block}.ffn_down_exps", EXPERTS, WIDTH, INNER)
    ones("output_norm", WIDTH)
    matrix("output", VOCAB, WIDTH)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", required=True, help="folder of the build, which has bin/llama-batched-bench")
    parser.add_argument("--dtype", choices=["float32", "bfloat16", "int8"], default="bfloat16")
    parser.add_argument("--batch", type=int, default=1)
    arguments = parser.parse_args()
    kind = {"float32": "F32", "bfloat16": "BF16", "int8": "Q8_0"}[arguments.dtype]
    program = os.path.join(arguments.build, "bin", "llama-batched-bench")
    threads = len(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model.gguf")
        write_model(path, kind)
        # Three rounds in one process, so that the first warms up.
        command = [program, "-m", path, "-c", str(arguments.batch * (PROMPT + NEW)), "-b", "2048", "-ub", "512", "-npp", str(PROMPT), "-ntg", str(NEW),
                   "-npl", ",".join([str(arguments.batch)] * 3), "-t", str(threads), "-tb", str(threads), "--output-format", "jsonl"]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} failed:\n{done.stderr}")
    rounds = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    print(json.dumps(dict(
        peer="llama.cpp", dtype=kind, batch=arguments.batch, threads=threads,
        prefill_tokens_per_second=max(r["speed_pp"] for r in rounds[1:]),
        decode_tokens_per_second=max(r["speed_tg"] for r in rounds[1:]))))


main()
