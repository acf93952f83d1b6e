"""A log that cannot be written to harms nobody."""

from __future__ import annotations

import os

import pytest
import structlog

from service import log


@pytest.fixture
def full():
    """A stream on a device that has no room, written through as the service's output is."""
    with os.fdopen(os.open("/dev/full", os.O_WRONLY), "wb", buffering=0) as raw:
        yield raw


def test_what_cannot_be_written_is_dropped(full):
    class Output:
        def write(self, text):
            full.write(text.encode())

        def flush(self):
            raise OSError("no room")

    with pytest.raises(OSError, match="No space left"):
        Output().write("x")
    logger = structlog.PrintLogger(log.Forgiving(Output()))
    logger.warning("nobody reads this")


def test_a_reader_that_has_gone_away_harms_nobody():
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as gone:
        stream = log.Forgiving(gone)
        assert stream.write("x") == 1
        stream.flush()
        os.dup2(os.open(os.devnull, os.O_WRONLY), writing)  # or closing it would complain


def test_a_traceback_tells_no_local_variables(capsys):
    def connect(password):
        raise RuntimeError("refused")

    log.configure()
    try:
        connect("oak" * 3)
    except RuntimeError:
        structlog.get_logger("test").warning("failed", exc_info=True)
    finally:
        structlog.reset_defaults()
    told = capsys.readouterr().out
    assert "in connect" in told
    assert "RuntimeError: refused" in told
    assert "oakoakoak" not in told
