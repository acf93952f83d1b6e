from pathlib import Path

import pytest

from service.cpu import launch_environment

ALL = "flags\t\t: fpu sse2 avx2 avx512f avx512dq avx512cd avx512bw avx512vl\n"
SOME = "flags\t\t: fpu sse2 avx2 avx512f avx512cd\n"


@pytest.fixture
def cpuinfo(tmp_path: Path) -> Path:
    file = tmp_path / "cpuinfo"
    file.write_text(f"processor\t: 0\nmodel name\t: some\n{ALL}\n")
    return file


def test_a_cpu_with_avx512_gets_its_kernels(cpuinfo: Path) -> None:
    assert launch_environment({}, cpuinfo)["OPENBLAS_CORETYPE"] == "SKYLAKEX"


def test_a_cpu_without_all_of_avx512_keeps_what_openblas_chooses(cpuinfo: Path) -> None:
    cpuinfo.write_text(SOME)
    assert "OPENBLAS_CORETYPE" not in launch_environment({}, cpuinfo)


def test_a_machine_without_proc_keeps_what_openblas_chooses(tmp_path: Path) -> None:
    assert "OPENBLAS_CORETYPE" not in launch_environment({}, tmp_path / "missing")


def test_the_kernel_that_the_user_chose_stays(cpuinfo: Path) -> None:
    environment = launch_environment({"OPENBLAS_CORETYPE": "HASWELL"}, cpuinfo)
    assert environment["OPENBLAS_CORETYPE"] == "HASWELL"


def test_blas_has_one_thread(cpuinfo: Path) -> None:
    environment = launch_environment({}, cpuinfo)
    assert (environment["OPENBLAS_NUM_THREADS"], environment["OMP_NUM_THREADS"]) == ("1", "1")


def test_a_thread_count_of_the_user_is_not_overruled_by_the_other_variable(cpuinfo: Path) -> None:
    environment = launch_environment({"OMP_NUM_THREADS": "4"}, cpuinfo)
    assert environment["OMP_NUM_THREADS"] == "4"
    assert "OPENBLAS_NUM_THREADS" not in environment


def test_the_given_environment_is_copied(cpuinfo: Path) -> None:
    base = {"HOME": "/somewhere"}
    assert launch_environment(base, cpuinfo)["HOME"] == "/somewhere"
    assert base == {"HOME": "/somewhere"}
