"""The norm of all gradients, and clipping by it."""

import numpy as np
import pytest

from nncore.gradients import clip, clip_each, clip_values, global_norm, layer_not_finite


def test_the_norm_is_that_of_all_gradients_as_one_vector():
    assert global_norm({"a": np.array([[3.0]]), "b": np.array([4.0, 0])}) == 5


def test_gradients_too_large_to_square_have_a_norm():
    assert global_norm({"a": np.full(4, 1e30, "float32")}) == pytest.approx(2e30, rel=1e-6)


def test_a_gradient_that_is_not_finite_shows_in_the_norm():
    assert np.isnan(global_norm({"a": np.array([1.0, np.nan])}))
    assert np.isinf(global_norm({"a": np.array([np.inf])}))


def test_clipping_scales_all_gradients_together():
    gradients = {"a": np.array([3.0]), "b": np.array([4.0])}
    clip(gradients, 5.0, 1.0)
    assert gradients["a"].item() == pytest.approx(0.6)
    assert gradients["b"].item() == pytest.approx(0.8)


def test_gradients_within_the_limit_are_left_alone():
    gradients = {"a": np.array([0.3])}
    clip(gradients, 0.3, 1.0)
    assert gradients["a"].item() == 0.3


def test_clipping_each_leaves_the_small_ones_alone():
    gradients = {"a": np.array([3.0, 4.0]), "b": np.array([0.5])}
    clip_each(gradients, 1.0)
    assert np.allclose(gradients["a"], [0.6, 0.8])
    assert gradients["b"].item() == 0.5


def test_clipping_values_cuts_elements_off():
    gradients = {"a": np.array([[3.0, -0.2], [-4.0, 0.5]], "float32")}
    clip_values(gradients, 0.5)
    assert np.allclose(gradients["a"], [[0.5, -0.2], [-0.5, 0.5]])
    assert gradients["a"].dtype == np.float32


def test_the_layer_of_a_layer_not_finite_is_named():
    gradients = {"dense_2.kernel": np.ones(2), "dense_1.bias": np.array([np.inf])}
    assert layer_not_finite(gradients) == "dense_1"
    assert layer_not_finite({"dense_2.kernel": np.ones(2)}) is None
