"""Whole networks in ONNX Runtime: graphs, masks that travel, sharing, and random documents."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from nncore import Network, to_onnx
from tests.nncore.onnx.runtime import check, draw
from tests.nncore.test_random_graphs import KINKED, MERGES, specs

IDS = [
    {"input": np.array([[3, 1, 4, 1], [5, 2, 0, 0], [0, 6, 0, 7], [0, 0, 0, 0]], np.int32)},
    {"input": np.array([[1, 0, 0, 0, 0, 2], [0, 0, 0, 7, 7, 7]], np.int32)},
]
EMBEDDING = {"type": "embedding", "name": "e", "input_dim": 8, "output_dim": 3, "mask_zero": True}
LSTM = {"type": "lstm", "units": 3, "return_sequences": True}


@pytest.mark.parametrize(
    "layers",
    [
        [LSTM, {"type": "gru", "units": 2}],
        [LSTM, {"type": "global_avg_pool1d"}],
        [{"type": "global_max_pool1d", "keepdims": True}, {"type": "flatten"}],
        [{"type": "dense", "units": 2}, {"type": "batch_norm"}, {"type": "global_max_pool1d"}],
        [{**LSTM, "go_backwards": True}, {"type": "simple_rnn", "units": 2}],
        [{"type": "bidirectional", "layer": LSTM}, {"type": "bidirectional", "layer": LSTM}],
        [{"type": "masking"}, {**LSTM, "activation": "silu"}, {"type": "global_avg_pool1d"}],
        [
            {"type": "conv1d", "filters": 2, "kernel_size": 2, "padding": "causal"},
            {"type": "gru", "units": 2},
        ],
        [
            {"type": "gru", "units": 3, "return_sequences": True, "name": "g"},
            {"type": "add", "inputs": ["e", "g"]},
            {"type": "layer_norm"},
            {"type": "global_avg_pool1d"},
        ],
        [
            {"type": "concatenate", "axis": 1, "inputs": ["e", "e"]},
            {"type": "gru", "units": 2},
        ],
        [
            {"type": "up_sampling1d", "name": "u"},
            {"type": "concatenate", "axis": 1, "inputs": ["e", "u", "e"]},
            {"type": "lstm", "units": 2},
        ],
        [{"type": "dot", "axes": 2, "inputs": ["e", "e"]}, {"type": "flatten"}],
        [{"type": "dot", "axes": 1, "normalize": True, "inputs": ["e", "e"]}],
        [
            {"type": "time_distributed", "layer": {"type": "reshape", "target_shape": [3, 1]}},
            {"type": "time_distributed", "layer": {"type": "lstm", "units": 2}},
            {"type": "gru", "units": 2},
        ],
        [{"type": "permute", "dims": [2, 1]}, {"type": "activation", "activation": "softmax"}],
        [{"type": "reshape", "target_shape": [-1, 1]}],
        [{"type": "zero_padding1d"}, {"type": "cropping1d", "cropping": [2, 0]}],
    ],
)
def test_sequences_of_any_length_keep_their_masks(layers):
    check(Network.from_spec({"input": {"shape": [None]}, "layers": [EMBEDDING, *layers]}), IDS)


def test_masks_of_several_inputs_meet():
    spec = {
        "inputs": {"a": {"shape": [None]}, "b": {"shape": [4]}},
        "layers": [
            {**EMBEDDING, "name": "x", "inputs": ["a"]},
            {"shares": "x", "name": "y", "inputs": ["b"]},
            {"type": "multiply", "inputs": ["x", "y"]},
            {"type": "gru", "units": 2},
        ],
    }
    ids = IDS[0]["input"]
    check(Network.from_spec(spec), [{"a": ids, "b": ids[::-1].copy()}])


def test_inputs_outputs_and_shared_layers_keep_their_names():
    spec = {
        "inputs": {"left": {"shape": [4]}, "right": {"shape": [4]}, "1": {"shape": [2]}},
        "layers": [
            {"type": "dense", "units": 3, "name": "tower", "inputs": ["left"]},
            {"shares": "tower", "name": "twin", "inputs": ["right"]},
            {"type": "dot", "axes": 1, "name": "0", "inputs": ["tower", "twin"]},
            {"type": "add", "name": "sum", "inputs": ["0", "1"]},
            {"type": "dense", "units": 2, "inputs": ["sum"], "name": "-1"},
        ],
        "outputs": ["0", "-1", "tower"],
    }
    network = Network.from_spec(spec)
    check(network, [{n: draw(r, s, 0) for n, s in network.input_shapes.items()} for r in (3, 1)])
    model = onnx.load_from_string(to_onnx(network, network.init()))
    stored = sorted(one.name for one in model.graph.initializer if one.name.endswith("kernel"))
    assert stored == ["-1.kernel", "tower.kernel"]


def test_ids_are_read_as_numbers_where_a_layer_wants_numbers():
    spec = {
        "input": {"shape": [4], "dtype": "int32"},
        "layers": [
            {**EMBEDDING, "inputs": ["input"]},
            {"type": "gru", "units": 4},
            {"type": "dense", "units": 4, "name": "d", "inputs": ["input"]},
            {"type": "add", "inputs": ["d", "gru_1"]},
        ],
    }
    check(Network.from_spec(spec), IDS[:1])


def test_a_slope_for_the_whole_network_is_shared():
    adaptive = {"type": "adaptive", "scope": "network", "rowdy_terms": 1}
    layers = [{"type": "dense", "units": 3, "activation": adaptive} for _ in range(2)]
    network = Network.from_spec({"input": {"shape": [3]}, "layers": layers})
    check(network, [{"input": draw(4, [3], 0)}])


def test_a_residual_image_network_takes_images_of_any_size():
    spec = {
        "input": {"shape": [None, None, 2]},
        "layers": [
            {"type": "conv2d", "filters": 4, "kernel_size": 3, "padding": "same", "name": "c"},
            {"type": "batch_norm"},
            {"type": "activation", "activation": "relu"},
            {"type": "depthwise_conv2d", "kernel_size": 3, "padding": "same", "name": "d"},
            {"type": "add", "inputs": ["c", "d"]},
            {"type": "max_pool2d", "padding": "same"},
            {"type": "local_response_norm"},
            {"type": "group_norm", "groups": 2},
            {"type": "conv2d_transpose", "filters": 3, "kernel_size": 2, "strides": 2},
            {"type": "up_sampling2d", "interpolation": "bilinear"},
            {"type": "dropout", "rate": 0.5, "name": "map"},
            {"type": "global_avg_pool2d"},
            {"type": "dense", "units": 3, "activation": "softmax", "name": "class"},
        ],
        "outputs": ["class", "map"],
    }
    sizes = [(2, 6, 5), (1, 7, 8)]
    batches = [{"input": draw(rows, [height, width, 2], 0)} for rows, height, width in sizes]
    check(Network.from_spec(spec), batches)


@pytest.mark.parametrize("pool", ["max_pool2d", "min_pool2d", "avg_pool2d"])
@pytest.mark.parametrize("pool_size", [1, 3])
def test_zeros_around_an_image_take_part_in_its_pooling(pool, pool_size):
    layers = [
        {"type": "conv2d", "filters": 2, "kernel_size": 1, "bias_initializer": "ones"},
        {"type": "zero_padding2d", "padding": [[1, 0], [2, 1]]},
        {"type": pool, "pool_size": pool_size, "strides": 2},
    ]
    network = Network.from_spec({"input": {"shape": [5, 6, 1]}, "layers": layers})
    for sign in (1, -1):
        check(network, [{"input": sign * np.abs(draw(2, [5, 6, 1], 0))}], network.init())


EXTRA = [
    *KINKED,
    {"type": "lstm", "units": 2, "return_sequences": True, "activation": "gelu"},
    {"type": "time_distributed", "layer": {"type": "dense", "units": 2}},
    {"type": "avg_pool1d", "pool_size": 3, "strides": 1, "padding": "same"},
    {"type": "local_response_norm"},
]


@given(
    specs(extra=EXTRA, merges=[*MERGES, "maximum"]),
    st.integers(1, 5),
)
@settings(max_examples=60, deadline=None)
def test_random_graphs_give_the_same(spec, rows):
    network = Network.from_spec(spec)
    x = {name: draw(rows, shape, 0) for name, shape in network.input_shapes.items()}
    check(network, [x], network.init())


ACTIVATION = st.sampled_from(["tanh", "relu", "linear", "silu", "hard_sigmoid", "softmax", "elu"])
CELL = st.fixed_dictionaries(
    {
        "type": st.sampled_from(["simple_rnn", "lstm", "gru"]),
        "units": st.integers(1, 4),
        "activation": ACTIVATION,
        "use_bias": st.booleans(),
        "return_sequences": st.just(True),
        "zero_output_for_mask": st.booleans(),
    }
)
GATED = st.fixed_dictionaries(
    {
        "type": st.just("gru"),
        "units": st.integers(1, 4),
        "recurrent_activation": ACTIVATION,
        "reset_after": st.booleans(),
        "use_bias": st.booleans(),
        "return_sequences": st.just(True),
    }
)
DIRECTED = st.tuples(CELL | GATED, st.booleans()).map(
    lambda pair: {**pair[0], "go_backwards": pair[1]}
)
BOTH_WAYS = st.fixed_dictionaries(
    {
        "type": st.just("bidirectional"),
        "layer": CELL | GATED,
        "merge_mode": st.sampled_from(["concat", "sum", "mul", "ave"]),
    }
)
READER = st.one_of(
    (CELL | GATED).map(lambda cell: {**cell, "return_sequences": False}),
    st.sampled_from(["global_avg_pool1d", "global_max_pool1d"]).map(lambda name: {"type": name}),
)


@given(st.lists(DIRECTED | BOTH_WAYS, min_size=1, max_size=2), READER, st.booleans())
@settings(max_examples=60, deadline=None)
def test_random_recurrent_networks_give_the_same(layers, reader, masked):
    embedding = {**EMBEDDING, "mask_zero": masked}
    spec = {"input": {"shape": [None]}, "layers": [embedding, *layers, reader]}
    check(network := Network.from_spec(spec), IDS, network.init(1))


SIZES = st.integers(1, 3)
SLIDING = st.fixed_dictionaries(
    {"strides": SIZES, "padding": st.sampled_from(["valid", "same"])},
)
CONVOLUTION = st.one_of(
    st.tuples(
        st.sampled_from(["conv2d", "separable_conv2d", "conv2d_transpose"]), SLIDING, SIZES, SIZES
    ).map(lambda t: {"type": t[0], "filters": 2, "kernel_size": t[2], **t[1]}),
    st.tuples(st.integers(1, 3), st.integers(1, 3), st.sampled_from(["valid", "same"])).map(
        lambda t: {
            "type": "conv2d",
            "filters": 2,
            "kernel_size": t[0],
            "dilation_rate": t[1],
            "padding": t[2],
        }
    ),
    st.tuples(SLIDING, SIZES).map(
        lambda t: {"type": "depthwise_conv2d", "kernel_size": t[1], **t[0]}
    ),
    st.tuples(st.sampled_from(["max_pool2d", "avg_pool2d", "min_pool2d"]), SLIDING, SIZES).map(
        lambda t: {"type": t[0], "pool_size": t[2], **t[1]}
    ),
    st.just({"type": "zero_padding2d", "padding": [[1, 0], [2, 1]]}),
    st.just({"type": "up_sampling2d"}),
)


@given(st.lists(CONVOLUTION, min_size=1, max_size=4), st.booleans(), st.integers(9, 13))
@settings(max_examples=60, deadline=None)
def test_random_image_networks_give_the_same(layers, known, size):
    open_size = size if known else None
    ending = [{"type": "activation", "activation": "tanh"}, {"type": "global_max_pool2d"}]
    spec = {"input": {"shape": [open_size, open_size, 2]}, "layers": [*layers, *ending]}
    batch = {"input": draw(2, [size, size, 2], 0)}
    try:
        network = Network.from_spec(spec)
        network.check_inputs(batch)
    except ValueError:
        assume(False)  # nothing is left of the image
    check(network, [batch], network.init(2))
