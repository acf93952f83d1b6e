"""Adaptive activations: golden numbers, and what slope recovery adds."""

import numpy as np
import pytest

from nncore.activations import Activation
from nncore.activations.adaptive import SlopeRecovery
from nncore.documents import parse
from nncore.gradient_check import numeric_gradient
from nncore.passes import Pass, Run
from nncore.workspace import Workspace


def test_golden_value_and_derivatives():
    activation = parse(Activation, {"type": "adaptive", "n": 10})
    params, pass_ = {"slope": np.array([0.1])}, Pass(Run(Workspace()), "layer", 0)
    y, cache = activation.forward(params, np.array([[0.5]]), pass_)
    dx, gradients = activation.backward(params, cache, np.ones((1, 1)), pass_)
    assert y.item() == pytest.approx(0.462117157260, abs=1e-12)
    assert dx.item() == pytest.approx(0.786447732966, abs=1e-12)
    assert gradients["slope"].item() == pytest.approx(3.932238664830, abs=1e-12)


def test_golden_slope_recovery():
    slopes = [np.array([0.1]), np.array([0.2]), np.array([0.3])]
    penalty, gradients = SlopeRecovery(1.0).together(slopes)
    assert penalty == pytest.approx(0.816008457441, abs=1e-12)
    for slope, gradient in zip(slopes, gradients, strict=True):
        expected = numeric_gradient(lambda: SlopeRecovery(1.0).together(slopes)[0], slope)
        assert np.allclose(gradient, expected, atol=1e-9)


def test_slope_recovery_takes_the_mean_over_a_layers_neurons():
    slopes = [np.array([0.1, 0.3]), np.array([0.2])]
    penalty, gradients = SlopeRecovery(2.0).together(slopes)
    assert penalty == pytest.approx(2 / np.exp(0.2))
    expected = numeric_gradient(lambda: SlopeRecovery(2.0).together(slopes)[0], slopes[0])
    assert np.allclose(gradients[0], expected, atol=1e-9)


def test_only_slopes_carry_slope_recovery():
    document = {"type": "adaptive", "slope_recovery": 0.5, "rowdy_terms": 2, "scope": "network"}
    weights = parse(Activation, document).weights((4,))
    assert weights["slope"].regularizer == SlopeRecovery(0.5)
    assert weights["amplitude"].regularizer is None
    assert all(weight.shared for weight in weights.values())
