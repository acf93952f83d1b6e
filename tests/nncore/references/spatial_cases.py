"""Cases of convolutions, poolings and changes of size."""

from __future__ import annotations

from tests.nncore.references.layer_cases import masked, one, wide

_DEPTHWISE = "depthwise_conv2d"
_SEPARABLE = "separable_conv2d"
_TRANSPOSED = "conv2d_transpose"

CONVOLUTIONS = [
    one([7, 2], "conv1d", filters=3, kernel_size=3),
    one([7, 2], "conv1d", filters=3, kernel_size=2, use_bias=False, activation="relu"),
    one([7, 2], "conv1d", filters=3, kernel_size=4, padding="same"),
    one([7, 2], "conv1d", filters=3, kernel_size=3, padding="same", strides=2),
    one([7, 2], "conv1d", filters=3, kernel_size=3, strides=3),
    one([7, 2], "conv1d", filters=3, kernel_size=3, padding="causal"),
    one([7, 2], "conv1d", filters=2, kernel_size=3, padding="causal", dilation_rate=2),
    one([7, 2], "conv1d", filters=2, kernel_size=3, padding="causal", strides=2),
    one([7, 2], "conv1d", filters=2, kernel_size=2, dilation_rate=3, padding="same"),
    one([7, 4], "conv1d", filters=6, kernel_size=2, groups=2),
    one([4, 5, 2], "conv2d", filters=3, kernel_size=2),
    one([4, 5, 2], "conv2d", filters=2, kernel_size=1, use_bias=False),
    one([4, 5, 2], "conv2d", filters=2, kernel_size=[3, 2], activation="tanh"),
    one([4, 5, 1], "conv2d", filters=2, kernel_size=3, padding="same"),
    one([5, 4, 2], "conv2d", filters=2, kernel_size=[2, 4], padding="same"),
    one([7, 6, 2], "conv2d", filters=2, kernel_size=[3, 2], strides=[2, 3]),
    one([6, 5, 2], "conv2d", filters=2, kernel_size=3, strides=2, padding="same"),
    one([5, 5, 2], "conv2d", filters=2, kernel_size=2, dilation_rate=[2, 1]),
    one([5, 6, 2], "conv2d", filters=2, kernel_size=3, dilation_rate=2, padding="same"),
    one([3, 4, 6], "conv2d", filters=4, kernel_size=2, groups=2, padding="same"),
    one([4, 4, 3], "conv2d", filters=6, kernel_size=3, groups=3, strides=2, padding="same"),
    one([5, 2], "conv1d_transpose", filters=3, kernel_size=3),
    one([5, 2], "conv1d_transpose", filters=3, kernel_size=3, strides=2),
    one([5, 2], "conv1d_transpose", filters=2, kernel_size=3, strides=2, padding="same"),
    one([5, 2], "conv1d_transpose", filters=2, kernel_size=2, dilation_rate=2),
    one(
        [5, 2],
        "conv1d_transpose",
        filters=2,
        kernel_size=3,
        strides=2,
        output_padding=1,
        use_bias=False,
        activation="tanh",
    ),
    one([3, 4, 2], _TRANSPOSED, filters=3, kernel_size=2),
    one([3, 4, 2], _TRANSPOSED, filters=3, kernel_size=3, use_bias=False, activation="sigmoid"),
    one([3, 4, 2], _TRANSPOSED, filters=2, kernel_size=3, padding="same"),
    one([3, 4, 2], _TRANSPOSED, filters=2, kernel_size=3, strides=2),
    one([3, 4, 2], _TRANSPOSED, filters=2, kernel_size=3, strides=2, padding="same"),
    one([3, 4, 2], _TRANSPOSED, filters=2, kernel_size=2, strides=2, padding="same"),
    one([3, 2, 2], _TRANSPOSED, filters=2, kernel_size=[4, 2], strides=[2, 1], padding="same"),
    one([3, 2, 2], _TRANSPOSED, filters=2, kernel_size=2, strides=3),
    one([3, 3, 2], _TRANSPOSED, filters=2, kernel_size=2, dilation_rate=2),
    one([3, 3, 2], _TRANSPOSED, filters=2, kernel_size=3, strides=2, output_padding=1),
    one(
        [3, 3, 2],
        _TRANSPOSED,
        filters=2,
        kernel_size=3,
        strides=2,
        padding="same",
        output_padding=1,
    ),
    wide([4, 5, 2], "binary_conv2d", filters=3, kernel_size=2),
    wide([4, 5, 2], "binary_conv2d", filters=2, kernel_size=2, strides=2, activation="tanh"),
    wide([4, 4, 4], "binary_conv2d", filters=2, kernel_size=3, padding="same", groups=2),
    wide([4, 5, 2], "binary_conv2d", filters=2, kernel_size=2, estimator="error_decay"),
    wide([5, 5, 2], "binary_conv2d", filters=2, kernel_size=2, dilation_rate=2, use_bias=False),
    wide([4, 5, 2], "binary_conv2d", filters=3, kernel_size=2, binary_inputs=False),
    wide([4, 5, 2], "binary_conv2d", filters=3, kernel_size=2, binary_weights=False),
    one([4, 5, 2], _DEPTHWISE, kernel_size=2),
    one([4, 5, 2], _DEPTHWISE, kernel_size=3, padding="same", depth_multiplier=2),
    one([5, 5, 3], _DEPTHWISE, kernel_size=[3, 2], strides=2, use_bias=False),
    one([5, 5, 2], _DEPTHWISE, kernel_size=2, dilation_rate=2, activation="relu"),
    one([5, 6, 2], _DEPTHWISE, kernel_size=3, strides=2, padding="same"),
    one([4, 5, 2], _SEPARABLE, filters=3, kernel_size=2),
    one([4, 5, 2], _SEPARABLE, filters=3, kernel_size=3, padding="same", depth_multiplier=2),
    one([5, 5, 2], _SEPARABLE, filters=2, kernel_size=3, strides=2, use_bias=False),
    one([5, 5, 2], _SEPARABLE, filters=2, kernel_size=2, dilation_rate=2, activation="tanh"),
]

