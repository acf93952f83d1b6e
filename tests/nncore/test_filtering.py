"""Correlation with fewer multiplications gives what its formula says."""

import numpy as np
import pytest

from nncore import filtering
from nncore.correlation import correlate, correlate_back, kernel_gradient
from nncore.filtering import filter_gradient, filter_rows, worthwhile
from nncore.geometry import Geometry
from nncore.passes import Pass, Run
from nncore.windows import Windows
from nncore.workspace import Workspace
from tests.nncore.correlations import formula

GENERATOR = np.random.default_rng(4)


def a_pass():
    return Pass(Run(Workspace()), "conv", 0)


def geometry(image, size, padding="same", dilation=(1, 1)):
    return Geometry.over(Windows(size, (1, 1), padding, dilation), image)


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("dilation", [(1, 1), (2, 3), (3, 1)])
@pytest.mark.parametrize("size", [(2, 1), (3, 3), (4, 2), (5, 3)])
@pytest.mark.parametrize("chunk", [1, 1 << 20])
def test_outputs_and_gradients_are_those_of_the_formula(
    size, dilation, padding, chunk, monkeypatch
):
    monkeypatch.setattr(filtering, "_CHUNK_BYTES", chunk)
    monkeypatch.setattr(filtering, "_SMALL_PRODUCT", 2000)
    at = geometry((16, 13), size, padding, dilation)
    x = GENERATOR.normal(size=(3, 16, 13, 2))
    kernel, bias = GENERATOR.normal(size=(*size, 2, 4)), GENERATOR.normal(size=4)
    y, gradient = np.empty((3, *at.output, 4)), np.empty_like(kernel)
    filter_rows(x, kernel, bias, at, y, a_pass())
    assert np.allclose(y, formula(x, kernel, at) + bias, atol=1e-11)
    dy = GENERATOR.normal(size=y.shape)
    filter_gradient(x, dy, at, gradient, a_pass())
    step = GENERATOR.normal(size=kernel.shape)
    assert np.sum(gradient * step) == pytest.approx(np.sum(dy * formula(x, step, at)), rel=1e-9)


def test_single_precision_loses_little():
    at = geometry((32, 32), (3, 3))
    x = GENERATOR.normal(size=(2, 32, 32, 16)).astype("float32")
    kernel = GENERATOR.normal(size=(3, 3, 16, 8)).astype("float32")
    y = np.empty((2, 32, 32, 8), "float32")
    filter_rows(x, kernel, None, at, y, a_pass())
    exact = formula(x, kernel, at)
    assert np.abs(y - exact).max() < 4e-6 * np.abs(exact).max()


def test_what_is_left_of_other_layers_does_not_matter():
    at, p = geometry((8, 8), (3, 3)), a_pass()
    for name in ("spectrum", "products", "more", "framed", "tiles", "total"):
        p.scratch(name, (1 << 16,), np.dtype(float)).fill(np.nan)
    x, kernel = GENERATOR.normal(size=(2, 8, 8, 2)), GENERATOR.normal(size=(3, 3, 2, 2))
    y, gradient = np.empty((2, 8, 8, 2)), np.empty_like(kernel)
    filter_rows(x, kernel, None, at, y, p)
    filter_gradient(x, y, at, gradient, p)
    assert np.isfinite(y).all()
    assert np.isfinite(gradient).all()


@pytest.mark.parametrize(
    ("at", "channels", "pays"),
    [
        (geometry((32, 32), (3, 3)), 32, True),
        (geometry((32, 32), (1, 3)), 32, False),
        (geometry((32, 32), (7, 7)), 32, False),
        (geometry((5, 5), (3, 3), "valid"), 32, False),
        (geometry((32, 32), (3, 3)), 512, False),
        (geometry((32, 1), (3, 1), "causal"), 32, False),
        (Geometry.over(Windows((3, 3), (2, 2), "same"), (32, 32)), 32, False),
    ],
)
def test_it_is_used_where_it_pays(at, channels, pays):
    assert worthwhile(at, channels, channels) is pays


def test_correlations_use_it_both_ways():
    at = geometry((12, 12), (3, 3), "valid")
    x, kernel = GENERATOR.normal(size=(2, 12, 12, 2)), GENERATOR.normal(size=(3, 3, 2, 5))
    y, dx = np.empty((2, 10, 10, 5)), np.empty_like(x)
    correlate(x, kernel, at, 1, y, a_pass())
    dy = GENERATOR.normal(size=y.shape)
    correlate_back(dy, kernel, at, 1, dx, a_pass())
    gradient = np.empty_like(kernel)
    kernel_gradient(x, dy, at, 1, gradient, a_pass())
    assert np.sum(dx * x) == pytest.approx(np.sum(dy * y))
    assert np.sum(gradient * kernel) == pytest.approx(np.sum(dy * y))
