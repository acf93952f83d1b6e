"""Layers that move values about: reshape, permute, repeat, padding, cropping, up-sampling."""

import numpy as np
import pytest

from nncore import ArchitectureError, Network
from tests.nncore.layers.one_layer import OneLayer

IMAGE = np.arange(1.0, 13).reshape(1, 3, 4, 1)


def test_reshape_fills_in_the_size_that_follows():
    layer = OneLayer("reshape", [3, 4], target_shape=[2, -1])
    assert layer.network.output_shape == (2, 6)
    assert np.array_equal(layer.forward(IMAGE[..., 0])[0], np.arange(1.0, 13).reshape(2, 6))


def test_reshape_of_a_variable_size_stays_open_where_it_must():
    network = Network.from_spec(
        {
            "input": {"shape": [None, 4]},
            "layers": [{"type": "reshape", "target_shape": [-1, 2]}],
        }
    )
    assert network.output_shape == (None, 2)
    assert network.predict({}, np.ones((5, 3, 4))).shape == (5, 6, 2)


def test_permute_counts_axes_from_one():
    layer = OneLayer("permute", [2, 3, 4], dims=[3, 1, 2])
    x = np.random.default_rng(0).normal(size=(5, 2, 3, 4))
    assert np.array_equal(layer.forward(x), np.moveaxis(x, 3, 1))


def test_margins_are_given_as_one_number_two_or_four():
    sizes = [
        OneLayer("zero_padding2d", [3, 4, 1], padding=padding).network.output_shape
        for padding in (2, [1, 0], [[0, 1], [2, 3]])
    ]
    assert sizes == [(7, 8, 1), (5, 4, 1), (4, 9, 1)]


def test_cropping_takes_away_what_padding_adds():
    frame = [[0, 1], [2, 3]]
    padded = OneLayer("zero_padding2d", [3, 4, 1], padding=frame).forward(IMAGE)
    assert padded.sum() == IMAGE.sum()
    cropped = OneLayer("cropping2d", [4, 9, 1], cropping=frame).forward(padded)
    assert np.array_equal(cropped, IMAGE)


def test_nearest_repeats_and_bilinear_draws_lines():
    nearest = OneLayer("up_sampling2d", [1, 2, 1], size=[1, 2])
    lines = OneLayer("up_sampling2d", [1, 2, 1], size=[1, 4], interpolation="bilinear")
    x = np.array([1.0, 9]).reshape(1, 1, 2, 1)
    assert np.array_equal(nearest.forward(x).ravel(), [1, 1, 9, 9])
    assert np.array_equal(lines.forward(x).ravel(), [1, 1, 2, 4, 6, 8, 9, 9])


@pytest.mark.parametrize(
    ("kind", "shape", "fields", "words"),
    [
        (
            "reshape",
            [2, 3],
            {"target_shape": [4]},
            "layers[0].target_shape: [4] cannot hold the 6 values of the input's shape [2, 3]",
        ),
        (
            "reshape",
            [2, 3],
            {"target_shape": [4, -1]},
            "layers[0].target_shape: [4, -1] cannot hold the 6 values",
        ),
        ("reshape", [6], {"target_shape": [-1, -1]}, "layers[0].target_shape: only one size may"),
        ("reshape", [6], {"target_shape": [0, 6]}, "layers[0].target_shape: needs sizes of at"),
        ("permute", [2, 3], {"dims": [0, 1]}, "layers[0].dims[0]: must be at least 1, got 0"),
        (
            "permute",
            [2, 3],
            {"dims": [1, 1]},
            "layers[0].dims: [1, 1] must name each axis of the input's shape [2, 3] once",
        ),
        ("repeat_vector", [2, 3], {"n": 2}, "layers[0]: repeat_vector needs a vector [channels]"),
        (
            "cropping1d",
            [4, 2],
            {"cropping": 2},
            "layers[0].cropping: 4 leaves nothing of the input's length 4; crop less",
        ),
        ("zero_padding2d", [4, 4, 2], {"padding": -1}, "layers[0].padding: must be at least 0"),
        (
            "up_sampling2d",
            [4, 4, 2],
            {"interpolation": "bicubic"},
            'layers[0].interpolation: expected "nearest" or "bilinear", got "bicubic"',
        ),
    ],
)
def test_what_cannot_be_is_refused_with_its_mend(kind, shape, fields, words):
    with pytest.raises(ArchitectureError) as error:
        OneLayer(kind, shape, **fields)
    assert str(error.value).startswith(words)
