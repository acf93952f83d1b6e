"""Worked examples with full numbers: a function of one number, small circuits, relaxation, slopes.

Every value is known from outside. The gradient of an output itself is that of its squared error
against a target half a unit below it.
"""

from __future__ import annotations

import numpy as np
import pytest

from nncore import Network
from nncore.activations.adaptive import SlopeRecovery
from nncore.fixed_point import Relaxation
from tests.nncore.worked_examples import close, double


def two_layers(inputs, hidden, outputs, last="linear"):
    layers = [
        {"type": "dense", "units": hidden, "activation": "sigmoid"},
        {"type": "dense", "units": outputs, "activation": last},
    ]
    return Network.from_spec({"input": {"shape": [inputs]}, "layers": layers})


def at_half_a_unit(network, params, x):
    """Targets whose squared errors have the slope 1 in the single output."""
    return network.predict(params, x) - 0.5


class TestG3AFunctionOfOneNumber:
    @pytest.mark.parametrize(
        ("x", "value", "slope"),
        [
            (0, 0.587470125802, -0.087722503010),
            (2, 0.517173386585, 0.008913171911),
            (-5, 0.614755646050, 0.018926265080),
        ],
    )
    def test_its_value_and_its_slope(self, x, value, slope):
        network = two_layers(1, 2, 1)
        params = double(
            kernel_1=[[-1.75, 0.172]],
            bias_1=[-0.1, 0.15],
            kernel_2=[[0.25], [0.5]],
            bias_2=[0.2],
        )
        close(network.predict(params, [[x]]), value)
        target = at_half_a_unit(network, params, [[x]])
        close(network.input_gradients(params, [[x]], target), slope)


class TestG7SmallCircuits:
    def test_a_sum_times_a_number(self):
        network = Network.from_spec(
            {
                "inputs": {name: {"shape": [1]} for name in "xyz"},
                "layers": [
                    {"type": "add", "name": "sum", "inputs": ["x", "y"]},
                    {"type": "multiply", "inputs": ["sum", "z"]},
                ],
            }
        )
        x = {"x": [[-2]], "y": [[5]], "z": [[-4]]}
        close(network.predict({}, x), -12)
        gradients = network.input_gradients({}, x, at_half_a_unit(network, {}, x))
        close([gradients["x"], gradients["y"], gradients["z"]], [-4, -4, 3])

    def test_a_sigmoid_neuron(self):
        layer = {"type": "dense", "units": 1, "activation": "sigmoid"}
        network = Network.from_spec({"input": {"shape": [2]}, "layers": [layer]})
        params = double(kernel_1=[[2], [-3]], bias_1=[-3])
        close(network.predict(params, [[-1, -2]]), 0.73105857863)
        x = [[-1, -2]]
        target = at_half_a_unit(network, params, x)
        _, gradients = network.loss_and_grads(params, x, target)
        close(gradients["dense_1.kernel"], [-0.1966119332, -0.3932238665])
        close(gradients["dense_1.bias"], 0.1966119332)
        close(network.input_gradients(params, x, target), [0.3932238665, -0.5898357997])

    def test_one_hidden_unit(self):
        network = two_layers(2, 1, 2, "sigmoid")
        params = double(
            kernel_1=[[0.13436424411240122], [0.8474337369372327]],
            bias_1=[0.763774618976614],
            kernel_2=[[0.2550690257394217, 0.4494910647887381]],
            bias_2=[0.49543508709194095, 0.651592972722763],
        )
        x, t = [[1, 0]], [[0, 1]]
        close(network.predict(params, x), [0.662997013, 0.7253160725])
        # One example and two outputs: E is the mean squared error itself.
        loss, gradients = network.loss_and_grads(params, x, t)
        close(loss, 0.257508149619)
        close(gradients["dense_2.bias"], [0.1481347312, -0.0547260116])
        close(gradients["dense_1.bias"], 0.0027117978)
        hidden = gradients["dense_2.kernel"] / gradients["dense_2.bias"]
        close(hidden, [0.7105668883115941] * 2)


class TestG10RecurrentBackPropagation:
    KERNEL = np.transpose([[0, 0.4, -0.3], [0.5, 0, 0.2], [-0.6, 0.7, 0.1]])
    INPUT = np.array([[0.5, -0.25, 0.1]])
    TARGET = 0.9

    def test_the_state_settles(self):
        settled = Relaxation(1e-12).settle(self.KERNEL, self.INPUT)
        close(settled.state, [0.635534513424, 0.543739963394, 0.538204823501])
        # The last step of 18 finds that 17 were enough.
        assert settled.steps == 17 + 1
        close(0.5 * (settled.state[0, 2] - self.TARGET) ** 2, 0.065447874869)

    def test_the_error_settles_backwards(self):
        relaxation = Relaxation(1e-14)
        y = relaxation.settle(self.KERNEL, self.INPUT).state
        dy = np.array([[0, 0, y[0, 2] - self.TARGET]])
        z = relaxation.adjoint(self.KERNEL, y, dy).state
        close(z, [0.048720476763, -0.061180355286, -0.377601243483])
        dkernel, _ = relaxation.gradients(self.KERNEL, y, dy)
        close(dkernel[:, 2], [-0.05964438079, -0.051029539297, -0.050510071063])


class TestG11AdaptiveActivation:
    @pytest.mark.parametrize("scope", ["network", "layer", "neuron"])
    def test_its_value_and_both_derivatives(self, scope):
        slope = {"type": "adaptive", "base": "tanh", "n": 10, "scope": scope}
        network = Network.from_spec(
            {"input": {"shape": [1]}, "layers": [{"type": "activation", "activation": slope}]}
        )
        params = network.init(dtype="float64")
        ((name, start),) = params.items()
        close(start, 0.1)
        close(network.predict(params, [[0.5]]), 0.462117157260)
        target = at_half_a_unit(network, params, [[0.5]])
        close(network.input_gradients(params, [[0.5]], target), 0.786447732966)
        _, gradients = network.loss_and_grads(params, [[0.5]], target)
        close(gradients[name], 3.932238664830)

    def test_slope_recovery(self):
        penalty, _ = SlopeRecovery(1.0).together([np.array([a]) for a in (0.1, 0.2, 0.3)])
        close(penalty, 0.816008457441)
