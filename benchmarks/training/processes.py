"""The two sides' processes: each measurement has one of its own, on the same cores.

A process prints one JSON line. nncore's start in the environment that its launcher gives them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from service.cpu import launch_environment

Line = dict[str, Any]

ROOT = Path(__file__).parents[2]
_HERE = Path(__file__).parent
_TORCH_ENVIRONMENT = ROOT / ".venv-torch" / "bin" / "python"


class SideFailed(RuntimeError):
    """A process of one side ended with an error; the message is the last thing that it said."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to measure; `torch` is the interpreter that has PyTorch, None to leave that side out."""

    only: tuple[str, ...] = ()
    seconds: float = 3.0
    rounds: int = 3
    threads: int = 2
    shards: int | None = None
    modes: tuple[str, ...] = ("eager", "channels_last", "compile")
    torch: Path | None = None
    data: Path = field(default=ROOT / ".." / "shared" / "data")

    def dataset(self, name: str) -> Path:
        """The folder of a data set. Raises FileNotFoundError."""
        folder = (self.data / name).resolve()
        if not folder.is_dir():
            raise FileNotFoundError(
                f"{folder} is missing: give the folder that has {name}/ with DATA=... "
                "or choose other --parts"
            )
        return folder

    def wants(self, name: str) -> bool:
        """Whether `--only` lets this one through."""
        return not self.only or name in self.only


def torch_python() -> Path:
    """TORCH_PYTHON, or the interpreter of `make bench-torch-env`. Raises FileNotFoundError."""
    python = Path(os.environ.get("TORCH_PYTHON", _TORCH_ENVIRONMENT))
    if not python.exists():
        raise FileNotFoundError(
            f"{python} is missing: run `make bench-torch-env`, set TORCH_PYTHON to a Python that "
            "has PyTorch 2.13, or measure nncore alone with --ours"
        )
    return python


def ours(module: str, *arguments: object, threads: int) -> Line:
    """What a module of this package prints when it runs on nncore's side."""
    command = [sys.executable, "-m", f"benchmarks.training.{module}", *map(str, arguments)]
    line = _line(command, threads, _environment())
    assert line is not None
    return line


def theirs(python: Path, script: str, *arguments: object, threads: int) -> Line | None:
    """What a script of this folder prints on PyTorch's side; None where there is nothing."""
    command = [str(python), str(_HERE / script), *map(str, arguments), "--threads", str(threads)]
    return _line(command, threads, {**os.environ, "OMP_NUM_THREADS": str(threads)})


def _environment() -> dict[str, str]:
    """What the launcher chooses for this CPU, whatever the shell has set for OpenBLAS."""
    return launch_environment({k: v for k, v in os.environ.items() if not k.startswith("OPENBLAS")})


def _line(command: list[str], threads: int, environment: Mapping[str, str]) -> Line | None:
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(cores)[:threads])  # the process inherits it
    try:
        done = subprocess.run(
            command, check=False, cwd=ROOT, env=environment, capture_output=True, text=True
        )
    finally:
        os.sched_setaffinity(0, cores)
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"status {done.returncode}"]
        raise SideFailed(f"{' '.join(command)}: {said[-1]}")
    line: Line | None = json.loads(done.stdout.strip().splitlines()[-1])
    return line
