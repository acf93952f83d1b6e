"""The char_lstm network on tinyshakespeare: nats per character on text that it has not seen."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from benchmarks.report import aligned
from benchmarks.training.goals import Goal
from benchmarks.training.ours_characters import STRIDE, TESTED
from benchmarks.training.processes import Options, ours
from benchmarks.training.results import Results

PART = "characters"
GOAL = 1.55
EPOCHS = 3
CONFIG: dict[str, Any] = {
    "optimizer": {"type": "adam", "learning_rate": 0.003},
    "schedule": {"type": "cosine", "warmup_steps": 100},
    "clip_norm": 1.0,
}


def measure(options: Options, results: Results) -> None:
    """The whole run, on nncore's side."""
    if not options.wants("char_lstm"):
        return
    config = dict(CONFIG)
    if options.shards is not None:
        config["shards"] = options.shards
    file = options.dataset("tinyshakespeare") / "input.txt"
    asked = ("--file", file, "--epochs", EPOCHS, "--config", json.dumps(config))
    results.keep(PART, "char_lstm", ours("ours_characters", *asked, threads=options.threads))


def goals(results: Results) -> Iterator[Goal]:
    """What is wanted after the last epoch."""
    for found in results.read(PART).values():
        nats = found["nats"][-1]
        words = f"nats per character of tinyshakespeare after {len(found['nats'])} epochs"
        yield Goal(words, f"{nats:.3f}", f"<= {GOAL}", nats <= GOAL)


def section(results: Results) -> str:
    """Loss and nats after each epoch."""
    found = results.read(PART).get("char_lstm")
    if found is None:
        return "Not measured."
    rows = [["epoch", "seconds", "training loss", "nats on the last 10 %"]]
    for number, (taken, loss, nats) in enumerate(
        zip(found["epoch_s"], found["loss"], found["nats"], strict=True), 1
    ):
        rows.append([str(number), f"{taken:.1f}", f"{loss:.3f}", f"{nats:.3f}"])
    return (
        f"{found['windows']:,} windows that begin every {STRIDE} characters of the first 90 %; "
        f"tested on windows of {TESTED}. Configuration: `{json.dumps(CONFIG)}`.\n\n{aligned(rows)}"
    )
