"""Instances in, answers out, with the preprocessing of the training."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from safetensors.numpy import save

from nncore.preprocessing import InputEncoder, InputOptions, TargetEncoder
from service.errors import Invalid
from service.models.prediction import LoadedModel, ModelCache

LENGTHS = np.array([1.0, 3.0])
KINDS = np.array(["elm", "oak"], object)


def text(*values):
    array = np.empty(len(values), object)
    array[:] = values
    return array


def encoder(scale="none", missing="mean"):
    """Fitted to one number column whose values are 1 and 3."""
    options = InputOptions.parse({"scale": scale, "missing": missing})
    return InputEncoder.fit({"length": LENGTHS}, {"length": "number"}, options)


def model(weights, link="none", target=None, inputs=None, activation=None):
    """One dense layer without a bias on a row of the weights' height."""
    kernel = np.array(weights, np.float32)
    layer = {"type": "dense", "units": kernel.shape[1], "use_bias": False, "activation": activation}
    document = {
        "inputs": (inputs or encoder()).to_document(),
        "target": target.to_document() if target else None,
        "link": link,
    }
    network = {"input": {"shape": [len(kernel)]}, "layers": [layer]}
    return LoadedModel.load(network, document, save({"dense_1.kernel": kernel}))


def labels(kind, *values):
    column = text(*values) if isinstance(values[0], str) else np.array(values, np.float64)
    column_type = "boolean" if isinstance(values[0], bool) else "number"
    return TargetEncoder.fit(kind, column, column_type)


def mistake(predict, instances):
    with pytest.raises(Invalid) as refusal:
        predict(instances)
    (found,) = refusal.value.mistakes
    return found.pointer, found.detail


def test_logits_become_probabilities_of_the_labels():
    classes = labels("classes", "ash", "elm", "oak")
    answer = model([[0.0, 0.0, math.log(2)]], "softmax", classes).predict([{"length": 1}])
    assert answer == [
        {
            "label": "oak",
            "score": pytest.approx(0.5),
            "probabilities": pytest.approx({"ash": 0.25, "elm": 0.25, "oak": 0.5}),
        }
    ]


def test_a_network_that_ends_in_softmax_needs_no_second_one():
    classes = labels("classes", "elm", "oak")
    found = model([[0.0, math.log(3)]], "none", classes, activation="softmax")
    assert found.predict([{"length": 1}])[0]["probabilities"] == pytest.approx(
        {"elm": 0.25, "oak": 0.75}
    )


def test_one_logit_tells_two_labels():
    classes = labels("binary", "elm", "oak")
    likely, unlikely = model([[math.log(3)]], "sigmoid", classes).predict(
        [{"length": 1}, {"length": -1}]
    )
    assert likely == {
        "label": "oak",
        "score": pytest.approx(0.75),
        "probabilities": pytest.approx({"elm": 0.25, "oak": 0.75}),
    }
    assert (unlikely["label"], unlikely["score"]) == ("elm", pytest.approx(0.75))


def test_labels_keep_their_type_and_are_written_as_json_in_the_probabilities():
    numbers = model([[1.0, 0.0]], "softmax", labels("classes", 3, 7)).predict([{"length": 1}])
    assert numbers[0]["label"] == 3
    assert set(numbers[0]["probabilities"]) == {"3", "7"}
    truth = model([[1.0]], "sigmoid", labels("binary", False, True)).predict([{"length": 1}])
    assert truth[0]["label"] is True
    assert set(truth[0]["probabilities"]) == {"false", "true"}


def test_values_that_a_squared_loss_left_outside_are_clipped_to_probabilities():
    classes = labels("binary", "elm", "oak")
    above, below = model([[1.5]], "clip", classes).predict([{"length": 1}, {"length": -1}])
    assert above["probabilities"] == {"elm": 0.0, "oak": 1.0}
    assert below["probabilities"] == {"elm": 1.0, "oak": 0.0}


def test_huge_logits_give_probabilities_all_the_same():
    classes = labels("classes", "elm", "oak")
    answer = model([[1e30, -1e30]], "softmax", classes).predict([{"length": 1}])[0]
    assert answer["probabilities"] == {"elm": 1.0, "oak": 0.0}
    binary = labels("binary", "elm", "oak")
    assert model([[1e30]], "sigmoid", binary).predict([{"length": 1}])[0]["score"] == 1.0


