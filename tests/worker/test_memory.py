"""The limit on what a job may grow by."""

from __future__ import annotations

import resource

import numpy as np
import pytest

from worker.memory import limited

MIB = 2**20


def test_more_than_the_limit_is_refused_and_less_is_not():
    with limited(200 * MIB):
        np.zeros(50 * MIB, np.uint8)
        with pytest.raises(MemoryError):
            np.zeros(400 * MIB, np.uint8)


def test_the_limit_ends_with_the_block_however_it_ends():
    before = resource.getrlimit(resource.RLIMIT_AS)
    with pytest.raises(MemoryError), limited(MIB):
        raise MemoryError
    assert resource.getrlimit(resource.RLIMIT_AS) == before
