"""A stack of small stand-in programs under the real supervisor, run as a process by the tests.

Arguments: data directory, pace in seconds until a service must be ready, and one JSON object per
stage: `{"name": {"code": "...", "once": false, "marker": "file that says it is ready"}}`.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from functools import partial
from pathlib import Path
from typing import Any

from service.supervisor import data_dir
from service.supervisor.problem import StartProblem
from service.supervisor.report import say
from service.supervisor.service import Pace, Service, running_is_enough
from service.supervisor.supervise import supervise


async def _exists(path: Path) -> str | None:
    return None if path.exists() else f"{path.name} is missing"


def _service(folder: Path, name: str, about: dict[str, Any]) -> Service:
    ready = partial(_exists, folder / about["marker"]) if "marker" in about else running_is_enough
    return Service(
        name=name,
        command=(sys.executable, "-u", "-c", about["code"]),
        environment={**os.environ, "FOLDER": str(folder)},
        once=about.get("once", False),
        ready=ready,
        grace_seconds=about.get("grace", 20.0),
    )


def main() -> int:
    folder, start_seconds = Path(sys.argv[1]), float(sys.argv[2])
    stages = [
        tuple(_service(folder, name, about) for name, about in json.loads(stage).items())
        for stage in sys.argv[3:]
    ]
    try:
        lock = data_dir.hold(folder)
        pace = Pace(start=start_seconds, first_back_off=0.05)
        return asyncio.run(supervise(stages, "http://stand-in", folder, lock, pace))
    except StartProblem as problem:
        say(str(problem))
        return problem.status


if __name__ == "__main__":
    sys.exit(main())
