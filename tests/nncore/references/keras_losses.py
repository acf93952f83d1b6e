"""What Keras 3 and PyTorch say of the losses' cases: the value, and its gradient in the outputs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from tests.nncore.references.loss_cases import LossCase

_KERAS = {
    "mean_squared_error": "MeanSquaredError",
    "mean_absolute_error": "MeanAbsoluteError",
    "huber": "Huber",
    "log_cosh": "LogCosh",
    "poisson": "Poisson",
    "hinge": "Hinge",
    "squared_hinge": "SquaredHinge",
    "categorical_hinge": "CategoricalHinge",
    "cosine_similarity": "CosineSimilarity",
    "binary_cross_entropy": "BinaryCrossentropy",
    "cross_entropy": "CategoricalCrossentropy",
}
_OF_LOGITS = ("binary_cross_entropy", "cross_entropy")


def value_of(
    kind: str,
    outputs: torch.Tensor,
    targets: NDArray[Any],
    weights: NDArray[np.float64] | None = None,
) -> torch.Tensor:
    """A loss by name, without options, of a batch of vectors."""
    factors = None if weights is None else tuple(weights.tolist())
    return _value(_Batch({"type": kind}, targets, factors), outputs)


def of_loss(case: LossCase) -> dict[str, Any]:
    """The mean of a batch as Keras takes it: weights and masks as in its losses."""
    outputs = torch.from_numpy(case.outputs()).requires_grad_()
    value = _value(case, outputs)
    value.backward()
    return {"value": value.item(), "slope": outputs.grad.numpy()}


@dataclass(frozen=True)
class _Batch:
    """A case whose targets are given."""

    document: dict[str, Any]
    given: NDArray[Any]
    weights: tuple[float, ...] | None
    mask: None = None

    def wanted(self) -> NDArray[Any]:
        """The targets."""
        return self.given


def _value(case: LossCase | _Batch, outputs: torch.Tensor) -> torch.Tensor:
    options = {key: value for key, value in case.document.items() if key != "type"}
    kind = case.document["type"]
    if kind == "root_mean_squared_error":
        return _by_keras("MeanSquaredError", case, outputs, {}).sqrt()
    if kind == "half_sum_squared_error":
        squares = 0.5 * (outputs - torch.from_numpy(case.wanted())) ** 2
        return _mean(case, squares.sum(-1))
    if kind == "ctc":
        return _ctc(case, outputs)
    if kind == "kl_divergence":
        shares = torch.from_numpy(case.wanted())
        terms = functional.kl_div(functional.log_softmax(outputs, -1), shares, reduction="none")
        return _mean(case, terms.sum(-1))
    if "pos_weight" in options:
        weight = torch.tensor(options["pos_weight"])
        wanted = torch.from_numpy(case.wanted())
        return functional.binary_cross_entropy_with_logits(outputs, wanted, pos_weight=weight)
    if "epsilon" in options:
        wanted = torch.from_numpy(case.wanted())
        return functional.poisson_nll_loss(outputs, wanted, False, eps=options["epsilon"])
    if options.get("log_input"):
        return functional.poisson_nll_loss(outputs, torch.from_numpy(case.wanted()))
    if "ignore_index" in options:
        options["ignore_class"] = options.pop("ignore_index")
        return _by_keras("SparseCategoricalCrossentropy", case, outputs, options | _LOGITS)
    if kind in _OF_LOGITS:
        options |= _LOGITS
    return _by_keras(_KERAS[kind], case, outputs, options)


_LOGITS = {"from_logits": True}


def _by_keras(
    name: str, case: LossCase | _Batch, outputs: torch.Tensor, options: dict[str, Any]
) -> torch.Tensor:
    wanted, weights = case.wanted(), case.weights and np.array(case.weights)
    classes = options.pop("class_weights", None)
    if classes is not None:
        weights = np.array(classes)[wanted]
    if name.startswith("Categorical") and wanted.dtype.kind == "i":
        wanted = np.eye(outputs.shape[-1])[wanted]
    if case.mask:
        keras.src.backend.set_keras_mask(outputs, torch.tensor(case.mask))
    loss = getattr(keras.losses, name)(**options, dtype="float64")
    if weights is not None and outputs.ndim > 2 and weights.ndim == 1:
        weights = np.repeat(weights[:, None], outputs.shape[1], axis=1)
    return loss(torch.from_numpy(np.asarray(wanted)), outputs, sample_weight=weights)


def _mean(case: LossCase | _Batch, terms: torch.Tensor) -> torch.Tensor:
    """The mean of terms, one a position, as Keras takes it."""
    mask = torch.tensor(case.mask) if case.mask else torch.ones(terms.shape)
    weights = torch.tensor(case.weights or (1.0,) * len(terms))
    weights = weights.reshape(-1, *(1,) * (terms.ndim - 1))
    return (terms * weights * mask).sum() / mask.sum()


def _ctc(case: LossCase | _Batch, outputs: torch.Tensor) -> torch.Tensor:
    """Each example's loss, undivided by its length, in PyTorch's order of axes."""
    labels = torch.from_numpy(case.wanted())
    steps = torch.tensor(case.mask or ((True,) * outputs.shape[1],) * len(outputs)).sum(-1)
    terms = functional.ctc_loss(
        functional.log_softmax(outputs, -1).transpose(0, 1),
        labels.clamp(min=0),
        steps,
        (labels >= 0).sum(-1),
        blank=case.document.get("blank", 0),
        reduction="none",
    )
    return (terms * torch.tensor(case.weights or (1.0,) * len(terms))).mean()
