"""Maxima are taken before activations that never fall, and nothing else changes."""

import numpy as np
import pytest

from nncore import Network
from nncore.execution import backward, forward
from nncore.passes import Run
from nncore.reordering import pool_first
from nncore.workspace import Workspace


def network(activation):
    return Network.from_spec(
        {
            "input": {"shape": [9, 8, 2]},
            "layers": [
                {"type": "conv2d", "filters": 3, "kernel_size": 3, "activation": activation},
                {"type": "max_pool2d", "pool_size": 3, "strides": 2, "padding": "same"},
                {"type": "conv2d", "filters": 2, "kernel_size": 2},
            ],
        }
    )


def types(program):
    return [stage.operation.type_name for stage in program.stages]


def passed(program, params, x):
    run = Run(Workspace(), training=True)
    flow = forward(program, params, (x,), run)
    y = flow.values[program.outputs[0]].copy()
    slopes = {program.outputs[0]: np.cos(y)}
    return y, backward(program, params, flow, slopes, run)


@pytest.mark.parametrize("activation", ["relu", {"type": "relu", "max_value": 0.3}])
def test_the_order_changes_no_bit(activation):
    net = network(activation)
    params = net.init(3)
    x = np.random.default_rng(0).normal(size=(4, 9, 8, 2)).astype("float32")
    reordered = pool_first(net.program)
    assert types(reordered) == ["conv2d", "max_pool2d", "relu", "conv2d"]
    y, gradients = passed(net.program, params, x)
    again, found = passed(reordered, params, x)
    assert np.array_equal(again, y)
    assert all(np.array_equal(found[name], gradients[name]) for name in gradients)


def test_what_may_fall_stays_before_the_pooling():
    assert types(pool_first(network("silu").program)) == ["conv2d", "silu", "max_pool2d", "conv2d"]


def test_values_that_others_see_stay_as_they_are():
    net = Network.from_spec(
        {
            "input": {"shape": [4, 4, 1]},
            "layers": [
                {"type": "activation", "activation": "relu", "name": "seen"},
                {"type": "max_pool2d", "pool_size": 2, "name": "pooled"},
            ],
            "outputs": ["seen", "pooled"],
        }
    )
    assert types(pool_first(net.program)) == ["relu", "max_pool2d"]
