"""Correlation with fewer multiplications along both axes gives what its formula says."""

import numpy as np
import pytest

from nncore import Network, patches
from nncore.correlation import correlate, correlate_back, kernel_gradient
from nncore.geometry import Geometry
from nncore.passes import Pass, Run
from nncore.patches import filter_images, images_gradient
from nncore.tilings import Tiling, tiling
from nncore.windows import Windows
from nncore.workspace import Workspace
from tests.nncore.correlations import formula

GENERATOR = np.random.default_rng(5)


def a_pass(fixed=False):
    return Pass(Run(Workspace(), fixed=fixed), "conv", 0)


def geometry(image, size, padding="same", strides=(1, 1), dilation=(1, 1)):
    return Geometry.over(Windows(size, strides, padding, dilation), image)


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize(
    ("size", "outputs"), [((3, 3), (2, 2)), ((3, 3), (4, 3)), ((5, 2), (2, 5)), ((4, 5), (3, 2))]
)
@pytest.mark.parametrize("chunk", [1, 1 << 13, 1 << 20])
def test_outputs_and_gradients_are_those_of_the_formula(size, outputs, padding, chunk, monkeypatch):
    monkeypatch.setattr(patches, "_CHUNK_BYTES", chunk)
    monkeypatch.setattr(patches, "_SMALL_PRODUCT", 2000)
    at = geometry((16, 13), size, padding)
    tiles = Tiling.of(at, outputs)
    x = GENERATOR.normal(size=(3, 16, 13, 2))
    kernel, bias = GENERATOR.normal(size=(*size, 2, 4)), GENERATOR.normal(size=4)
    y, gradient = np.empty((3, *at.output, 4)), np.empty_like(kernel)
    filter_images(x, kernel, bias, tiles, y, a_pass())
    assert np.allclose(y, formula(x, kernel, at) + bias, atol=1e-10)
    dy = GENERATOR.normal(size=y.shape)
    images_gradient(x, dy, tiles, gradient, a_pass())
    step = GENERATOR.normal(size=kernel.shape)
    assert np.sum(gradient * step) == pytest.approx(np.sum(dy * formula(x, step, at)), rel=1e-9)


@pytest.mark.parametrize("size", [3, 5])
def test_single_precision_loses_little(size):
    at = geometry((16, 16), (size, size))
    x = GENERATOR.normal(size=(2, 16, 16, 64)).astype("float32")
    kernel = GENERATOR.normal(size=(size, size, 64, 64)).astype("float32")
    y, chosen = np.empty_like(x), tiling(at, 64, 64)
    assert chosen is not None
    filter_images(x, kernel, None, chosen, y, a_pass())
    exact = formula(x, kernel, at)
    assert np.abs(y - exact).max() < 2e-5 * np.abs(exact).max()


def test_what_is_left_of_other_layers_does_not_matter():
    at, p = geometry((8, 8), (3, 3)), a_pass()
    for name in ("spectrum", "products", "more", "framed", "tiles", "total", "half", "taps"):
        p.scratch(name, (1 << 16,), np.dtype(float)).fill(np.nan)
    x, kernel = GENERATOR.normal(size=(2, 8, 8, 2)), GENERATOR.normal(size=(3, 3, 2, 2))
    y, gradient, tiles = np.empty((2, 8, 8, 2)), np.empty_like(kernel), Tiling.of(at, (3, 3))
    filter_images(x, kernel, None, tiles, y, p)
    images_gradient(x, y, tiles, gradient, p)
    assert np.isfinite(y).all()
    assert np.isfinite(gradient).all()


@pytest.mark.parametrize(
    ("at", "channels", "outputs"),
    [
        (geometry((16, 16), (3, 3)), 64, (4, 4)),
        (geometry((13, 13), (3, 3)), 384, (2, 2)),
        (geometry((27, 27), (5, 5)), 128, (2, 2)),
        (geometry((16, 16), (3, 3)), 32, None),
        (geometry((16, 16), (3, 3)), 1024, None),
        (geometry((16, 16), (7, 7)), 64, None),
        (geometry((16, 16), (3, 1)), 64, None),
        (geometry((16, 16), (3, 3), strides=(2, 2)), 64, None),
        (geometry((16, 16), (3, 3), dilation=(2, 2)), 64, None),
        (geometry((3, 3), (3, 3), "valid"), 64, None),
        (geometry((16, 1), (3, 1), "causal"), 64, None),
    ],
)
def test_tiles_are_as_large_as_pays(at, channels, outputs):
    chosen = tiling(at, channels, channels)
    assert (chosen and chosen.outputs) == outputs


def test_correlations_use_it_both_ways():
    at = geometry((12, 12), (3, 3), "valid")
    x, kernel = GENERATOR.normal(size=(2, 12, 12, 64)), GENERATOR.normal(size=(3, 3, 64, 65))
    y, dx, gradient = np.empty((2, 10, 10, 65)), np.empty_like(x), np.empty_like(kernel)
    correlate(x, kernel, at, 1, y, a_pass())
    assert np.allclose(y, formula(x, kernel, at), atol=1e-9)
    dy = GENERATOR.normal(size=y.shape)
    correlate_back(dy, kernel, at, 1, dx, a_pass())
    kernel_gradient(x, dy, at, 1, gradient, a_pass())
    assert np.sum(dx * x) == pytest.approx(np.sum(dy * y))
    assert np.sum(gradient * kernel) == pytest.approx(np.sum(dy * y))


def test_kernels_that_stay_as_they_are_are_prepared_once():
    at, kernel = geometry((8, 8), (3, 3)), GENERATOR.normal(size=(3, 3, 2, 2))
    counts = []
    for fixed in (False, True):
        p = a_pass(fixed)
        p.run.tape = []
        x, y = GENERATOR.normal(size=(2, 8, 8, 2)), np.empty((2, 8, 8, 2))
        filter_images(x, kernel, None, Tiling.of(at, (2, 2)), y, p)
        x[...] = GENERATOR.normal(size=x.shape)
        for call in p.run.tape:
            call()
        assert np.allclose(y, formula(x, kernel, at))
        counts.append(len(p.run.tape))
    assert counts[1] == counts[0] - 2


def test_predictors_of_images_of_several_sizes_keep_the_kernels_of_each():
    layers = [{"type": "conv2d", "filters": 64, "kernel_size": 3, "padding": "same"}]
    network = Network.from_spec({"input": {"shape": [None, None, 64]}, "layers": layers})
    params = network.init(dtype="float64")
    predictor = network.predictor(params, shards=1)
    batches = [GENERATOR.normal(size=(1, side, side, 64)) for side in (16, 6)]
    for x in (*batches, *batches):
        exact = formula(x, params["conv2d_1.kernel"], geometry(x.shape[1:3], (3, 3)))
        assert np.allclose(predictor(x), exact)
