"""Times nncore on the workloads, one JSON line each.

python -m benchmarks.training.ours [--only lenet,lstm] [--seconds 3] [--threads 2] [--shards 2]

Each workload has a process of its own, whose peak memory is that of training. A training step is
one of `fit`, from the end of one step to the end of the next; inference is `Network.predict`.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from service.cpu import launch_environment

_TILED_BYTES = 4 << 20
_WARM_UP = 3
_MOST = 2000
_FEWEST = 5


def main() -> None:
    """Print a line for each workload."""
    asked = _arguments()
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: asked.threads])
    if asked.measure:
        print(json.dumps(measure(asked.measure, asked.seconds, asked.shards)), flush=True)
        return
    from benchmarks.training.workloads import workloads

    for workload in workloads([name for name in asked.only.split(",") if name]):
        print(json.dumps(apart(workload.name, asked.seconds, asked.shards, asked.threads)))
        sys.stdout.flush()


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


def apart(name: str, seconds: float, shards: int | None, threads: int) -> dict[str, Any]:
    """What `measure` finds in a process of its own, on so many cores."""
    command = [sys.executable, "-m", "benchmarks.training.ours", "--measure", name]
    command += ["--seconds", str(seconds), "--threads", str(threads)]
    if shards is not None:
        command += ["--shards", str(shards)]
    told = subprocess.run(
        command, check=True, stdout=subprocess.PIPE, text=True, env=launch_environment()
    )
    line: dict[str, Any] = json.loads(told.stdout)
    return line


def measure(name: str, seconds: float, shards: int | None) -> dict[str, Any]:
    """Times and memory of a workload in this process."""
    import numpy as np

    from benchmarks.training.workloads import inference_flops, training_flops, workloads
    from nncore import Training

    workload = workloads([name])[0]
    network, size = workload.network, workload.batch
    x, y = workload.examples(size)
    copies = max(4, min(1000, _TILED_BYTES // x.nbytes))  # an epoch's end is in few of the samples
    config = {"loss": workload.loss, "optimizer": {"type": "adam", "learning_rate": 1e-3}}
    config |= {"batch_size": size, "shuffle": False, "epochs": 1_000_000}
    if shards is not None:
        config["shards"] = shards
    clock = Clock(seconds)
    params = network.init(seed=0)
    many = np.concatenate([x] * copies), np.concatenate([y] * copies)
    training = Training(network, params, *many, config, on_step=clock.tick, stop=clock.over)
    for _ in training:
        pass
    memory = peak_memory()
    trained, gemm = clock.figures("train"), training_flops(network) * size
    inferred = repeated(lambda: network.predict(params, x), seconds / 2)
    peak = gemm_peak(len(os.sched_getaffinity(0)))
    forward = inference_flops(network) * size
    return {
        "name": name,
        **trained,
        **inferred,
        "parameters": network.parameter_count,
        "peak_rss_mib": round(memory / 2**20, 1),
        "shards": training.config.shards,
        "gemm_peak_gflops": round(peak / 1e9, 1),
        "train_gemm_fraction": round(gemm / peak / trained["train_ms"] * 1e3, 4),
        "infer_gemm_fraction": round(forward / peak / inferred["infer_ms"] * 1e3, 4),
    }


class Clock:
    """Takes the time from each training step's end to the next one's, for so many seconds."""

    def __init__(self, seconds: float) -> None:
        self._seconds, self._ends = seconds, [0.0]
        self._start = time.perf_counter()

    def tick(self, step: Any) -> None:
        """A step is done."""
        self._ends.append(time.perf_counter())
        if step.step == _WARM_UP:
            self._start = self._ends[-1]
            self._ends = [self._start]

    def over(self) -> bool:
        """Whether there are steps enough."""
        count = len(self._ends) - 1
        late = time.perf_counter() >= self._start + self._seconds
        return self._ends[0] > 0 and count >= _FEWEST and (late or count >= _MOST)

    def figures(self, what: str) -> dict[str, float]:
        """The median and the least, in milliseconds."""
        pairs = zip(self._ends[1:], self._ends[:-1], strict=True)
        return in_milliseconds(what, [end - start for end, start in pairs])


def repeated(call: Callable[[], object], seconds: float) -> dict[str, float]:
    """Time a call again and again."""
    for _ in range(_WARM_UP):
        call()
    taken: list[float] = []
    end = time.perf_counter() + seconds
    while len(taken) < _FEWEST or (time.perf_counter() < end and len(taken) < _MOST):
        start = time.perf_counter()
        call()
        taken.append(time.perf_counter() - start)
    return in_milliseconds("infer", taken)


def in_milliseconds(what: str, taken: list[float]) -> dict[str, float]:
    """The median and the least of some seconds."""
    taken = sorted(taken)
    return {
        f"{what}_ms": round(taken[len(taken) // 2] * 1e3, 4),
        f"{what}_min_ms": round(taken[0] * 1e3, 4),
    }


def peak_memory() -> int:
    """The most resident bytes that this process has had since it started its program."""
    # getrusage would also count what the parent had when it forked.
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("this Linux does not tell a process's peak memory")


def gemm_peak(threads: int, size: int = 2048, rounds: int = 4) -> float:
    """Floating-point operations a second of large float32 products, one on each thread."""
    import numpy as np

    rng = np.random.default_rng(0)
    gate = threading.Barrier(threads + 1)
    parts = [[rng.random((size, size), np.float32) for _ in range(3)] for _ in range(threads)]

    def work(a: Any, b: Any, out: Any) -> None:
        for _ in range(rounds):
            gate.wait()
            np.matmul(a, b, out=out)
            gate.wait()

    workers = [threading.Thread(target=work, args=part, daemon=True) for part in parts]
    for worker in workers:
        worker.start()
    best = 0.0
    for _ in range(rounds):
        gate.wait()
        start = time.perf_counter()
        gate.wait()
        best = max(best, threads * 2 * size**3 / (time.perf_counter() - start))
    return best


if __name__ == "__main__":
    main()
