"""What a report says of the steps: tables, and which goals they meet."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from benchmarks.report import aligned
from benchmarks.training.goals import Goal, unmeasured
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
    torch_leanest,
)
from benchmarks.training.workloads import workloads

GOALS = {"train": 1.5, "infer": 1.3}
TINY_GOAL = 4.0
MEMORY_GOAL = 0.6
PEAK_GOALS = dict.fromkeys(("vgg", "alexnet", "char_lstm"), 0.55)

Ratios = Mapping[str, float | None]


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
        ratios = {workload.name: None for workload in workloads()} | {
            name: ratio(found, what) for name, found in measured.items()
        }
        yield _mean(results, f"{word}: geometric mean", ratios, GOALS[what])
        large = {name: times for name, times in ratios.items() if name not in TINY}
        yield _each(results, f"{word}: each workload", large, 1.0)
        tiny = {name: ratios[name] for name in TINY}
        yield _each(results, f"{word}: {', '.join(TINY)}", tiny, TINY_GOAL)
    nothing = {workload.name: None for workload in workloads()}
    yield _memory(nothing | {name: memory_ratio(found) for name, found in measured.items()})
    yield _reported(measured)
    for name, goal in PEAK_GOALS.items():
        words, wanted = f"training: share of the GEMM peak, {name}", f">= {goal:.0%}"
        if name not in measured:
            yield unmeasured(words, wanted)
            continue
        reached = gflops(measured[name], "train") / (peak or own_peak(measured[name]))
        unsure = bool(results.disturbed(PART, [name]))
        yield Goal(words, f"{reached:.0%}", wanted, reached >= goal, unsure)


def _mean(results: Results, name: str, ratios: Ratios, goal: float) -> Goal:
    known = [name for name, times in ratios.items() if times is not None]
    mean, wanted = geometric_mean(ratios.values()), f">= {goal} times"
    if mean is None:
        return unmeasured(name, wanted)
    words, unsure = f"{mean:.2f}{_of(known, ratios)}", bool(results.disturbed(PART, known))
    met = mean >= goal if len(known) == len(ratios) else None
    return Goal(name, words, wanted, met, unsure)


def _each(results: Results, name: str, ratios: Ratios, goal: float) -> Goal:
    known = {name: times for name, times in ratios.items() if times is not None}
    wanted = f">= {goal:g} times"
    if not known:
        return unmeasured(name, wanted)
    under = {name: times for name, times in known.items() if times < goal}
    words = f"under it: {_listed(under)}" if under else f"least {min(known.values()):.2f}"
    unsure = bool(results.disturbed(PART, under or known))
    return Goal(name, words + _of(known, ratios), wanted, _met(under, known, ratios), unsure)


def _met(against: Collection[str], known: Collection[str], everything: Ratios) -> bool | None:
    """One case against it decides; that nothing is needs all of them."""
    return False if against else (True if len(known) == len(everything) else None)


def _of(known: Collection[str], ratios: Ratios) -> str:
    return "" if len(known) == len(ratios) else f" ({len(known)} of {len(ratios)} measured)"


def _memory(shares: Ratios) -> Goal:
    name, wanted = "training: peak memory, of PyTorch's leanest mode", f"<= {MEMORY_GOAL} times"
    known = {name: share for name, share in shares.items() if share is not None}
    if not known:
        return unmeasured(name, wanted)
    over = {name: share for name, share in known.items() if share > MEMORY_GOAL}
    words = f"over it: {_listed(over)}" if over else f"most {max(known.values()):.2f}"
    return Goal(name, words + _of(known, shares), wanted, _met(over, known, shares))


def _reported(measured: Mapping[str, Any]) -> Goal:
    name, count = "share of the GEMM peak reported", len(workloads())
    wanted = f"{count} workloads"
    if not measured:
        return unmeasured(name, wanted)
    return Goal(name, f"{len(measured)} (table below)", wanted, len(measured) == count or None)


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
    heads = ["workload", "MiB", "PyTorch MiB", "its mode", "ratio", "its fastest mode MiB"]
    rows = [[*heads, "training GFLOP/s", "of the peak", "inference GFLOP/s", "of the peak"]]
    for name, found in measured.items():
        best, leanest = torch_best(found, "train"), torch_leanest(found)
        row = [name, f"{found['ours']['peak_rss_mib']:.0f}"]
        if best and leanest:
            taken = found["torch"][best[1]]["peak_rss_mib"]
            share = found["ours"]["peak_rss_mib"] / leanest[0]
            row += [f"{leanest[0]:.0f}", leanest[1], f"{share:.2f}", f"{taken:.0f}"]
        else:
            row += [""] * 4
        for what in WORDS:
            rate = gflops(found, what)
            row += [f"{rate:.3g}", _percent(rate / (peak or own_peak(found)))]
        rows.append(row)
    return aligned(rows)


def _modes(measured: Mapping[str, Any]) -> str:
    modes = list(dict.fromkeys(mode for found in measured.values() for mode in found["torch"]))
    if not modes:
        return ""
    rows = [["workload", *modes]]
    for name, found in measured.items():
        rows.append([name, *(_both(found["torch"].get(mode)) for mode in modes)])
    return f"PyTorch's modes, training / inference in ms:\n\n{aligned(rows)}"


def _both(line: Line | None) -> str:
    if line is None:
        return ""
    if "error" in line:
        return f"not measured: {line['error'].replace('|', ' ')}"
    return f"{_ms(line['train_ms'])} / {_ms(line['infer_ms'])}"


def _ms(value: float) -> str:
    return f"{value:.3g}" if value < 100 else f"{value:.0f}"


def _percent(share: float) -> str:
    return f"{share:.0%}" if share >= 0.1 else f"{share:.2%}"
