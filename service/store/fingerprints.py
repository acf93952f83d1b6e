"""What can change the last bits of a training run, as a worker records it and people read it.

A fingerprint is a flat JSON object; `worker.fingerprint` takes it, models keep it.
"""

from __future__ import annotations

from typing import Any

# In the order in which they explain a difference best.
_WORDS = {
    "machine": "the machine's architecture",
    "shards": "the number of shards",
    "blas": "the BLAS library",
    "blas_version": "the BLAS library's version",
    "blas_kernel": "the BLAS kernels",
    "blas_threads": "the number of BLAS threads",
    "numpy": "NumPy's version",
    "numpy_simd": "NumPy's vector instructions",
    "code_sha256": "the SHA-256 of gradserve's own code",
    "cpu": "the CPU",
    "cpu_features": "the CPU's vector instructions",
    "libc": "the C library",
    "python": "Python's version",
}


def differences(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """A line for each entry in which two fingerprints differ; none if runs must be bit-identical.

    `the BLAS kernels: Haswell, then SkylakeX`.
    """
    names = [*_WORDS, *sorted((old.keys() | new.keys()) - _WORDS.keys())]
    return [
        f"{_WORDS.get(name, name)}: {_shown(old.get(name))}, then {_shown(new.get(name))}"
        for name in names
        if old.get(name) != new.get(name)
    ]


def _shown(value: Any) -> str:
    if value is None:
        return "unknown"
    return " ".join(map(str, value)) or "none" if isinstance(value, list) else str(value)
