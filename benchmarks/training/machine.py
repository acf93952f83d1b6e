"""The machine, the versions and the kernels that a report stands for."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Iterator, Sequence

from benchmarks.report import cpu, memory_gib
from benchmarks.training.processes import Options, ours
from benchmarks.training.results import Results
from benchmarks.training.steps import PART as STEPS

PART = "machine"


def measure(options: Options, results: Results) -> None:
    """Look at the machine."""
    found = {
        "cpu": cpu(),
        "cores": os.cpu_count(),
        "memory_gib": round(memory_gib(), 1),
        "system": platform.platform(),
        "threads": options.threads,
        **ours("ours_machine", threads=options.threads),
    }
    if options.torch is not None:
        command = [str(options.torch), "-c", "import torch; print(torch.__version__)"]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        found["torch"] = done.stdout.strip()
    else:
        found["torch"] = results.read(PART).get("here", {}).get("torch")
    results.keep(PART, "here", found)


def peak(results: Results) -> float | None:
    """GFLOP/s of large matrix products on all threads together, the best that any process saw."""
    here = results.read(PART).get("here")
    if here is None:
        return None
    steps = (found["ours"]["gemm_peak_gflops"] for found in results.read(STEPS).values())
    return float(max([here["gemm_peak_gflops"][str(here["threads"])], *steps]))


def section(results: Results, parts: Sequence[str]) -> str:
    """A list; `parts` are those that the report shows."""
    found = results.read(PART).get("here")
    if found is None:
        return "Not measured."
    peaks = ", ".join(f"{value} on {count}" for count, value in found["gemm_peak_gflops"].items())
    kernel = found["blas_kernel"] or "another BLAS than OpenBLAS"
    chosen = f"OPENBLAS_CORETYPE={found['coretype']}" if found["coretype"] else "its own choice"
    lines = [
        f"{found['cpu']}, {found['cores']} cores, {found['memory_gib']} GiB, {found['system']}; "
        f"both sides use {found['threads']} cores",
        f"Python {found['python']}, NumPy {found['numpy']}, PyTorch {found['torch'] or 'absent'}",
        f"OpenBLAS kernels: {kernel} ({chosen})",
        f"GEMM peak, float32 2048 x 2048, GFLOP/s: {peaks} threads; shares of the peak below are "
        f"of {peak(results):.0f}, the best that any process of this run saw",
    ]
    lines += [*_code(results, parts), *_disturbed(results, parts)]
    return "\n".join(f"- {line}" for line in lines)


def _code(results: Results, parts: Sequence[str]) -> Iterator[str]:
    """The state of the code that each part was measured with, and when."""
    states: dict[str, list[str]] = {}
    days: dict[str, set[str]] = {}
    for part in parts:
        for name, found in results.read(part).items():
            states.setdefault(found["state"], []).append(f"{part} {name}")
            days.setdefault(found["state"], set()).add(found["day"])
    for state, names in states.items():
        only = f": {', '.join(names)}" if len(states) > 1 else ""
        yield f"code: commit {state}, measured on {', '.join(sorted(days[state]))}{only}"


def _disturbed(results: Results, parts: Sequence[str]) -> Iterator[str]:
    names = [f"{part} {name}" for part in parts for name in results.disturbed(part)]
    if names:
        yield (
            "**others used the machine**, so that times are not to be trusted, at "
            + ", ".join(names)
        )
