"""Schedules against PyTorch and Keras: the factor of the learning rate at every step."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from nncore import registry
from nncore.documents import parse
from nncore.schedules import Schedule
from tests.nncore.references.recorded import load
from tests.nncore.references.schedule_cases import FIGURES, SCHEDULES, STEPS

RECORDED = load("schedules")


@pytest.mark.parametrize("case", SCHEDULES, ids=lambda case: case.name)
def test_a_schedule_is_what_pytorch_or_keras_say(case):
    schedule = parse(Schedule, case.document)
    if case.follows_figures:
        memory, found = {}, []
        for figure in FIGURES:
            memory = schedule.after_epoch(memory, {"loss": figure})
            found.append(memory.get("factor", 1.0))
    else:
        found = [schedule.factor(step, STEPS) for step in range(STEPS)]
    np.testing.assert_allclose(found, RECORDED[case.name]["factors"], rtol=1e-9, atol=1e-9)


def test_every_schedule_and_option_is_recorded():
    set_fields = {(case.document["type"], field) for case in SCHEDULES for field in case.document}
    warmed = {field for _, field in set_fields} >= {"warmup_steps"}
    for name, unit in registry.units(Schedule).items():
        for field in {field.name for field in dataclasses.fields(unit)} | {"type"}:
            assert (name, field) in set_fields or (warmed and field == "warmup_steps"), name
