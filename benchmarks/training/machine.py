"""The machine, the versions and the kernels that a report stands for."""

from __future__ import annotations

import os
import platform
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.report import cpu, memory_gib
from benchmarks.training.processes import Options, ours
from benchmarks.training.results import Results
from benchmarks.training.steps import PART as STEPS

PART = "machine"
_QUIET = 0.1


def measure(options: Options, results: Results) -> None:
    """Look at the machine; whether others use it is seen before the first measurement."""
    busy = _busy()
    found = {
        "cpu": cpu(),
        "cores": os.cpu_count(),
        "memory_gib": round(memory_gib(), 1),
        "system": platform.platform(),
        "busy": round(busy, 2),
        "threads": options.threads,
        "day": datetime.now(UTC).date().isoformat(),
        **ours("ours_machine", threads=options.threads),
    }
    if options.torch is not None:
        command = [str(options.torch), "-c", "import torch; print(torch.__version__)"]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        found["torch"] = done.stdout.strip()
    else:
        found["torch"] = results.read(PART).get("here", {}).get("torch")
    results.keep(PART, "here", found)


def _busy(seconds: float = 1.0) -> float:
    """The share of all cores' time that somebody uses while this process waits."""

    def ticks() -> list[int]:
        with Path("/proc/stat").open(encoding="ascii") as lines:
            return [int(word) for word in lines.readline().split()[1:]]

    before = ticks()
    time.sleep(seconds)
    spent = [now - then for now, then in zip(ticks(), before, strict=True)]
    idle = spent[3] + spent[4]
    return 1 - idle / max(1, sum(spent))


def peak(results: Results) -> float | None:
    """GFLOP/s of large matrix products on all threads together, the best that any process saw."""
    here = results.read(PART).get("here")
    if here is None:
        return None
    steps = (found["ours"]["gemm_peak_gflops"] for found in results.read(STEPS).values())
    return float(max([here["gemm_peak_gflops"][str(here["threads"])], *steps]))


def section(results: Results) -> str:
    """A list."""
    found = results.read(PART).get("here")
    if found is None:
        return "Not measured."
    peaks = ", ".join(f"{value} on {count}" for count, value in found["gemm_peak_gflops"].items())
    kernel = found["blas_kernel"] or "another BLAS than OpenBLAS"
    chosen = f"OPENBLAS_CORETYPE={found['coretype']}" if found["coretype"] else "its own choice"
    lines = [
        f"{found['cpu']}, {found['cores']} cores, {found['memory_gib']} GiB, {found['system']}; "
        f"both sides use {found['threads']} cores",
        f"Python {found['python']}, NumPy {found['numpy']}, PyTorch {found['torch'] or 'absent'}; "
        f"measured on {found['day']}",
        f"OpenBLAS kernels: {kernel} ({chosen})",
        f"GEMM peak, float32 2048 x 2048, GFLOP/s: {peaks} threads; shares of the peak below are "
        f"of {peak(results):.0f}, the best that any process of this run saw",
    ]
    if found["busy"] > _QUIET:
        lines.append(
            f"**the machine was not quiet** (others used {found['busy']:.0%} of it at the start): "
            "do not trust times"
        )
    return "\n".join(f"- {line}" for line in lines)