def test_a_regression_answers_a_number_in_the_targets_own_unit():
    target = TargetEncoder.fit("standard", np.array([10.0, 30.0]))
    assert model([[2.0]], "none", target).predict([{"length": 1}]) == [
        {"value": pytest.approx(20 + 2 * 10)}
    ]


def test_several_outputs_are_a_list():
    target = TargetEncoder.fit("identity", np.zeros((2, 2)))
    assert model([[1.0, 2.0]], "none", target).predict([{"length": 1}]) == [{"value": [1.0, 2.0]}]


def test_a_reconstruction_answers_what_it_sees():
    assert model([[1.0, 0.5]]).predict([{"length": 2}]) == [{"value": [2.0, 1.0]}]


def test_the_scale_of_the_training_is_replayed():
    target = TargetEncoder.fit("identity", np.zeros(2))
    scaled = model([[1.0]], "none", target, encoder("standard"))
    assert scaled.predict([{"length": 3}, {"length": 2}]) == [{"value": 1.0}, {"value": 0.0}]


def test_a_missing_value_is_filled_as_in_training():
    target = TargetEncoder.fit("identity", np.zeros(2))
    assert model([[1.0]], "none", target).predict([{"length": None}]) == [{"value": 2.0}]
    strict = model([[1.0]], "none", target, encoder(missing="error"))
    assert mistake(strict.predict, [{"length": None}]) == (
        "/instances/0/length",
        'is null, but the model was trained with "missing": "error"; give a value',
    )


def test_a_row_of_a_table_becomes_the_picture_that_the_network_takes():
    columns = {f"p{place}": np.array([0.0, 1.0]) for place in range(4)}
    inputs = InputEncoder.fit(
        columns, dict.fromkeys(columns, "number"), InputOptions.parse({"scale": "none"})
    )
    layers = [
        {"type": "max_pool2d", "pool_size": [2, 1]},
        {"type": "flatten"},
        {"type": "dense", "units": 2},
    ]
    preprocessing = {"inputs": inputs.to_document(), "target": None, "link": "none"}
    weights = {
        "dense_1.kernel": np.eye(2, dtype=np.float32),
        "dense_1.bias": np.zeros(2, np.float32),
    }
    spec = {"input": {"shape": [2, 2, 1]}, "layers": layers}
    loaded = LoadedModel.load(spec, preprocessing, save(weights))
    row = {"p0": 1, "p1": 2, "p2": 3, "p3": 0}
    assert loaded.predict([row]) == [{"value": [3.0, 2.0]}]


def tensor_model():
    values = np.arange(8, dtype=np.float64).reshape(2, 2, 2)
    inputs = InputEncoder.fit({"x": values}, {"x": "tensor"}, InputOptions.parse({"scale": "none"}))
    spec = {
        "input": {"shape": [2, 2]},
        "layers": [{"type": "flatten"}, {"type": "dense", "units": 1, "use_bias": False}],
    }
    preprocessing = {"inputs": inputs.to_document(), "target": None, "link": "none"}
    weights = {"dense_1.kernel": np.ones((4, 1), np.float32)}
    return LoadedModel.load(spec, preprocessing, save(weights))


def test_an_array_is_a_nested_list():
    assert tensor_model().predict([[[1, 2], [3, 4]], [[0, 0], [0, 1]]]) == [
        {"value": 10.0},
        {"value": 1.0},
    ]


@pytest.mark.parametrize(
    ("instance", "pointer", "words"),
    [
        ([[1, 2]], "", "has shape [1, 2], expected [2, 2]"),
        ([[1, 2], [3]], "/1", "has 1 element, expected 2"),
        ([[1, 2], [3, "a"]], "/1/1", 'is "a", expected a number'),
        ([[1, 2], [3, None]], "/1/1", "is null, expected a number"),
        (7, "", "is 7, expected a nested list of shape [2, 2]"),
        ({"x": [[1, 2], [3, 4]]}, "", "expected a nested list of shape [2, 2]"),
        ([[1, 2], [3, 10**399]], "/1/1", "the number is not finite; NaN and Infinity are refused"),
    ],
)
def test_an_array_of_the_wrong_form_is_pointed_at(instance, pointer, words):
    good = [[0, 0], [0, 0]]
    found, detail = mistake(tensor_model().predict, [good, instance])
    assert found == f"/instances/1{pointer}"
    assert words in detail


