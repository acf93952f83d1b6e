"""The shared loop of recurrent layers: gates in and out of their order, the states of a cell."""

import numpy as np
import pytest

from nncore import Network
from nncore.passes import Pass, Run
from nncore.recurrence import join_gates, split_gates
from nncore.workspace import Workspace
from tests.nncore.references.filling import fill


def test_gates_come_first_in_the_order_asked_for():
    blocks = split_gates(np.arange(12).reshape(2, 6), (0, 2, 1))
    assert blocks.tolist() == [[[0, 1], [6, 7]], [[4, 5], [10, 11]], [[2, 3], [8, 9]]]


@pytest.mark.parametrize("order", [(0,), (0, 1, 3, 2), (2, 0, 1)])
@pytest.mark.parametrize("rows", [(), (5,)])
def test_gates_go_back_where_they_came_from(order, rows):
    weight = np.random.default_rng(0).normal(size=(*rows, len(order) * 4))
    assert np.array_equal(join_gates(split_gates(weight, order), order), weight)


def test_the_cell_state_of_the_worked_example():
    network = Network.from_spec(
        {"input": {"shape": [4, 2]}, "layers": [{"type": "lstm", "units": 3}]}
    )
    params = {
        "kernel": fill((12, 2), 1).T,
        "recurrent_kernel": fill((12, 3), 2).T,
        "bias": fill((12,), 3),
    }
    pass_ = Pass(Run(Workspace()), "lstm_1", 0)
    _, cache = network.stages[0].operation.forward(params, fill((1, 4, 2), 0), pass_)
    expected = [0.205615110150, -0.227815254126, -0.405773719745]
    assert cache.cell.states[1][-1, 0] == pytest.approx(expected, abs=1e-10)
