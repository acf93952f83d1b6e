import os
from pathlib import Path

from service.supervisor import logs


def test_the_tail_shows_what_this_run_wrote_last(tmp_path: Path) -> None:
    log = tmp_path / "api.log"
    log.write_text("of an earlier run\n")
    start = log.stat().st_size
    with log.open("a") as writer:
        writer.writelines(f"line {number}\n" for number in range(20))
    assert logs.tail(log, start, lines=2) == ["line 18", "line 19"]
    assert "of an earlier run" not in logs.tail(log, start, lines=100)


def test_a_large_log_is_moved_while_its_program_goes_on_writing(tmp_path: Path) -> None:
    log = tmp_path / "api.log"
    descriptor = logs.open_for_append(log)
    os.write(descriptor, b"x" * 100)
    logs.shorten(log, max_bytes=50)
    os.write(descriptor, b"after\n")
    os.close(descriptor)
    assert log.read_text() == "after\n"
    assert (tmp_path / "api.log.1").read_text() == "x" * 100


def test_a_small_log_stays(tmp_path: Path) -> None:
    log = tmp_path / "api.log"
    log.write_text("little")
    logs.shorten(log, max_bytes=50)
    assert log.read_text() == "little"
