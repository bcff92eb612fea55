#!/bin/sh
# Trains the runs of the study into $1 (default: runs): dense widths and mixtures with as wide an active feed-forward, two numbers of
# steps, three seeds. COLLEGIUM names the program. About half an hour on two cores. Runs that are there already are not run again.
# With TIMING=1, 30 steps of every shape instead, for the seconds of a step on a machine that does nothing else.
set -eu
out=${1:-runs}
mkdir -p "$out"

# one NAME SEED STEPS WIDTH EXPERTS TOP_K INNER
one() {
    run="$out/$1-$3-seed$2"
    [ -e "$run/done" ] && return
    rm -rf "$run"
    ${COLLEGIUM:-collegium} train --run "$run" \
        --set train.seed="$2" --set train.steps="$3" --set train.batch=16 --set train.seq=128 \
        --set model.hidden_size="$4" --set model.num_layers=3 --set model.num_heads=4 --set model.num_kv_heads=2 \
        --set model.head_dim=$(($4 / 4)) --set model.num_experts="$5" --set model.top_k="$6" --set model.intermediate="$7" \
        --set parallel.devices=1 --set run.eval_every=100 --set run.eval_batches=8 --set run.solve=0 --set run.checkpoint_every=0 \
        > /dev/null
    touch "$run/done"
}

seeds="0 1 2"
lengths="400 800"
if [ -n "${TIMING:-}" ]; then
    seeds=0
    lengths=30
fi
for seed in $seeds; do
    for steps in $lengths; do
        # As wide an inner layer as each token uses: 3 times the width, in one piece or in top_k of them.
        one dense-48 $seed $steps 48 0 1 144
        one dense-64 $seed $steps 64 0 1 192
        one dense-96 $seed $steps 96 0 1 288
        one dense-128 $seed $steps 128 0 1 384
        one moe-64-8e2 $seed $steps 64 8 2 96
        one moe-64-32e4 $seed $steps 64 32 4 48
        one moe-96-8e2 $seed $steps 96 8 2 144
    done
done
