"""Prints what nncore's side runs on: versions, the kernels that OpenBLAS chose, the GEMM peak."""

from __future__ import annotations

import ctypes
import json
import os
import platform
from pathlib import Path

import numpy as np

from benchmarks.training.timing import gemm_peak

_LIBRARIES = Path(np.__file__).parents[1] / "numpy.libs"


def main() -> None:
    """Print."""
    cores = len(os.sched_getaffinity(0))
    peaks = {count: round(gemm_peak(count, rounds=12), 1) for count in sorted({1, cores})}
    line = {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "blas_kernel": _kernel(),
        "coretype": os.environ.get("OPENBLAS_CORETYPE"),
        "gemm_peak_gflops": peaks,
    }
    print(json.dumps(line))


def _kernel() -> str | None:
    """The name by which NumPy's OpenBLAS knows its kernels; None if it is another BLAS."""
    for file in _LIBRARIES.glob("libscipy_openblas*"):
        library = ctypes.CDLL(str(file))
        for name in ("scipy_openblas_get_corename64_", "scipy_openblas_get_corename"):
            if hasattr(library, name):
                ask = getattr(library, name)
                ask.restype = ctypes.c_char_p
                answer: bytes = ask()
                return answer.decode()
    return None


if __name__ == "__main__":
    main()
