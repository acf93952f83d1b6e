"""Every option of every unit has a recorded case, or a reason why not."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from nncore import registry
from nncore.activations import Activation
from nncore.layers import Layer
from nncore.losses import Loss
from nncore.optimizers import Optimizer
from tests.nncore.references.activation_cases import ACTIVATIONS
from tests.nncore.references.layer_cases import GENERAL
from tests.nncore.references.loss_cases import LOSSES
from tests.nncore.references.recurrent_cases import SEQUENCES
from tests.nncore.references.spatial_cases import CONVOLUTIONS, POOLINGS, SIZES
from tests.nncore.references.training_cases import RUNS

LAYERS = [*GENERAL, *CONVOLUTIONS, *POOLINGS, *SIZES, *SEQUENCES]
DOCUMENTS = [
    *(layer for case in LAYERS for layer in case.layers),
    *(layer["layer"] for case in LAYERS for layer in case.layers if "layer" in layer),
    *(case.layers[0]["activation"] for _, case in ACTIVATIONS),
    *(case.document for case in LOSSES),
    *(case.optimizer for case in RUNS),
]
OF_NETWORKS = {"name", "trainable", "inputs", "shares"}
RANDOM = {"dropout", "recurrent_dropout", "rate", "noise_shape", "stddev", "seed"}
ELSEWHERE = {
    ("adaptive", "slope_recovery"): "a worked example",
    ("lstm", "unit_forget_bias"): "an initializer's",
    ("ctc", "zero_infinity"): "beside the loss",
}


def options() -> Iterator[tuple[str, str]]:
    for kind in (Layer, Activation, Loss, Optimizer):
        for name, unit in registry.units(kind).items():
            for field in dataclasses.fields(unit):  # type: ignore[arg-type]  # all are dataclasses
                apart = field.name.endswith(("_initializer", "_regularizer"))
                if not (apart or field.name in OF_NETWORKS | RANDOM):
                    yield name, field.name


def is_recorded(unit: str, field: str) -> bool:
    documents: list[Mapping[str, Any]] = [one for one in DOCUMENTS if isinstance(one, Mapping)]
    return any(one["type"] == unit and field in one for one in documents)


@pytest.mark.parametrize(("unit", "field"), sorted(set(options()) - set(ELSEWHERE)))
def test_an_option_is_recorded(unit, field):
    assert is_recorded(unit, field), f"no case sets {unit}.{field}"
