"""Orthogonal start values: lengths are kept, the draw favours no direction."""

import numpy as np
import pytest

from nncore.documents import parse
from nncore.initializers import Initializer


@pytest.mark.parametrize("shape", [(5, 5), (7, 3), (3, 7), (2, 3, 4), (1, 6)])
@pytest.mark.parametrize("gain", [1, 2.5])
def test_rows_or_columns_are_orthonormal(shape, gain):
    initializer = parse(Initializer, {"type": "orthogonal", "gain": gain})
    weight = initializer.draw(np.random.default_rng(0), shape, np.dtype("float64"))
    assert weight.shape == shape
    assert weight.flags.c_contiguous
    assert weight.flags.writeable
    matrix = weight.reshape(-1, shape[-1])
    small = matrix.T @ matrix if len(matrix) >= shape[-1] else matrix @ matrix.T
    assert small == pytest.approx(gain**2 * np.eye(len(small)), abs=1e-12)


def test_signs_are_not_those_of_the_decomposition():
    initializer, rng = parse(Initializer, "orthogonal"), np.random.default_rng(0)
    corners = [initializer.draw(rng, (3, 3), np.dtype("float64"))[0, 0] for _ in range(50)]
    assert 10 < sum(corner > 0 for corner in corners) < 40
