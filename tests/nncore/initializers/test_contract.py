"""What every initializer promises, from one table of names and variances."""

import numpy as np
import pytest

from nncore import registry
from nncore.documents import parse, to_document
from nncore.initializers import Initializer
from nncore.initializers.variance import fans

SHAPE = (3, 3, 40, 60)
FAN_IN, FAN_OUT = 9 * 40, 9 * 60
# Name, mean, variance and the largest distance from the mean in deviations.
CASES = [
    ("zeros", 0, 0, 0),
    ("ones", 1, 0, 0),
    ("glorot_uniform", 0, 2 / (FAN_IN + FAN_OUT), 3**0.5),
    ("glorot_normal", 0, 2 / (FAN_IN + FAN_OUT), 2 / 0.8796),
    ("he_uniform", 0, 2 / FAN_IN, 3**0.5),
    ("he_normal", 0, 2 / FAN_IN, 2 / 0.8796),
    ("random_uniform", 0, 0.1**2 / 12, 3**0.5),
    # As a matrix of 360 x 60 with orthonormal columns.
    ("orthogonal", 0, 1 / FAN_IN, 6),
]
every_case = pytest.mark.parametrize(
    ("name", "mean", "variance", "reach"), CASES, ids=[name for name, *_ in CASES]
)


def draw(name, dtype="float64", seed=0):
    return parse(Initializer, name).draw(np.random.default_rng(seed), SHAPE, np.dtype(dtype))


@every_case
def test_it_has_the_promised_mean_and_variance(name, mean, variance, reach):
    weight = draw(name)
    assert weight.shape == SHAPE
    assert weight.mean() == pytest.approx(mean, abs=1e-3)
    assert weight.var() == pytest.approx(variance, rel=0.02)
    assert np.abs(weight - mean).max() <= reach * variance**0.5 * (1 + 1e-9)


@every_case
def test_float32_weights_are_the_rounded_float64_ones(name, mean, variance, reach):
    assert draw(name, "float32").dtype == np.float32
    assert np.array_equal(draw(name, "float32"), draw(name).astype("float32"))


@every_case
def test_the_same_seed_draws_the_same(name, mean, variance, reach):
    assert np.array_equal(draw(name), draw(name))
    assert variance == 0 or not np.array_equal(draw(name), draw(name, seed=1))


@every_case
def test_the_document_survives_a_round_trip(name, mean, variance, reach):
    initializer = parse(Initializer, name)
    assert parse(Initializer, to_document(initializer)) == initializer


def test_every_registered_initializer_has_a_row():
    assert {name for name, *_ in CASES} == set(registry.units(Initializer))


@pytest.mark.parametrize(
    ("shape", "expected"),
    [((5, 7), (5, 7)), ((3, 2, 5, 7), (30, 42)), ((4,), (4, 4)), ((), (1, 1))],
)
def test_the_taps_of_a_kernel_count_on_both_sides(shape, expected):
    assert fans(shape) == expected
