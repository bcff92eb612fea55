"""What the peers share: the two bench shapes, the work one step does, and how a step is timed and reported.

The shapes are those of `collegium bench train --shape S|M`. A machine's speed drifts, more so when others use it, so every
timed step is preceded by a GEMM in the same process, and the ratio of the two is reported beside the throughput.
"""
import json
import resource
import statistics
import time
from dataclasses import dataclass

GEMM_SIZE = 1536


@dataclass(frozen=True)
class Shape:
    vocab: int
    width: int
    layers: int
    head_dim: int
    experts: int
    top_k: int
    inner: int
    sequence: int
    batch: int
    heads: int = 8
    kv_heads: int = 4
    theta: float = 10000.0
    norm_eps: float = 1e-6
    aux_coef: float = 0.01

    @property
    def tokens(self):
        return self.sequence * self.batch

    @property
    def flops_per_step(self):
        """6 x active parameters x tokens, and attention counted causally. The embedding look-up multiplies nothing."""
        attention_weights = self.width * self.head_dim * (2 * self.heads + 2 * self.kv_heads)
        layer = attention_weights + self.width * self.experts + 3 * self.top_k * self.width * self.inner
        active = self.layers * layer + self.width * self.vocab
        attention = 6 * self.layers * self.sequence * self.heads * self.head_dim
        return self.tokens * (6 * active + attention)


SHAPES = {
    "S": Shape(vocab=4096, width=256, layers=4, head_dim=32, experts=16, top_k=2, inner=512, sequence=256, batch=16),
    "M": Shape(vocab=8192, width=512, layers=8, head_dim=64, experts=32, top_k=4, inner=512, sequence=512, batch=8),
}


def seconds(run):
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def measure(shape, first_step, step, gemm, steps):
    """`first_step` compiles, `step` and `gemm` end only when their result is there; a GEMM is GEMM_SIZE cubed, float32."""
    compile_seconds = seconds(first_step)
    step()
    gemm()
    gemm_seconds, step_seconds = [], []
    for _ in range(steps):
        gemm_seconds.append(min(seconds(gemm) for _ in range(3)))
        step_seconds.append(seconds(step))
    gemm_rates = [2 * GEMM_SIZE**3 / s / 1e9 for s in gemm_seconds]
    model_rates = [shape.flops_per_step / s / 1e9 for s in step_seconds]
    return {
        "tokens_per_second": round(shape.tokens / statistics.median(step_seconds), 1),
        "tokens_per_second_best": round(shape.tokens / min(step_seconds), 1),
        "model_gflops": round(statistics.median(model_rates), 2),
        "gemm_gflops": round(statistics.median(gemm_rates), 1),
        "gemm_gflops_best": round(max(gemm_rates), 1),
        "fraction_of_gemm": round(statistics.median(m / g for m, g in zip(model_rates, gemm_rates)), 4),
        "compile_seconds": round(compile_seconds, 2),
        "peak_rss_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "steps": steps,
    }


def report(**fields):
    print(json.dumps(fields))
