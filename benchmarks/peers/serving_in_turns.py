"""Collegium's engine and a peer in turns on one model, so that a drifting machine treats both alike.

    serving_in_turns.py [--dtype float32|bfloat16|int8] [--batch 1] [--rounds 3] PEER...

A PEER is a script of this folder with its options, in quotes: 'llama_cpp.py --build FOLDER'. Prints a line for every run and, in the end, the median
tokens/s of each with Collegium's over it. Both take the better of two rounds of a run, after one that warms up.
"""
import argparse
import json
import os
import shlex
import statistics
import subprocess
import sys

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
contenders = {"collegium": [engine, "--bench", "--json", "--only", kind, "--rounds", "2", *batch]}
here = os.path.dirname(os.path.abspath(__file__))
for peer in arguments.peers:
    script, *options = shlex.split(peer)
    contenders[peer] = [sys.executable, os.path.join(here, script), "--dtype", arguments.dtype, *batch, *options]

PARTS = ["prefill", "decode"]
rates = {name: {part: [] for part in PARTS} for name in contenders}
for _ in range(arguments.rounds):
    for name, command in contenders.items():
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if done.returncode != 0:
            sys.exit(f"{shlex.join(command)} failed:\n{done.stderr}")
        figures = json.loads(done.stdout.splitlines()[-1])
        for part in PARTS:
            rates[name][part].append(figures[f"{part}_tokens_per_second"])
        print("  ".join(f"{part} {rates[name][part][-1]:7.0f}" for part in PARTS), f"tokens/s  {name}", flush=True)

for part in PARTS:
    own = statistics.median(rates["collegium"][part])
    for name, found in rates.items():
        median = statistics.median(found[part])
        print(f"median {part:7} {median:7.0f} tokens/s  collegium over it {own / median:5.2f}  {name}")
