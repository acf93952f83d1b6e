"""A run on a full disk waits for room as long as its lease holds, and ends the same."""

from __future__ import annotations

import threading

import pytest

from service.store.transitions import Status
from tests.service.disk import Disk
from worker import checkpoint

FULL_SECONDS = 0.6


@pytest.fixture
def disk(sqlite):
    return Disk(sqlite)


def test_a_run_goes_on_when_there_is_room_again(sqlite, submit, train, disk, monkeypatch):
    monkeypatch.setattr(checkpoint, "SHARE", 1e9)
    wide = {"layers": [{"type": "dense", "units": 300}, {"type": "dense", "units": 2}]}
    for _ in range(2):
        submit(sqlite, network=wide)
    expected = train(sqlite)
    steps = 0

    def fill_the_disk():
        nonlocal steps
        steps += 1
        if steps == 2:
            disk.has_room = False
            threading.Timer(FULL_SECONDS, setattr, (disk, "has_room", True)).start()
        return False

    row = train(sqlite, stopping=fill_the_disk, checkpoint_seconds=1e-9)
    assert disk.has_room, "the run has waited"
    assert (row.status, row.attempt) == (Status.SUCCEEDED, 1)
    assert row.metrics == expected.metrics
