"""Times nncore on the workloads, one JSON line each.

python -m benchmarks.training.ours [--only lenet,lstm] [--seconds 3] [--threads 2] [--shards 2]

Each workload has a process of its own, whose peak memory is that of training. A training step is
one of `fit`, from the end of one step to the end of the next; inference is a call of
what `Network.predictor` gives, `predict_ms` one of `Network.predict`.
"""

from __future__ import annotations

import argparse
import json
import os
from typing import Any

from benchmarks.training.processes import Line, ours
from benchmarks.training.timing import Clock, gemm_peak, memory, repeated
from benchmarks.training.workloads import Workload, inference_flops, training_flops, workloads
from nncore import Network, Training
from nncore.arrays import Params

_TILED_BYTES = 4 << 20


def main() -> None:
    """Print a line for each workload."""
    asked = _arguments()
    if asked.measure:
        workload = Workload(json.loads(asked.measure))
        print(json.dumps(measure(workload, asked.seconds, asked.shards)))
        return
    for workload in workloads([name for name in asked.only.split(",") if name]):
        line = apart(workload, asked.seconds, asked.shards, asked.threads)
        print(json.dumps(line), flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.training.ours",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--only", default="", help="workloads, separated by commas")
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--threads", type=int, default=2, help="cores that the process may use")
    parser.add_argument("--shards", type=int, help="in the configuration; default: leave it out")
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    return parser.parse_args()


def apart(workload: Workload, seconds: float, shards: int | None, threads: int) -> Line:
    """What `measure` finds in a process of its own, on so many cores."""
    arguments = ["--measure", json.dumps(workload.document), "--seconds", seconds]
    arguments += [] if shards is None else ["--shards", shards]
    return ours("ours", *arguments, threads=threads)


def measure(workload: Workload, seconds: float, shards: int | None) -> Line:
    """Times and memory of a workload in this process."""
    clock, network, cores = Clock(seconds), workload.network, len(os.sched_getaffinity(0))
    params, training = train(workload, network, clock, shards)
    line: Line = {"name": workload.name, **clock.figures()}
    line["peak_rss_mib"] = round(memory("VmHWM"), 1)
    x, _ = workload.examples(workload.batch)
    predictor = network.predictor(params, workload.batch, shards)
    line |= repeated(lambda: predictor(x), seconds / 2)
    line["predict_ms"] = repeated(lambda: network.predict(params, x), seconds / 4)["infer_ms"]
    line |= {
        "parameters": network.parameter_count,
        "shards": training.config.shards,
        "train_gflop": training_flops(network) * workload.batch / 1e9,
        "infer_gflop": inference_flops(network) * workload.batch / 1e9,
        "gemm_peak_gflops": round(gemm_peak(cores), 1),
    }
    for what in ("train", "infer"):
        rate = line[f"{what}_gflop"] / line[f"{what}_ms"] * 1e3
        line[f"{what}_gemm_fraction"] = round(rate / line["gemm_peak_gflops"], 4)
    return line


def train(
    workload: Workload, network: Network, clock: Clock, shards: int | None
) -> tuple[Params, Training]:
    """Train on one batch again and again until the clock's time is over."""
    params, size = network.init(seed=0), workload.batch
    x, y = workload.examples(size)
    # Copies of the batch keep the end of an epoch out of most samples.
    copies = max(4, min(1000, _TILED_BYTES // x.nbytes))
    x, y = (array[None].repeat(copies, 0).reshape(-1, *array.shape[1:]) for array in (x, y))
    config: dict[str, Any] = {
        "loss": workload.loss,
        "optimizer": {"type": "adam", "learning_rate": 1e-3},
        "batch_size": size,
        "shuffle": False,
        "epochs": 1_000_000,
    }
    if shards is not None:
        config["shards"] = shards
    training = Training(network, params, x, y, config, on_step=clock.tick, stop=clock.over)
    for _ in training:
        pass
    return params, training


if __name__ == "__main__":
    main()
