"""The machine, the versions and the kernels that a report stands for."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime

from benchmarks.report import cpu, memory_gib
from benchmarks.training.processes import Options, ours
from benchmarks.training.quiet import QUIET, busy_share
from benchmarks.training.results import Results
from benchmarks.training.steps import PART as STEPS

PART = "machine"


def measure(options: Options, results: Results) -> None:
    """Look at the machine; whether others use it is seen before the first measurement."""
    busy = busy_share()
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


def disturbed(results: Results) -> list[str]:
    """What was measured while others used the machine: workloads, or the start of the run."""
    here = results.read(PART).get("here", {"busy": 0.0})
    names = [
        name for name, found in results.read(STEPS).items() if min(found["busy"], default=1) > QUIET
    ]
    return (["the start"] if here["busy"] > QUIET else []) + names


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
    if disturbed(results):
        lines.append(
            "**the machine was not quiet**, do not trust times; others used it, or nobody looked, "
            "at " + ", ".join(disturbed(results))
        )
    return "\n".join(f"- {line}" for line in lines)
