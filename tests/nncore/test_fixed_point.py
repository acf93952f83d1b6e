"""Recurrent back-propagation: settling, gradients, learning, and networks that do not settle."""

from __future__ import annotations

import numpy as np
import pytest

from nncore.fixed_point import DidNotSettleError, Relaxation
from nncore.gradient_check import numeric_gradient, relative_error


@pytest.mark.parametrize("damping", [0, 0.3])
def test_gradients_are_those_of_finite_differences(damping):
    rng, relaxation = np.random.default_rng(0), Relaxation(1e-15, damping=damping)
    kernel, x, pull = rng.normal(size=(4, 4)), rng.normal(size=(3, 4)), rng.normal(size=(3, 4))

    def value():
        return float((relaxation.settle(kernel, x).state * pull).sum())

    y = relaxation.settle(kernel, x).state
    dkernel, dx = relaxation.gradients(kernel, y, pull)
    assert relative_error(dkernel, numeric_gradient(value, kernel)) < 1e-8
    assert relative_error(dx, numeric_gradient(value, x)) < 1e-8


def test_examples_settle_independently_of_each_other():
    rng, relaxation = np.random.default_rng(1), Relaxation(1e-15)
    kernel, x = rng.normal(size=(4, 4)), rng.normal(size=(5, 4))
    together = relaxation.settle(kernel, x).state
    for row in range(5):
        alone = relaxation.settle(kernel, x[row : row + 1]).state
        np.testing.assert_allclose(alone[0], together[row], atol=1e-14)


def test_an_oscillation_did_not_settle_and_damping_calms_it():
    kernel, x = np.array([[-20.0]]), np.array([[10.0]])
    with pytest.raises(DidNotSettleError, match="use more damping"):
        Relaxation().settle(kernel, x)
    state = Relaxation(damping=0.7).settle(kernel, x).state
    np.testing.assert_allclose(state, 0.5, atol=1e-10)


def test_an_adjoint_that_grows_did_not_settle():
    kernel = np.array([[9.0]])
    with pytest.raises(DidNotSettleError, match="the adjoint did not settle"):
        Relaxation().adjoint(kernel, np.array([[0.5]]), np.array([[1.0]]))


def test_six_units_learn_exclusive_or():
    rng, relaxation = np.random.default_rng(2), Relaxation(1e-8, limit=500, damping=0.2)
    kernel, bias = rng.normal(size=(6, 6)), np.zeros(6)
    signals = np.zeros((4, 6))
    signals[:, :2] = [[-4, -4], [-4, 4], [4, -4], [4, 4]]
    wanted = np.array([0, 1, 1, 0])
    for _ in range(3_000):
        y = relaxation.settle(kernel, signals + bias).state
        dy = np.zeros_like(y)
        dy[:, -1] = y[:, -1] - wanted
        dkernel, dx = relaxation.gradients(kernel, y, dy)
        kernel -= dkernel
        bias -= dx.sum(axis=0)
    assert 0.5 * np.square(dy).sum() < 1e-3
