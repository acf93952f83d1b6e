"""Clocks for steps and calls, the memory of a process, and the machine's best at products."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

WARM_UP = 3
FEWEST = 5
MOST = 2000


class Clock:
    """Takes the time from each training step's end to the next one's, for so many seconds.

    `on_start` is called when the first steps are over, which do not count.
    """

    def __init__(self, seconds: float, on_start: Callable[[], None] | None = None) -> None:
        self._seconds, self._start, self._on_start = seconds, 0.0, on_start
        self._ends: list[float] = []

    def tick(self, step: Any) -> None:
        """A step is done; `fit` calls this."""
        if step.step == WARM_UP and self._on_start:
            self._on_start()
        now = time.perf_counter()
        if step.step == WARM_UP:
            self._start = now
        if step.step >= WARM_UP:
            self._ends.append(now)

    def over(self) -> bool:
        """Whether there are steps enough; `fit` asks this."""
        count = len(self._ends) - 1
        late = time.perf_counter() >= self._start + self._seconds
        return count >= FEWEST and (late or count >= MOST)

    def figures(self) -> dict[str, float]:
        """The median and the least, in milliseconds."""
        pairs = zip(self._ends[1:], self._ends[:-1], strict=True)
        return in_milliseconds("train", [end - start for end, start in pairs])


def repeated(call: Callable[[], object], seconds: float) -> dict[str, float]:
    """The time of a call, the median and the least of many."""
    for _ in range(WARM_UP):
        call()
    taken: list[float] = []
    end = time.perf_counter() + seconds
    while len(taken) < FEWEST or (time.perf_counter() < end and len(taken) < MOST):
        start = time.perf_counter()
        call()
        taken.append(time.perf_counter() - start)
    return in_milliseconds("infer", taken)


def in_milliseconds(what: str, taken: list[float]) -> dict[str, float]:
    """The median and the least of some seconds."""
    taken = sorted(taken)
    return {
        f"{what}_ms": round(taken[(len(taken) - 1) // 2] * 1e3, 4),
        f"{what}_min_ms": round(taken[0] * 1e3, 4),
    }


def memory(field: str) -> float:
    """MiB of this process by their name in /proc: VmHWM (most resident so far), RssAnon, ..."""
    # getrusage would count what the parent had when it forked.
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"/proc/self/status has no {field}: these benchmarks need Linux")


def gemm_peak(threads: int, size: int = 2048, rounds: int = 4) -> float:
    """GFLOP/s of large float32 products, one at a time on each thread; the best of some rounds."""
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
        best = max(best, threads * 2e-9 * size**3 / (time.perf_counter() - start))
    return best
