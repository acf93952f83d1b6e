"""Lower learning rates when a figure stands still."""

import json

import numpy as np
import pytest

from nncore import ConfigError, Network, fit
from nncore.documents import parse
from nncore.schedules import Schedule


def factors(document, figures, name="val_loss"):
    """The factor after each epoch with that figure."""
    schedule = parse(Schedule, {"type": "reduce_on_plateau", **document})
    memory, found = {}, []
    for figure in figures:
        memory = schedule.after_epoch(memory, {name: figure, "loss": 0.0})
        found.append(memory["factor"])
    json.dumps(memory, allow_nan=False)
    return found


def test_it_falls_after_patience_epochs_without_improvement():
    found = factors({"patience": 2, "gamma": 0.5}, [1, 0.9, 0.9, 0.9, 0.9, 0.9, 0.5])
    assert found == [1, 1, 1, 0.5, 0.5, 0.25, 0.25]


def test_small_improvements_do_not_count():
    assert factors({"patience": 1, "min_delta": 0.1}, [1, 0.95])[-1] == 0.1


def test_after_a_fall_it_cools_down():
    found = factors({"patience": 1, "gamma": 0.5, "cooldown": 2}, [1, 1, 1, 1, 1, 1])
    assert found == [1, 0.5, 0.5, 0.25, 0.25, 0.125]


def test_it_does_not_fall_below_its_least_factor():
    found = factors({"patience": 1, "min_factor": 0.3}, [1, 1, 1])
    assert found == [1, 0.3, 0.3]


def test_a_metric_that_should_rise_is_watched_the_right_way():
    document = {"patience": 1, "gamma": 0.5, "metric": "val_digit_accuracy"}
    assert factors(document, [0.5, 0.6, 0.6], "val_digit_accuracy") == [1, 1, 0.5]


NETWORK = Network.from_spec({"input": {"shape": [1]}, "layers": [{"type": "dense", "units": 1}]})
X = np.ones((4, 1))


def test_a_run_slows_down():
    schedule = {"type": "reduce_on_plateau", "metric": "loss", "patience": 1, "gamma": 0.5}
    config = {"optimizer": {"type": "sgd", "learning_rate": 0.0}, "schedule": schedule, "epochs": 3}
    config["optimizer"]["learning_rate"] = 1e-9
    rates = [epoch.learning_rate for epoch in fit(NETWORK, NETWORK.init(), X, X, config)]
    assert rates == pytest.approx([1e-9, 1e-9, 0.5e-9])


def test_a_figure_that_nobody_measures_is_refused_at_once():
    with pytest.raises(ConfigError, match="it needs validation examples") as error:
        fit(NETWORK, NETWORK.init(), X, X, {"schedule": "reduce_on_plateau"})
    assert error.value.pointer == "/schedule/metric"
