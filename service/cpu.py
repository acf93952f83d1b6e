"""The environment in which NumPy is to start: OpenBLAS reads it once, when NumPy loads.

OpenBLAS picks its kernels by the CPU's model and takes AVX2 ones for models that it does not know,
at half the speed that AVX-512 gives. Its own threads stay off: work is split into shards and
worker processes instead, so that a result does not depend on the machine's number of cores.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

AVX512_FLAGS = frozenset({"avx512f", "avx512dq", "avx512bw", "avx512vl", "avx512cd"})
THREAD_VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")

_CPUINFO = Path("/proc/cpuinfo")


def launch_environment(
    base: Mapping[str, str] = os.environ, cpuinfo: Path = _CPUINFO
) -> dict[str, str]:
    """A copy of `base` with the variables for OpenBLAS, for a process that is about to start.

    What the user has set stays: a kernel as it is, and one thread variable stands for both.
    """
    environment = dict(base)
    if has_avx512(cpuinfo):
        environment.setdefault("OPENBLAS_CORETYPE", "SKYLAKEX")
    if not any(name in environment for name in THREAD_VARIABLES):
        environment.update(dict.fromkeys(THREAD_VARIABLES, "1"))
    return environment


def has_avx512(cpuinfo: Path = _CPUINFO) -> bool:
    """Whether Linux lists every AVX-512 flag that the SKYLAKEX kernels need; elsewhere False."""
    try:
        with cpuinfo.open(encoding="ascii", errors="replace") as lines:
            flags = next((line for line in lines if line.startswith("flags")), "")
    except OSError:
        return False
    return set(flags.split()) >= AVX512_FLAGS
