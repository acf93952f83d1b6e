"""Dilated correlations give what their formula says."""

import numpy as np
import pytest

from nncore.correlation import correlate, correlate_back
from nncore.filtering import worthwhile
from nncore.geometry import Geometry
from nncore.passes import Pass, Run
from nncore.phases import Phases
from nncore.windows import Windows
from nncore.workspace import Workspace
from tests.nncore.correlations import formula

GENERATOR = np.random.default_rng(7)


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("image", [(32, 32), (35, 29)])
@pytest.mark.parametrize("dilation", [(1, 2), (2, 2), (2, 3), (4, 4)])
def test_outputs_and_input_gradients_are_those_of_the_formula(dilation, image, padding):
    at = Geometry.over(Windows((3, 3), (1, 1), padding, dilation), image)
    p = Pass(Run(Workspace()), "conv", 0)
    for name in ("phases", "joined"):
        p.scratch(name, (1 << 16,), np.dtype(float)).fill(np.nan)
    x, kernel = GENERATOR.normal(size=(2, *image, 2)), GENERATOR.normal(size=(3, 3, 2, 5))
    y, dx, bias = np.empty((2, *at.output, 5)), np.empty_like(x), GENERATOR.normal(size=5)
    correlate(x, kernel, at, 1, y, p, bias)
    assert np.allclose(y, formula(x, kernel, at) + bias, atol=1e-11)
    dy = GENERATOR.normal(size=y.shape)
    correlate_back(dy, kernel, at, 1, dx, p)
    assert np.sum(dx * x) == pytest.approx(np.sum(dy * formula(x, kernel, at)))


def test_they_serve_dilated_rows_of_taps():
    at = Geometry.over(Windows((3, 3), (1, 1), "same", (4, 4)), (32, 32))
    assert worthwhile(at, 2, 5)
    assert Phases.serve(at)


def test_columns_alone_have_no_taps_to_bring_together():
    at = Geometry.over(Windows((3, 1), (1, 1), "same", (2, 2)), (32, 32))
    assert not Phases.serve(at)
