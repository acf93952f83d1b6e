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


SHAPES = [
    row("reshape", [2, 6], target_shape=[3, 4]),
    row("reshape", [2, 3, 4], target_shape=[-1, 2]),
    row("reshape", [4], target_shape=[2, -1, 1]),
    row("permute", [3, 2], dims=[2, 1]),
    row("permute", [2, 3, 4], dims=[3, 1, 2]),
    row("repeat_vector", [3], n=4),
    row("zero_padding1d", [4, 2]),
    row("zero_padding1d", [4, 2], padding=[0, 3]),
    row("zero_padding2d", [3, 4, 2]),
    row("zero_padding2d", [3, 4, 2], padding=[1, 0]),
    row("zero_padding2d", [3, 4, 2], padding=[[0, 1], [2, 3]]),
    row("cropping1d", [4, 2]),
    row("cropping1d", [5, 2], cropping=[0, 3]),
    row("cropping2d", [3, 4, 2]),
    row("cropping2d", [4, 4, 2], cropping=1),
    row("cropping2d", [4, 5, 2], cropping=[[0, 1], [2, 0]]),
    row("up_sampling1d", [3, 2]),
    row("up_sampling1d", [3, 2], size=3),
    row("up_sampling2d", [3, 2, 2]),
    row("up_sampling2d", [3, 2, 2], size=[1, 3]),
    row("up_sampling2d", [3, 4, 2], interpolation="bilinear"),
    row("up_sampling2d", [1, 3, 2], size=[2, 3], interpolation="bilinear"),
]

GLOBAL_POOLINGS = [
    row("global_avg_pool1d", [4, 3]),
    row("global_avg_pool1d", [4, 3], keepdims=True),
    row("global_avg_pool2d", [4, 3, 2]),
    row("global_avg_pool2d", [4, 3, 2], keepdims=True),
    row("global_max_pool1d", [4, 3]),
    row("global_max_pool1d", [4, 3], keepdims=True),
    row("global_max_pool2d", [4, 3, 2]),
    row("global_max_pool2d", [4, 3, 2], keepdims=True),
]

NORMALIZATIONS = [
    row("batch_norm", [3]),
    row("batch_norm", [4, 3], momentum=0.5, epsilon=0.1),
    row("batch_norm", [2, 3, 4], center=False),
    row("batch_norm", [2, 3, 4], scale=False, axis=1),
    row("batch_norm", [4, 3], center=False, scale=False),
    row("batch_norm", [4, 3], trainable=False),
    row("layer_norm", [5]),
    row("layer_norm", [4, 3], epsilon=0.1, center=False),
    row("layer_norm", [4, 3], axis=1),
    row("layer_norm", [4, 3, 2], axis=[1, -1], scale=False),
    row("layer_norm", [2, 3, 2], axis=[1, 2, 3]),
    row("group_norm", [4, 6], groups=2),
    (*row("group_norm", [4, 6], groups=2), "right"),
    (*row("group_norm", [4, 6], groups=3, scale=False), "holes"),
    row("group_norm", [3, 2, 4], groups=-1, center=False),
    row("group_norm", [3, 4], groups=1, scale=False),
    row("local_response_norm", [2, 3, 7], depth_radius=2, alpha=0.5, beta=0.75, bias=2),
    row("local_response_norm", [4]),
]

NOISES = [
    row("spatial_dropout1d", [4, 3], rate=0.4),
    row("spatial_dropout2d", [2, 3, 4], rate=0.4),
    row("spatial_dropout2d", [2, 3, 4], rate=0),
    row("gaussian_noise", [3, 5], stddev=0.5),
    row("gaussian_noise", [4], stddev=0),
    row("gaussian_dropout", [3, 5], rate=0.3),
    row("gaussian_dropout", [4], rate=0),
]

CASES = CONVOLUTIONS + TRANSPOSED + POOLINGS + SHAPES + GLOBAL_POOLINGS + NORMALIZATIONS + NOISES
