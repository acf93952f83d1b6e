"""Buffers are reused, grow, and keep types apart."""

import numpy as np
import pytest

from nncore.workspace import Spare, Workspace

FLOAT, DOUBLE = np.dtype("float32"), np.dtype("float64")


def test_a_smaller_request_gets_the_same_memory():
    workspace = Workspace()
    first = workspace.take("y", (4, 5), FLOAT)
    second = workspace.take("y", (3, 2), FLOAT)
    assert second.shape == (3, 2)
    assert np.shares_memory(first, second)


def test_names_do_not_share_memory():
    workspace = Workspace()
    assert not np.shares_memory(workspace.take("y", (4,), FLOAT), workspace.take("x", (4,), FLOAT))


def test_a_larger_request_or_another_type_gets_what_it_asks_for():
    workspace = Workspace()
    workspace.take("y", (2,), FLOAT)
    assert workspace.take("y", (50,), FLOAT).shape == (50,)
    assert workspace.take("y", (2,), DOUBLE).dtype == DOUBLE


def test_nothing_can_be_asked_for():
    assert Workspace().take("y", (0, 3), FLOAT).shape == (0, 3)


def test_constants_are_made_once_and_cannot_be_changed():
    workspace = Workspace()
    ones = workspace.constant(1, (2, 3), FLOAT)
    assert (ones == 1).all()
    assert workspace.constant(1, (2, 3), FLOAT) is ones
    assert workspace.constant(0, (2, 3), FLOAT) is not ones
    assert not ones.flags.writeable


def test_growth_is_counted_and_no_view_outlives_it():
    workspace = Workspace()
    small = workspace.take("y", (2, 3), FLOAT)
    assert workspace.take("y", (2, 3), FLOAT) is small
    before = workspace.moves
    workspace.take("y", (9, 9), FLOAT)
    assert workspace.moves == before + 1
    assert not np.shares_memory(workspace.take("y", (2, 3), FLOAT), small)


def test_a_spare_workspace_serves_one_task_after_the_other_unless_it_has_grown_too_large():
    spare = Spare(100)
    with spare.borrowed() as first:
        first.take("y", (25,), FLOAT)
        with spare.borrowed() as other:
            assert other is not first
    with spare.borrowed() as second:
        assert second is first
        second.take("y", (26,), FLOAT)
    with spare.borrowed() as third:
        assert third is not first


def test_a_workspace_does_not_come_back_from_a_task_that_failed():
    spare = Spare(100)
    with pytest.raises(KeyError), spare.borrowed() as first:
        raise KeyError
    with spare.borrowed() as second:
        assert second is not first
