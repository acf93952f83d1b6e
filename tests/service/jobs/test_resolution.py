"""From what a user sends to a complete spec, or to words that say what is wrong."""

from __future__ import annotations

import pytest

from service.errors import Invalid
from service.jobs import resolution
from service.jobs.schemas import JobCreate
from service.settings import Settings
from tests.service.jobs.leaves import ARRAYS, FEATURES, ROWS, arrays, dense, job, table

LEAVES, PICTURES = table(), arrays()
CONV = {
    "layers": [
        {"type": "conv2d", "filters": 2, "kernel_size": 3, "activation": "relu"},
        {"type": "flatten"},
        {"type": "dense", "units": 3},
    ]
}


def resolve(document, dataset=LEAVES, **settings):
    return resolution.resolve(JobCreate.model_validate(document), dataset, Settings(**settings))


def mistakes(document, dataset=LEAVES, **settings):
    with pytest.raises(Invalid) as refusal:
        resolve(document, dataset, **settings)
    return {mistake.pointer: mistake.detail for mistake in refusal.value.mistakes}


def test_every_default_is_filled_in():
    required = {"dataset_id": "ds_1", "target": "kind", "network": dense(3)}
    assert resolve(required).spec == {
        "name": "leaves",
        "dataset_id": "ds_1",
        "target": "kind",
        "features": {
            "scale": "standard",
            "missing": "mean",
            "include": ["length", "lobes", "old", "area", "damaged"],
            "columns": {},
        },
        "task": "classification",
        "target_scale": "none",
        "network": {
            "input": {"shape": [5]},
            "layers": [
                {
                    "type": "dense",
                    "name": "dense_1",
                    "trainable": True,
                    "units": 3,
                    "activation": None,
                    "use_bias": True,
                    "kernel_initializer": "glorot_uniform",
                    "bias_initializer": "zeros",
                    "kernel_regularizer": None,
                    "bias_regularizer": None,
                }
            ],
        },
        "loss": "cross_entropy",
        "optimizer": {
            "type": "adam",
            "learning_rate": 0.001,
            "beta_1": 0.9,
            "beta_2": 0.999,
            "epsilon": 1e-08,
            "amsgrad": False,
            "weight_decay": 0.0,
        },
        "schedule": {"type": "constant", "warmup_steps": 0},
        "epochs": 10,
        "batch_size": 32,
        "shuffle": True,
        "seed": 0,
        "metrics": ["accuracy"],
        "clip_norm": None,
        "early_stopping": None,
        "shards": 1,
        "loss_weights": None,
        "class_weight": None,
        "class_balance": None,
        "accumulate_steps": 1,
        "clip_weight_norm": None,
        "clip_value": None,
        "ema_decay": None,
        "validation": {"fraction": 0.2},
        "test": {"fraction": 0.0},
        "budget_seconds": None,
        "priority": 0,
        "tags": {},
    }


JOBS = {
    "classification": (job(), LEAVES),
    "one output for two classes": (job(target="old", features=None, network=dense(1)), LEAVES),
    "regression": (job(target="area", network=dense(4, 1), metrics=["r2"]), LEAVES),
    "raw regression": (
        job(target="area", features={"include": ["length"], "scale": "none"}, network=dense(1)),
        LEAVES,
    ),
    "reconstruction": (
        job(target=None, task="reconstruction", network=dense(2, 3), loss="mean_squared_error"),
        LEAVES,
    ),
    "pictures": (job(target="label", features={"include": ["image"]}, network=CONV), PICTURES),
    "multilabel": (
        job(
            target="mask",
            task="multilabel",
            features={"include": ["image"]},
            network={"layers": [{"type": "flatten"}, {"type": "dense", "units": 16}]},
        ),
        PICTURES,
    ),
    "everything said": (
        job(
            name="mine",
            features={
                "include": ["lobes", "damaged"],
                "scale": "min_max",
                "columns": {"damaged": {"missing": "zero"}},
            },
            optimizer={"type": "sgd", "learning_rate": 0.1, "momentum": 0.9},
            epochs=3,
            batch_size=7,
            shuffle=False,
            seed=5,
            metrics=[],
            clip_norm=1.0,
            early_stopping={"metric": "val_loss", "patience": 2},
            validation={"fraction": 0.3},
            test={"fraction": 0.1},
            budget_seconds=60.0,
            priority=-3,
            tags={"team": "a"},
        ),
        LEAVES,
    ),
}


