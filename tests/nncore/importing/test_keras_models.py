"""Keras' documents and weights, against what Keras predicts, and what cannot be imported."""

from __future__ import annotations

import contextlib
import copy
import json
import random

import numpy as np
import pytest

import nncore
from nncore import ArchitectureError, Network
from nncore.gradient_check import relative_error
from nncore.importing.keras_layers import LAYERS
from nncore.importing.keras_units import ACTIVATION_LAYERS, INITIALIZERS
from tests.nncore.references.import_cases import inputs
from tests.nncore.references.imported import DOCUMENTS, ONE_LAYER, imported, models

every_model = pytest.mark.parametrize("name", models("keras"))


def predictions(network, params, name):
    x = list(inputs(name).values())
    named = dict(zip(network.input_shapes, x, strict=True))
    y = network.predict(params, named if len(x) > 1 else x[0])
    return list(y.values()) if isinstance(y, dict) else [y]


@every_model
@pytest.mark.parametrize(("dtype", "within"), [("float64", 1e-9), ("float32", 1e-5)])
def test_an_imported_model_predicts_what_keras_predicts(name, dtype, within):
    weights, outputs = imported(f"keras {name}")
    network = Network.from_spec(nncore.from_keras_json(json.dumps(DOCUMENTS[name])))
    arrays = {path: value.astype(dtype) for path, value in weights.items()}
    params = nncore.weights_from_keras(network, arrays)
    network.check_weights(params)
    assert {value.dtype for value in params.values()} == {np.dtype(dtype)}
    found = predictions(network, params, name)
    assert len(found) == len(outputs)
    for y, expected in zip(found, outputs, strict=True):
        assert relative_error(y, expected) < within


@every_model
def test_weights_come_by_path_by_layer_or_in_order(name):
    weights, _ = imported(f"keras {name}")
    network = Network.from_spec(nncore.from_keras_json(DOCUMENTS[name]))
    by_path = nncore.weights_from_keras(network, weights)
    in_order = nncore.weights_from_keras(network, list(weights.values()))
    layers = {str(layer.name): [] for layer in network.spec.layers}
    for key, value in by_path.items():
        layers[key.partition(".")[0]].append(value)
    by_layer = nncore.weights_from_keras(network, layers)
    for other in (in_order, by_layer):
        assert list(other) == list(by_path)
        assert all(np.array_equal(other[key], by_path[key]) for key in by_path)


@every_model
def test_the_imported_document_survives_a_round_trip(name):
    spec = nncore.from_keras_json(DOCUMENTS[name])
    written = Network.from_spec(spec).to_spec()
    assert Network.from_spec(json.loads(json.dumps(written))).to_spec() == written


def test_a_chain_needs_no_names_of_inputs_and_no_defaults():
    spec = nncore.from_keras_json(DOCUMENTS["mlp"])
    assert spec == {
        "input": {"shape": [6]},
        "layers": [
            {
                "type": "dense",
                "name": "dense",
                "units": 8,
                "activation": "relu",
                "kernel_regularizer": {"type": "l2", "factor": 0.01},
            },
            {"type": "dropout", "name": "dropout", "rate": 0.3},
            {"type": "dense", "name": "dense_1", "units": 5, "kernel_initializer": "he_normal"},
            {
                "type": "activation",
                "name": "leaky_re_lu",
                "activation": {"type": "leaky_relu", "negative_slope": 0.3},
            },
            {"type": "dense", "name": "dense_2", "units": 3, "activation": "softmax"},
        ],
    }


def test_a_layer_called_twice_shares_its_weights_and_inner_models_are_spelled_out():
    spec = nncore.from_keras_json(DOCUMENTS["graph"])
    layers = {layer["name"]: layer for layer in spec["layers"]}
    assert spec["inputs"] == {"left": {"shape": [4]}, "right": {"shape": [4]}}
    assert spec["outputs"] == ["digit", "ink"]
    assert layers["tower_call_2"] == {
        "name": "tower_call_2",
        "shares": "tower",
        "inputs": ["right"],
    }
    inner = [name for name in layers if name.startswith("block_")]
    assert len(inner) == 4
    assert layers[inner[0]]["type"] == "dense"


@pytest.mark.parametrize("name", ONE_LAYER)
def test_a_layer_has_the_shapes_that_keras_says(name):
    document, (output, *weights) = ONE_LAYER[name]
    network = Network.from_spec(nncore.from_keras_json(document))
    assert list(network.output_shape) == output
    assert [list(shape) for shape in network.weight_shapes.values()] == weights


def test_every_layer_and_initializer_of_the_tables_is_recorded():
    starts = {f"initializer {name}" for name in INITIALIZERS}
    assert set(ONE_LAYER) == {*LAYERS, *ACTIVATION_LAYERS, *starts}


