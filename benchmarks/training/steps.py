"""A training step and inference on each workload, both sides in turn."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from benchmarks.training.ours import apart
from benchmarks.training.processes import Line, Options, SideFailed, TookTooLong, theirs
from benchmarks.training.quiet import settled
from benchmarks.training.tasks import Task
from benchmarks.training.workloads import Workload, workloads

PART = "steps"
TINY = ("xor", "digits_mlp")
WORDS = {"train": "training", "infer": "inference"}
# About how long a process takes besides what it measures for.
_OURS, _TORCH, _COMPILE, _COMPILE_AGAIN = 2.0, 4.0, 25.0, 10.0


def tasks(options: Options) -> Iterator[Task]:
    """One a workload."""
    for workload in workloads():
        if options.wants(workload.name):
            ask = partial(measure, workload, options)
            yield Task(PART, workload.name, _estimate(workload, options), ask)


def _estimate(workload: Workload, options: Options) -> float:
    times = options.seconds * 1.5
    seconds = options.rounds * (_OURS + times + options.seconds / 4)
    for mode in _modes(workload, options):
        seconds += options.rounds * (times + (_COMPILE_AGAIN if mode == "compile" else _TORCH))
        seconds += _COMPILE - _COMPILE_AGAIN if mode == "compile" else 0
    return seconds


def _modes(workload: Workload, options: Options) -> list[str]:
    """Those of PyTorch's modes that say something of this workload."""
    if options.torch is None:
        return []
    images = len(workload.document["input"]) == 3
    return [mode for mode in options.modes if images or mode != "channels_last"]


def measure(workload: Workload, options: Options) -> dict[str, Any]:
    """Each side's best median of several rounds; the sides take turns, so noise hits both."""
    found: dict[str, Any] = {"ours": None, "torch": {}, "rounds": options.rounds}
    shares = []
    for _ in range(options.rounds):
        shares.append(settled())
        line = apart(workload, options.seconds, options.shards, options.threads)
        found["ours"] = _better(found["ours"], line)
        _measure_torch(workload, options, found["torch"])
    return found | {"seconds": options.seconds, "busy": min(shares)}


def _measure_torch(workload: Workload, options: Options, found: dict[str, Line]) -> None:
    for mode in _modes(workload, options):
        if "error" not in found.get(mode, {}):
            line = _torch_line(workload, options, mode)
            found[mode] = _better(found.get(mode), line)


def _torch_line(workload: Workload, options: Options, mode: str) -> Line:
    assert options.torch
    asked = ("--workload", workload.name, "--mode", mode, "--seconds", options.seconds)
    named = {"name": workload.name, "mode": mode}
    limit = options.limit(mode, 2 * options.seconds)
    try:
        line = theirs(options.torch, "torch_side.py", *asked, threads=options.threads, limit=limit)
    except TookTooLong:
        return {**named, "error": f"{mode} took > {options.compile_seconds:g} s"}
    except SideFailed as failure:
        return {**named, "error": str(failure)[-200:]}
    return line or {**named, "error": "changes nothing here"}


def _better(known: Line | None, line: Line) -> Line:
    """The better of two rounds, figure by figure; memory is what the last round took."""
    if known is None or "error" in known:
        return line
    if "error" in line:
        return known
    times = {key: min(known[key], line[key]) for key in line if key.endswith("_ms")}
    return line | times


def torch_best(found: Mapping[str, Any], what: str) -> tuple[float, str] | None:
    """PyTorch's least time and the mode that gave it."""
    times = [
        (line[f"{what}_ms"], mode) for mode, line in found["torch"].items() if "error" not in line
    ]
    return min(times, default=None)


def ratio(found: Mapping[str, Any], what: str) -> float | None:
    """How many times faster than PyTorch's best."""
    best = torch_best(found, what)
    return best[0] / float(found["ours"][f"{what}_ms"]) if best else None


def torch_leanest(found: Mapping[str, Any]) -> tuple[float, str] | None:
    """PyTorch's least peak of memory, in MiB, and the mode that needed it."""
    peaks = [
        (line["peak_rss_mib"], mode) for mode, line in found["torch"].items() if "error" not in line
    ]
    return min(peaks, default=None)


def memory_ratio(found: Mapping[str, Any]) -> float | None:
    """Peak resident memory of the training process, of that of PyTorch's leanest mode."""
    leanest = torch_leanest(found)
    return float(found["ours"]["peak_rss_mib"] / leanest[0]) if leanest else None


def geometric_mean(ratios: Iterable[float | None]) -> float | None:
    """Of the ratios that there are."""
    logarithms = [math.log(ratio) for ratio in ratios if ratio]
    return math.exp(sum(logarithms) / len(logarithms)) if logarithms else None


def gflops(found: Mapping[str, Any], what: str) -> float:
    """The speed of a workload's matrix products, as if there were nothing else."""
    return float(found["ours"][f"{what}_gflop"] / found["ours"][f"{what}_ms"] * 1e3)


def own_peak(found: Mapping[str, Any]) -> float:
    """What nncore's process saw of the machine's peak, in GFLOP/s."""
    return float(found["ours"]["gemm_peak_gflops"])