def table_model():
    columns = {"length": LENGTHS, "kind": KINDS, "old": np.array([0.0, 1.0])}
    types = {"length": "number", "kind": "category", "old": "boolean"}
    inputs = InputEncoder.fit(columns, types, InputOptions.parse({"scale": "none"}))
    target = TargetEncoder.fit("identity", np.zeros(2))
    return model([[1.0], [10.0], [20.0], [100.0]], "none", target, inputs)


def test_each_column_takes_its_place():
    answers = table_model().predict(
        [
            {"length": 1, "kind": "elm", "old": False},
            {"old": True, "kind": "oak", "length": 2.5},
            {"length": None, "kind": None, "old": None},
        ]
    )
    assert [answer["value"] for answer in answers] == [11.0, 122.5, 52.0]


@pytest.mark.parametrize(
    ("change", "pointer", "words"),
    [
        ({"lenght": 1}, "/lenght", 'unknown column; the columns are "length", "kind", "old"'),
        ({"a/b": 1}, "/a~1b", "unknown column"),
        ({"length": "1"}, "/length", 'is "1", expected a number; leave the quotes out'),
        ({"length": True}, "/length", "is true, expected a number"),
        ({"length": 10**399}, "/length", "the number is not finite; NaN and Infinity are refused"),
        ({"length": 1e300}, "/length", "the number is too large"),
        ({"kind": "ealm"}, "/kind", 'unknown category "ealm"; the categories are "elm", "oak"'),
        ({"kind": 1}, "/kind", "is 1, expected text"),
        ({"old": "yes"}, "/old", 'is "yes", expected true or false'),
    ],
)
def test_a_wrong_value_is_pointed_at(change, pointer, words):
    row = {"length": 1, "kind": "elm", "old": False}
    found, detail = mistake(table_model().predict, [row, row | change])
    assert found == f"/instances/1{pointer}"
    assert words in detail


def test_a_missing_column_is_told_how_to_be_unknown():
    found = mistake(table_model().predict, [{"length": 1, "old": False}])
    assert found == (
        "/instances/0/kind",
        'the column "kind" is missing; write null where its value is unknown',
    )


@pytest.mark.parametrize("instance", [[1, "elm", False], 7, None, "elm"])
def test_a_row_that_is_no_object_is_shown_one(instance):
    found, detail = mistake(table_model().predict, [instance])
    assert found == "/instances/0"
    assert detail == (
        'must be an object of the columns "length", "kind", "old", such as {"length": ...}'
    )


def test_an_answer_that_overflows_is_refused_rather_than_given():
    target = TargetEncoder.fit("identity", np.zeros(2))
    found = mistake(model([[3e38]], "none", target).predict, [{"length": 1e30}])
    assert found == ("/instances", "the answer is not finite: values this large overflow")


def test_no_instances_get_no_answers():
    assert table_model().predict([]) == []


def test_answers_are_plain_json():
    answers = table_model().predict([{"length": 1, "kind": "elm", "old": True}])
    assert json.loads(json.dumps(answers)) == answers


def test_many_instances_are_answered_in_order():
    target = TargetEncoder.fit("identity", np.zeros(2))
    answers = model([[1.0]], "none", target).predict([{"length": n} for n in range(600)])
    assert [answer["value"] for answer in answers] == list(range(600))


def test_the_cache_gives_back_what_was_put():
    cache, kept = ModelCache(), model([[1.0]])
    assert cache.get("model_1") is None
    cache.put("model_1", kept)
    assert cache.get("model_1") is kept


def test_the_cache_drops_the_models_used_longest_ago():
    cache = ModelCache(max_bytes=3 * 4)
    for number in range(3):
        cache.put(f"model_{number}", model([[1.0]]))
    cache.get("model_0")
    cache.put("model_3", model([[1.0]]))
    assert [n for n in range(4) if cache.get(f"model_{n}") is not None] == [0, 2, 3]


def test_the_cache_keeps_one_model_however_large():
    cache = ModelCache(max_bytes=1)
    cache.put("model_0", model([[1.0]]))
    cache.put("model_1", model([[1.0]]))
    assert cache.get("model_0") is None
    assert cache.get("model_1") is not None


def test_the_size_of_a_model_is_that_of_its_weights():
    assert tensor_model().bytes == 4 * 4
