"""Dropout: how much it drops, and on what that depends."""

import numpy as np
import pytest

from nncore import ArchitectureError, Network
from nncore.passes import Pass, Run
from nncore.workspace import Workspace

NETWORK = Network.from_spec(
    {
        "input": {"shape": [500]},
        "layers": [{"type": "dropout", "rate": 0.25}, {"type": "dropout", "rate": 0.25}],
    }
)
X = np.ones((40, 500), "float32")


def dropped(stage=0, **run):
    stage = NETWORK.stages[stage]
    pass_ = Pass(Run(Workspace(), training=True, **run), stage.layer, stage.index)
    return stage.operation.forward({}, X, pass_)[0]


def test_it_drops_its_rate_and_keeps_the_mean():
    y = dropped()
    assert np.mean(y == 0) == pytest.approx(0.25, abs=0.01)
    assert np.unique(y) == pytest.approx([0, 4 / 3])


def test_predictions_drop_nothing():
    assert np.array_equal(NETWORK.predict({}, X), X)


def test_seed_step_and_layer_each_change_what_is_dropped():
    first = dropped(seed=1, step=1)
    assert np.array_equal(first, dropped(seed=1, step=1))
    others = (dropped(seed=2, step=1), dropped(seed=1, step=2), dropped(1, seed=1, step=1))
    assert not any(np.array_equal(first, other) for other in others)


@pytest.mark.parametrize("rate", [-0.1, 1, 1.5])
def test_an_impossible_rate_is_refused(rate):
    with pytest.raises(ArchitectureError, match="at least 0 and below 1") as error:
        Network.from_spec({"layers": [{"type": "dropout", "rate": rate}]}, [4])
    assert error.value.pointer == "/layers/0/rate"
