"""One small job at a time on the embedded stack: latencies, reads, memory."""

from __future__ import annotations

from typing import Any

import httpx

from benchmarks.jobs.calls import Service
from benchmarks.jobs.figures import Figure, figure, summary
from benchmarks.report import aligned
from benchmarks.stack import running
from benchmarks.training.results import Results

CASE = "lives"
JOBS, BURST, WATCHED, READS = 200, 100, 30, 500
MEBIBYTE = 2**20


def measure(results: Results) -> None:
    """Jobs one after the other on a stack with default settings."""
    with running() as stack, httpx.Client(base_url=stack.url, timeout=60, trust_env=False) as http:
        idle = _mebibytes(stack.sizes())
        service = Service(http)
        service.lives(5)  # what is loaded at first use is no part of a median
        lives = service.lives(JOBS)
        found = {
            "to_running": summary(lives.to_running),
            "seen_running": summary(service.seen_running(WATCHED)),
            "to_succeeded": summary(lives.to_succeeded),
            "post": summary(lives.post),
            "post_busy": summary(service.burst(BURST)),
            "get": summary(service.gets(READS)),
            "predict": summary(service.predictions(READS)),
            "start_seconds": round(stack.start_seconds, 2),
            "idle": idle,
            "worked": _mebibytes(stack.sizes()),
        }
    results.keep("jobs", CASE, found)


def figures(found: dict[str, Any]) -> list[Figure]:
    """What was found, with the goals."""
    return [
        figure("submit -> running", found["to_running"], p50=20, p99=100),
        figure("submit -> running, seen in the event stream", found["seen_running"]),
        figure("POST -> succeeded, XOR, one epoch", found["to_succeeded"], p50=250),
        figure("POST /v1/jobs, idle workers", found["post"], p50=15),
        figure("POST /v1/jobs, back to back, busy workers", found["post_busy"]),
        figure("GET /v1/jobs/{id}", found["get"], p50=4),
        figure("POST /v1/models/{id}/predict, one instance", found["predict"]),
        Figure(
            "idle stack, memory of all processes (USS)", _total(found["idle"]), "MiB", "<=", 350
        ),
        Figure("the same after the jobs above", _total(found["worked"]), "MiB"),
        Figure("`gradserve up` to its ready line", found["start_seconds"], "s"),
    ]


def memory(found: dict[str, Any]) -> str:
    """A table of the processes."""
    rows = [["process", "idle, MiB", "after the jobs, MiB"]]
    for part, size in found["idle"].items():
        rows.append([part, f"{size:.1f}", f"{found['worked'].get(part, 0):.1f}"])
    return aligned(rows)


def _mebibytes(sizes: dict[str, int]) -> dict[str, float]:
    return {part: round(size / MEBIBYTE, 1) for part, size in sizes.items()}


def _total(sizes: dict[str, float]) -> float:
    return sum(sizes.values())
