"""How a step's time grows with batch, depth and sequence length, and shrinks with a second core."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from benchmarks.report import aligned
from benchmarks.training.chart import Points, chart
from benchmarks.training.goals import Goal, unmeasured
from benchmarks.training.ours import apart
from benchmarks.training.processes import Options
from benchmarks.training.results import Results
from benchmarks.training.tasks import Task
from benchmarks.training.workloads import Workload, workloads

PART = "scaling"
CORES_PART = "cores"
CORES_GOAL = 1.7
SCALED = ("vgg", "char_lstm")
LINEAR = 1.1
_START = 1.5
BATCHES = {"mlp": (64, 128, 256, 512, 1024), "lenet": (16, 32, 64, 128, 256)}
AXES = {"batch": "batch", "depth": "depth", "length": "sequence length"}
DEPTHS = (2, 4, 8, 16, 32)
LENGTHS = {"lstm": (25, 50, 100, 200, 400), "conv1d": (75, 150, 300, 600, 1200)}


@dataclass(frozen=True, slots=True)
class Series:
    """Workloads that differ in one size."""

    axis: str
    name: str
    sizes: Sequence[int]
    cases: Sequence[Workload]


def series() -> Iterator[Series]:
    """What is measured, by axis."""
    known = {workload.name: workload for workload in workloads()}
    for name, sizes in BATCHES.items():
        cases = [known[name].but(batch=size) for size in sizes]
        yield Series("batch", name, sizes, cases)
    convolution = {"type": "conv2d", "filters": 32, "kernel_size": 3, "padding": "same"}
    stacks = {
        "dense 256 (batch 256)": ([256], 256, {"type": "dense", "units": 256}, []),
        "conv2d 3x3x32 on 16x16 (batch 32)": ([16, 16, 32], 32, convolution, [{"type": "flatten"}]),
    }
    for name, (shape, batch, layer, after) in stacks.items():
        base = known["mlp"].but(name=name, input=shape, batch=batch)
        repeated = {**layer, "activation": "relu"}
        last = [*after, {"type": "dense", "units": 10}]
        cases = [base.but(layers=[repeated] * depth + last) for depth in DEPTHS]
        yield Series("depth", name, DEPTHS, cases)
    for name, sizes in LENGTHS.items():
        features = known[name].document["input"][1:]
        cases = [known[name].but(input=[size, *features]) for size in sizes]
        yield Series("length", name, sizes, cases)


def tasks(options: Options) -> Iterator[Task]:
    """One for each line of the charts."""
    for each in series():
        if options.wants(each.name, each.axis):
            seconds = _rounds(options) * len(each.sizes) * (_START + options.seconds / 2)
            yield Task(PART, each.name, seconds, partial(measure, options, each))


def measure(options: Options, each: Series) -> dict[str, Any]:
    """The best median step of some rounds at each size."""
    times = [float("inf")] * len(each.sizes)
    for _ in range(_rounds(options)):
        for place, case in enumerate(each.cases):
            line = apart(case, options.seconds / 2, options.shards, options.threads, alone=True)
            times[place] = min(times[place], line["train_ms"])
    return {"axis": each.axis, "sizes": list(each.sizes), "train_ms": times}


def _rounds(options: Options) -> int:
    return max(1, options.rounds - 1)


def cores_tasks(options: Options) -> Iterator[Task]:
    """One for each workload that a second core must make faster."""
    for workload in workloads(SCALED):
        if options.wants(workload.name):
            seconds = options.rounds * 2 * (_START + options.seconds)
            ask = partial(measure_cores, options, workload)
            yield Task(CORES_PART, workload.name, seconds, ask)


def measure_cores(options: Options, workload: Workload) -> dict[str, Any]:
    """The same workload, the same shards, on one core and on two, in turn."""
    best = {"1": float("inf"), "2": float("inf")}
    for _ in range(options.rounds):
        for cores in best:
            line = apart(workload, options.seconds, options.shards, int(cores), alone=True)
            best[cores] = min(best[cores], line["train_ms"])
    return {"train_ms": best, "shards": line["shards"]}


def goals(results: Results) -> Iterator[Goal]:
    """What is wanted of growth: no faster than the size, from each line's first point to its last.

    The exponent of a straight line through zero is 1; a constant share of a step makes it less.
    """
    everything = results.read(PART)
    for axis, word in AXES.items():
        name, wanted = f"time grows with {word}: exponent", f"<= {LINEAR}"
        of_axis = {name: found for name, found in everything.items() if found["axis"] == axis}
        if not of_axis:
            yield unmeasured(name, wanted)
            continue
        exponents = {line: _exponent(_points(found)) for line, found in of_axis.items()}
        words = ", ".join(f"{line} {value:.2f}" for line, value in exponents.items())
        met, unsure = max(exponents.values()) <= LINEAR, bool(results.disturbed(PART, of_axis))
        yield Goal(name, words, wanted, met, unsure)


def _exponent(points: Points) -> float:
    (first_x, first_y), (last_x, last_y) = points[0], points[-1]
    return math.log(last_y / first_y) / math.log(last_x / first_x)


def section(results: Results) -> str:
    """A table and a chart for each axis; the charts are written beside the results."""
    everything = results.read(PART)
    if not everything:
        return "Not measured."
    parts = []
    for axis in dict.fromkeys(found["axis"] for found in everything.values()):
        of_axis = {name: each for name, each in everything.items() if each["axis"] == axis}
        lines = {name: _points(each) for name, each in of_axis.items()}
        relative = {name: _relative(points) for name, points in lines.items()}
        file = results.folder / f"{axis}.svg"
        words = f"Training step by {axis}, each line's largest time = 1"
        file.write_text(chart(words, f"{axis}, largest = 1", "time", relative), encoding="utf-8")
        parts += [f"![time by {axis}]({results.folder.name}/{axis}.svg)", _table(axis, lines)]
    return "\n\n".join(parts)


def _points(found: Mapping[str, Any]) -> Points:
    return list(zip(found["sizes"], found["train_ms"], strict=True))


def _relative(points: Points) -> Points:
    most_x, most_y = points[-1]
    return [(x / most_x, y / most_y) for x, y in points]


def _table(axis: str, lines: Mapping[str, Points]) -> str:
    rows = [["workload", axis, "ms", f"us a unit of {axis}", "growth of time / of size"]]
    for name, points in lines.items():
        before: tuple[float, float] | None = None
        for x, y in points:
            growth = f"{y / before[1] / (x / before[0]):.2f}" if before else ""
            rows.append([name, f"{x:g}", f"{y:.3g}", f"{y / x * 1e3:.3g}", growth])
            before = x, y
    return aligned(rows)


def cores_goals(results: Results) -> Iterator[Goal]:
    """What is wanted of the second core."""
    everything = results.read(CORES_PART)
    for name in SCALED:
        words, wanted = f"1 -> 2 cores, training: {name}", f">= {CORES_GOAL} times"
        found = everything.get(name)
        if found is None:
            yield unmeasured(words, wanted)
            continue
        gain = found["train_ms"]["1"] / found["train_ms"]["2"]
        unsure = bool(results.disturbed(CORES_PART, [name]))
        yield Goal(words, f"{gain:.2f}", wanted, gain >= CORES_GOAL, unsure)


def cores_section(results: Results) -> str:
    """The speed-up by the second core."""
    everything = results.read(CORES_PART)
    if not everything:
        return "Not measured."
    rows = [["workload", "shards", "1 core ms", "2 cores ms", "speed-up"]]
    for name, found in everything.items():
        one, two = found["train_ms"]["1"], found["train_ms"]["2"]
        times = [f"{one:.1f}", f"{two:.1f}", f"{one / two:.2f}"]
        rows.append([name, str(found["shards"]), *times])
    return aligned(rows)
