"""What PyTorch and Keras make of the schedules' cases, as factors of the learning rate."""

from __future__ import annotations

import warnings
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import torch
from torch.optim import lr_scheduler

from tests.nncore.references.schedule_cases import FIGURES, STEPS, ScheduleCase


def of_schedule(case: ScheduleCase) -> dict[str, Any]:
    """The factor at each step, or in the epoch after each figure."""
    if case.follows_figures:
        return {"factors": _after_figures(case.document)}
    return {"factors": factors(case.document, STEPS)}


def factors(document: dict[str, Any], steps: int) -> list[float]:
    """The factor at each step of a run."""
    fields = {key: value for key, value in document.items() if key != "type"}
    warmup, kind = fields.pop("warmup_steps", 0), document["type"]
    course = _IN_KERAS if kind in _IN_KERAS else _IN_PYTORCH
    rest = course[kind](fields, steps - warmup)
    if not warmup:
        return rest
    return [*_rising(warmup), *rest]


def _rising(warmup: int) -> list[float]:
    first = 1 / warmup
    return _stepped(lambda o: lr_scheduler.LinearLR(o, first, 1.0, warmup - 1), warmup)


def _stepped(schedule: Any, steps: int) -> list[float]:
    """A scheduler of PyTorch's, step by step from the rate 1."""
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=1.0)
    found, rates = schedule(optimizer), []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # no step of the optimizer comes between
        for _ in range(steps):
            rates.append(float(optimizer.param_groups[0]["lr"]))
            if len(rates) < steps:
                found.step()
    return rates


def _by_keras(schedule: Any, steps: int) -> list[float]:
    return [float(schedule(np.float64(step))) for step in range(steps)]


def _falls(fields: dict[str, Any], steps: int) -> list[float]:
    gamma = fields.get("gamma", 0.1)
    if "boundaries" in fields:
        return _stepped(lambda o: lr_scheduler.MultiStepLR(o, fields["boundaries"], gamma), steps)
    size = fields.get("step_size", -(-steps // 3))
    return _stepped(lambda o: lr_scheduler.StepLR(o, size, gamma), steps)


def _one_cycle(fields: dict[str, Any], steps: int) -> list[float]:
    options = {"total_steps": steps, "cycle_momentum": False} | fields
    return _stepped(lambda o: lr_scheduler.OneCycleLR(o, 1.0, **options), steps)


def _exponential(fields: dict[str, Any], steps: int) -> list[float]:
    options = {"decay_steps": steps, "decay_rate": 0.1} | fields
    return _by_keras(keras.optimizers.schedules.ExponentialDecay(1.0, **options), steps)


def _polynomial(fields: dict[str, Any], steps: int) -> list[float]:
    fields = {"decay_steps": steps, "end_factor": 0.0} | fields
    fields["end_learning_rate"] = fields.pop("end_factor")
    return _by_keras(keras.optimizers.schedules.PolynomialDecay(1.0, **fields), steps)


def _cosine(fields: dict[str, Any], steps: int) -> list[float]:
    options = {"decay_steps": steps} | fields
    return _by_keras(keras.optimizers.schedules.CosineDecay(1.0, **options), steps)


def _restarts(fields: dict[str, Any], steps: int) -> list[float]:
    options = {"first_decay_steps": -(-steps // 3)} | fields
    return _by_keras(keras.optimizers.schedules.CosineDecayRestarts(1.0, **options), steps)


_IN_KERAS = {
    "exponential": _exponential,
    "polynomial": _polynomial,
    "cosine": _cosine,
    "cosine_restarts": _restarts,
}
_IN_PYTORCH = {
    "constant": lambda _, steps: [1.0] * steps,
    "step": _falls,
    "one_cycle": _one_cycle,
}


def _after_figures(document: dict[str, Any]) -> list[float]:
    """Keras' callback on a model that is nothing but an optimizer."""
    renamed = {"metric": "monitor", "gamma": "factor", "min_factor": "min_lr"}
    fields = {renamed.get(key, key): value for key, value in document.items() if key != "type"}
    callback = keras.callbacks.ReduceLROnPlateau(mode="min", **fields)
    optimizer = keras.optimizers.SGD(1.0)
    callback.set_model(SimpleNamespace(optimizer=optimizer))
    callback.on_train_begin()
    rates = []
    for epoch, figure in enumerate(FIGURES):
        callback.on_epoch_end(epoch, {"loss": figure})
        rates.append(float(optimizer.learning_rate))
    return rates
