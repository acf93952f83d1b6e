"""Documents of recurrent layers and wrappers: their weights, and what is refused where."""

from __future__ import annotations

import numpy as np
import pytest

from nncore import ArchitectureError, Network
from nncore.documents import json_schema
from nncore.layers import Layer


@pytest.mark.parametrize(
    ("kind", "count"),
    [("simple_rnn", 16 * 32 + 32 * 32 + 32), ("lstm", 4 * 49 * 32), ("gru", 3 * 50 * 32)],
)
def test_parameters_are_counted_as_in_keras(kind, count):
    network = Network.from_spec(
        {"input": {"shape": [None, 16]}, "layers": [{"type": kind, "units": 32}]}
    )
    assert network.parameter_count == count


def test_the_forget_gate_starts_with_bias_one():
    layers = [
        {"type": "lstm", "units": 2, "return_sequences": True},
        {"type": "lstm", "units": 2, "unit_forget_bias": False},
    ]
    params = Network.from_spec({"input": {"shape": [3, 1]}, "layers": layers}).init()
    assert params["lstm_1.bias"].tolist() == [0, 0, 1, 1, 0, 0, 0, 0]
    assert not params["lstm_2.bias"].any()


def test_recurrent_weights_start_orthogonal():
    network = Network.from_spec(
        {"input": {"shape": [3, 1]}, "layers": [{"type": "gru", "units": 4}]}
    )
    recurrent = network.init(0, "float64")["gru_1.recurrent_kernel"]
    assert recurrent @ recurrent.T == pytest.approx(np.eye(4), abs=1e-12)


REFUSED = [
    ({"type": "lstm", "units": 3}, [4], "", "needs a sequence [steps, features]"),
    ({"type": "gru", "units": 3}, [2, 4, 3], "", "needs a sequence [steps, features]"),
    ({"type": "gru", "units": 3, "dropout": 1}, [4, 2], "/dropout", "below 1"),
    ({"type": "lstm", "units": 0}, [4, 2], "/units", "at least 1"),
    ({"type": "lstm", "units": 3, "activation": "prelu"}, [4, 2], "/activation", "of its own"),
    (
        {"type": "gru", "units": 3, "recurrent_activation": "prelu"},
        [4, 2],
        "/recurrent_activation",
        "of its own",
    ),
    ({"type": "bidirectional", "layer": {"type": "gru"}}, [4, 2], "/layer/units", "is required"),
    (
        {"type": "bidirectional", "layer": {"type": "gru", "units": 3, "unit": 1}},
        [4, 2],
        "/layer/unit",
        'did you mean "units"',
    ),
    (
        {"type": "bidirectional", "layer": {"type": "dense", "units": 3}},
        [4, 2],
        "/layer/type",
        "needs a recurrent layer, got dense",
    ),
    (
        {"type": "bidirectional", "layer": {"type": "gru", "units": 3, "go_backwards": True}},
        [4, 2],
        "/layer/go_backwards",
        "leave it out",
    ),
    (
        {"type": "bidirectional", "layer": {"type": "gru", "units": 3, "name": "inner"}},
        [4, 2],
        "/layer/name",
        "belongs to the layer around it",
    ),
    (
        {"type": "bidirectional", "layer": {"type": "gru", "units": 3}, "merge_mode": "max"},
        [4, 2],
        "/merge_mode",
        '"concat"',
    ),
    (
        {"type": "time_distributed", "layer": {"type": "conv2d", "filters": 1, "kernel_size": 9}},
        [4, 5, 5, 1],
        "/layer/kernel_size",
        "9",
    ),
    (
        {"type": "time_distributed", "layer": {"type": "dense", "units": 1}},
        [4],
        "",
        "needs a shape [steps, ...]",
    ),
    (
        {"type": "time_distributed", "layer": {"type": "dense", "units": 1, "trainable": False}},
        [4, 2],
        "/layer/trainable",
        "belongs to the layer around it",
    ),
    ({"type": "time_distributed", "layer": "add"}, [4, 2], "/layer/type", "of one input, got add"),
    ({"type": "masking"}, [4], "", "needs a sequence [steps, features]"),
]


@pytest.mark.parametrize(("document", "shape", "pointer", "words"), REFUSED)
def test_what_cannot_be_is_refused_where_it_stands(document, shape, pointer, words):
    with pytest.raises(ArchitectureError) as error:
        Network.from_spec({"input": {"shape": shape}, "layers": [document]})
    assert error.value.pointer == f"/layers/0{pointer}"
    assert words in error.value.detail


def test_no_steps_are_refused():
    network = Network.from_spec(
        {"input": {"shape": [None, 2]}, "layers": [{"type": "lstm", "units": 3}]}
    )
    with pytest.raises(ValueError, match="lstm needs at least one step, got none"):
        network.predict(network.init(), np.zeros((2, 0, 2)))


def test_the_schema_of_a_wrapper_holds_every_layer():
    schema = json_schema(Layer)
    inner = schema["$defs"]["Layer.bidirectional"]["properties"]["layer"]
    assert inner == {"$ref": "#/$defs/Layer"}
    assert {"$ref": "#/$defs/Layer.lstm"} in schema["$defs"]["Layer"]["anyOf"]


def test_a_loss_knows_the_softmax_of_every_step():
    layers = [{"type": "time_distributed", "layer": {"type": "dense", "units": 3}}]
    layers[0]["layer"]["activation"] = "softmax"
    network = Network.from_spec({"input": {"shape": [4, 2]}, "layers": layers})
    assert network.final_activation == "softmax"


def test_memory_counts_what_goes_back_in_time():
    def needed(**fields):
        layers = [{"type": "lstm", "units": 8, **fields}]
        network = Network.from_spec({"input": {"shape": [100, 4]}, "layers": layers})
        return network.memory_bytes(32) - network.memory_bytes(0)

    assert needed() > 4 * 32 * 100 * 8 * 8
