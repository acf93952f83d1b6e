"""Whole networks against PyTorch and Keras: a graph, and a loss over sequences with padding."""

from __future__ import annotations

import numpy as np
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
from tests.nncore.references.recurrent_cases import LABELLED, LABELS
from tests.nncore.references.replay import Replay

RECORDED = load("networks")
every_precision = pytest.mark.parametrize(
    ("dtype", "within"), [("float64", 1e-9), ("float32", 2e-5)]
)


@every_precision
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
    expected = dict(RECORDED["graph"])
    assert loss == pytest.approx(float(expected.pop("loss")), rel=within)
    assert set(found) == set(expected)
    for name, wanted in expected.items():
        assert relative_error(found[name], wanted) < within, name


@every_precision
def test_padding_is_no_part_of_a_loss_over_sequences(dtype, within):
    replay, y = Replay(LABELLED, dtype), np.array(LABELS)
    (x,) = replay.inputs
    loss, gradients = replay.network.loss_and_grads(replay.params, x, y, "cross_entropy")
    found = {f"d{replay.keys[name]}": gradient for name, gradient in gradients.items()}
    found["dx0"] = replay.network.input_gradients(replay.params, x, y, "cross_entropy")
    expected = dict(RECORDED["labelled sequences"])
    assert loss == pytest.approx(float(expected.pop("loss")), rel=within)
    assert set(found) == set(expected)
    for name, wanted in expected.items():
        assert relative_error(found[name], wanted) < within, name
