"""nncore against PyTorch on this machine: `make bench`.

Both sides run in turn, each measurement in a process of its own. What is found is kept in
benchmarks/results, and benchmarks/RESULTS.md is written from there: a part that is measured alone
(`--parts steps --only lenet`) leaves the others as they were. All parts take about an hour and want
a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.training import (
    epochs,
    learning,
    machine,
    profiles,
    scaling,
    starting,
    steps,
    streaming,
)
from benchmarks.training.processes import Options, SideFailed, torch_python
from benchmarks.training.report import report
from benchmarks.training.results import FOLDER, Results

Measure = Callable[[Options, Results], None]

PARTS: dict[str, Measure] = {
    "steps": steps.measure,
    "starting": starting.measure,
    "scaling": scaling.measure,
    "cores": scaling.measure_cores,
    "profiles": profiles.measure,
    "streaming": streaming.measure,
    "epochs": epochs.measure,
    "accuracy": epochs.measure_accuracy,
    "characters": learning.measure,
}


def main() -> int:
    """Measure the chosen parts and write the report; returns the exit status."""
    parser = _parser()
    told = parser.parse_args()
    results = Results(told.results)
    parts = told.parts or list(PARTS)
    try:
        options = _options(told)
        if not told.render:
            machine.measure(options, results)
        for part in [] if told.render else parts:
            PARTS[part](options, results)
            told.write.write_text(report(results), encoding="utf-8")
    except (FileNotFoundError, SideFailed, ValueError) as error:
        print(f"make bench: {error}", file=sys.stderr)
        return 1
    told.write.write_text(report(results), encoding="utf-8")
    print(told.write)
    return 0


def _options(told: argparse.Namespace) -> Options:
    alone = told.ours or told.render
    return Options(
        only=tuple(told.only),
        seconds=told.seconds,
        rounds=told.rounds,
        threads=told.threads,
        shards=told.shards,
        modes=tuple(told.modes),
        torch=None if alone else torch_python(),
        data=told.data,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.training",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    usual = Options()
    parser.add_argument("--parts", type=_parts, default=[], help=f"of {', '.join(PARTS)}")
    parser.add_argument("--only", type=_names, default=[], help="workloads, data sets or axes")
    parser.add_argument("--seconds", type=float, default=usual.seconds, help="for each timing")
    parser.add_argument("--rounds", type=int, default=usual.rounds, help="turns of each side")
    parser.add_argument("--threads", type=int, default=usual.threads, help="cores of each side")
    parser.add_argument("--shards", type=int, help="default: what the configuration defaults to")
    parser.add_argument("--modes", type=_names, default=usual.modes, help="of PyTorch")
    parser.add_argument("--ours", action="store_true", help="leave PyTorch's side out")
    parser.add_argument("--render", action="store_true", help="only write the report again")
    parser.add_argument(
        "--data",
        type=Path,
        default=Path(os.environ.get("DATA") or usual.data),
        help="the folder with mnist/, fashion_mnist/ and tinyshakespeare/",
    )
    parser.add_argument("--results", type=Path, default=FOLDER, help="where the findings are kept")
    parser.add_argument("--write", type=Path, default=FOLDER.parent / "RESULTS.md", help="report")
    return parser


def _names(text: str) -> list[str]:
    return [name for name in text.split(",") if name]


def _parts(text: str) -> list[str]:
    parts = _names(text)
    for part in parts:
        if part not in PARTS:
            raise argparse.ArgumentTypeError(f"no part {part!r}; known: {', '.join(PARTS)}")
    return parts


if __name__ == "__main__":
    sys.exit(main())