@pytest.mark.parametrize(("document", "dataset"), JOBS.values(), ids=JOBS)
def test_resolving_a_resolved_spec_gives_the_same_spec(document, dataset):
    spec = resolve(document, dataset).spec
    assert resolve(spec, dataset).spec == spec


@pytest.mark.parametrize(("document", "dataset"), JOBS.values(), ids=JOBS)
def test_what_was_said_is_in_the_spec(document, dataset):
    spec = resolve(document, dataset).spec
    for key in ("name", "epochs", "seed", "metrics", "priority", "tags", "validation", "shuffle"):
        if key in document:
            assert spec[key] == document[key]


def test_free_text_is_left_out_with_a_warning():
    resolved = resolve(job(features=None, network=dense(3)))
    assert "note" not in resolved.spec["features"]["include"]
    assert resolved.warnings == ["Left out as free text: note."]


TASKS = {
    "a category": ({}, "classification", "cross_entropy", ["accuracy"]),
    "true and false with one output": (
        {"target": "old", "features": {"include": ["length"]}, "network": dense(1)},
        "classification",
        "binary_cross_entropy",
        ["accuracy"],
    ),
    "true and false with two outputs": (
        {"target": "old", "features": {"include": ["length"]}, "network": dense(2)},
        "classification",
        "cross_entropy",
        ["accuracy"],
    ),
    "whole numbers with an output each": (
        {"target": "lobes", "features": {"include": ["length"]}, "network": dense(7)},
        "classification",
        "cross_entropy",
        ["accuracy"],
    ),
    "whole numbers with one output": (
        {"target": "lobes", "features": {"include": ["length"]}, "network": dense(1)},
        "regression",
        "mean_squared_error",
        ["mean_absolute_error", "r2"],
    ),
    "numbers": (
        {"target": "area", "network": dense(1)},
        "regression",
        "mean_squared_error",
        ["mean_absolute_error", "r2"],
    ),
}


@pytest.mark.parametrize(("given", "task", "loss", "metrics"), TASKS.values(), ids=TASKS)
def test_the_task_follows_the_target_and_the_network(given, task, loss, metrics):
    spec = resolve(job(**given)).spec
    assert (spec["task"], spec["loss"], spec["metrics"]) == (task, loss, metrics)


def test_two_whole_numbers_and_one_sigmoid_are_two_classes():
    rows = [{"x": number, "y": number % 2} for number in range(4)]
    network = dense(1, activation="sigmoid")
    spec = resolve(job(target="y", features=None, network=network), table(rows)).spec
    assert (spec["task"], spec["loss"]) == ("classification", "binary_cross_entropy")
    assert resolve(job(target="y", features=None, network=dense(1)), table(rows)).spec["task"] == (
        "regression"
    )


def test_an_array_target_is_regression_unless_it_is_said_to_be_labels():
    network = {"layers": [{"type": "flatten"}, {"type": "dense", "units": 16}]}
    given = job(target="mask", features={"include": ["image"]}, network=network)
    assert resolve(given, PICTURES).spec["task"] == "regression"
    labels = given | {"loss": "binary_cross_entropy"}
    assert resolve(labels, PICTURES).spec["task"] == "multilabel"


@pytest.mark.parametrize(
    ("given", "scale"),
    [
        ({}, "standard"),
        ({"features": {"include": FEATURES, "scale": "none"}}, "none"),
        ({"network": dense(1, activation="sigmoid")}, "none"),
        ({"network": dense(1, activation="tanh")}, "none"),
        ({"network": dense(1, activation="sigmoid"), "target_scale": "standard"}, "standard"),
        ({"target_scale": "none"}, "none"),
    ],
)
def test_a_regression_target_is_standardised_where_that_can_be_reached(given, scale):
    assert (
        resolve(job(target="area", **{"network": dense(1)} | given)).spec["target_scale"] == scale
    )


