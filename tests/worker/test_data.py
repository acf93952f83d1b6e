"""From stored columns and a spec to arrays."""

from __future__ import annotations

import numpy as np
import pytest

from nncore import Network
from nncore.preprocessing import PreprocessingError
from service.store.columns import encode_columns
from worker.data import link, prepare, target_kind

LOSSES = {"classification": "cross_entropy", "regression": "mean_squared_error"}


def objects(values):
    array = np.empty(len(values), object)
    array[:] = values
    return array


def network(*shape, units=1, activation=None):
    layers = [{"type": "dense", "units": units, "activation": activation}]
    return Network.from_spec({"input": {"shape": list(shape)}, "layers": layers})


def spec(target, include, task="regression", **given):
    document = {
        "target": target,
        "task": task,
        "target_scale": "standard",
        "features": {"scale": "standard", "missing": "mean", "columns": {}, "include": include},
        "validation": {"fraction": 0.0},
        "test": {"fraction": 0.0},
        "seed": 0,
    }
    return document | given


def prepared(columns, document, net, loss=None):
    """Prepare a dataset of numbers, texts and arrays by what their columns hold."""
    schema = []
    for name, values in columns.items():
        kind = "category" if values.dtype == object else "tensor" if values.ndim > 1 else "number"
        entry = {"name": name, "type": kind, "shape": list(values.shape[1:])}
        if kind == "category":
            entry["categories"] = sorted({value for value in values if value is not None})
        schema.append(entry)
    data = encode_columns(columns, schema)
    return prepare(document, loss or LOSSES[document["task"]], net, data, schema)


X = np.arange(100, dtype=np.float64)
KINDS = objects(["rare" if n % 10 == 0 else "elm" if n % 2 else "oak" for n in range(100)])
PARTS = {"validation": {"fraction": 0.2}, "test": {"fraction": 0.1}}


def test_without_held_out_rows_all_are_for_training():
    found = prepared({"x": X, "y": 2 * X}, spec("y", ["x"]), network(1))
    assert found.training[0].shape == found.training[1].shape == (100, 1)
    assert found.validation is None
    assert found.test is None


def test_the_parts_have_their_shares_and_share_no_row():
    found = prepared(
        {"x": X, "y": X},
        spec("y", ["x"], target_scale="none", **PARTS),
        network(1),
    )
    parts = [found.training, found.validation, found.test]
    assert [len(x) for x, _ in parts] == [70, 20, 10]
    rows = np.concatenate([y.ravel() for _, y in parts])
    assert sorted(rows) == list(range(100))


def test_another_seed_holds_out_other_rows():
    columns = {"x": X, "y": X}
    first, second = (
        prepared(columns, spec("y", ["x"], target_scale="none", seed=seed, **PARTS), network(1))
        for seed in (0, 1)
    )
    assert set(first.test[1].ravel()) != set(second.test[1].ravel())


