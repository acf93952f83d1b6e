"""Worked example G9: recurrent layers with full numbers, which PyTorch and NumPy agree on.

Weights are given in PyTorch's layout, (gates units, inputs) with the gates i, f, g, o or r, z, n.
"""

from __future__ import annotations

import numpy as np
import pytest

from nncore import Network
from tests.nncore.references.filling import fill
from tests.nncore.worked_examples import close

STEPS, INPUTS, UNITS = 4, 2, 3
X = fill((1, STEPS, INPUTS), 0)


def network_of(layer):
    return Network.from_spec({"input": {"shape": [STEPS, INPUTS]}, "layers": [layer]})


def half_squared_norm(network, params):
    """L and its gradients: UNITS halves of the mean squared error against 0."""
    loss, gradients = network.loss_and_grads(params, X, np.zeros((1, UNITS)))
    half = UNITS / 2
    return half * loss, {name: half * gradient for name, gradient in gradients.items()}


def from_pytorch(gates, seeds=(1, 2, 3)):
    """A kernel (in, gates units), a recurrent_kernel and a bias."""
    w, u, b = seeds
    return (
        fill((gates * UNITS, INPUTS), w).T.copy(),
        fill((gates * UNITS, UNITS), u).T.copy(),
        fill((gates * UNITS,), b),
    )


class TestG9Recurrence:
    def test_lstm(self):
        network = network_of({"type": "lstm", "units": UNITS})
        kernel, recurrent, bias = from_pytorch(4)
        params = {
            "lstm_1.kernel": kernel,
            "lstm_1.recurrent_kernel": recurrent,
            "lstm_1.bias": bias,
        }
        close(network.predict(params, X), [0.099132938892, -0.114802867995, -0.241256306355])
        loss, gradients = half_squared_norm(network, params)
        close(loss, 0.040605821715)
        close(np.abs(gradients["lstm_1.kernel"]).sum(), 0.063681518508)
        close(np.abs(gradients["lstm_1.recurrent_kernel"]).sum(), 0.095361204366)

    def test_gru(self):
        network = network_of({"type": "gru", "units": UNITS})

        def gates(weight):
            """From r, z, n to the z, r, h of our layout."""
            reset, update, new = np.split(weight, 3, axis=-1)
            return np.concatenate([update, reset, new], axis=-1)

        kernel, recurrent, bias = map(gates, from_pytorch(3))
        params = {
            "gru_1.kernel": kernel,
            "gru_1.recurrent_kernel": recurrent,
            "gru_1.bias": np.stack([bias, gates(fill((3 * UNITS,), 4))]),
        }
        close(network.predict(params, X), [0.028557377999, -0.307225895576, -0.451711678437])
        loss, gradients = half_squared_norm(network, params)
        close(loss, 0.149623357594)
        close(np.abs(gradients["gru_1.kernel"]).sum(), 0.117274770993)

    def test_tanh_units(self):
        network = network_of({"type": "simple_rnn", "units": UNITS})
        kernel, recurrent, bias = from_pytorch(1)
        params = {
            "simple_rnn_1.kernel": kernel,
            "simple_rnn_1.recurrent_kernel": recurrent,
            "simple_rnn_1.bias": bias,
        }
        close(network.predict(params, X), [0.141120921346, -0.432325064096, -0.491420198163])
        _, gradients = half_squared_norm(network, params)
        close(np.abs(gradients["simple_rnn_1.kernel"]).sum(), 0.388844169798)

    @pytest.mark.parametrize("mode", ["concat", "sum"])
    def test_both_directions(self, mode):
        inner = {"type": "simple_rnn", "units": UNITS, "return_sequences": True}
        network = network_of({"type": "bidirectional", "layer": inner, "merge_mode": mode})
        params = {}
        for direction, seeds in (("forward", (1, 2, 3)), ("backward", (5, 6, 7))):
            weights = dict(
                zip(("kernel", "recurrent_kernel", "bias"), from_pytorch(1, seeds), strict=True)
            )
            for name, weight in weights.items():
                params[f"bidirectional_1.{direction}.{name}"] = weight
        first = np.array([0.256022145019, -0.491175240179, -0.491656183679])
        back = np.array([0.510411580513, 0.423016364294, 0.287560941212])
        expected = np.concatenate([first, back]) if mode == "concat" else first + back
        close(network.predict(params, X)[0, 0], expected)
