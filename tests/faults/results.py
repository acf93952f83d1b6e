"""The log of trials: one line each, so that an interrupted campaign goes on where it was."""

from __future__ import annotations

import fcntl
import json
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
LOG = ROOT / ".data" / "faults.jsonl"
_PACKAGES = ("nncore", "service", "worker", "migrations", "tests/faults", "tests/servers")


@cache
def code_sha256() -> str:
    """Over the service and the campaign, as they were when first asked for.

    Results of other code do not count as done.
    """
    digest = sha256()
    for package in _PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            digest.update(f"{path.relative_to(ROOT).as_posix()}\0".encode())
            digest.update(sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]


def append(line: dict[str, Any], log: Path = LOG) -> None:
    """Add a trial, whose line names its code; several processes may write at once."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write(json.dumps(line) + "\n")


def done(seed: int, log: Path = LOG) -> list[dict[str, Any]]:
    """The trials of this seed with this code, the last one of each."""
    if not log.exists():
        return []
    lines = map(json.loads, log.read_text(encoding="utf-8").splitlines())
    mine = [line for line in lines if (line["seed"], line["code"]) == (seed, code_sha256())]
    return list({(line["campaign"], line["stack"], line["trial"]): line for line in mine}.values())