def test_options_have_the_names_and_values_of_ours():
    def layer(name):
        return nncore.from_keras_json(ONE_LAYER[name][0])["layers"][0]

    def start(name):
        return layer(f"initializer {name}").get("kernel_initializer", "glorot_uniform")

    assert layer("Dense")["activation"] == {
        "type": "relu",
        "max_value": 6,
        "negative_slope": 0.0,
        "threshold": 0.0,
    }
    assert layer("Conv2D")["kernel_size"] == [3, 2]
    assert layer("Conv2D")["dilation_rate"] == 2
    assert layer("Cropping2D")["cropping"] == [[1, 0], [2, 1]]
    assert layer("Bidirectional")["layer"] == {"type": "gru", "units": 2}
    assert layer("Bidirectional")["merge_mode"] == "ave"
    assert layer("GRU")["recurrent_regularizer"]["type"] == "l1"
    assert start("Orthogonal") == {"type": "orthogonal", "gain": 2.0}
    assert start("VarianceScaling") == {
        "type": "variance_scaling",
        "scale": 2.0,
        "mode": "fan_avg",
        "distribution": "uniform",
    }
    assert start("HeNormal") == "he_normal"


def changed(name, *path_and_value):
    """A recorded document with one value changed."""
    *path, last, value = path_and_value
    document = copy.deepcopy(DOCUMENTS[name])
    place = document["config"]["layers"]
    for step in path:
        place = place[step]
    place[last] = value
    return document


def config(index, option, value, name="mlp"):
    return changed(name, index, "config", option, value)


LAMBDA = {"module": "builtins", "class_name": "function", "config": "mine"}
REFUSED = [
    (changed("mlp", 2, "class_name", "AlphaDropout"), "/2/class_name", "rebuild it from these"),
    (config(1, "kernel_constraint", {}), "/1/config/kernel_constraint", "train without"),
    (config(1, "activation", "sparsemax"), "/1/config/activation", "known activations: linear"),
    (config(1, "activation", LAMBDA), "/1/config/activation", "a function of your own"),
    (config(1, "units", 0), "/1/config/units", "must be at least 1, got 0"),
    (config(1, "colour", 3), "/1/config/colour", "unknown option"),
    (config(1, "dtype", "int8"), "/1/config/dtype", "before it is quantized"),
    (config(1, "dtype", "cnn", "cnn"), "/1/config/dtype", "before it is quantized"),
    (config(1, "kernel_initializer", "x"), "/1/config/kernel_initializer", "expected an object"),
    (
        config(1, "kernel_regularizer", {"class_name": "Mine", "config": {}}),
        "/1/config/kernel_regularizer/class_name",
        "known: L1, L2, L1L2",
    ),
    (
        config(1, "data_format", "channels_first", "cnn"),
        "/1/config/data_format",
        'build the model with data_format="channels_last"',
    ),
    (
        config(5, "kernel_size", [9, 1], "cnn"),
        "/5/config/kernel_size",
        "9 is larger than the input's height 4",
    ),
    (config(2, "stateful", True, "lstm"), "/2/config/stateful", "starts afresh"),
    (config(2, "return_state", True, "lstm"), "/2/config/return_state", "only results"),
    (changed("lstm", 2, "config", "return_sequences", False), "/3", "lstm needs a sequence"),
    (config(2, "axis", [1, 1], "cnn"), "/2/config/axis", "expected an integer"),
    (changed("gru", 3, "config", "layer", "class_name", "Mine"), "/3/config/layer/class_name", ""),
    (
        changed("gru", 3, "config", "layer", "config", "units", 0),
        "/3/config/layer/config/units",
        "at least 1",
    ),
    (config(0, "dtype", "string", "cnn"), "/0/config/dtype", '"string" is not supported'),
]


@pytest.mark.parametrize(("document", "pointer", "words"), REFUSED)
def test_what_has_no_counterpart_is_refused_where_it_stands(document, pointer, words):
    with pytest.raises(ArchitectureError) as refused:
        nncore.from_keras_json(document)
    assert refused.value.pointer == f"/config/layers{pointer}"
    assert words in refused.value.detail


def of_graph(name, class_name):
    """The place of a layer in a recorded graph."""
    layers = DOCUMENTS[name]["config"]["layers"]
    return next(place for place, layer in enumerate(layers) if layer["class_name"] == class_name)


def test_directions_that_differ_are_refused():
    place = of_graph("text", "Bidirectional")
    document = changed("text", place, "config", "backward_layer", "config", "units", 4)
    with pytest.raises(ArchitectureError, match="another units than layer") as refused:
        nncore.from_keras_json(document)
    assert refused.value.pointer == f"/config/layers/{place}/config/backward_layer"


def test_a_call_with_more_than_inputs_is_refused():
    place = of_graph("text", "Dropout")
    document = changed("text", place, "inbound_nodes", 0, "kwargs", "training", True)
    with pytest.raises(ArchitectureError, match="with its inputs alone") as refused:
        nncore.from_keras_json(document)
    assert refused.value.pointer.endswith("/inbound_nodes/0/kwargs/training")


