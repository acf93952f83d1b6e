"""What a report says of the steps: tables, and which goals they meet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from benchmarks.report import aligned
from benchmarks.training.goals import Goal
from benchmarks.training.processes import Line
from benchmarks.training.results import Results
from benchmarks.training.steps import (
    PART,
    TINY,
    WORDS,
    geometric_mean,
    gflops,
    memory_ratio,
    own_peak,
    ratio,
    torch_best,
)
from benchmarks.training.workloads import workloads

GOALS = {"train": 1.5, "infer": 1.3}
TINY_GOAL = 4.0
MEMORY_GOAL = 0.6
PEAK_GOALS = dict.fromkeys(("vgg", "alexnet", "char_lstm"), 0.55)


def section(results: Results, peak: float | None) -> str:
    """The tables."""
    measured = _measured(results)
    if not measured:
        return "Not measured."
    parts = [
        _times(measured),
        "Inference by `Network.predict`, which prepares nothing for later calls, in ms: "
        + ", ".join(
            f"{name} {_ms(found['ours']['predict_ms'])}" for name, found in measured.items()
        ),
        "Resident memory at its peak, when training ended, and the products' share of the "
        "machine's peak (the operations of the network's matrix products, a step's or a forward "
        "pass's, by its time):",
        _memory_and_peak(measured, peak),
        "PyTorch's modes, training / inference in ms:",
        _modes(measured),
    ]
    return "\n\n".join(part for part in parts if part)


def _measured(results: Results) -> dict[str, Any]:
    everything = results.read(PART)
    order = [workload.name for workload in workloads() if workload.name in everything]
    return {name: everything[name] for name in order}


def goals(results: Results, peak: float | None) -> Iterator[Goal]:
    """What is wanted of the steps."""
    measured = _measured(results)
    for what, word in WORDS.items():
        ratios = {name: ratio(found, what) for name, found in measured.items()}
        known = {name: times for name, times in ratios.items() if times is not None}
        if not known:
            continue
        large = {name: times for name, times in known.items() if name not in TINY}
        tiny = {name: times for name, times in known.items() if name in TINY}
        mean = geometric_mean(known.values())
        yield Goal(
            f"{word}: geometric mean of {len(known)} workloads",
            f"{mean:.2f}",
            f">= {GOALS[what]}",
            (mean or 0) >= GOALS[what],
        )
        yield _each(f"{word}: each workload", large, 1.0)
        yield _each(f"{word}: {', '.join(TINY)}", tiny, TINY_GOAL)
    shares = {name: memory_ratio(found) for name, found in measured.items()}
    if any(shares.values()):
        over = {name: share for name, share in shares.items() if share and share > MEMORY_GOAL}
        words = _listed(over) or f"at most {max(share or 0 for share in shares.values()):.2f}"
        yield Goal("peak memory of training, of PyTorch's", words, f"<= {MEMORY_GOAL}", not over)
    for name, goal in PEAK_GOALS.items():
        if name in measured:
            reached = gflops(measured[name], "train") / (peak or own_peak(measured[name]))
            yield Goal(
                f"share of the GEMM peak, {name}",
                f"{reached:.0%}",
                f">= {goal:.0%}",
                reached >= goal,
            )


def _each(name: str, ratios: Mapping[str, float], goal: float) -> Goal:
    under = {name: times for name, times in ratios.items() if times < goal}
    words = (
        f"under it: {_listed(under)}" if under else f"least {min(ratios.values(), default=0):.2f}"
    )
    return Goal(name, words, f">= {goal:g} times", not under)


def _listed(figures: Mapping[str, float | None]) -> str:
    return ", ".join(f"{name} {figure:.2f}" for name, figure in figures.items())


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
            row += [f"{rate:.1f}", f"{rate / (peak or own_peak(found)):.0%}"]
        rows.append(row)
    return aligned(rows)


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


def _ms(value: float) -> str:
    return f"{value:.3g}" if value < 100 else f"{value:.0f}"
