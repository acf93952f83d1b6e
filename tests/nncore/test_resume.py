"""A run stopped after any step and taken up elsewhere ends with the same bytes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import islice

import numpy as np
import pytest

from nncore import Network, Training, TrainingState, fit
from nncore.registry import register, units
from nncore.schedules import Schedule
from nncore.schedules.constant import Constant

SPEC = {
    "input": {"shape": [6]},
    "layers": [
        {"type": "dense", "units": 8, "kernel_regularizer": "l2"},
        {"type": "batch_norm"},
        {"type": "activation", "activation": "tanh"},
        {"type": "dropout", "rate": 0.3},
        {"type": "dense", "units": 3},
    ],
}
RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(22, 6)), RNG.integers(0, 3, 22)
HELD_OUT = RNG.normal(size=(9, 6)), RNG.integers(0, 3, 9)
BASE = {
    "loss": "cross_entropy",
    "metrics": ["accuracy"],
    "epochs": 4,
    "batch_size": 5,
    "early_stopping": {"metric": "val_loss", "patience": 1},
}


@pytest.fixture(autouse=True)
def _halving():
    """A schedule that follows the loss: half the rate after each epoch."""

    @register("halving")
    @dataclass(frozen=True, slots=True)
    class Halving(Constant):
        def after_epoch(self, memory, figures):
            assert figures["val_loss"] > 0
            return {"factor": memory.get("factor", 1.0) / 2}

    yield
    del units(Schedule)["halving"]


class Stopped(Exception):
    pass


def stopped_after(step: int, config: dict) -> tuple[TrainingState, list]:
    """The state after a step, as it is after a trip through files, and the epochs until then."""
    states, epochs = [], []

    def keep(done):
        if done.step == step:
            states.append(done.state())
            raise Stopped

    params = NETWORK.init(3)
    with pytest.raises(Stopped):
        epochs.extend(fit(NETWORK, params, X, Y, config, HELD_OUT, keep))
    (state,) = states
    for weight in params.values():
        weight += 1  # the state is a copy
    document = json.loads(json.dumps(state.document, allow_nan=False))
    return TrainingState({name: np.array(a) for name, a in state.arrays.items()}, document), epochs


NETWORK = Network.from_spec(SPEC)
CONFIGS = [
    {"optimizer": {"type": "adam", "learning_rate": 0.05}},
    {"optimizer": {"type": "sgd", "learning_rate": 0.05, "momentum": 0.9}, "shards": 2},
    {"optimizer": {"type": "sgd", "learning_rate": 0.1}, "schedule": "halving"},
    {"accumulate_steps": 2, "ema_decay": 0.8, "clip_norm": 0.5},
    {"batch_size": None, "epochs": 3, "shuffle": False, "class_balance": "balanced"},
    {
        "schedule": {"type": "reduce_on_plateau", "patience": 1, "warmup_steps": 3},
        "optimizer": {"type": "adam", "learning_rate": 0.3, "amsgrad": True},
        "early_stopping": None,
    },
    {"batch_size": None, "epochs": 3, "optimizer": {"type": "lbfgs", "max_iter": 3}},
    {"optimizer": "rmsprop", "metrics": ["roc_auc", "f1"], "shards": 3, "early_stopping": None},
]


@pytest.mark.parametrize("change", CONFIGS)
def test_stopping_after_any_step_changes_nothing(change):
    config = {**BASE, **change}
    params = NETWORK.init(3)
    whole = list(fit(NETWORK, params, X, Y, config, HELD_OUT))
    for step in range(1, whole[-1].step + 1):
        state, before = stopped_after(step, config)
        fresh = NETWORK.init(8)
        after = list(fit(NETWORK, fresh, X, Y, config, HELD_OUT, resume=state))
        assert before + after == whole
        for name, weight in params.items():
            assert fresh[name].tobytes() == weight.tobytes(), (step, name)


def test_between_epochs_is_as_good_a_place():
    config = {**BASE, **CONFIGS[0]}
    params = NETWORK.init(3)
    whole = list(fit(NETWORK, params, X, Y, config, HELD_OUT))
    for count in range(1, len(whole) + 1):
        run = Training(NETWORK, NETWORK.init(3), X, Y, config, HELD_OUT)
        before = list(islice(run, count))
        fresh = NETWORK.init(8)
        state = run.state()
        after = list(fit(NETWORK, fresh, X, Y, config, HELD_OUT, resume=state))
        assert before + after == whole
        assert all(fresh[name].tobytes() == params[name].tobytes() for name in params)


def test_the_optimizer_keeps_its_precision():
    network = Network.from_spec(SPEC)
    run = Training(network, network.init(0, "float64"), X, Y, {**BASE, "epochs": 1}, HELD_OUT)
    list(run)
    arrays = run.state().arrays
    assert {array.dtype for array in arrays.values()} == {np.dtype("float64")}
    assert any(name.startswith("optimizer/") for name in arrays)


def test_a_state_that_does_not_fit_is_refused():
    run = Training(NETWORK, NETWORK.init(), X, Y, BASE, HELD_OUT)
    list(run)
    state = run.state()
    other = Network.from_spec({"layers": [{"type": "dense", "units": 3}]}, [6])
    with pytest.raises(ValueError, match=r"'dense_1\.kernel' must have shape"):
        fit(other, other.init(), X, Y, BASE, HELD_OUT, resume=state)
    strange = TrainingState(state.arrays, {**state.document, "version": 99})
    with pytest.raises(ValueError, match="must be of version 1, got 99"):
        fit(NETWORK, NETWORK.init(), X, Y, BASE, HELD_OUT, resume=strange)


def test_a_longer_run_may_go_on_from_a_finished_one():
    short = {**BASE, "early_stopping": None, "epochs": 2, **CONFIGS[0]}
    run = Training(NETWORK, NETWORK.init(3), X, Y, short)
    list(run)
    params = NETWORK.init(3)
    whole = list(fit(NETWORK, params, X, Y, {**short, "epochs": 4}))
    fresh = NETWORK.init(8)
    state = run.state()
    assert list(fit(NETWORK, fresh, X, Y, {**short, "epochs": 4}, resume=state)) == whole[2:]
    assert all(fresh[name].tobytes() == params[name].tobytes() for name in params)
