"""Collegium's engine and a peer in turns on one model, so that a drifting machine treats both alike.

    serving_in_turns.py [--dtype float32|bfloat16|int8] [--batch 1] [--rounds 3] PEER...

A PEER is a script of this folder with its options, in quotes: 'llama_cpp.py --build FOLDER'. Prints a line for every run and, in the end, the median
tokens/s of each with Collegium's over it. Both take the better of two rounds of a run, after one that warms up.
"""
import argparse
import json
import subprocess

from turns import in_turns, peer_command, print_medians

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("peers", nargs="+", metavar="PEER")
parser.add_argument("--dtype", choices=["float32", "bfloat16", "int8"], default="bfloat16")
parser.add_argument("--batch", type=int, default=1)
parser.add_argument("--rounds", type=int, default=3)
arguments = parser.parse_args()

kind = {"float32": "f32", "bfloat16": "bf16", "int8": "i8"}[arguments.dtype]
batch = ["--batch", str(arguments.batch)]
# Built once, so that no run waits for a build.
build = ["cargo", "bench", "-q", "-p", "collegium-serve", "--bench", "engine", "--no-run", "--message-format=json"]
built = subprocess.run(build, stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()
engine = next(filter(None, (json.loads(line).get("executable") for line in built)))
ours = [engine, "--bench", "--json", "--only", kind, "--rounds", "2", *batch]
common = ["--dtype", arguments.dtype, *batch]
contenders = {"collegium": ours, **{peer: peer_command(peer, common) for peer in arguments.peers}}

PARTS = ["prefill", "decode"]
rates = {part: {name: [] for name in contenders} for part in PARTS}
for name, figures in in_turns(contenders, arguments.rounds):
    found = {part: figures[f"{part}_tokens_per_second"] for part in PARTS}
    for part, rate in found.items():
        rates[part][name].append(rate)
    print("  ".join(f"{part} {rate:7.0f}" for part, rate in found.items()), f"tokens/s  {name}", flush=True)
for part in PARTS:
    print_medians(rates[part], f"{part:7} ")
