"""A run stopped after any step and taken up elsewhere ends with the same bytes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import islice

import numpy as np
import pytest

from nncore import Network, StateError, Training, TrainingState, fit
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
    with pytest.raises(StateError, match=r"network with layers a list of 5, this one has a list"):
        fit(other, other.init(), X, Y, BASE, HELD_OUT, resume=state)
    strange = TrainingState(state.arrays, {**state.document, "version": 99})
    with pytest.raises(StateError, match="is of version 99, only 2 can be resumed"):
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


def of_a_run(**change):
    """A state in the middle of a run."""
    states = []
    config = {**BASE, "ema_decay": 0.9, **change}
    run = Training(
        NETWORK, NETWORK.init(), X, Y, config, HELD_OUT, lambda s: states.append(s.state())
    )
    list(run)
    return states[6]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"batch_size": 20}, "a run with batch_size 5, this one has 20"),
        ({"optimizer": "sgd"}, 'a run with optimizer.type "adam", this one has "sgd"'),
        ({"optimizer": {"type": "adam", "learning_rate": 0.5}}, "optimizer.learning_rate 0.001"),
        ({"seed": 5}, "a run with seed 0, this one has 5"),
        ({"shuffle": False}, "a run with shuffle true, this one has false"),
        ({"metrics": []}, "a run with metrics a list of 1, this one has a list of 0"),
        ({"accumulate_steps": 4}, "a run with accumulate_steps 1, this one has 4"),
        ({"ema_decay": None}, "a run with ema_decay 0.9, this one has null"),
        ({"early_stopping": None}, "this one has null"),
    ],
)
def test_a_state_of_another_configuration_is_refused(change, words):
    config = {**BASE, "ema_decay": 0.9, **change}
    params = NETWORK.init()
    before = {name: weight.copy() for name, weight in params.items()}
    with pytest.raises(StateError) as error:
        fit(NETWORK, params, X, Y, config, HELD_OUT, resume=of_a_run())
    assert words in str(error.value)
    assert all((params[name] == weight).all() for name, weight in before.items())


def test_a_state_of_other_data_weights_or_layers_is_refused():
    config = {**BASE, "ema_decay": 0.9}
    with pytest.raises(StateError, match="a run with examples 22, this one has 10"):
        fit(NETWORK, NETWORK.init(), X[:10], Y[:10], config, HELD_OUT, resume=of_a_run())
    with pytest.raises(StateError, match='a run with dtype "float32", this one has "float64"'):
        fit(NETWORK, NETWORK.init(0, "float64"), X, Y, config, HELD_OUT, resume=of_a_run())
    layers = [{**SPEC["layers"][0], "trainable": False}, *SPEC["layers"][1:]]
    frozen = Network.from_spec({**SPEC, "layers": layers})
    with pytest.raises(StateError, match=r"layers\[0\]\.trainable true, this one has false"):
        fit(frozen, frozen.init(), X, Y, config, HELD_OUT, resume=of_a_run())


def without(mapping, *words):
    return {key: value for key, value in mapping.items() if not any(word in key for word in words)}


def changed(state, **document):
    return TrainingState(state.arrays, {**state.document, **document})


BREAKS = {
    "another thing": lambda _: {"a": 1},
    "no document": lambda s: TrainingState(s.arrays, {}),
    "only a version": lambda s: TrainingState(s.arrays, {"version": 2}),
    "a version in words": lambda s: changed(s, version="2"),
    "a run of nothing": lambda s: changed(s, run=None),
    "no position": lambda s: TrainingState(s.arrays, without(s.document, "position")),
    "an unfinished position": lambda s: changed(s, position={"epoch": 1}),
    "before the beginning": lambda s: changed(s, position={**s.document["position"], "batch": -3}),
    "beyond the end": lambda s: changed(s, position={**s.document["position"], "batch": 99}),
    "no arrays": lambda s: TrainingState({}, s.document),
    "no weight": lambda s: TrainingState(without(s.arrays, "params/dense_1.bias"), s.document),
    "no slots": lambda s: TrainingState(without(s.arrays, "optimizer/"), s.document),
    "no slot": lambda s: TrainingState(without(s.arrays, "square/dense_1.bias"), s.document),
    "no average": lambda s: TrainingState(without(s.arrays, "average/dense_2"), s.document),
    "half of the best": lambda s: TrainingState(without(s.arrays, "best/dense_2"), s.document),
    "other shapes": lambda s: TrainingState(
        {n: a[..., :1] for n, a in s.arrays.items()}, s.document
    ),
    "another precision": lambda s: TrainingState(
        {n: a.astype("f8") for n, a in s.arrays.items()}, s.document
    ),
    "no sums": lambda s: changed(s, counted={}),
    "too many sums": lambda s: changed(s, counted={"totals": [1, 2], "terms": [1, 2]}),
    "another metric": lambda s: TrainingState({**s.arrays, "tallies/f1": np.ones(3)}, s.document),
    "no stopper": lambda s: changed(s, early_stopping={}),
    "a stopper of words": lambda s: changed(s, early_stopping={"best": "x"}),
    "a schedule of words": lambda s: changed(s, schedule={"factor": "x"}),
}


@pytest.mark.parametrize("name", BREAKS)
def test_a_broken_state_is_refused_before_anything_changes(name):
    state = BREAKS[name](of_a_run())
    params = NETWORK.init(5)
    before = {name: weight.copy() for name, weight in params.items()}
    with pytest.raises(StateError):
        fit(NETWORK, params, X, Y, {**BASE, "ema_decay": 0.9}, HELD_OUT, resume=state)
    assert all((params[name] == weight).all() for name, weight in before.items())


@pytest.mark.parametrize("lost", ["previous", "numbers", "steps"])
def test_a_broken_state_of_lbfgs_is_refused(lost):
    config = {**BASE, "batch_size": None, "optimizer": "lbfgs", "early_stopping": None}
    run = Training(NETWORK, NETWORK.init(), X, Y, {**config, "epochs": 1})
    list(run)
    state = run.state()
    broken = TrainingState(without(state.arrays, f"course/{lost}"), state.document)
    with pytest.raises(StateError, match="broken"):
        fit(NETWORK, NETWORK.init(), X, Y, config, resume=broken)
