"""The section "training" of RESULTS.md, from what has been measured."""

from __future__ import annotations

from collections.abc import Sequence
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
from benchmarks.training.goals import MISSED, Goal, table
from benchmarks.training.results import Results

SECTION = "training"
_NOTES = Path(__file__).with_name("notes.md")  # by hand: why a goal is missed

_INTRODUCTION = """\
## Training against PyTorch

Both sides run in turn on the same cores, each measurement in a process of its own, and keep their
best median of several rounds. A training step is forward, loss, backward and Adam on one batch of
random float32 data (ours: a step of `fit`); inference is the forward pass in evaluation mode (ours:
a call of what `Network.predictor` gives). Against each figure stands the fastest of PyTorch's
eager, channels_last (images) and compiled modes. Ratios above 1 mean that nncore is faster."""

_REPEAT = """\
`make bench-torch-env` installs PyTorch into an environment of its own, then `make bench` measures
everything in about 40 minutes and writes this section; stopped, it goes on where it was.
`make bench ARGS="--parts steps --only lenet,lstm"` measures a part again and leaves the others,
`ARGS=--render` only writes the page. The machine should do nothing else."""


def report(results: Results, parts: Sequence[str], notes: Path = _NOTES) -> str:
    """The whole section; `parts` are the names of what a run measures."""
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
        "Machine": machine.section(results, parts),
        "To repeat": _REPEAT,
        "Goals": table(goals),
        "Why": _why(goals, notes),
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
    written = [f"### {title}\n\n{text}" for title, text in sections.items() if text]
    return "\n\n".join([_INTRODUCTION, *written])


def _why(goals: Sequence[Goal], notes: Path) -> str:
    """What was written by hand about the goals that are missed; their names where nothing was."""
    if notes.exists():
        return notes.read_text(encoding="utf-8").strip()
    missed = [goal.name for goal in goals if goal.verdict.startswith(MISSED)]
    if not missed:
        return ""
    return f"Missed: {'; '.join(missed)}. `benchmarks/training/{notes.name}` does not say why yet."
