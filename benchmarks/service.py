"""How fast and how small the embedded stack is: `make bench-service`.

Starts `gradserve up` on loopback with default settings in a temporary directory, measures it and
stops it. Prints a table; `--write FILE` puts it into a file too. The exit status is 1 when a
target is missed.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import httpx

from benchmarks.calls import Service
from benchmarks.report import Figure, aligned, machine, table
from benchmarks.stack import Stack, running

JOBS, BURST, WATCHED, READS = 200, 200, 50, 1000
MEBIBYTE = 2**20


def main() -> int:
    """Measure and report; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.service", description=__doc__)
    parser.add_argument("--write", type=Path, metavar="FILE", help="also write the report here")
    target: Path | None = parser.parse_args().write
    with running() as stack:
        report, missed = _measure(stack)
    print(report)
    if target is not None:
        target.write_text(report + "\n", encoding="utf-8")
    return 1 if missed else 0


def _measure(stack: Stack) -> tuple[str, bool]:
    idle = stack.sizes()
    with httpx.Client(base_url=stack.url, timeout=60, trust_env=False) as client:
        service = Service(client)
        service.lives(5)  # what is loaded at first use is no part of a median
        lives = service.lives(JOBS)
        figures = [
            Figure("submit -> running, database clock", "ms", lives.to_running, 50),
            Figure(
                "submit -> running, seen in the event stream", "ms", service.seen_running(WATCHED)
            ),
            Figure("POST -> succeeded, XOR, 1 epoch, database clock", "ms", lives.to_succeeded),
            Figure("POST /v1/jobs, idle workers", "ms", lives.post, 15),
            Figure("POST /v1/jobs, back to back, busy workers", "ms", service.burst(BURST)),
            Figure("GET /v1/jobs/{id}", "ms", service.gets(READS), 4),
            Figure("POST /v1/models/{id}/predict, 1 instance", "ms", service.predictions(READS)),
        ]
    worked = stack.sizes()
    figures += [
        Figure("idle stack, sum of USS", "MiB", [sum(idle.values()) / MEBIBYTE], 350),
        Figure("the same after the jobs above", "MiB", [sum(worked.values()) / MEBIBYTE]),
        Figure("`gradserve up` to its ready line", "s", [stack.start_seconds]),
    ]
    missed = any(figure.verdict == "MISSED" for figure in figures)
    return _report(figures, idle, worked), missed


def _report(figures: list[Figure], idle: dict[str, int], worked: dict[str, int]) -> str:
    sizes = [["process", "idle, MiB", "after the jobs, MiB"]]
    for part, size in idle.items():
        sizes.append([part, f"{size / MEBIBYTE:.1f}", f"{worked.get(part, 0) / MEBIBYTE:.1f}"])
    return "\n\n".join(
        [
            "# The embedded stack, measured",
            "`make bench-service` on one client connection, everything on this machine:",
            machine(),
            table(figures),
            "Memory that each process has to itself:",
            aligned(sizes),
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
