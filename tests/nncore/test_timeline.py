"""Which steps a recurrent layer takes, in which order, and where their outputs go."""

import numpy as np
import pytest

from nncore.passes import Pass, Run
from nncore.timeline import timeline
from nncore.workspace import Workspace

MASK = np.array([[0, 1, 1, 0, 0], [0, 1, 0, 0, 1]], bool)
X = np.arange(2.0 * 5 * 3).reshape(2, 5, 3)


def test_without_a_mask_every_step_is_taken():
    line = timeline(3, None, backwards=False)
    assert line.whole
    assert line.order.tolist() == [0, 1, 2]
    assert line.held == (None, None, None)
    assert line.reached.tolist() == [1, 2, 3]


def test_steps_without_any_data_are_left_out():
    line = timeline(5, MASK, backwards=False)
    assert line.order.tolist() == [1, 2, 4]
    assert [None if rows is None else rows.tolist() for rows in line.held] == [None, [1], [0]]
    assert line.reached.tolist() == [0, 1, 2, 2, 3]


def test_backwards_the_last_step_comes_first():
    line = timeline(5, MASK, backwards=True)
    assert line.order.tolist() == [4, 2, 1]
    assert line.reached.tolist() == [1, 1, 2, 3, 3]
    assert np.array_equal(line.padding, ~MASK[:, ::-1])


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("mask", [None, MASK])
def test_slopes_go_back_where_the_steps_came_from(mask, backwards):
    line = timeline(5, mask, backwards)
    steps = np.empty((len(line.order), 2, 3))
    line.gather(X, steps)
    whole = line.scatter(steps, Pass(Run(Workspace()), "layer", 0))
    assert np.array_equal(whole, X if mask is None else X * mask[..., None])
