"""A training step laid open, on the worked 2-2-2 network, circuits and a multi-headed graph."""

from __future__ import annotations

import numpy as np
import pytest

from nncore import Network

HALF = {
    "input": {"shape": [2]},
    "layers": [
        {"type": "dense", "name": "h", "units": 2, "activation": "sigmoid"},
        {"type": "dense", "name": "o", "units": 2, "activation": "sigmoid"},
    ],
}


def test_the_worked_network_falls_out_of_it():
    network = Network.from_spec(HALF)
    params = {
        "h.kernel": np.array([[0.15, 0.25], [0.20, 0.30]]),
        "h.bias": np.array([0.35, 0.35]),
        "o.kernel": np.array([[0.40, 0.50], [0.45, 0.55]]),
        "o.bias": np.array([0.60, 0.60]),
    }
    before = {name: weight.copy() for name, weight in params.items()}
    x, y = np.array([[0.05, 0.10]]), np.array([[0.01, 0.99]])
    step = {"type": "sgd", "learning_rate": 0.5}
    trace = network.trace(params, x, y, "half_sum_squared_error", step)

    def close(found, expected):
        assert np.ravel(found) == pytest.approx(expected, abs=1e-11)

    assert list(trace.values) == ["input", "h.dense", "h", "o.dense", "o"]
    assert trace.loss == pytest.approx(0.298371108760, abs=1e-11)
    close(trace.values["h.dense"].value, [0.3775, 0.3925])
    close(trace.values["h"].value, [0.593269992107, 0.59688437826])
    close(trace.values["o.dense"].value, [1.10590596706, 1.224921404096])
    close(trace.values["o"].value, [0.751365069552, 0.772928465321])
    close(trace.values["o.dense"].gradient, [0.138498561629, -0.038098236517])
    close(trace.values["h.dense"].gradient, [0.008771354689, 0.009954254705])
    close(
        trace.gradients["o.kernel"].T,
        [0.082167040564, 0.082667627848, -0.022602540477, -0.022740242216],
    )
    close(
        trace.updated["h.kernel"].T,
        [0.149780716133, 0.199561432266, 0.249751143632, 0.299502287265],
    )
    close(trace.updated["o.bias"], [0.530750719186, 0.619049118258])
    assert all(np.array_equal(params[name], before[name]) for name in params)


def test_a_circuit_of_merges_gives_the_gradients_of_its_inputs():
    spec = {
        "inputs": {name: {"shape": [1]} for name in "xyz"},
        "layers": [
            {"type": "add", "name": "q", "inputs": ["x", "y"]},
            {"type": "multiply", "name": "f", "inputs": ["q", "z"]},
        ],
    }
    network = Network.from_spec(spec)
    inputs = {"x": np.array([[-2.0]]), "y": np.array([[5.0]]), "z": np.array([[-4.0]])}
    # Half the squared distance to f - 1 has the gradient 1 in f.
    trace = network.trace({}, inputs, np.array([[-13.0]]), "half_sum_squared_error")
    found = {name: (t.value.item(), t.gradient.item()) for name, t in trace.values.items()}
    assert found == {"x": (-2, -4), "y": (5, -4), "z": (-4, 3), "q": (3, -4), "f": (-12, 1)}


def test_gradients_are_those_of_training():
    layers = [
        {"type": "dense", "units": 3, "activation": "tanh", "kernel_regularizer": "l2"},
        {"type": "dropout", "rate": 0.5},
        {"type": "dense", "units": 3, "activation": "softmax"},
    ]
    network, rng = Network.from_spec({"layers": layers}, [4]), np.random.default_rng(0)
    params, x, y = network.init(0, "float64"), rng.normal(size=(5, 4)), rng.integers(0, 3, 5)
    trace = network.trace(params, x, y, "cross_entropy", {"type": "adam", "learning_rate": 0.1})
    loss, gradients = network.loss_and_grads(params, x, y, "cross_entropy")
    assert trace.loss == pytest.approx(loss, rel=1e-14)
    assert all(np.allclose(trace.gradients[name], gradients[name]) for name in params)
    found = network.input_gradients(params, x, y, "cross_entropy")
    assert np.allclose(trace.values["input"].gradient, found)
    final = trace.values["dense_2"]
    assert final.gradient is None  # the loss applies it
    assert np.allclose(final.value.sum(axis=1), 1)
    for name, gradient in gradients.items():
        assert np.allclose(trace.updated[name], params[name] - 0.1 * np.sign(gradient), atol=1e-6)


def test_ids_and_frozen_weights_have_no_gradient():
    layers = [
        {"type": "embedding", "input_dim": 5, "output_dim": 2, "trainable": False},
        {"type": "flatten"},
        {"type": "dense", "units": 1},
    ]
    network = Network.from_spec({"layers": layers}, [3])
    params = network.init(0, "float64")
    trace = network.trace(params, np.array([[0, 1, 2]]), np.ones(1))
    assert trace.values["input"].gradient is None
    assert set(trace.gradients) == {"dense_1.kernel", "dense_1.bias"}
    kept = trace.updated["embedding_1.embeddings"]
    assert np.array_equal(kept, params["embedding_1.embeddings"])