POOLINGS = [
    case
    for kind in ("max", "avg")
    for case in (
        one([7, 2], f"{kind}_pool1d", pool_size=2),
        one([7, 2], f"{kind}_pool1d", pool_size=3, strides=1),
        one([7, 2], f"{kind}_pool1d", pool_size=3, strides=2, padding="same"),
        one([7, 2], f"{kind}_pool1d", pool_size=2, strides=3),
        one([4, 6, 2], f"{kind}_pool2d", pool_size=2),
        one([4, 5, 2], f"{kind}_pool2d", pool_size=[2, 3], strides=1),
        one([5, 6, 2], f"{kind}_pool2d", pool_size=3, strides=2, padding="same"),
        one([5, 4, 2], f"{kind}_pool2d", pool_size=2, strides=[1, 2], padding="same"),
        one([6, 7, 1], f"{kind}_pool2d", pool_size=2, strides=3),
        one([4, 3], f"global_{kind}_pool1d"),
        one([4, 3], f"global_{kind}_pool1d", keepdims=True),
        one([3, 4, 2], f"global_{kind}_pool2d"),
        one([3, 4, 2], f"global_{kind}_pool2d", keepdims=True),
    )
]

POOLINGS += [
    one([4, 6, 2], "min_pool2d"),
    one([5, 6, 2], "min_pool2d", pool_size=3, strides=2, padding="same"),
]

SIZES = [
    masked([4, 2], {"type": "global_avg_pool1d"}),
    one([3, 2], "up_sampling1d", size=3),
    one([2, 3, 2], "up_sampling2d"),
    one([2, 3, 2], "up_sampling2d", size=[3, 2]),
    one([3, 4, 2], "up_sampling2d", size=2, interpolation="bilinear"),
    one([3, 2], "zero_padding1d", padding=2),
    one([3, 2], "zero_padding1d", padding=[0, 2]),
    one([2, 3, 2], "zero_padding2d"),
    one([2, 3, 2], "zero_padding2d", padding=[1, 2]),
    one([2, 3, 2], "zero_padding2d", padding=[[1, 0], [2, 3]]),
    one([5, 2], "cropping1d", cropping=1),
    one([5, 2], "cropping1d", cropping=[0, 2]),
    one([4, 5, 2], "cropping2d", cropping=1),
    one([4, 5, 2], "cropping2d", cropping=[1, 2]),
    one([4, 5, 2], "cropping2d", cropping=[[1, 0], [2, 1]]),
]
