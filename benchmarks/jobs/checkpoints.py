"""What keeping a run's state costs, measured on the run of one job with a network of 10 MB."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from benchmarks.jobs.figures import Figure
from benchmarks.stack import ROOT, environment
from benchmarks.training.results import Results
from service.supervisor.stack import import_environment

CASE = "checkpoints"
SECONDS = 45


def measure(results: Results) -> None:
    """One run in a process of its own, whose kernels are chosen as a worker's are."""
    command = [sys.executable, "-m", "benchmarks.jobs.long_run", str(SECONDS)]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=environment() | import_environment(),
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    results.keep("jobs", CASE, json.loads(done.stdout.splitlines()[-1]))


def figures(found: dict[str, Any]) -> list[Figure]:
    """What was found, with the goals."""
    network, state = found["network_mb"], found["state_mb"]
    share = 100 * found["checkpoint_seconds"] / found["seconds"]
    after = 100 * found["disturbed_seconds"] / found["seconds"]
    each = 1000 * found["checkpoint_seconds"] / found["checkpoints"]
    name = f"checkpoints of a {network:.0f} MB network ({state:.0f} MB of state) every "
    name += f"{found['every_seconds']:g} s, share of training time"
    return [
        Figure(name, share, "%", "<=", 2),
        Figure("the same with the slower steps around them", after, "%", "<=", 2),
        Figure("one such checkpoint", each, "ms", count=found["checkpoints"]),
        Figure("a step of that run", found["step_ms"], "ms", count=found["steps"]),
    ]
