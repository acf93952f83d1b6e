"""Whole epochs on MNIST and Fashion-MNIST from their idx.gz files, and what they teach."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from benchmarks.report import aligned
from benchmarks.training.goals import Goal
from benchmarks.training.processes import Options, SideFailed, ours, theirs
from benchmarks.training.results import Results

PART = "epochs"
ACCURACY_PART = "accuracy"
GOAL = 1.3
SETS = {"mnist": "MNIST", "fashion_mnist": "Fashion-MNIST"}
ACCURACY_GOALS = {"mnist": 0.99, "fashion_mnist": 0.91}
ACCURACY_EPOCHS = {"mnist": 6, "fashion_mnist": 10}
ACCURACY_CONFIG = {
    "optimizer": {"type": "adam", "learning_rate": 1e-3},
    "schedule": {"type": "cosine"},
}


def measure(options: Options, results: Results) -> None:
    """One epoch a round, the sides in turn; each side keeps its best round."""
    for name in SETS:
        if not options.wants(name):
            continue
        found: dict[str, Any] = {"ours": None, "torch": {}}
        folder = ("--folder", options.dataset(name))
        config = json.dumps({} if options.shards is None else {"shards": options.shards})
        for _ in range(max(1, options.rounds - 1)):
            line = ours("ours_epochs", *folder, "--config", config, threads=options.threads)
            found["ours"] = _faster(found["ours"], line)
            for mode in options.modes if options.torch else ():
                assert options.torch
                asked = (*folder, "--mode", mode)
                try:
                    there = theirs(
                        options.torch, "torch_epochs.py", *asked, threads=options.threads
                    )
                except SideFailed as failure:
                    there = {"error": str(failure)[-200:]}
                known = found["torch"].get(mode)
                found["torch"][mode] = _faster(known, there or {})
        results.keep(PART, name, found)


def measure_accuracy(options: Options, results: Results) -> None:
    """The stated epochs on nncore's side; the test rows are looked at after each."""
    for name in SETS:
        if options.wants(name):
            config: dict[str, Any] = dict(ACCURACY_CONFIG)
            if options.shards is not None:
                config["shards"] = options.shards
            asked: list[object] = ["--folder", options.dataset(name)]
            asked += ["--epochs", ACCURACY_EPOCHS[name], "--config", json.dumps(config)]
            results.keep(ACCURACY_PART, name, ours("ours_epochs", *asked, threads=options.threads))


def _faster(known: dict[str, Any] | None, line: dict[str, Any]) -> dict[str, Any]:
    if known is None or "error" in known or "error" in line:
        return line
    return min(known, line, key=total)


def total(line: Mapping[str, Any]) -> float:
    """Seconds from the files to the end of the last epoch."""
    return float(line["load_s"] + sum(line["epoch_s"]))


def goals(results: Results) -> Iterator[Goal]:
    """What is wanted of an epoch's time and of the accuracy after the stated epochs."""
    for name, found in results.read(PART).items():
        best = _torch_best(found)
        if best:
            ratio = best[0] / total(found["ours"])
            words = f"epoch with loading, {SETS[name]}, against PyTorch"
            yield Goal(words, f"{ratio:.2f}", f">= {GOAL} times", ratio >= GOAL)
    for name, found in results.read(ACCURACY_PART).items():
        goal, reached = ACCURACY_GOALS[name], found["accuracy"][-1]
        words = f"test accuracy after {len(found['accuracy'])} epochs, {SETS[name]}"
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
