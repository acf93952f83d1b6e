"""The two sides' processes: each measurement has one of its own, on the same cores.

A process prints one JSON line. nncore's start in the environment that its launcher gives them.
"""

from __future__ import annotations

import json
import os
import signal
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


MODES = ("eager", "channels_last", "compile")
PATIENCE = 900.0


class SideFailed(RuntimeError):
    """A process of one side ended with an error; the message is the last thing that it said."""


class TookTooLong(SideFailed):
    """A process was stopped since it took longer than it may."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to measure; `torch` is the interpreter that has PyTorch, None to leave that side out."""

    only: tuple[str, ...] = ()
    seconds: float = 2.0
    rounds: int = 3
    threads: int = 2
    shards: int | None = None
    modes: tuple[str, ...] = MODES
    compile_seconds: float = 120.0
    torch: Path | None = None
    gib: float | None = None
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

    def wants(self, *names: str) -> bool:
        """Whether `--only` lets something through that has these names."""
        return not self.only or any(name in self.only for name in names)

    def limit(self, mode: str, seconds: float) -> float:
        """How long a process of PyTorch may take that measures for so many seconds."""
        return PATIENCE if mode != "compile" else self.compile_seconds + seconds


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


def theirs(
    python: Path, script: str, *arguments: object, threads: int, limit: float = PATIENCE
) -> Line | None:
    """What a script of this folder prints on PyTorch's side; None where there is nothing.

    Its environment is the shell's; of threads, it has as many as the other side. Raises
    TookTooLong after `limit` seconds.
    """
    command = [str(python), str(_HERE / script), *map(str, arguments), "--threads", str(threads)]
    return _line(command, threads, {**os.environ, "OMP_NUM_THREADS": str(threads)}, limit)


def _environment() -> dict[str, str]:
    """What the launcher chooses for this CPU, whatever the shell has set for OpenBLAS."""
    return launch_environment({k: v for k, v in os.environ.items() if not k.startswith("OPENBLAS")})


def _line(
    command: list[str], threads: int, environment: Mapping[str, str], limit: float = PATIENCE
) -> Line | None:
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(cores)[:threads])  # the process inherits it
    try:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,  # the compiler's processes end with it
        )
    finally:
        os.sched_setaffinity(0, cores)
    out, said = _ended(process, limit)
    if process.returncode:
        last = said.strip().splitlines() or [f"status {process.returncode}"]
        raise SideFailed(f"{' '.join(command)[:120]}: {last[-1]}")
    line: Line | None = json.loads(out.strip().splitlines()[-1])
    return line


def _ended(process: subprocess.Popen[str], limit: float) -> tuple[str, str]:
    try:
        return process.communicate(timeout=limit)
    except BaseException as stop:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        if isinstance(stop, subprocess.TimeoutExpired):
            raise TookTooLong(f"took > {limit:g} s") from None
        raise