def test_few_rows_are_not_held_out_unless_asked_for():
    few = table(ROWS[:49])
    assert resolve(job(), few).spec["validation"] == {"fraction": 0.0}
    assert resolve(job(), table(ROWS[:50])).spec["validation"] == {"fraction": 0.2}
    asked = resolve(job(validation={"fraction": 0.5}), few)
    assert asked.spec["validation"] == {"fraction": 0.5}


@pytest.mark.parametrize(
    ("given", "rows", "steps"),
    [
        ({}, 48, 20),
        ({"batch_size": 48, "epochs": 1}, 48, 1),
        ({"batch_size": 47, "epochs": 1}, 48, 2),
        ({"batch_size": 2**62, "epochs": 3}, 48, 3),
        ({"validation": {"fraction": 0.125}, "batch_size": 1, "epochs": 1}, 52, 52),
        ({"validation": {"fraction": 0.075}, "batch_size": 1, "epochs": 1}, 55, 55),
        ({"test": {"fraction": 0.5}, "batch_size": 18, "epochs": 1}, 18, 1),
        ({"epochs": 0}, 48, 0),
    ],
)
def test_the_steps_are_those_that_training_will_take(given, rows, steps):
    resolved = resolve(job(**given))
    assert (resolved.training_rows, resolved.steps) == (rows, steps)


@pytest.mark.parametrize(
    ("given", "warning"),
    [
        ({"epochs": 0}, "epochs is 0: the model keeps its initial weights."),
        ({"batch_size": 49}, "batch_size 49 is more than the 48 training rows: full batch."),
        (
            {"validation": {"fraction": 0.0}},
            "No rows are held out: the metrics do not show how it does on other data.",
        ),
    ],
)
def test_what_may_surprise_is_a_warning(given, warning):
    assert resolve(job(**given)).warnings == [warning]


def test_an_input_shape_with_as_many_numbers_reshapes_the_row():
    rows = [{f"p{pixel}": pixel * row for pixel in range(16)} | {"y": row % 3} for row in range(9)]
    network = {"input": {"shape": [4, 4, 1]}, **CONV}
    resolved = resolve(job(target="y", features=None, network=network), table(rows))
    assert resolved.network.input_shape == (4, 4, 1)


def test_the_only_array_is_the_input_as_it_is():
    given = job(target="label", features={"include": ["image"]}, network=CONV)
    assert resolve(given, PICTURES).network.input_shape == (4, 4, 1)


