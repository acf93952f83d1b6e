"""The state of the code that was measured."""

from __future__ import annotations

import hashlib
import subprocess

from benchmarks.training.processes import ROOT

# What the benchmarks write is no part of what they measure.
_MEASURED = (".", ":!benchmarks/results", ":!benchmarks/RESULTS.md")


def state() -> str:
    """The commit, and a mark of what was changed since; `unknown` without git."""
    commit = _git("rev-parse", "--short=10", "HEAD")
    if commit is None:
        return "unknown"
    changes = (_git("diff", "HEAD", "--", *_MEASURED) or "") + (
        _git("ls-files", "--others", "--exclude-standard", "--", *_MEASURED) or ""
    )
    if not changes:
        return commit
    mark = hashlib.sha256(changes.encode()).hexdigest()[:6]
    return f"{commit} with changes that are not committed ({mark})"


def _git(*arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", *arguments], check=True, cwd=ROOT, capture_output=True, text=True
        )
    except (FileNotFoundError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()
