"""A training step and inference on each workload, both sides in turn."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from benchmarks.report import aligned
from benchmarks.training.ours import apart
from benchmarks.training.processes import Line, Options, SideFailed, theirs
from benchmarks.training.results import Results
from benchmarks.training.workloads import Workload, workloads

PART = "steps"
TINY = ("xor", "digits_mlp")
GOALS = {"train": 1.5, "infer": 1.3}
TINY_GOAL = 4.0
MEMORY_GOAL = 0.6
PEAK_GOALS = dict.fromkeys(("vgg", "alexnet", "char_lstm"), 0.55)
WORDS = {"train": "training", "infer": "inference"}


def measure(options: Options, results: Results) -> None:
    """Each side's best median of several rounds; the sides take turns, so noise hits both."""
    for workload in workloads():
        if not options.wants(workload.name):
            continue
        found: dict[str, Any] = {"ours": None, "torch": {}}
        for _ in range(options.rounds):
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


def section(results: Results, peak: float | None) -> str:
    """The tables, and what falls short."""
    everything = results.read(PART)
    order = [workload.name for workload in workloads() if workload.name in everything]
    measured = {name: everything[name] for name in order}
    if not measured:
        return "Not measured."
    parts = [
        _times(measured),
        _summary(measured),
        "Resident memory at its peak, when training ended, and the products' share of the "
        "machine's peak (the operations of the network's matrix products, a step's or a forward "
        "pass's, by its time):",
        _memory_and_peak(measured, peak),
        "PyTorch's modes, training / inference in ms:",
        _modes(measured),
        _verdicts(measured, peak),
    ]
    return "\n\n".join(part for part in parts if part)


def _times(measured: Mapping[str, Any]) -> str:
    rows = [["workload", "shards"]]
    for word in WORDS.values():
        rows[0] += [f"{word} ms", "PyTorch ms", "its mode", "ratio"]
    for name, found in measured.items():
        row = [name, str(found["ours"]["shards"])]
        for what in WORDS:
            best, times = torch_best(found, what), ratio(found, what)
            row.append(_ms(found["ours"][f"{what}_ms"]))
            row += [_ms(best[0]), best[1], f"{times:.2f}"] if best and times else ["", "", ""]
        rows.append(row)
    return aligned(rows)


def _summary(measured: Mapping[str, Any]) -> str:
    lines = []
    for what, word in WORDS.items():
        mean = geometric_mean(ratio(found, what) for found in measured.values())
        if mean:
            goal = GOALS[what]
            lines.append(f"- geometric mean, {word}: **{mean:.2f}** (wanted: {goal})")
    return "\n".join(lines)


def geometric_mean(ratios: Iterable[float | None]) -> float | None:
    """Of the ratios that there are."""
    logarithms = [math.log(ratio) for ratio in ratios if ratio]
    return math.exp(sum(logarithms) / len(logarithms)) if logarithms else None


def _memory_and_peak(measured: Mapping[str, Any], peak: float | None) -> str:
    heads = ["workload", "MiB", "PyTorch MiB", "ratio", "its leanest mode MiB"]
    rows = [[*heads, "training GFLOP/s", "of the peak", "inference GFLOP/s", "of the peak"]]
    for name, found in measured.items():
        best, share = torch_best(found, "train"), memory_ratio(found)
        row = [name, f"{found['ours']['peak_rss_mib']:.0f}"]
        if best and share:
            lines = [line for line in found["torch"].values() if "error" not in line]
            least = min(line["peak_rss_mib"] for line in lines)
            taken = found["torch"][best[1]]["peak_rss_mib"]
            row += [f"{taken:.0f}", f"{share:.2f}", f"{least:.0f}"]
        else:
            row += ["", "", ""]
        for what in WORDS:
            rate = gflops(found, what)
            row += [f"{rate:.1f}", f"{rate / (peak or _own_peak(found)):.0%}"]
        rows.append(row)
    return aligned(rows)


def gflops(found: Mapping[str, Any], what: str) -> float:
    """The speed of a workload's matrix products, as if there were nothing else."""
    return float(found["ours"][f"{what}_gflop"] / found["ours"][f"{what}_ms"] * 1e3)


def _own_peak(found: Mapping[str, Any]) -> float:
    return float(found["ours"]["gemm_peak_gflops"])


def _modes(measured: Mapping[str, Any]) -> str:
    modes = list(dict.fromkeys(mode for found in measured.values() for mode in found["torch"]))
    if not modes:
        return ""
    rows = [["workload", *modes]]
    for name, found in measured.items():
        rows.append([name, *(_both(found["torch"].get(mode)) for mode in modes)])
    return aligned(rows)


def _both(line: Line | None) -> str:
    if line is None:
        return ""
    return "failed" if "error" in line else f"{_ms(line['train_ms'])} / {_ms(line['infer_ms'])}"


def _verdicts(measured: Mapping[str, Any], peak: float | None) -> str:
    short = [line for name, found in measured.items() for line in _short(name, found, peak)]
    for what, word in WORDS.items():
        mean = geometric_mean(ratio(found, what) for found in measured.values())
        if mean and mean < GOALS[what]:
            short.append(f"geometric mean, {word}: {mean:.2f}, wanted {GOALS[what]}")
    if not short:
        return "Every goal for time, memory and share of the peak is met."
    return "Falls short:\n\n" + "\n".join(f"- {line}" for line in short)


def _short(name: str, found: Mapping[str, Any], peak: float | None) -> list[str]:
    lines, goal = [], TINY_GOAL if name in TINY else 1.0
    for what, word in WORDS.items():
        times = ratio(found, what)
        if times is not None and times < goal:
            lines.append(f"{name}, {word}: {times:.2f} times PyTorch's speed, wanted {goal:g}")
    share = memory_ratio(found)
    if share is not None and share > MEMORY_GOAL:
        lines.append(f"{name}, memory: {share:.2f} of PyTorch's, wanted {MEMORY_GOAL}")
    reached = gflops(found, "train") / (peak or _own_peak(found))
    if name in PEAK_GOALS and reached < PEAK_GOALS[name]:
        lines.append(f"{name}: {reached:.0%} of the GEMM peak, wanted {PEAK_GOALS[name]:.0%}")
    return lines


def _ms(value: float) -> str:
    return f"{value:.3g}" if value < 100 else f"{value:.0f}"
