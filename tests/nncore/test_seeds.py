"""Generators by name, and random rows that do not depend on the division of a batch."""

import numpy as np
import pytest

from nncore.seeds import bit_generator, generator, uniform_rows


def test_the_same_names_draw_the_same():
    assert np.array_equal(generator(1, "init", "a").random(9), generator(1, "init", "a").random(9))


@pytest.mark.parametrize("names", [(2, "init", "a"), (1, "init", "b"), (1, "a", "init"), (1, "in")])
def test_other_seeds_or_names_draw_otherwise(names):
    assert not np.array_equal(generator(1, "init", "a").random(9), generator(*names).random(9))


def test_a_stream_is_the_same_on_every_machine_and_release():
    assert generator(0, "init", "dense_1.kernel").integers(0, 1000, 4).tolist() == [
        749,
        987,
        932,
        166,
    ]


@pytest.mark.parametrize("width", [1, 2, 5, 8])
def test_rows_do_not_depend_on_where_a_batch_is_cut(width):
    whole = uniform_rows(bit_generator(3, "x"), 0, 10, width)
    assert whole.shape == (10, width)
    for cut in range(11):
        parts = (
            uniform_rows(bit_generator(3, "x"), 0, cut, width),
            uniform_rows(bit_generator(3, "x"), cut, 10 - cut, width),
        )
        assert np.array_equal(np.concatenate(parts), whole)
