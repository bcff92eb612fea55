"""Contenders in turns, so that a drifting machine treats all alike: what `in_turns.py` and `serving_in_turns.py` have in common."""
import json
import os
import shlex
import statistics
import subprocess
import sys


def peer_command(peer, common):
    """The command of a PEER: a script of this folder with its options, as one text."""
    script, *options = shlex.split(peer)
    return [sys.executable, os.path.join(os.path.dirname(os.path.abspath(__file__)), script), *common, *options]


def in_turns(contenders, rounds):
    """The name and the figures of every run, in turns; the first of `contenders` (commands by name) is Collegium."""
    for _ in range(rounds):
        for name, command in contenders.items():
            done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            if done.returncode != 0:
                sys.exit(f"{shlex.join(command)} failed:\n{done.stderr}")
            yield name, json.loads(done.stdout)


def print_medians(rates, what=""):
    """`rates`: tokens/s of all runs, by name."""
    own = statistics.median(rates["collegium"])
    for name, found in rates.items():
        median = statistics.median(found)
        print(f"median {what}{median:8.0f} tokens/s  collegium over it {own / median:5.2f}  {name}")
