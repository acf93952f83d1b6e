"""The command line of `make bench`."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from benchmarks.page import PAGE
from benchmarks.training import epochs, learning, scaling, starting, streaming
from benchmarks.training.processes import MODES, Options, torch_python
from benchmarks.training.results import FOLDER
from benchmarks.training.workloads import workloads

_MINUTES = 45.0


class Parser(argparse.ArgumentParser):
    """Says that lists take commas where somebody gave the names apart."""

    def error(self, message: str) -> NoReturn:
        """Print and exit."""
        if message.startswith("unrecognized arguments"):
            message += "; lists are one argument with commas: --modes eager,compile"
        super().error(message)


def parser(about: str | None, parts: Sequence[str]) -> Parser:
    """The parser, for these parts."""
    told = Parser(
        prog="python -m benchmarks.training",
        description=about,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_lists(told, parts)
    _add_sizes(told)
    told.add_argument("--ours", action="store_true", help="leave PyTorch's side out")
    told.add_argument("--plan", action="store_true", help="only print the plan")
    told.add_argument("--render", action="store_true", help="only write the report again")
    told.add_argument("--again", action="store_true", help="do not go on with a run that stopped")
    told.add_argument(
        "--data",
        type=Path,
        default=Path(os.environ.get("DATA") or Options().data),
        help="the folder with mnist/, fashion_mnist/ and tinyshakespeare/",
    )
    told.add_argument("--results", type=Path, default=FOLDER, help="where the findings are kept")
    told.add_argument("--write", type=Path, default=PAGE, help="the page of the report")
    return told


def _add_lists(told: Parser, parts: Sequence[str]) -> None:
    told.add_argument(
        "--parts",
        type=_names("part", parts),
        default=[],
        metavar="PART,PART",
        help=f"one list with commas, of {', '.join(parts)}; default: all",
    )
    told.add_argument(
        "--only",
        type=_names("case", known_names()),
        default=[],
        metavar="NAME,NAME",
        help="one list with commas, of workloads, data sets, axes or lines of charts",
    )
    told.add_argument(
        "--modes",
        type=_names("mode", MODES),
        default=list(MODES),
        metavar="MODE,MODE",
        help=f"PyTorch's, one list with commas, of {', '.join(MODES)}; default: all",
    )


def _add_sizes(told: Parser) -> None:
    usual = Options()
    told.add_argument("--seconds", type=float, default=usual.seconds, help="for each timing")
    told.add_argument("--rounds", type=int, default=usual.rounds, help="turns of each side")
    told.add_argument("--threads", type=int, default=usual.threads, help="cores of each side")
    told.add_argument("--shards", type=int, help="default: what the configuration defaults to")
    told.add_argument(
        "--compile-seconds",
        type=float,
        default=usual.compile_seconds,
        help="how long PyTorch may compile a workload before its compiled mode is left out",
    )
    told.add_argument(
        "--minutes", type=float, default=_MINUTES, help="begin no step that would end later"
    )
    told.add_argument("--gib", type=float, help="of the streamed file; default: 1.1 of the memory")


def options_of(told: argparse.Namespace) -> Options:
    """How to measure. Raises FileNotFoundError where PyTorch is missing and wanted."""
    return Options(
        only=tuple(told.only),
        seconds=told.seconds,
        rounds=told.rounds,
        threads=told.threads,
        shards=told.shards,
        modes=tuple(told.modes),
        compile_seconds=told.compile_seconds,
        torch=None if told.ours else torch_python(),
        gib=told.gib,
        data=told.data,
    )


def known_names() -> list[str]:
    """What `--only` may name."""
    lines = list(scaling.series())
    names = [workload.name for workload in workloads()]
    names += [*epochs.SETS, *(line.axis for line in lines), *(line.name for line in lines)]
    return list(dict.fromkeys([*names, learning.CASE, starting.CASE, streaming.CASE]))


def _names(kind: str, known: Sequence[str]) -> Callable[[str], list[str]]:
    def names(text: str) -> list[str]:
        found = [name.strip() for name in text.split(",") if name.strip()]
        for name in found:
            if name not in known:
                raise argparse.ArgumentTypeError(
                    f"there is no {kind} {name!r}; known: {', '.join(known)}"
                )
        return found

    return names
