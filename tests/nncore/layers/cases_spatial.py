"""Documents and input shapes of the layers that know space: convolutions, poolings, shapes."""


def row(kind: str, shape: list[int], **fields: object) -> tuple[dict, list[int]]:
    return {"type": kind, **fields}, shape


CONVOLUTIONS = [
    row("conv1d", [7, 3], filters=4, kernel_size=3),
    row("conv1d", [6, 1], filters=2, kernel_size=2, strides=2),
    row("conv1d", [7, 2], filters=3, kernel_size=4, padding="same"),
    row("conv1d", [8, 2], filters=3, kernel_size=3, strides=3, padding="same"),
    row("conv1d", [6, 2], filters=2, kernel_size=3, padding="causal"),
    row("conv1d", [7, 2], filters=2, kernel_size=2, padding="causal", dilation_rate=3),
    row("conv1d", [7, 2], filters=2, kernel_size=3, padding="causal", strides=2),
    row("conv1d", [9, 2], filters=2, kernel_size=3, strides=2, dilation_rate=2),
    row("conv1d", [5, 4], filters=6, kernel_size=2, groups=2),
    row("conv1d", [7, 4], filters=4, kernel_size=3, groups=2, strides=2, padding="same"),
    row("conv1d", [4, 2], filters=2, kernel_size=1, strides=2, use_bias=False),
    row("conv1d", [4, 2], filters=2, kernel_size=2, activation="tanh"),
    row("conv2d", [6, 7, 4], filters=4, kernel_size=3, groups=2, strides=[2, 1], padding="same"),
    row("conv2d", [9, 8, 2], filters=3, kernel_size=[3, 2], strides=2, dilation_rate=2),
    row("depthwise_conv2d", [4, 5, 3], kernel_size=3),
    row("depthwise_conv2d", [4, 5, 3], kernel_size=[2, 3], padding="same", depth_multiplier=2),
    row("depthwise_conv2d", [6, 5, 2], kernel_size=3, strides=2, padding="same", use_bias=False),
    row("depthwise_conv2d", [6, 7, 2], kernel_size=2, strides=[1, 3], dilation_rate=[2, 1]),
    row("depthwise_conv2d", [3, 3, 1], kernel_size=1, activation="tanh"),
    row("separable_conv2d", [4, 5, 3], filters=2, kernel_size=3),
    row("separable_conv2d", [5, 4, 2], filters=3, kernel_size=2, depth_multiplier=2, strides=2),
    row(
        "separable_conv2d",
        [5, 4, 2],
        filters=3,
        kernel_size=2,
        dilation_rate=2,
        padding="same",
        use_bias=False,
        activation="tanh",
    ),
]

TRANSPOSED = [
    row("conv1d_transpose", [4, 2], filters=3, kernel_size=3),
    row("conv1d_transpose", [4, 2], filters=3, kernel_size=3, strides=2),
    row("conv1d_transpose", [3, 2], filters=2, kernel_size=2, strides=3, padding="same"),
    row("conv1d_transpose", [3, 2], filters=2, kernel_size=3, dilation_rate=2, padding="same"),
    row("conv1d_transpose", [4, 2], filters=2, kernel_size=3, strides=2, output_padding=1),
    row(
        "conv1d_transpose",
        [4, 2],
        filters=2,
        kernel_size=4,
        strides=2,
        padding="same",
        output_padding=0,
        use_bias=False,
    ),
    row("conv2d_transpose", [3, 4, 2], filters=3, kernel_size=2),
    row("conv2d_transpose", [3, 4, 2], filters=3, kernel_size=3, strides=2, padding="same"),
    row("conv2d_transpose", [3, 2, 2], filters=2, kernel_size=[2, 3], strides=[3, 2]),
    row("conv2d_transpose", [3, 3, 2], filters=2, kernel_size=2, dilation_rate=[2, 1]),
    row(
        "conv2d_transpose",
        [3, 2, 2],
        filters=2,
        kernel_size=[4, 3],
        strides=2,
        padding="same",
        output_padding=[1, 0],
        activation="tanh",
    ),
]

POOLINGS = [
    row("max_pool1d", [6, 2]),
    row("max_pool1d", [7, 2], pool_size=3, strides=2, padding="same"),
    row("max_pool1d", [5, 2], pool_size=2, strides=3),
    row("avg_pool1d", [6, 2]),
    row("avg_pool1d", [7, 2], pool_size=3, strides=2, padding="same"),
    row("avg_pool1d", [6, 2], pool_size=3, strides=1),
    row("avg_pool2d", [4, 4, 2]),
    row("avg_pool2d", [4, 5, 2], pool_size=[2, 3], strides=1),
    row("avg_pool2d", [5, 6, 2], pool_size=3, strides=2, padding="same"),
    row("avg_pool2d", [4, 5, 1], pool_size=[3, 2], strides=1, padding="same"),
    row("min_pool2d", [4, 4, 2]),
    row("min_pool2d", [5, 6, 2], pool_size=3, strides=2, padding="same"),
]

CASES = CONVOLUTIONS + TRANSPOSED + POOLINGS
