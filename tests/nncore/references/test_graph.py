"""A graph against PyTorch: two inputs and outputs, shared weights, a residual connection."""

from __future__ import annotations

import pytest

from nncore import Network
from nncore.gradient_check import relative_error
from tests.nncore.references.graph_cases import (
    GRAPH,
    LOSS_WEIGHTS,
    LOSSES,
    inputs,
    targets,
    weights,
)
from tests.nncore.references.recorded import load


@pytest.mark.parametrize(("dtype", "within"), [("float64", 1e-9), ("float32", 2e-5)])
def test_a_graph_is_what_pytorch_says(dtype, within):
    network = Network.from_spec(GRAPH)
    params = {name: value.astype(dtype) for name, value in weights().items()}
    x, y = inputs(), targets()
    both = {"loss": LOSSES, "loss_weights": LOSS_WEIGHTS}
    loss, gradients = network.loss_and_grads(params, x, y, **both)
    found = {f"d{name}": value for name, value in gradients.items()}
    found |= {
        f"d{name}": value for name, value in network.input_gradients(params, x, y, **both).items()
    }
    found |= {f"y {name}": value for name, value in network.predict(params, x).items()}
    expected = dict(load("graph")["graph"])
    assert loss == pytest.approx(float(expected.pop("loss")), rel=within)
    assert set(found) == set(expected)
    for name, wanted in expected.items():
        assert relative_error(found[name], wanted) < within, name
