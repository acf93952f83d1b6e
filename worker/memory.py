"""One job's memory: a limit on the process' address space while it trains.

A job that asks for too much gets a MemoryError, and fails alone; without the limit the kernel would
choose whom to kill. `resource` and `/proc` are Linux'; elsewhere there is no limit.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_info


@contextmanager
def limited(more_bytes: int, threads: int = 1) -> Iterator[None]:
    """Let the process grow by so many bytes of address space at most, until the block ends.

    What BLAS needs to compute on so many threads at once is taken before, and does not count.
    """
    if sys.platform != "linux":
        yield
        return
    import resource

    _reserve(threads)
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    wanted = _address_space() + more_bytes
    lower = [limit for limit in (soft, hard) if limit != resource.RLIM_INFINITY]
    resource.setrlimit(resource.RLIMIT_AS, (min([wanted, *lower]), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def _address_space() -> int:
    import resource

    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[0]
    return int(pages) * resource.getpagesize()


def _reserve(threads: int) -> None:
    """Let OpenBLAS map a buffer for each thread, which it keeps for as long as the process lives.

    It maps one when a product is first computed and finds none free, and where that is refused it
    ends the process: no error that the job could fail with.
    """
    if (functions := _blas_buffers()) is None:
        return
    take, give_back = functions
    for buffer in [take(0) for _ in range(threads)]:
        give_back(buffer)


@cache
def _blas_buffers() -> tuple[Callable[[int], Any], Callable[[Any], Any]] | None:
    """OpenBLAS' own functions that take a buffer and give it back; None for another library."""
    for library in threadpool_info():
        if library["internal_api"] == "openblas":
            loaded = ctypes.CDLL(library["filepath"])
            try:
                take, give_back = loaded.blas_memory_alloc, loaded.blas_memory_free
            except AttributeError:
                return None
            take.argtypes, take.restype = (ctypes.c_int,), ctypes.c_void_p
            give_back.argtypes, give_back.restype = (ctypes.c_void_p,), None
            return take, give_back
    return None