def test_every_part_has_each_class_in_its_proportion():
    document = spec("kind", ["x"], "classification", **PARTS)
    found = prepared({"x": X, "kind": KINDS}, document, network(1, units=3))
    assert found.target.labels == ("elm", "oak", "rare")
    for (_, classes), size in zip(
        (found.training, found.validation, found.test), (70, 20, 10), strict=True
    ):
        assert np.bincount(classes).tolist() == [size // 2, 4 * size // 10, size // 10]


def test_a_class_that_only_a_held_out_part_has_is_still_a_class():
    kinds = objects(["oak"] * 50 + ["elm"] * 49 + ["unique"])
    document = spec("kind", ["x"], "classification", **PARTS)
    found = prepared({"x": X, "kind": kinds}, document, network(1, units=3))
    assert found.target.labels == ("elm", "oak", "unique")


def test_the_scale_is_fitted_on_the_training_part_only():
    document = spec("y", ["x"], **PARTS)
    found = prepared({"x": X, "y": X}, document, network(1))
    x, y = found.training
    assert x.mean() == pytest.approx(0, abs=1e-6)
    assert x.std() == pytest.approx(1, abs=1e-6)
    assert y.mean() == pytest.approx(0, abs=1e-6)
    held_out = np.concatenate([found.validation[0], found.test[0]])
    assert abs(held_out.mean()) > 1e-3
    feature = found.inputs.to_document()["features"][0]
    assert feature["offset"] == pytest.approx(found.decode(y).mean(), rel=1e-6)


def test_a_regression_target_is_standardised_and_decoded():
    found = prepared({"x": X, "y": 1000 + 10 * X}, spec("y", ["x"]), network(1))
    _, y = found.training
    assert (y.mean(), y.std()) == (pytest.approx(0, abs=1e-5), pytest.approx(1, rel=1e-5))
    np.testing.assert_allclose(found.decode(y).ravel(), 1000 + 10 * X, rtol=1e-5)


def test_a_target_that_is_not_scaled_stays_as_it_is():
    found = prepared({"x": X, "y": X}, spec("y", ["x"], target_scale="none"), network(1))
    np.testing.assert_array_equal(found.training[1].ravel(), X)
    assert found.decode is None


def test_pixel_columns_become_pictures_in_row_order():
    columns = {f"p{place}": X + 1000 * place for place in range(6)} | {"y": X}
    include = [f"p{place}" for place in range(6)]
    document = spec("y", include)
    document["features"]["scale"] = "none"
    spec_of_picture = {
        "input": {"shape": [2, 3, 1]},
        "layers": [{"type": "flatten"}, {"type": "dense", "units": 1}],
    }
    found = prepared(columns, document, Network.from_spec(spec_of_picture))
    assert found.training[0].shape == (100, 2, 3, 1)
    np.testing.assert_array_equal(found.training[0][1].ravel(), 1 + 1000 * np.arange(6))


def test_the_features_come_in_the_order_of_the_spec():
    columns = {"a": X, "b": -X, "y": X}
    document = spec("y", ["b", "a"])
    document["features"]["scale"] = "none"
    found = prepared(columns, document, network(2))
    np.testing.assert_array_equal(found.training[0][7], [-7, 7])


def test_a_tensor_keeps_its_shape_and_is_scaled_by_channel():
    pictures = np.zeros((100, 2, 2, 2))
    pictures[..., 0] = X[:, None, None]
    pictures[..., 1] = 5 - 3 * X[:, None, None]
    layers = [{"type": "flatten"}, {"type": "dense", "units": 1}]
    net = Network.from_spec({"input": {"shape": [2, 2, 2]}, "layers": layers})
    found = prepared({"x": pictures, "y": X}, spec("y", ["x"]), net)
    x = found.training[0]
    assert x.shape == (100, 2, 2, 2)
    np.testing.assert_allclose(x.mean(axis=(0, 1, 2)), 0, atol=1e-6)
    np.testing.assert_allclose(x.std(axis=(0, 1, 2)), 1, rtol=1e-5)


def test_a_tensor_that_is_reshaped_has_one_scale():
    pictures = np.zeros((100, 4))
    pictures[:, 0] = 100
    layers = [{"type": "flatten"}, {"type": "dense", "units": 1}]
    reshaped = Network.from_spec({"input": {"shape": [2, 2, 1]}, "layers": layers})
    found = prepared({"x": pictures.reshape(100, 2, 2), "y": X}, spec("y", ["x"]), reshaped)
    assert len(found.inputs.to_document()["features"][0]["offset"]) == 1
    assert found.training[0].shape == (100, 2, 2, 1)


def test_categories_are_one_hot_in_sorted_order():
    document = spec("x", ["kind"])
    found = prepared({"kind": KINDS, "x": X}, document, network(3))
    np.testing.assert_array_equal(found.training[0][:3], [[0, 0, 1], [1, 0, 0], [0, 1, 0]])


def test_a_reconstruction_has_its_input_as_its_target_and_answers_in_its_unit():
    document = spec(None, ["a", "b"], "reconstruction")
    found = prepared({"a": X, "b": -X}, document, network(2, units=2), "mean_squared_error")
    np.testing.assert_array_equal(*found.training)
    assert found.target is not None
    np.testing.assert_allclose(
        found.target.decode(found.training[0]), np.stack([X, -X], axis=1), atol=1e-4
    )


def test_two_labels_and_one_output_are_zeros_and_ones():
    kinds = objects(["oak", "elm"] * 50)
    document = spec("kind", ["x"], "classification")
    found = prepared({"x": X, "kind": kinds}, document, network(1), "binary_cross_entropy")
    assert found.training[1].dtype == np.float32
    np.testing.assert_array_equal(found.training[1][:3], [[1], [0], [1]])
    assert found.document()["target"] == {"kind": "binary", "labels": ["elm", "oak"]}


def test_a_missing_target_is_refused():
    with pytest.raises(PreprocessingError, match="the target is missing in 1 rows, the first"):
        prepared({"x": X, "y": np.where(X == 3, np.nan, X)}, spec("y", ["x"]), network(1))


@pytest.mark.parametrize(
    ("task", "loss", "scale", "kind"),
    [
        ("classification", "cross_entropy", "none", "classes"),
        ("classification", "binary_cross_entropy", "none", "binary"),
        ("classification", "mean_squared_error", "none", "binary"),
        ("regression", "mean_squared_error", "standard", "standard"),
        ("regression", "mean_squared_error", "none", "identity"),
        ("multilabel", "binary_cross_entropy", "none", "identity"),
        ("reconstruction", "mean_squared_error", "none", None),
    ],
)
def test_the_target_is_encoded_as_the_loss_wants_it(task, loss, scale, kind):
    assert target_kind({"task": task, "target_scale": scale}, loss) == kind


@pytest.mark.parametrize(
    ("task", "loss", "activation", "expected"),
    [
        ("classification", "cross_entropy", None, "softmax"),
        ("classification", "cross_entropy", "softmax", "none"),
        ("classification", "cross_entropy", "sigmoid", "softmax"),
        ("classification", "binary_cross_entropy", None, "sigmoid"),
        ("classification", "binary_cross_entropy", "sigmoid", "none"),
        ("classification", "mean_squared_error", None, "clip"),
        ("multilabel", "binary_cross_entropy", None, "sigmoid"),
        ("regression", "mean_squared_error", None, "none"),
        ("reconstruction", "binary_cross_entropy", None, "sigmoid"),
        ("reconstruction", "mean_squared_error", None, "none"),
    ],
)
def test_the_link_makes_probabilities_of_what_the_loss_saw(task, loss, activation, expected):
    assert link(task, loss, network(2, units=2, activation=activation)) == expected