MISTAKES = {
    "an unknown target": (
        {"target": "knd"},
        "/target",
        "the dataset has no column 'knd'. Did you mean 'kind'? It has: length, lobes, kind, old, "
        "note, area, damaged",
    ),
    "no target": ({"target": None}, "/target", "name the column to predict"),
    "a target with gaps": (
        {"target": "damaged", "network": dense(1)},
        "/target",
        "1 rows have no value in 'damaged'; remove these rows from the data",
    ),
    "a reconstruction with a target": (
        {"task": "reconstruction"},
        "/target",
        "a reconstruction learns its own input; leave it out",
    ),
    "names as numbers": (
        {"task": "regression"},
        "/task",
        "the target 'kind' is no number; use classification",
    ),
    "fractions as classes": (
        {"target": "area", "task": "classification"},
        "/task",
        "the target 'area' is a number column whose values are no classes; use whole numbers or "
        "names of classes, or the task regression",
    ),
    "free text as classes": (
        {"target": "note"},
        "/task",
        "the target 'note' is a text column whose values are no classes; use whole numbers or "
        "names of classes, or the task regression",
    ),
    "an unknown feature": (
        {"features": {"include": ["lenght"]}},
        "/features/include/0",
        "the dataset has no column 'lenght'. Did you mean 'length'?",
    ),
    "the target as a feature": (
        {"features": {"include": ["length", "kind"]}},
        "/features/include/1",
        "'kind' is the target; it cannot be a feature too",
    ),
    "a feature twice": (
        {"features": {"include": ["length", "length"]}},
        "/features/include/1",
        "'length' is listed twice",
    ),
    "free text as a feature": (
        {"features": {"include": ["note"]}},
        "/features/include/0",
        "'note' is free text, which is not a feature yet",
    ),
    "options of an unknown column": (
        {"features": {"columns": {"a/b": {"scale": "none"}}}},
        "/features/columns/a~1b",
        "the dataset has no column 'a/b'.",
    ),
    "options of a column that is no feature": (
        {"features": {"include": ["length"], "columns": {"lobes": {"scale": "none"}}}},
        "/features/columns/lobes",
        "'lobes' is not among the features",
    ),
    "a scale for true and false": (
        {"features": {"columns": {"old": {"scale": "min_max"}}}},
        "/features/columns/old/scale",
        "a boolean column has no scale",
    ),
    "gaps where none may be": (
        {"features": {"include": ["damaged"], "missing": "error"}},
        "/features/missing",
        '1 rows have no value in \'damaged\'; choose "mean" or "zero"',
    ),
    "gaps where this column may have none": (
        {"features": {"include": ["damaged"], "columns": {"damaged": {"missing": "error"}}}},
        "/features/columns/damaged/missing",
        '1 rows have no value in \'damaged\'; choose "mean" or "zero"',
    ),
    "an input of another size": (
        {"network": {"input": {"shape": [2, 2]}, **dense(3)}},
        "/network/input/shape",
        "[2, 2] has 4 elements, but the features give 3 numbers an example ([3]); leave `input` "
        "out or give a shape with as many elements",
    ),
    "an input of absurdly many axes": (
        {"network": {"input": {"shape": [2**62] * 500}, **dense(3)}},
        "/network/input/shape",
        "has 500 sizes, at most 8 are taken",
    ),
    "too many outputs": (
        {"network": dense(8, 4)},
        "/network/layers/1/units",
        "the network's output has the shape [4], but the target has 3 classes; end with 3 units",
    ),
    "an output with more axes": (
        {"network": {"input": {"shape": [3, 1]}, **dense(3)}},
        "/network/layers/0",
        "the network's output has the shape [3, 3], but the target has 3 classes; end with 3 units "
        "after a flatten layer",
    ),
    "two outputs for a number": (
        {"target": "area", "network": dense(2)},
        "/network/layers/0/units",
        "the network's output has the shape [2], but the target has the shape [1]; end with 1 unit",
    ),
    "an unknown layer": (
        {"network": {"layers": [{"type": "densse", "units": 3}]}},
        "/network/layers/0/type",
        '"densse" is not a layer; did you mean "dense"?',
    ),
    "an unknown field of a layer": (
        {"network": {"layers": [{"type": "dense", "unit": 3}]}},
        "/network/layers/0/unit",
        'unknown field; did you mean "units"?',
    ),
    "a layer that does not fit the one above": (
        {"network": {"layers": [{"type": "conv2d", "filters": 2, "kernel_size": 3}]}},
        "/network/layers/0",
        "conv2d",
    ),
    "a loss that does not suit": (
        {"target": "area", "network": dense(1), "loss": "cross_entropy", "task": "regression"},
        "/loss",
        "cross_entropy does not suit regression; use mean_squared_error",
    ),
    "a loss for classes of a target without": (
        {"target": "area", "network": dense(1), "loss": "binary_cross_entropy"},
        "/task",
        "the target 'area' is a number column whose values are no classes",
    ),
    "a loss of two classes for three": (
        {"loss": "binary_cross_entropy"},
        "/loss",
        "binary_cross_entropy takes two classes, the target has 3",
    ),
    "a metric that does not suit": (
        {"metrics": ["accuracy", "r2"]},
        "/metrics/1",
        "r2 does not suit classification; use accuracy",
    ),
    "an unknown metric": ({"metrics": ["acuracy"]}, "/metrics/0", 'did you mean "accuracy"'),
    "an unknown optimizer": ({"optimizer": "adadeltta"}, "/optimizer", 'did you mean "adadelta"'),
    "a learning rate below zero": (
        {"optimizer": {"type": "adam", "learning_rate": -1}},
        "/optimizer/learning_rate",
        "must be at least 0, got -1.0",
    ),
    "epochs without end": (
        {"epochs": 10**9},
        "/epochs",
        "must be at least 0 and at most 1000000, got 1000000000",
    ),
    "a number beyond 64 bits": (
        {"seed": 2**63},
        "/seed",
        "is too large for a 64-bit integer",
    ),
    "early stopping by a figure that nobody takes": (
        {"early_stopping": {"metric": "val_f1"}},
        "/early_stopping/metric",
        '"val_f1" is not measured; known here: loss, accuracy, val_loss, val_accuracy',
    ),
    "early stopping without validation": (
        {"early_stopping": {"metric": "val_loss"}, "validation": {"fraction": 0.0}},
        "/early_stopping/metric",
        "val_loss needs validation rows; set validation.fraction or use loss",
    ),
    "early stopping with too small a validation": (
        {"early_stopping": {"metric": "val_accuracy"}, "validation": {"fraction": 0.001}},
        "/early_stopping/metric",
        "val_accuracy needs validation rows; set validation.fraction or use accuracy",
    ),
    "nothing left to train on": (
        {"validation": {"fraction": 0.5}, "test": {"fraction": 0.5}},
        "/validation/fraction",
        "validation (0.5) and test (0.5) leave no rows to train on; hold out less",
    ),
    "all rows for the test": (
        {"test": {"fraction": 0.9}},
        "/test/fraction",
        "validation (0.2) and test (0.9) leave no rows to train on; hold out less",
    ),
}


