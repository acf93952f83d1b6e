"""The shared loop of recurrent layers: units in blocks, gates in order, the states of a cell."""

import numpy as np
import pytest

from nncore import Network
from nncore.passes import Pass, Run
from nncore.recurrence import back_to
from nncore.workspace import Workspace
from tests.nncore.references.filling import fill


@pytest.mark.parametrize("order", [(0,), (3, 0, 1, 2), (2, 0, 1)])
def test_gates_go_back_where_they_came_from(order):
    assert [order[place] for place in back_to(order)] == list(range(len(order)))


@pytest.mark.parametrize("units", [3, 32, 64, 256])
@pytest.mark.parametrize("cell", ["simple_rnn", "lstm", "gru"])
def test_many_units_in_blocks_do_as_few_do(cell, units):
    network = Network.from_spec(
        {"input": {"shape": [3, 2]}, "layers": [{"type": cell, "units": units}]}
    )
    params = network.init(0, "float64")
    x, y = fill((40, 3, 2), 0), fill((40, units), 1)
    loss, gradients = network.loss_and_grads(params, x, y)
    parts = [network.loss_and_grads(params, x[at], y[at]) for at in (slice(1), slice(1, 40))]
    assert loss == pytest.approx((parts[0][0] + 39 * parts[1][0]) / 40, rel=1e-12)
    for name, gradient in gradients.items():
        expected = (parts[0][1][name] + 39 * parts[1][1][name]) / 40
        assert np.allclose(gradient, expected, rtol=0, atol=1e-14), name


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
    assert cache.cell.c[-1][0, 0, 0] == pytest.approx(expected, abs=1e-10)
