"""Ten steps of training from the same weights and batches as PyTorch's: the same path."""

from __future__ import annotations

import numpy as np
import pytest

from nncore import Network, fit, registry
from nncore.losses import Loss
from nncore.optimizers import Optimizer
from tests.nncore.references.recorded import load
from tests.nncore.references.training_cases import RUNS, start

RECORDED = load("training")
COLLECTED = [
    case
    for case in RUNS
    if case.optimizer["type"] in registry.units(Optimizer) and case.loss in registry.units(Loss)
]


@pytest.mark.parametrize("case", COLLECTED, ids=lambda case: case.name)
def test_a_run_is_pytorchs(case):
    params, losses, path = start(), [], []

    def record(step):
        losses.append(step.loss)
        path.append(np.concatenate([weight.ravel() for weight in params.values()]))

    network, weights = Network.from_spec(case.network()), case.weights() if case.weighted else None
    x, y = case.inputs(), case.targets()
    for _ in fit(network, params, x, y, case.config(), on_step=record, sample_weight=weights):
        pass
    expected = RECORDED[case.name]
    np.testing.assert_allclose(losses, expected["losses"], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(path, expected["weights"], rtol=1e-9, atol=1e-9)
    result = np.concatenate([weight.ravel() for weight in params.values()])
    np.testing.assert_allclose(result, expected["result"], rtol=1e-9, atol=1e-9)


def test_every_run_is_recorded():
    assert {case.name for case in RUNS} == set(RECORDED)


def test_every_optimizer_has_a_run():
    assert set(registry.units(Optimizer)) <= {case.optimizer["type"] for case in RUNS}
