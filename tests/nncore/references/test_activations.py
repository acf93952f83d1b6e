"""Activations against Keras 3: outputs and gradients."""

from __future__ import annotations

import pytest

from nncore import registry
from nncore.activations import Activation
from nncore.gradient_check import relative_error
from tests.nncore.references.activation_cases import ACTIVATIONS
from tests.nncore.references.recorded import load
from tests.nncore.references.replay import Replay

RECORDED = load("activations")
WITHIN = {"float64": 1e-9, "float32": 2e-5}
UNRECORDED: dict[str, str] = {}

COLLECTED = [case for name, case in ACTIVATIONS if name in registry.units(Activation)]


@pytest.mark.parametrize("dtype", WITHIN)
@pytest.mark.parametrize("case", COLLECTED, ids=lambda case: case.name)
def test_an_activation_is_what_keras_says(case, dtype):
    found, expected = Replay(case, dtype).quantities(), dict(RECORDED[case.name])
    expected.setdefault("evaluated", expected["y"])
    assert set(found) == set(expected)
    for name, wanted in expected.items():
        assert relative_error(found[name], wanted) < WITHIN[dtype], name


def test_every_case_is_recorded():
    assert {case.name for _, case in ACTIVATIONS} == set(RECORDED)


def test_every_activation_is_recorded_or_says_why_not():
    covered = {name for name, _ in ACTIVATIONS}
    assert set(registry.units(Activation)) <= covered | set(UNRECORDED)
