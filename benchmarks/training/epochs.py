"""Whole epochs on MNIST and Fashion-MNIST from their idx.gz files, and what they teach."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from benchmarks.report import aligned
from benchmarks.training.goals import Goal, unmeasured
from benchmarks.training.processes import Line, Options, SideFailed, ours, theirs
from benchmarks.training.results import Results
from benchmarks.training.tasks import Task

PART = "epochs"
ACCURACY_PART = "accuracy"
GOAL = 1.3
SETS = {"mnist": "MNIST", "fashion_mnist": "Fashion-MNIST"}
ACCURACY_GOALS = {"mnist": 0.99, "fashion_mnist": 0.91}
ACCURACY_EPOCHS = {"mnist": 6, "fashion_mnist": 8}
# About how long an epoch takes, the start, and what compiling adds.
_OURS, _TORCH, _START, _COMPILE = 9.0, 12.0, 4.0, 30.0
ACCURACY_CONFIG = {
    "optimizer": {"type": "adam", "learning_rate": 1e-3},
    "schedule": {"type": "cosine"},
}


def tasks(options: Options) -> Iterator[Task]:
    """One for each data set."""
    for name in SETS:
        if options.wants(name):
            theirs_all = sum(
                _TORCH + _START + (_COMPILE if mode == "compile" else 0)
                for mode in (options.modes if options.torch else ())
            )
            seconds = _rounds(options) * (_OURS + _START + theirs_all)
            yield Task(PART, name, seconds, partial(measure, options, name))


def measure(options: Options, name: str) -> dict[str, Any]:
    """One epoch a round, the sides in turn; each side keeps its best round."""
    found: dict[str, Any] = {"ours": None, "torch": {}}
    folder = ("--folder", options.dataset(name))
    config = json.dumps({} if options.shards is None else {"shards": options.shards})
    for _ in range(_rounds(options)):
        line = ours("ours_epochs", *folder, "--config", config, threads=options.threads)
        found["ours"] = _faster(found["ours"], line)
        for mode in options.modes if options.torch else ():
            known = found["torch"].get(mode)
            if known is None or "error" not in known:
                found["torch"][mode] = _faster(known, _torch_line(options, folder, mode))
    return found


def _torch_line(options: Options, folder: tuple[object, ...], mode: str) -> Line:
    assert options.torch
    asked, limit = (*folder, "--mode", mode), options.limit(mode, 10 * _TORCH)
    try:
        line = theirs(
            options.torch, "torch_epochs.py", *asked, threads=options.threads, limit=limit
        )
    except SideFailed as failure:
        return {"error": str(failure)[-200:]}
    assert line
    return line


def _rounds(options: Options) -> int:
    return max(1, options.rounds - 1)


def accuracy_tasks(options: Options) -> Iterator[Task]:
    """One for each data set."""
    for name in SETS:
        if options.wants(name):
            seconds = _START + ACCURACY_EPOCHS[name] * (_OURS + 1)
            yield Task(ACCURACY_PART, name, seconds, partial(measure_accuracy, options, name))


def measure_accuracy(options: Options, name: str) -> Line:
    """The stated epochs on nncore's side; the test rows are looked at after each."""
    config: dict[str, Any] = dict(ACCURACY_CONFIG)
    if options.shards is not None:
        config["shards"] = options.shards
    asked: list[object] = ["--folder", options.dataset(name)]
    asked += ["--epochs", ACCURACY_EPOCHS[name], "--config", json.dumps(config)]
    return ours("ours_epochs", *asked, threads=options.threads)


def _faster(known: dict[str, Any] | None, line: dict[str, Any]) -> dict[str, Any]:
    if known is None or "error" in known:
        return line
    if "error" in line:
        return known
    return min(known, line, key=total)


def total(line: Mapping[str, Any]) -> float:
    """Seconds from the files to the end of the last epoch."""
    return float(line["load_s"] + sum(line["epoch_s"]))


def goals(results: Results) -> Iterator[Goal]:
    """What is wanted of an epoch's time and of the accuracy after the stated epochs."""
    times, accuracies = results.read(PART), results.read(ACCURACY_PART)
    for name, title in SETS.items():
        found, words = times.get(name), f"epoch with loading, {title}, against PyTorch"
        best, wanted = _torch_best(found) if found else None, f">= {GOAL} times"
        if found is None or best is None:
            yield unmeasured(words, wanted)
            continue
        ratio, unsure = best[0] / total(found["ours"]), bool(results.disturbed(PART, [name]))
        yield Goal(words, f"{ratio:.2f}", wanted, ratio >= GOAL, unsure)
    for name, title in SETS.items():
        goal = ACCURACY_GOALS[name]
        words = f"test accuracy after {ACCURACY_EPOCHS[name]} epochs, {title}"
        if name not in accuracies:
            yield unmeasured(words, f">= {goal}")
            continue
        reached = accuracies[name]["accuracy"][-1]
        yield Goal(words, f"{reached:.4f}", f">= {goal}", reached >= goal)


def _torch_best(found: Mapping[str, Any]) -> tuple[float, str] | None:
    times = [(total(line), mode) for mode, line in found["torch"].items() if "load_s" in line]
    return min(times, default=None)


def section(results: Results) -> str:
    """Times of an epoch, with the loading of the data."""
    everything = results.read(PART)
    if not everything:
        return "Not measured."
    heads = ["data", "load s", "epoch s", "PyTorch load s", "epoch s", "its mode", "ratio"]
    rows = [heads]
    for name, found in everything.items():
        here = found["ours"]
        row = [SETS[name], f"{here['load_s']:.2f}", f"{here['epoch_s'][0]:.2f}"]
        best = _torch_best(found)
        if best:
            least, mode = best
            line, ratio = found["torch"][mode], least / total(here)
            row += [f"{line['load_s']:.2f}", f"{line['epoch_s'][0]:.2f}", mode, f"{ratio:.2f}"]
        rows.append(row + [""] * (len(rows[0]) - len(row)))
    return aligned(rows)


def accuracy_section(results: Results) -> str:
    """Test accuracy after each epoch."""
    everything = results.read(ACCURACY_PART)
    if not everything:
        return "Not measured."
    heads = ["data", "epochs", "test accuracy", "wanted", "first reached in epoch"]
    rows = [[*heads, "seconds, data and training"]]
    for name, found in everything.items():
        goal, reached = ACCURACY_GOALS[name], found["accuracy"]
        first = next((str(n) for n, value in enumerate(reached, 1) if value >= goal), "none")
        row = [SETS[name], str(len(reached)), f"{reached[-1]:.4f}", f">= {goal}"]
        rows.append([*row, first, f"{total(found):.0f}"])
    return aligned(rows)
