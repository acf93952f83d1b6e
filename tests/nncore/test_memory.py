"""Training takes about as much memory as is said before, and absurd windows are refused."""

import tracemalloc

import numpy as np
import pytest

from nncore import ArchitectureError, Network, fit

CONV = {"type": "conv2d", "filters": 8, "kernel_size": 3, "padding": "same"}
POOL = {"type": "max_pool2d", "pool_size": 3, "strides": 2, "padding": "same"}
DEPTHWISE = {"type": "depthwise_conv2d", "kernel_size": 3, "padding": "same"}
CAUSAL = {**CONV, "type": "conv1d", "padding": "causal"}
IMAGE = [32, 32, 8]


def peak(network: Network, batch: int) -> int:
    """Bytes that an epoch of two batches takes, weights included."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2 * batch, *network.input_shape))
    y = np.zeros((2 * batch, *network.output_shape))
    tracemalloc.start()
    params = network.init()
    list(fit(network, params, x, y, {"loss": "mean_squared_error", "batch_size": batch}))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most


@pytest.mark.parametrize(
    ("shape", "layers"),
    [
        ([64, 64, 3], [{**CONV, "kernel_size": 5}, POOL, "flatten", {"type": "dense", "units": 9}]),
        (IMAGE, [CONV] * 4),
        (IMAGE, [{**CONV, "dilation_rate": 40}]),
        (IMAGE, [CONV, {**POOL, "pool_size": 24}]),
        (IMAGE, [CONV, {"type": "avg_pool2d", "pool_size": 24, "padding": "same"}]),
        (IMAGE, [{**DEPTHWISE, "dilation_rate": 60}]),
        (IMAGE, [{**CONV, "type": "separable_conv2d", "depth_multiplier": 2}]),
        (IMAGE, [{**CONV, "type": "conv2d_transpose", "dilation_rate": 60}]),
        (IMAGE, [{**CONV, "type": "conv2d_transpose", "strides": 2, "dilation_rate": 30}]),
        ([512, 8], [{**CAUSAL, "dilation_rate": 64}]),
        (IMAGE, [CONV, {"type": "batch_norm"}, {"type": "activation", "activation": "gelu"}]),
        ([64, 32], [{"type": "lstm", "units": 32, "return_sequences": True}]),
        ([32], [{"type": "dense", "units": 1000}, {"type": "dense", "units": 1000}]),
    ],
)
def test_memory_is_at_most_about_what_is_said(shape, layers):
    network = Network.from_spec({"input": {"shape": shape}, "layers": layers})
    said, taken = network.memory_bytes(32), peak(network, 32)
    assert 0.3 * said < taken < 1.1 * said + (1 << 20), (said, taken)


HUGE = 10**9
ABSURD = [
    ([8, 8, 1], {**POOL, "pool_size": HUGE}, "pool_size"),
    ([8, 8, 1], {"type": "avg_pool2d", "pool_size": 10**5, "padding": "same"}, "pool_size"),
    ([8, 1], {"type": "max_pool1d", "pool_size": HUGE, "padding": "same"}, "pool_size"),
    ([8, 1], {"type": "avg_pool1d", "pool_size": 2000, "padding": "same"}, "pool_size"),
    ([None, 1], {"type": "max_pool1d", "pool_size": HUGE}, "pool_size"),
    ([8, 8, 1], {**CONV, "dilation_rate": 10**5}, "dilation_rate"),
    ([8, 8, 1], {**CONV, "kernel_size": [10**5, 1]}, "kernel_size"),
    ([8, 1], {**CAUSAL, "dilation_rate": HUGE}, "dilation_rate"),
    ([None, 1], {**CONV, "type": "conv1d", "dilation_rate": HUGE}, "dilation_rate"),
    ([8, 8, 1], {**DEPTHWISE, "dilation_rate": HUGE}, "dilation_rate"),
    ([8, 8, 1], {**DEPTHWISE, "type": "separable_conv2d", "filters": 1, "dilation_rate": HUGE},
     "dilation_rate"),
    ([8, 8, 1], {**CONV, "type": "conv2d_transpose", "dilation_rate": HUGE}, "dilation_rate"),
    ([None, None, 1], {**CONV, "type": "conv2d_transpose", "strides": HUGE}, "strides"),
    ([None, 1], {"type": "conv1d_transpose", "filters": 1, "kernel_size": 2, "dilation_rate": HUGE},
     "dilation_rate"),
    ([None, None, 1], {"type": "zero_padding2d", "padding": HUGE}, "padding"),
    ([None, 1], {"type": "zero_padding1d", "padding": HUGE}, "padding"),
    ([None, None, 1], {"type": "up_sampling2d", "size": HUGE}, "size"),
    ([None, 1], {"type": "up_sampling1d", "size": HUGE}, "size"),
]  # fmt: skip


@pytest.mark.parametrize(("shape", "layer", "field"), ABSURD)
def test_windows_and_margins_beyond_any_sensible_size_are_refused(shape, layer, field):
    with pytest.raises(ArchitectureError) as error:
        Network.from_spec({"input": {"shape": shape}, "layers": [layer]})
    assert error.value.pointer == f"/layers/0/{field}"
    assert "allowed" in error.value.detail


def test_large_windows_over_small_images_are_no_problem():
    layers = [
        {**CONV, "dilation_rate": 36},  # as at the end of networks that see much at once
        {"type": "conv2d", "filters": 1, "kernel_size": 31, "padding": "same"},
        {"type": "max_pool2d", "pool_size": 20, "padding": "same"},
    ]
    network = Network.from_spec({"input": {"shape": [8, 8, 1]}, "layers": layers})
    assert network.output_shape == (1, 1, 1)
    network.check_memory(2, 1 << 26)


def test_what_is_padded_far_is_refused_by_its_memory():
    layers = [{**DEPTHWISE, "dilation_rate": 500}]
    network = Network.from_spec({"input": {"shape": [8, 8, 64]}, "layers": layers})
    with pytest.raises(ArchitectureError) as error:
        network.check_memory(2, 1 << 27)
    assert error.value.pointer == "/layers/0"
