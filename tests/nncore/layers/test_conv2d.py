"""Convolution against its formula, written out as loops."""

import numpy as np
import pytest

from nncore import ArchitectureError, Network, correlation


def convolved(x, kernel, strides, dilation, pads):
    (top, bottom), (left, right) = pads
    x = np.pad(x, ((0, 0), (top, bottom), (left, right), (0, 0)))
    height, width = kernel.shape[:2]
    rows = (x.shape[1] - (height - 1) * dilation - 1) // strides + 1
    columns = (x.shape[2] - (width - 1) * dilation - 1) // strides + 1
    y = np.zeros((len(x), rows, columns, kernel.shape[3]))
    for row, column, i, j in np.ndindex(rows, columns, height, width):
        pixel = x[:, row * strides + i * dilation, column * strides + j * dilation]
        y[:, row, column] += pixel @ kernel[i, j]
    return y


def network(shape, **fields):
    layer = {"type": "conv2d", "filters": 4, "kernel_size": 3, **fields}
    return Network.from_spec({"input": {"shape": shape}, "layers": [layer]})


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    ("fields", "pads"),
    [
        ({}, ((0, 0), (0, 0))),
        ({"strides": 2}, ((0, 0), (0, 0))),
        ({"padding": "same"}, ((1, 1), (1, 1))),
        ({"padding": "same", "strides": 2}, ((0, 1), (1, 1))),
        ({"padding": "same", "dilation_rate": 2}, ((2, 2), (2, 2))),
    ],
)
def test_it_computes_the_formula(channels, fields, pads):
    net = network([8, 7, channels], **fields)
    params = net.init(1, "float64")
    x = np.random.default_rng(0).normal(size=(2, 8, 7, channels))
    expected = convolved(
        x, params["conv2d_1.kernel"], fields.get("strides", 1), fields.get("dilation_rate", 1), pads
    )
    assert np.allclose(net.predict(params, x), expected, atol=1e-12)


@pytest.mark.parametrize("tile_bytes", [1, 2000, 5000])
def test_the_size_of_tiles_changes_nothing(tile_bytes, monkeypatch):
    net = network([6, 5, 2], padding="same")
    params = net.init(1, "float64")
    x = np.random.default_rng(0).normal(size=(3, 6, 5, 2))
    y = np.random.default_rng(1).normal(size=(3, 6, 5, 4))
    loss, gradients = net.loss_and_grads(params, x, y)
    monkeypatch.setattr(correlation, "_TILE_BYTES", tile_bytes)
    tiled_loss, tiled = net.loss_and_grads(params, x, y)
    assert tiled_loss == pytest.approx(loss, rel=1e-13)
    for name, gradient in gradients.items():
        assert np.allclose(tiled[name], gradient, atol=1e-13)


@pytest.mark.parametrize(
    ("fields", "pointer", "words"),
    [
        (
            {"kernel_size": 5},
            "/layers/0/kernel_size",
            '5 is larger than the input\'s height 3; use padding "same" or a smaller kernel',
        ),
        (
            {"kernel_size": [3, 2], "dilation_rate": [1, 4]},
            "/layers/0/kernel_size",
            "5 is larger than the input's width 4",
        ),
        ({"groups": 3}, "/layers/0/groups", "3 does not divide the input's channels 2"),
        (
            {"groups": 2, "filters": 3},
            "/layers/0/groups",
            "2 does not divide the filters 3",
        ),
        ({"strides": 0}, "/layers/0/strides", "must be at least 1, got 0"),
        ({"padding": "full"}, "/layers/0/padding", 'expected "valid" or "same", got "full"'),
    ],
)
def test_an_impossible_layer_is_refused_with_its_mend(fields, pointer, words):
    with pytest.raises(ArchitectureError) as error:
        network([3, 4, 2], **fields)
    assert error.value.pointer == pointer
    assert words in error.value.detail


def test_a_vector_is_no_image():
    with pytest.raises(ArchitectureError) as error:
        network([64])
    assert error.value.pointer == "/layers/0"
    assert "needs an image [height, width, channels], got shape [64]" in error.value.detail


def test_an_image_of_variable_size_keeps_it_open():
    net = network([None, None, 2], padding="same")
    assert net.output_shape == (None, None, 4)
    x = np.ones((1, 6, 9, 2), "float32")
    assert net.predict(net.init(), x).shape == (1, 6, 9, 4)


def test_an_image_that_turns_out_too_small_is_refused():
    net = network([None, None, 2])
    with pytest.raises(ValueError, match="3 is larger than the input's height 2"):
        net.predict(net.init(), np.ones((1, 2, 9, 2)))
