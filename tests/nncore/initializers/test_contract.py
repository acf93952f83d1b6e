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
    ("lecun_uniform", 0, 1 / FAN_IN, 3**0.5),
    ("lecun_normal", 0, 1 / FAN_IN, 2 / 0.8796),
    ({"type": "constant", "value": 0.3}, 0.3, 0, 0),
    ("random_normal", 0, 0.05**2, 6),
    ({"type": "random_normal", "mean": 1.0, "stddev": 0.2}, 1, 0.04, 6),
    ({"type": "truncated_normal", "mean": -1.0, "stddev": 0.2}, -1, 0.04 * 0.8796**2, 2 / 0.8796),
    ("variance_scaling", 0, 1 / FAN_IN, 2 / 0.8796),
    (
        {"type": "variance_scaling", "scale": 2, "mode": "fan_out", "distribution": "uniform"},
        0,
        2 / FAN_OUT,
        3**0.5,
    ),
    (
        {
            "type": "variance_scaling",
            "mode": "fan_avg",
            "distribution": "untruncated_normal",
        },
        0,
        2 / (FAN_IN + FAN_OUT),
        6,
    ),
    ("he_uniform", 0, 2 / FAN_IN, 3**0.5),
    ("he_normal", 0, 2 / FAN_IN, 2 / 0.8796),
    ("random_uniform", 0, 0.1**2 / 12, 3**0.5),
    # As a matrix of 360 x 60 with orthonormal columns.
    ("orthogonal", 0, 1 / FAN_IN, 6),
]
every_case = pytest.mark.parametrize(
    ("name", "mean", "variance", "reach"), CASES, ids=[str(name) for name, *_ in CASES]
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
    named = {name if isinstance(name, str) else name["type"] for name, *_ in CASES}
    assert named | {"identity"} == set(registry.units(Initializer))


def test_the_identity_passes_its_input_through():
    initializer = parse(Initializer, {"type": "identity", "gain": 2})
    rng, dtype = np.random.default_rng(0), np.dtype("float32")
    assert np.array_equal(initializer.draw(rng, (2, 3), dtype), [[2, 0, 0], [0, 2, 0]])
    kernel = initializer.draw(rng, (3, 4, 2, 2), dtype)
    assert np.array_equal(kernel[1, 1], 2 * np.eye(2))
    assert kernel.sum() == 4
    assert kernel.dtype == np.float32


@pytest.mark.parametrize(
    ("shape", "expected"),
    [((5, 7), (5, 7)), ((3, 2, 5, 7), (30, 42)), ((4,), (4, 4)), ((), (1, 1))],
)
def test_the_taps_of_a_kernel_count_on_both_sides(shape, expected):
    assert fans(shape) == expected
