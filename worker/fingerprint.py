"""The numeric fingerprint of a run: all that can change the last bits of its weights.

Two runs of the same spec and data with equal fingerprints give the same bytes. With different ones
they may not: BLAS kernels, threads and vector instructions decide the order of sums.
"""

from __future__ import annotations

import platform
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_info

import nncore
from service.store.fingerprints import differences

__all__ = ["differences", "take"]

_CPUINFO = Path("/proc/cpuinfo")
_DECIDING = ("avx", "fma", "asimd", "sve")  # how features begin that kernels are chosen by


def take(shards: int) -> dict[str, Any]:
    """The fingerprint of a run in this process with so many shards, as JSON."""
    model, features = _cpu(_CPUINFO)
    return {
        "machine": platform.machine(),
        "cpu": model,
        "cpu_features": list(features),
        "shards": shards,
        **_blas(),
        "numpy": np.__version__,
        "numpy_simd": _simd(),
        "libc": " ".join(platform.libc_ver()).strip() or None,
        "python": platform.python_version(),
        "code_sha256": _CODE_SHA256,
    }


def _blas() -> dict[str, Any]:
    """The library that does the matrix products, as it runs; else as NumPy was built with it."""
    for library in threadpool_info():
        if library["user_api"] == "blas":
            return {
                "blas": library["internal_api"],
                "blas_version": library["version"],
                "blas_kernel": library.get("architecture"),
                "blas_threads": library["num_threads"],
            }
    built = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    return {
        "blas": built.get("name"),
        "blas_version": built.get("version"),
        "blas_kernel": None,
        "blas_threads": None,
    }


@cache
def _simd() -> list[str]:
    """The instruction sets that NumPy's own loops use here."""
    extensions = np.show_config(mode="dicts").get("SIMD Extensions", {})
    return [*extensions.get("baseline", []), *extensions.get("found", [])]


@cache
def _cpu(cpuinfo: Path) -> tuple[str, tuple[str, ...]]:
    """The CPU's model and the features that kernels are chosen by; the latter on Linux only."""
    found: dict[str, str] = {}
    try:
        with cpuinfo.open(encoding="utf-8", errors="replace") as lines:
            for name, _, value in (line.partition(":") for line in lines):
                found.setdefault(name.strip(), value.strip())
    except OSError:
        pass
    flags = (found.get("flags") or found.get("Features") or "").split()
    model = found.get("model name") or platform.processor() or "unknown"
    return model, tuple(sorted(flag for flag in flags if flag.startswith(_DECIDING)))


def _code_sha256() -> str:
    """Over every source file that takes part in training."""
    digest = sha256()
    for package in (Path(nncore.__file__).parent, Path(__file__).parent):
        for path in sorted(package.rglob("*.py")):
            digest.update(f"{package.name}/{path.relative_to(package).as_posix()}\0".encode())
            digest.update(sha256(path.read_bytes()).digest())
    return digest.hexdigest()


# Taken when the code is loaded, since files may be replaced while a worker runs.
_CODE_SHA256 = _code_sha256()
