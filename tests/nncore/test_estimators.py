"""Signs and the derivatives that stand in for theirs."""

import numpy as np
import pytest

from nncore.estimators import signs, surrogate

X = np.array([-1.5, -1.0, -0.2, -0.0, 0.0, 0.4, 1.0, 3.0])


def test_the_sign_of_zero_is_one():
    assert np.array_equal(signs(X), [-1, -1, -1, 1, 1, 1, 1, 1])


def test_straight_through_passes_up_to_one():
    assert np.array_equal(surrogate(X, "straight_through", 0.5), [0, 1, 1, 1, 1, 1, 1, 0])


@pytest.mark.parametrize(("progress", "t"), [(0, 1e-3), (0.25, 1e-2), (0.75, 1), (1, 10)])
def test_error_decay_goes_from_the_identity_to_the_sign(progress, t):
    expected = max(1 / t, 1) * t * (1 - np.tanh(t * X) ** 2)
    assert np.allclose(surrogate(X, "error_decay", progress), expected, rtol=1e-12)


def test_the_precision_stays():
    x = X.astype("float32")
    assert signs(x).dtype == np.float32
    assert surrogate(x, "error_decay", 0.5).dtype == np.float32
    assert surrogate(x, "straight_through", 0.5).dtype == np.float32
