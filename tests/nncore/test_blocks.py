"""Blocks of columns and parts of rows: small enough products, and views only."""

import numpy as np
import pytest

from nncore.blocks import SMALL, in_blocks, in_parts, tiling


@pytest.mark.parametrize(
    ("units", "rows", "depth", "depth_back", "tiles"),
    [
        (128, 32, 193, 384, (64, 1)),
        (128, 32, 193, 512, (32, 1)),
        (256, 32, 513, 1024, (32, 1)),
        (256, 64, 513, 1024, (32, 2)),
        (256, 61, 1025, 1024, (256, 1)),
        (100, 32, 165, 400, (100, 1)),
    ],
)
def test_blocks_are_as_wide_as_small_products_allow(units, rows, depth, depth_back, tiles):
    width, parts = tiling(units, rows, depth, depth_back)
    assert (width, parts) == tiles
    assert width == units or rows // parts * depth * width <= SMALL


def test_blocks_are_views_of_columns_side_by_side():
    rows = np.arange(12).reshape(2, 6)
    blocks = in_blocks(rows, 3)
    assert blocks.tolist() == [[[0, 1, 2], [6, 7, 8]], [[3, 4, 5], [9, 10, 11]]]
    assert np.shares_memory(blocks, rows)


def test_parts_are_views_of_rows_below_each_other():
    rows = np.arange(12).reshape(4, 3)
    parts = in_parts(rows, 2)
    assert parts.tolist() == [rows[:2].tolist(), rows[2:].tolist()]
    assert np.shares_memory(parts, rows)
