"""The page of all units: current, and every example on it works."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from docs.generate_units import PAGE, contract_rows, page
from nncore import Network, TrainingConfig, fit
from nncore.documents import parse
from nncore.losses import Loss
from nncore.metrics import Metric

TEXT = PAGE.read_text(encoding="utf-8")
EXAMPLES = [
    (heading, json.loads(example))
    for heading, example in re.findall(
        r"^### (\w+)$.*?^```json\n(.*?)\n```$", TEXT, re.MULTILINE | re.DOTALL
    )
]
ROWS = contract_rows()


def examples(*members):
    """The examples that have one of these members, a test each."""
    chosen = [(name, example) for name, example in EXAMPLES if example.keys() & set(members)]
    return pytest.mark.parametrize(
        ("name", "example"), chosen, ids=[f"{name}-{i}" for i, (name, _) in enumerate(chosen)]
    )


def numbers(shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def train_one_step(network, config, y=None):
    """One step on two examples; ids are 0 and 1, which every embedding has."""
    x = {
        port.name: numbers((2, *port.shape)) > 0 if port.integers else numbers((2, *port.shape))
        for port in network.program.ports
    }
    x = {name: value.astype(int) if value.dtype == bool else value for name, value in x.items()}
    y = numbers((2, *network.output_shape), 1) if y is None else y
    params = network.init(dtype="float64")
    whole = {"epochs": 1, "batch_size": None, **config}
    (epoch,) = fit(network, params, x, y, whole, validation=(x, y))
    assert np.isfinite(epoch.loss)


def test_the_page_is_current():
    assert page() == TEXT, "run make docs"


def test_every_unit_has_an_example():
    assert len(EXAMPLES) == len(re.findall(r"^### ", TEXT, re.MULTILINE))


@examples("layers")
def test_a_layers_example_trains_for_a_step(name, example):
    train_one_step(Network.from_spec(example), {"loss": "mean_squared_error"})


@examples("type")
def test_a_layer_with_the_unit_trains_for_a_step(name, example):
    network = Network.from_spec({"input": {"shape": [3]}, "layers": [example]})
    train_one_step(network, {"loss": "mean_squared_error"})


@examples("optimizer", "schedule")
def test_a_configuration_with_the_unit_trains_for_a_step(name, example):
    network = Network.from_spec(
        {"input": {"shape": [3]}, "layers": [{"type": "dense", "units": 2}]}
    )
    train_one_step(network, {"loss": "mean_squared_error", **example})


@examples("loss")
def test_a_loss_trains_on_the_targets_of_its_row(name, example):
    _, shape, targets = next(row for row in ROWS[Loss] if row[0] == example["loss"])
    network = Network.from_spec(
        {"input": {"shape": list(shape)}, "layers": [{"type": "activation", "activation": "tanh"}]}
    )
    TrainingConfig.parse(example)
    x = numbers((len(targets), *shape))
    loss, _ = network.loss_and_grads({}, x, np.asarray(targets), example["loss"])
    assert np.isfinite(loss)


@examples("metrics")
def test_a_metric_has_a_value_on_the_predictions_of_its_row(name, example):
    (metric,) = example["metrics"]
    _, predictions, targets, _ = next(row for row in ROWS[Metric] if row[0] == metric)
    TrainingConfig.parse(example)
    unit = parse(Metric, metric)
    assert np.all(np.isfinite(unit.value(unit.measure(predictions, np.asarray(targets)))))
