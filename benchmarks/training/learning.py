"""The char_lstm network on tinyshakespeare: nats per character on text that it has not seen."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from typing import Any

from benchmarks.report import aligned
from benchmarks.training.goals import Goal, unmeasured
from benchmarks.training.ours_characters import STRIDE, TESTED
from benchmarks.training.processes import Line, Options, ours
from benchmarks.training.results import Results
from benchmarks.training.tasks import Task

PART = "characters"
CASE = "char_lstm"
GOAL = 1.55
EPOCHS = 2
_EPOCH_SECONDS = 85.0
CONFIG: dict[str, Any] = {
    "optimizer": {"type": "adam", "learning_rate": 0.003},
    "schedule": {"type": "cosine", "warmup_steps": 100},
    "clip_norm": 1.0,
}


def tasks(options: Options) -> Iterator[Task]:
    """One."""
    if options.wants(CASE):
        yield Task(PART, CASE, EPOCHS * _EPOCH_SECONDS, partial(measure, options))


def measure(options: Options) -> Line:
    """The whole run, on nncore's side."""
    config = dict(CONFIG)
    if options.shards is not None:
        config["shards"] = options.shards
    file = options.dataset("tinyshakespeare") / "input.txt"
    asked = ("--file", file, "--epochs", EPOCHS, "--config", json.dumps(config))
    return ours("ours_characters", *asked, threads=options.threads)


def goals(results: Results) -> Iterator[Goal]:
    """What is wanted after the last epoch."""
    found = results.read(PART).get(CASE)
    words = f"char_lstm on tinyshakespeare: nats a character after {EPOCHS} epochs"
    if found is None:
        yield unmeasured(words, f"<= {GOAL}")
        return
    nats = found["nats"][-1]
    yield Goal(words, f"{nats:.3f}", f"<= {GOAL}", nats <= GOAL)


def section(results: Results) -> str:
    """Loss and nats after each epoch."""
    found = results.read(PART).get(CASE)
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
