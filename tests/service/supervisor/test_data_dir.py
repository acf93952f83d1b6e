import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.supervisor import data_dir
from service.supervisor.problem import StartProblem


def test_the_directory_is_made_with_its_parents(tmp_path: Path) -> None:
    os.close(data_dir.hold(tmp_path / "a" / "b"))
    assert (tmp_path / "a" / "b").is_dir()


def test_a_path_below_a_file_is_refused_with_the_mend(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    path = tmp_path / "file" / "data"
    with pytest.raises(StartProblem) as problem:
        data_dir.hold(path)
    assert str(problem.value) == (
        f"cannot write to {path}: Not a directory; choose another with --data-dir"
    )
    assert problem.value.status == 2


def test_a_file_is_no_data_directory(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StartProblem, match="it is a file, not a directory"):
        data_dir.hold(tmp_path / "file")


@pytest.fixture
def read_only(tmp_path: Path) -> Path:
    tmp_path.chmod(0o500)
    return tmp_path


@pytest.fixture
def ordinary_user() -> Iterator[None]:
    """Root can write anywhere, so the test is somebody else meanwhile."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    yield
    os.seteuid(0)


def test_a_directory_without_the_right_to_write_is_refused(
    read_only: Path, ordinary_user: None
) -> None:
    with pytest.raises(StartProblem, match="Permission denied; choose another with --data-dir"):
        data_dir.hold(read_only)


def test_the_lock_names_its_owner_and_is_free_when_the_owner_is_gone(tmp_path: Path) -> None:
    descriptor = data_dir.hold(tmp_path)
    with pytest.raises(StartProblem, match=rf"\(process {os.getpid()}\) is running on"):
        data_dir.hold(tmp_path)
    os.close(descriptor)
    os.close(data_dir.hold(tmp_path))
