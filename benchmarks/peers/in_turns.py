"""Collegium and a peer in turns on one shape, so that a drifting machine treats both alike.

    in_turns.py [--shape S|M] [--dtype float32|bfloat16] [--rounds 2] [--steps 6] [--collegium target/release/collegium] PEER...

A PEER is a script of this folder with its options, in quotes: 'pytorch_train.py --experts grouped_mm'. Prints a line for every run and, in
the end, the median tokens/s of each with Collegium's over it.
"""
import argparse

from turns import in_turns, peer_command, print_medians

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("peers", nargs="+", metavar="PEER")
parser.add_argument("--shape", default="S")
parser.add_argument("--dtype", choices=["float32", "bfloat16"], default="float32", help="of Collegium's products")
parser.add_argument("--rounds", type=int, default=2)
parser.add_argument("--steps", type=int, default=6)
parser.add_argument("--collegium", default="target/release/collegium")
arguments = parser.parse_args()

common = ["--shape", arguments.shape, "--steps", str(arguments.steps)]
ours = [arguments.collegium, "bench", "train", *common, "--dtype", arguments.dtype, "--json"]
contenders = {"collegium": ours, **{peer: peer_command(peer, common) for peer in arguments.peers}}

rates = {name: [] for name in contenders}
for name, figures in in_turns(contenders, arguments.rounds):
    memory = figures.get("peak_bytes", figures.get("peak_rss_bytes"))
    rates[name].append(figures["tokens_per_second"])
    print(f"{rates[name][-1]:8.0f} tokens/s  {memory / 1e9:5.2f} GB  {name}", flush=True)
print_medians(rates)
