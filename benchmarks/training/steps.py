"""A training step and inference on each workload, both sides in turn."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from benchmarks.training.ours import apart
from benchmarks.training.processes import Line, Options, SideFailed, theirs
from benchmarks.training.quiet import busy_share
from benchmarks.training.results import Results
from benchmarks.training.workloads import Workload, workloads

PART = "steps"
TINY = ("xor", "digits_mlp")
WORDS = {"train": "training", "infer": "inference"}


def measure(options: Options, results: Results) -> None:
    """Each side's best median of several rounds; the sides take turns, so noise hits both."""
    for workload in workloads():
        if not options.wants(workload.name):
            continue
        found: dict[str, Any] = {"ours": None, "torch": {}, "busy": []}
        for _ in range(options.rounds):
            found["busy"].append(round(busy_share(), 2))
            line = apart(workload, options.seconds, options.shards, options.threads)
            found["ours"] = _better(found["ours"], line)
            _measure_torch(workload, options, found["torch"])
        found["rounds"], found["seconds"] = options.rounds, options.seconds
        results.keep(PART, workload.name, found)


def _measure_torch(workload: Workload, options: Options, found: dict[str, Line]) -> None:
    if options.torch is None:
        return
    for mode in options.modes:
        arguments = ("--workload", workload.name, "--mode", mode, "--seconds", options.seconds)
        try:
            line = theirs(options.torch, "torch_side.py", *arguments, threads=options.threads)
        except SideFailed as failure:
            line = {"name": workload.name, "mode": mode, "error": str(failure)[-200:]}
        if line is not None:
            found[mode] = _better(found.get(mode), line)


def _better(known: Line | None, line: Line) -> Line:
    """The better of two rounds, figure by figure; memory is what the last round took."""
    if known is None or "error" in known or "error" in line:
        return line
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


def memory_ratio(found: Mapping[str, Any]) -> float | None:
    """Peak resident memory of the training process, of that of PyTorch's fastest mode."""
    best = torch_best(found, "train")
    if best is None:
        return None
    return float(found["ours"]["peak_rss_mib"] / found["torch"][best[1]]["peak_rss_mib"])


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
