"""What the worker says about the machine that it computes on."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_info

from worker import fingerprint

PRINT = "import json; from worker import fingerprint; print(json.dumps(fingerprint.take(1)))"
LINUX = """\
processor\t: 0
model name\t: Oak 9000
flags\t\t: fpu sse2 fma avx avx2 avx512f

processor\t: 1
model name\t: another
"""


def taken_with(**variables):
    """The fingerprint of a process of its own."""
    printed = subprocess.run(
        [sys.executable, "-c", PRINT],
        env={**os.environ, **variables},
        cwd=Path(__file__).parents[2],
        check=True,
        capture_output=True,
    )
    return json.loads(printed.stdout)


def test_it_names_what_computes_here():
    (blas,) = (each for each in threadpool_info() if each["user_api"] == "blas")
    found = fingerprint.take(shards=3)
    assert found["shards"] == 3
    assert found["numpy"] == np.__version__
    assert (found["blas"], found["blas_version"]) == (blas["internal_api"], blas["version"])
    assert (found["blas_kernel"], found["blas_threads"]) == (
        blas["architecture"],
        blas["num_threads"],
    )
    assert found["numpy_simd"]
    assert len(found["code_sha256"]) == 64
    assert json.loads(json.dumps(found)) == found


def test_it_is_the_same_in_another_process_on_the_same_machine():
    assert taken_with() == taken_with()


def test_other_blas_threads_show():
    one, many = (taken_with(OPENBLAS_NUM_THREADS=number) for number in ("1", "2"))
    cores = len(os.sched_getaffinity(0))  # OpenBLAS takes no more threads than these
    told = [] if cores == 1 else ["the number of BLAS threads: 1, then 2"]
    assert fingerprint.differences(one, many) == told


def test_the_cpu_is_read_from_linux_without_what_decides_no_kernel(tmp_path):
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text(LINUX)
    assert fingerprint._cpu(cpuinfo) == ("Oak 9000", ("avx", "avx2", "avx512f", "fma"))


def test_a_machine_that_hides_its_cpu_has_a_fingerprint_all_the_same(tmp_path):
    model, features = fingerprint._cpu(tmp_path / "nothing")
    assert model
    assert features == ()
