"""How many small jobs a second the embedded stack takes from their POST to their end."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx

from benchmarks.jobs.calls import Service, timed
from benchmarks.jobs.figures import Figure, figure, summary
from benchmarks.stack import running
from benchmarks.training.results import Results

CASE = "rate"
JOBS, CLIENTS, ROUNDS = 200, 4, 3
POLL_SECONDS = 0.05  # rarely, since looking takes time from the workers


def measure(results: Results) -> None:
    """Several clients submit without a pause; the clock stops when the last job has succeeded."""
    with running() as stack, httpx.Client(base_url=stack.url, timeout=60, trust_env=False) as http:
        service = Service(http)
        _burst(service, JOBS // 4)
        rounds = [_burst(service, JOBS) for _ in range(ROUNDS)]
    rates = sorted(JOBS / seconds for seconds, _ in rounds)
    found = {
        "jobs": JOBS,
        "clients": CLIENTS,
        "per_second": [round(rate, 1) for rate in rates],
        "post": summary([passed for _, posts in rounds for passed in posts]),
    }
    results.keep("jobs", CASE, found)


def _burst(service: Service, jobs: int) -> tuple[float, Sequence[float]]:
    began = time.perf_counter()
    with ThreadPoolExecutor(CLIENTS) as clients:
        posts = list(clients.map(lambda _: timed(service.submit), range(jobs)))
    for _, job in posts:
        service.finish(job["id"], POLL_SECONDS)
    return time.perf_counter() - began, [passed for passed, _ in posts]


def figures(found: dict[str, Any]) -> list[Figure]:
    """What was found, with the goals: the median of the rounds."""
    rates = found["per_second"]
    name = f"XOR jobs of one epoch, {found['jobs']} from {found['clients']} clients"
    return [
        Figure(name, rates[len(rates) // 2], "jobs/s", ">=", 20, count=len(rates)),
        figure("POST /v1/jobs meanwhile", found["post"]),
    ]
