"""Transposed convolution: the sizes that Keras documents, and the convolution it turns round."""

import numpy as np
import pytest

from nncore import ArchitectureError
from tests.nncore.layers.one_layer import OneLayer


@pytest.mark.parametrize(
    ("length", "kernel", "stride", "dilation", "padding", "extra", "expected"),
    [
        (4, 3, 1, 1, "valid", None, 6),
        (4, 3, 2, 1, "valid", None, 9),
        (4, 2, 3, 1, "valid", None, 12),
        (4, 3, 2, 1, "valid", 0, 9),
        (4, 3, 2, 1, "valid", 1, 10),
        (4, 3, 1, 2, "valid", None, 8),
        (4, 3, 1, 1, "same", None, 4),
        (4, 3, 2, 1, "same", None, 8),
        (4, 2, 3, 1, "same", None, 12),
        (4, 3, 2, 1, "same", 0, 7),
        (4, 3, 2, 1, "same", 1, 8),
        (4, 4, 2, 1, "same", 0, 6),
        (4, 4, 2, 1, "same", 1, 7),
        (4, 3, 1, 2, "same", None, 4),
        (None, 3, 2, 1, "same", None, None),
    ],
)
def test_its_length_is_that_of_keras(length, kernel, stride, dilation, padding, extra, expected):
    fields = {
        "filters": 2,
        "kernel_size": kernel,
        "strides": stride,
        "dilation_rate": dilation,
        "padding": padding,
        "output_padding": extra,
    }
    image = OneLayer("conv2d_transpose", [length, 2, 3], **fields)
    assert image.network.output_shape[0] == expected
    sequence = OneLayer("conv1d_transpose", [length, 3], **fields)
    assert sequence.network.output_shape == (expected, 2)
    if length:
        assert sequence.forward(np.ones((2, length, 3))).shape == (2, expected, 2)


def test_each_pixel_stamps_the_kernel():
    layer = OneLayer("conv2d_transpose", [2, 2, 1], filters=1, kernel_size=2, use_bias=False)
    layer.params["kernel"] = np.array([[1.0, 2], [3, 4]]).reshape(2, 2, 1, 1)
    y = layer.forward(np.array([[1.0, 10], [100, 1000]]).reshape(1, 2, 2, 1))
    assert np.array_equal(y[0, :, :, 0], [[1, 12, 20], [103, 1234, 2040], [300, 3400, 4000]])


@pytest.mark.parametrize("strides", [1, 2])
def test_valid_padding_turns_a_convolution_round(strides):
    rng = np.random.default_rng(0)
    size = 4 * strides + 3 - strides
    forth = OneLayer(
        "conv2d", [size, size, 2], filters=3, kernel_size=3, strides=strides, use_bias=False
    )
    back = OneLayer(
        "conv2d_transpose", [4, 4, 3], filters=2, kernel_size=3, strides=strides, use_bias=False
    )
    back.params = forth.params
    x, y = rng.normal(size=(2, size, size, 2)), rng.normal(size=(2, 4, 4, 3))
    forth.forward(x)
    assert np.allclose(back.forward(y), forth.backward(y)[0], atol=1e-12)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"output_padding": 2}, "layers[0].output_padding: 2 must be smaller than strides 2"),
        (
            {"output_padding": 0, "kernel_size": 4, "padding": "same"},
            "layers[0].output_padding: 0 leaves nothing of the output; leave it out",
        ),
    ],
)
def test_an_impossible_output_padding_is_refused(fields, words):
    with pytest.raises(ArchitectureError) as error:
        OneLayer(
            "conv2d_transpose",
            [1, 3, 1],
            **{"filters": 1, "kernel_size": 3, "strides": 2, **fields},
        )
    assert str(error.value) == words
