"""Predictors leave out what only training needs and give the same numbers."""

import numpy as np
import pytest

from nncore import Network
from nncore.execution import forward
from nncore.folding import folded
from nncore.passes import Run
from nncore.workspace import Workspace

GENERATOR = np.random.default_rng(6)
NORM = {"type": "batch_norm"}
CONV = {"type": "conv1d", "filters": 4, "kernel_size": 3}


def network(*layers, outputs=None):
    spec = {"input": {"shape": [9, 3]}, "layers": list(layers)}
    return Network.from_spec(spec if outputs is None else {**spec, "outputs": outputs})


def some_params(of):
    params = of.init(seed=1, dtype="float64")
    return {
        name: np.abs(GENERATOR.normal(size=value.shape)) + 0.5 if "variance" in name
        else GENERATOR.normal(size=value.shape)
        for name, value in params.items()
    }  # fmt: skip


def stages_and_difference(of, x):
    """How many stages predictors have, and how far they are from the network as it stands."""
    params = some_params(of)
    flow = forward(of.program, params, (x,), Run(Workspace()))
    exact = [flow.values[output] for output in of.program.outputs]
    found = of.predictor(params)(x)
    given = list(found.values()) if isinstance(found, dict) else [found]
    program, _ = folded(of.inference, params)
    gaps = [np.abs(one - other).max() for one, other in zip(given, exact, strict=True)]
    return len(program.stages), max(gaps)


@pytest.mark.parametrize(
    ("layers", "stages"),
    [
        ([CONV, NORM], 1),
        ([{**CONV, "use_bias": False}, NORM, {"type": "activation", "activation": "tanh"}], 2),
        ([{"type": "dense", "units": 5}, {**NORM, "center": False}], 1),
        ([CONV, {**NORM, "scale": False}, CONV, NORM], 2),
        ([{**CONV, "activation": "relu"}, NORM], 3),
        ([NORM, CONV], 2),
        ([{"type": "binary_dense", "units": 5}, NORM], 2),
        ([CONV, {**NORM, "axis": 1}], 2),
        ([CONV, {"type": "dropout", "rate": 0.5}, NORM], 1),
        ([{"type": "dropout", "rate": 0.5}, CONV], 2),
        ([CONV, {"type": "gaussian_noise", "stddev": 1.0}], 1),
    ],
)
def test_predictions_stay_and_stages_go(layers, stages):
    x = GENERATOR.normal(size=(3, 9, 3))
    count, difference = stages_and_difference(network(*layers), x)
    assert count == stages
    assert difference < 1e-10


def test_what_others_read_stays():
    first, second = {**CONV, "name": "conv"}, {**NORM, "name": "norm"}
    x = GENERATOR.normal(size=(2, 9, 3))
    count, difference = stages_and_difference(network(first, second, outputs=["conv", "norm"]), x)
    assert count == 2
    assert difference < 1e-10


def test_weights_used_twice_stay():
    dense = {"type": "dense", "units": 3, "name": "one"}
    layers = [dense, NORM, {"type": "dense", "units": 3, "shares": "one"}]
    count, difference = stages_and_difference(network(*layers), GENERATOR.normal(size=(2, 9, 3)))
    assert count == 3
    assert difference < 1e-10


def test_the_weights_that_were_given_are_left_as_they_were():
    of = network(CONV, NORM)
    params = some_params(of)
    before = {name: value.copy() for name, value in params.items()}
    of.predictor(params)(GENERATOR.normal(size=(2, 9, 3)))
    assert all(np.array_equal(params[name], value) for name, value in before.items())
