"""RESULTS.md, from what has been measured."""

from __future__ import annotations

from pathlib import Path

from benchmarks.training import (
    epochs,
    learning,
    machine,
    profiles,
    scaling,
    starting,
    steps_report,
    streaming,
)
from benchmarks.training.goals import table
from benchmarks.training.results import Results

_NOTES = Path(__file__).with_name("notes.md")  # by hand: why a goal is missed

_INTRODUCTION = """\
# nncore against PyTorch

Written by `make bench`. Both sides run in turn on the same cores, each measurement in a process of
its own, and keep their best median of several rounds. A training step is forward, loss, backward
and Adam on one batch of random float32 data (ours: a step of `fit`); inference is the forward pass
in evaluation mode (ours: a call of `Network.predictor`'s result). Against each figure stands the
fastest of PyTorch's eager, channels_last and compiled modes. Ratios above 1 mean that nncore is
faster."""


def report(results: Results) -> str:
    """The whole document."""
    peak = machine.peak(results)
    goals = (
        *steps_report.goals(results, peak),
        *scaling.goals(results),
        *scaling.cores_goals(results),
        *starting.goals(results),
        *epochs.goals(results),
        *learning.goals(results),
        *streaming.goals(results),
    )
    sections = {
        "Machine": machine.section(results),
        "Goals": table(goals, not machine.disturbed(results)),
        "Why": _NOTES.read_text(encoding="utf-8").strip() if _NOTES.exists() else "",
        "Steps": steps_report.section(results, peak),
        "Where the time goes": profiles.section(results),
        "Growth": scaling.section(results),
        "A second core": scaling.cores_section(results),
        "Starting": starting.section(results),
        "Epochs": epochs.section(results),
        "Accuracy": epochs.accuracy_section(results),
        "Characters": learning.section(results),
        "Data larger than memory": streaming.section(results),
    }
    parts = [f"## {title}\n\n{text}" for title, text in sections.items() if text]
    return "\n\n".join([_INTRODUCTION, *parts]) + "\n"
