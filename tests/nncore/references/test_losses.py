"""Losses against Keras 3 and PyTorch: the value, and its gradient in the network's outputs."""

from __future__ import annotations

import numpy as np
import pytest

from nncore import registry
from nncore.documents import parse
from nncore.gradient_check import relative_error
from nncore.losses import Loss
from tests.nncore.references.loss_cases import LOSSES
from tests.nncore.references.recorded import load

RECORDED = load("losses")
WITHIN = {"float64": 1e-9, "float32": 2e-5}
UNRECORDED: dict[str, str] = {}

COLLECTED = [case for case in LOSSES if case.document["type"] in registry.units(Loss)]


@pytest.mark.parametrize("dtype", WITHIN)
@pytest.mark.parametrize("case", COLLECTED, ids=lambda case: case.name)
def test_a_loss_is_what_keras_says(case, dtype):
    loss, targets = parse(Loss, case.document), case.wanted()
    loss.check(case.shape, targets)
    mask = None if case.mask is None else np.array(case.mask)
    weights = None if case.weights is None else np.array(case.weights, dtype)
    terms = loss.terms(targets, mask)
    mean, slope = loss.forward(case.outputs().astype(dtype), targets, terms, weights, mask)
    value, factor = loss.outer(mean)
    expected = RECORDED[case.name]
    assert value == pytest.approx(float(expected["value"]), rel=WITHIN[dtype])
    assert relative_error(slope * factor, expected["slope"]) < WITHIN[dtype]


def test_every_case_is_recorded():
    assert {case.name for case in LOSSES} == set(RECORDED)


def test_every_loss_is_recorded_or_says_why_not():
    covered = {case.document["type"] for case in LOSSES}
    assert set(registry.units(Loss)) <= covered | set(UNRECORDED)