def test_an_operation_without_a_layer_is_refused():
    place = of_graph("graph", "Multiply")
    with pytest.raises(ArchitectureError, match='operation "Arctan2"') as refused:
        nncore.from_keras_json(changed("graph", place, "class_name", "Arctan2"))
    assert refused.value.pointer == f"/config/layers/{place}/class_name"


def test_a_layer_that_nothing_gives_is_refused():
    document = copy.deepcopy(DOCUMENTS["graph"])
    del document["config"]["layers"][of_graph("graph", "Add")]
    with pytest.raises(ArchitectureError, match="reads what no layer of the model gives"):
        nncore.from_keras_json(document)
    document["config"]["output_layers"] = [["nobody", 0, 0]]
    with pytest.raises(ArchitectureError, match='has no layer "nobody"') as refused:
        nncore.from_keras_json(document)
    assert refused.value.pointer == "/config/output_layers"


@pytest.mark.parametrize("text", ["{", b"\xff", "[]", '{"class_name": "Sequential"}', "{}"])
def test_anything_else_is_refused(text):
    with pytest.raises(ArchitectureError):
        nncore.from_keras_json(text)


def places(value, path=()):
    """The paths of everything in a document."""
    parts = value.items() if isinstance(value, dict) else enumerate(value)
    for key, part in parts:
        yield (*path, key)
        if isinstance(part, dict | list):
            yield from places(part, (*path, key))


STRANGE = [None, -1, 0, 3.5, "x", [], {}, [[]], True, 10**30, {"class_name": "x"}, [1, 2, 3]]


@pytest.mark.parametrize("seed", range(300))
def test_a_document_with_anything_wrong_in_it_is_read_or_refused(seed):
    chance = random.Random(seed)
    document = copy.deepcopy(chance.choice([*DOCUMENTS.values(), ONE_LAYER["Add"][0]]))
    *path, last = chance.choice(list(places(document)))
    place = document
    for step in path:
        place = place[step]
    if chance.random() < 0.25:
        del place[last]
    else:
        place[last] = chance.choice(STRANGE)
    with contextlib.suppress(ArchitectureError):
        nncore.from_keras_json(document)


def test_a_frozen_layer_stays_frozen():
    spec = nncore.from_keras_json(config(1, "trainable", False))
    assert [layer.get("trainable", True) for layer in spec["layers"]][:3] == [False, True, True]
    document = copy.deepcopy(DOCUMENTS["mlp"])
    document["config"]["trainable"] = False
    spec = nncore.from_keras_json(document)
    assert not any(layer["trainable"] for layer in spec["layers"])


def test_a_model_without_an_input_takes_the_shape_it_was_built_on():
    document = copy.deepcopy(DOCUMENTS["mlp"])
    del document["config"]["layers"][0]
    assert nncore.from_keras_json(document)["input"] == {"shape": [6]}
    del document["config"]["build_input_shape"]
    spec = nncore.from_keras_json(document)
    assert "input" not in spec
    assert Network.from_spec(spec, (6,)).output_shape == (3,)


class TestWeights:
    network = Network.from_spec(nncore.from_keras_json(DOCUMENTS["mlp"]))
    arrays = imported("keras mlp").weights

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            (lambda arrays: arrays.pop("mlp/dense/kernel"), "no array for dense.kernel"),
            (lambda arrays: arrays.update({"mlp/x/kernel": 1}), "no weight for 'mlp/x/kernel'"),
            (lambda arrays: arrays.update({"other/dense/kernel": 1}), "both mlp/dense/kernel and"),
            (
                lambda arrays: arrays.update({"mlp/dense/kernel": np.ones((6, 7))}),
                r"mlp/dense/kernel becomes dense.kernel, which has shape \(6, 8\)",
            ),
            (lambda arrays: arrays.update({"mlp/dense/bias": object()}), "is no array of numbers"),
            (
                lambda arrays: arrays.update({"mlp/dense/bias": np.array(["x"] * 8)}),
                "holds no numbers",
            ),
        ],
    )
    def test_arrays_that_do_not_fit_are_named(self, change, words):
        arrays = dict(self.arrays)
        change(arrays)
        with pytest.raises(ValueError, match=words):
            nncore.weights_from_keras(self.network, arrays)

    def test_too_few_or_too_many_arrays_are_counted(self):
        with pytest.raises(ValueError, match="has 6 weights, got 1 arrays"):
            nncore.weights_from_keras(self.network, [np.ones(3)])
        with pytest.raises(ValueError, match="layer 'dense' has 1 arrays"):
            nncore.weights_from_keras(self.network, {"dense": [np.ones(3)]})

    def test_states_of_dropout_and_optimizer_are_left_aside(self):
        others = {"mlp/dropout/seed_generator/seed_generator_state": 1, "optimizer/iteration": 2}
        params = nncore.weights_from_keras(self.network, {**others, **self.arrays})
        assert set(params) == set(self.network.weight_shapes)