@pytest.mark.parametrize(("given", "pointer", "words"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_pointed_at_with_its_mend(given, pointer, words):
    found = mistakes(job(**given))
    assert pointer in found
    assert words in found[pointer]


def test_a_target_of_one_class_teaches_nothing():
    rows = [{"x": number, "y": "oak", "z": True} for number in range(4)]
    for target, network in (("y", dense(1)), ("z", dense(1))):
        found = mistakes(
            job(target=target, features={"include": ["x"]}, network=network), table(rows)
        )
        assert found == {
            "/target": f"every row has the same value in '{target}'; a classifier needs two or more"
        }


def test_a_dataset_of_the_target_alone_leaves_nothing_to_learn_from():
    rows = [{"kind": kind} for kind in ("oak", "elm")]
    found = mistakes(job(features=None), table(rows))
    assert found == {"/features/include": "no column is left to learn from"}


def test_several_arrays_need_a_choice():
    found = mistakes(job(target="label", features=None, network=CONV), PICTURES)
    assert found["/features/include"] == (
        "a network has one input, but these arrays are left: 'image', 'mask'; include one of them"
    )


def test_an_array_has_no_missing_values_to_fill():
    given = {"include": ["image"], "columns": {"image": {"missing": "zero"}}}
    found = mistakes(job(target="label", features=given, network=CONV), PICTURES)
    assert found == {"/features/columns/image/missing": "an array has no missing values"}


def test_a_network_that_needs_too_much_memory_names_its_largest_layer():
    network = dense(10, 20_000, 3)
    found = mistakes(job(network=network), max_network_bytes=1_000_000)
    (pointer, detail), *_ = found.items()
    assert pointer == "/network/layers/1"
    assert detail.endswith(
        "more than the limit of 1; dense_2 is the largest layer: make it smaller, or use a "
        "smaller batch"
    )


def test_absurd_sizes_are_told_as_such_and_allocate_nothing():
    found = mistakes(job(network=dense(2**62, 2**62, 3)))
    assert "training would take about" in next(iter(found.values()))


def test_a_large_batch_of_few_rows_counts_its_rows_only():
    assert resolve(job(batch_size=10**6), max_network_bytes=100_000)


def test_several_mistakes_of_the_features_are_told_together():
    given = {"include": ["lenght", "kind"], "columns": {"wdth": {"scale": "none"}}}
    assert set(mistakes(job(features=given))) == {
        "/features/include/0",
        "/features/include/1",
        "/features/columns/wdth",
    }


def test_images_count_each_pixel():
    assert len(ARRAYS["image"]) == PICTURES.rows
    found = mistakes(
        job(target="label", features={"include": ["image"]}, network=dense(3)), PICTURES
    )
    assert "after a flatten layer" in found["/network/layers/0"]
