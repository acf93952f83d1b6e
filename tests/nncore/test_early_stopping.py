"""Early stopping: when it stops, and whose weights remain."""

import numpy as np
import pytest

from nncore import ConfigError, Epoch, Network, evaluate, fit
from nncore.documents import parse
from nncore.early_stopping import EarlyStopping, Stopper


def stopped_after(figures, **config):
    """How many epochs of these validation losses are seen, and the weight that remains."""
    stopper = Stopper(parse(EarlyStopping, config), {}, validated=True)
    params = {"w": np.zeros(1)}
    for number, figure in enumerate(figures, 1):
        params["w"][:] = number
        epoch = Epoch(number, number, 0.0, {"val_loss": figure}, 0.1, 1.0)
        if stopper.observe(epoch, params):
            break
    stopper.restore(params)
    return number, params["w"].item()


def test_it_stops_after_patience_epochs_without_improvement_and_restores_the_best():
    assert stopped_after([5, 4, 3, 3.5, 3.2, 1], patience=2) == (5, 3)


def test_an_improvement_starts_the_wait_anew():
    assert stopped_after([5, 6, 4, 6, 3, 6, 7], patience=2) == (7, 5)


def test_the_best_weights_come_back_even_if_it_never_stops():
    assert stopped_after([5, 3, 4], patience=9) == (3, 2)


def test_improvements_within_min_delta_do_not_count():
    assert stopped_after([5, 4.9, 4.8], patience=2, min_delta=0.5) == (3, 1)


def test_the_last_weights_stay_if_so_wished():
    assert stopped_after([5, 3, 4], patience=1, restore_best=False) == (3, 3)


def test_no_patience_stops_at_the_first_epoch_without_improvement():
    assert stopped_after([5, 4, 4, 1], patience=0) == (3, 2)


def test_accuracy_should_rise():
    stopper = Stopper(EarlyStopping("accuracy", 1), {"accuracy": 1}, validated=False)
    figures = [0.5, 0.7, 0.6]
    epochs = [Epoch(1, 1, 0.0, {"accuracy": figure}, 0.1, 1.0) for figure in figures]
    assert [stopper.observe(epoch, {}) for epoch in epochs] == [False, False, True]


def test_a_run_stops_and_ends_with_its_best_weights():
    rng = np.random.default_rng(0)
    x, held_out = rng.normal(size=(20, 5)), rng.normal(size=(20, 5))
    y, truth = x[:, 0] + 2 * rng.normal(size=20), held_out[:, 0]
    layers = [{"type": "dense", "units": 40, "activation": "relu"}, {"type": "dense", "units": 1}]
    network = Network.from_spec({"layers": layers}, [5])
    params = network.init()
    config = {"epochs": 200, "optimizer": {"type": "adam", "learning_rate": 0.01}}
    config["early_stopping"] = {"metric": "val_loss", "patience": 5}
    epochs = list(fit(network, params, x, y, config, validation=(held_out, truth)))
    losses = [epoch.metrics["val_loss"] for epoch in epochs]
    assert len(epochs) == int(np.argmin(losses)) + 1 + 5 < 200
    remaining = evaluate(network, params, held_out, truth, "mean_squared_error")["loss"]
    assert remaining == pytest.approx(min(losses), rel=1e-6)


@pytest.mark.parametrize(
    ("metric", "words"),
    [
        ("val_loss", '"val_loss" is not measured; it needs validation examples; known here: loss'),
        ("val_accuracy", '"val_accuracy" is not measured; known here: loss'),
    ],
)
def test_a_figure_that_is_not_measured_is_refused(metric, words):
    network = Network.from_spec({"layers": [{"type": "dense", "units": 1}]}, [2])
    with pytest.raises(ConfigError) as error:
        fit(
            network,
            network.init(),
            np.ones((2, 2)),
            np.ones(2),
            {"early_stopping": {"metric": metric}},
        )
    assert error.value.pointer == "/early_stopping/metric"
    assert words in error.value.detail
