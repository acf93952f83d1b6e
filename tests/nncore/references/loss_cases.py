"""The losses' cases: documents, targets, weights and masks, shared by generator and tests."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.nncore.references.filling import fill
from tests.nncore.references.recorded import title

_EXAMPLES = 4


@dataclass(frozen=True)
class LossCase:
    """`targets` names a function below; `weights` and `mask` are one number a position."""

    document: dict[str, Any]
    shape: tuple[int, ...]
    targets: str
    weights: tuple[float, ...] | None = None
    mask: tuple[tuple[bool, ...], ...] | None = None
    name: str = field(init=False)

    def __post_init__(self) -> None:
        shape = str(list(self.shape)).replace(" ", "")
        name = f"{title(self.document)} on {shape} {self.targets}"
        name += " weighted" if self.weights else ""
        object.__setattr__(self, "name", name + (" masked" if self.mask else ""))

    def outputs(self) -> NDArray[np.float64]:
        """What the network said, from -2 to 2; rates for Poisson's loss from .3 to 1.3."""
        rates = self.document["type"] == "poisson" and not self.document.get("log_input")
        values = fill((_EXAMPLES, *self.shape), 0.3)
        return values + 0.8 if rates else 4 * values

    def wanted(self) -> NDArray[Any]:
        """The targets."""
        return _TARGETS[self.targets]((_EXAMPLES, *self.shape))


def _shares(shape):
    powers = np.exp(4 * fill(shape, 5))
    return powers / powers.sum(axis=-1, keepdims=True)


def _classes(shape):
    return np.arange(np.prod(shape[:-1])).reshape(shape[:-1]) * 5 % 7 % shape[-1]


def _some_ignored(shape):
    classes = _classes(shape)
    classes.reshape(-1)[1::3] = -1
    return classes


_TARGETS = {
    "values": lambda shape: 4 * fill(shape, 11),
    "counts": lambda shape: np.arange(np.prod(shape)).reshape(shape) % 4,
    "bits": lambda shape: (fill(shape, 3) > 0).astype(float),
    "signs": lambda shape: np.sign(fill(shape, 3)),
    "chances": lambda shape: fill(shape, 3) + 0.5,
    "shares": _shares,
    "sharp": lambda shape: np.eye(shape[-1])[_classes(shape)],
    "classes": _classes,
    "some ignored": _some_ignored,
    "labels": lambda _: np.array([[1, 2, -1], [2, 2, 1], [3, -1, -1], [-1, -1, -1]]),
    "low labels": lambda _: np.array([[1, 0, -1], [2, 2, 1], [0, -1, -1], [1, 1, -1]]),
}
_WEIGHTS = (0.5, 2.0, 0.0, 1.5)
_MASK = ((True, True, False), (True, False, False), (True, True, True), (True, True, False))

_STEPS = tuple(tuple(step < steps for step in range(6)) for steps in (4, 5, 6, 2))


def _family(name, targets, *options, shape=(3,)):
    cases = [LossCase({"type": name, **fields}, shape, targets) for fields in ({}, *options)]
    cases.append(LossCase({"type": name}, (3, 2), targets))
    cases.append(LossCase({"type": name}, shape, targets, weights=_WEIGHTS))
    cases.append(LossCase({"type": name}, (3, 2), targets, mask=_MASK))
    cases.append(LossCase({"type": name}, (3, 2), targets, weights=_WEIGHTS, mask=_MASK))
    return cases


LOSSES = [
    *_family("mean_squared_error", "values"),
    *_family("mean_absolute_error", "values"),
    *_family("root_mean_squared_error", "values"),
    *_family("half_sum_squared_error", "values"),
    *_family("huber", "values", {"delta": 0.4}),
    *_family("log_cosh", "values"),
    *_family("poisson", "counts", {"log_input": True}),
    LossCase({"type": "poisson", "epsilon": 0.1}, (3,), "counts"),
    *_family("kl_divergence", "shares"),
    LossCase({"type": "kl_divergence"}, (3,), "sharp"),
    *_family("hinge", "signs"),
    LossCase({"type": "hinge"}, (3,), "bits"),
    *_family("squared_hinge", "signs"),
    *_family("categorical_hinge", "classes"),
    *_family("cosine_similarity", "values"),
    *_family("binary_cross_entropy", "bits", {"label_smoothing": 0.2}, {"pos_weight": 3.0}),
    LossCase({"type": "binary_cross_entropy", "pos_weight": [3.0, 0.5, 1.0]}, (3,), "bits"),
    LossCase({"type": "binary_cross_entropy"}, (3,), "chances"),
    *_family(
        "cross_entropy",
        "classes",
        {"label_smoothing": 0.2},
        {"class_weights": [0.5, 2.0, 1.0]},
        {"label_smoothing": 0.1, "class_weights": [0.5, 2.0, 1.0]},
    ),
    *_family("cross_entropy", "shares", {"label_smoothing": 0.2}),
    LossCase({"type": "cross_entropy", "ignore_index": -1}, (3,), "some ignored"),
    LossCase({"type": "cross_entropy", "ignore_index": -1}, (3, 2), "some ignored"),
    LossCase({"type": "cross_entropy", "ignore_index": -1}, (3,), "some ignored", _WEIGHTS),
    LossCase({"type": "cross_entropy", "ignore_index": -1}, (3, 2), "some ignored", None, _MASK),
    LossCase({"type": "ctc"}, (6, 4), "labels"),
    LossCase({"type": "ctc", "blank": 3}, (5, 4), "low labels"),
    LossCase({"type": "ctc"}, (6, 4), "labels", weights=_WEIGHTS),
    LossCase({"type": "ctc"}, (6, 4), "labels", mask=_STEPS),
]
