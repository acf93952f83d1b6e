"""What PyTorch makes of the training runs and schedules."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import torch

from tests.nncore.references.keras_losses import value_of
from tests.nncore.references.schedule_references import factors
from tests.nncore.references.training_cases import BATCH, EPOCHS, EXAMPLES, TrainingCase, start

Weights = dict[str, torch.Tensor]

_RENAMED = {
    "learning_rate": "lr",
    "epsilon": "eps",
    "learning_rate_decay": "lr_decay",
}
_CLASSES = {
    "sgd": "SGD",
    "adam": "Adam",
    "adamw": "AdamW",
    "nadam": "NAdam",
    "adamax": "Adamax",
    "rmsprop": "RMSprop",
    "adagrad": "Adagrad",
    "adadelta": "Adadelta",
    "lbfgs": "LBFGS",
}


class Lion(torch.optim.Optimizer):
    """PyTorch has none. w -= rate (sign(b1 m + (1 - b1) g) + decay w), m = b2 m + (1 - b2) g.

    Chen et al., 2023."""

    def __init__(self, params: Iterable[torch.Tensor], lr: float, **fields: float) -> None:
        defaults = {"beta_1": 0.9, "beta_2": 0.99, "weight_decay": 0.0}
        super().__init__(params, {"lr": lr, **defaults, **fields})

    @torch.no_grad()
    def step(self, closure: Callable[[], torch.Tensor]) -> torch.Tensor:
        """One step, and the loss before it."""
        with torch.enable_grad():
            loss = closure()
        for group in self.param_groups:
            for weight in group["params"]:
                mean = self.state[weight].setdefault("mean", torch.zeros_like(weight))
                move = torch.sign(group["beta_1"] * mean + (1 - group["beta_1"]) * weight.grad)
                weight -= group["lr"] * (move + group["weight_decay"] * weight)
                mean.mul_(group["beta_2"]).add_(weight.grad, alpha=1 - group["beta_2"])
        return loss


def optimizer_of(document: dict[str, Any], weights: Iterable[torch.Tensor]) -> Any:
    """An optimizer's document as PyTorch's optimizer."""
    fields = {key: value for key, value in document.items() if key != "type"}
    kind = document["type"]
    if kind == "lion":
        return Lion(weights, fields.pop("learning_rate"), **fields)
    if {"beta_1", "beta_2"} & set(fields):
        fields["betas"] = (fields.pop("beta_1", 0.9), fields.pop("beta_2", 0.999))
    if kind == "rmsprop" and "rho" in fields:
        fields["alpha"] = fields.pop("rho")
    if kind == "lbfgs" and fields.pop("line_search", True):
        fields["line_search_fn"] = "strong_wolfe"
    renamed = {_RENAMED.get(key, key): value for key, value in fields.items()}
    return getattr(torch.optim, _CLASSES[kind])(weights, **renamed)


def of_run(case: TrainingCase) -> dict[str, Any]:
    """The loss at each step, all weights after it in the order of `start`, and the result."""
    weights = {name: torch.from_numpy(value).requires_grad_() for name, value in start().items()}
    optimizer = optimizer_of(case.optimizer, weights.values())
    losses, path, result = [], [], _flat(weights)
    batches = _batches(case)
    rates = factors(case.more.get("schedule", {"type": "constant"}), len(batches))
    for rows, factor in zip(batches, rates, strict=True):
        optimizer.param_groups[0]["lr"] = case.optimizer["learning_rate"] * factor

        def closure(rows: slice = rows) -> torch.Tensor:
            optimizer.zero_grad()
            loss = _loss(case, weights, rows)
            loss.backward()
            _clip(case, list(weights.values()))
            return loss

        losses.append(optimizer.step(closure).item())
        path.append(_flat(weights))
        decay = case.more.get("ema_decay", 0) if len(path) > 1 else 0
        result = decay * result + (1 - decay) * path[-1]
    return {"losses": losses, "weights": np.array(path), "result": result}


def _batches(case: TrainingCase) -> list[slice]:
    size = EXAMPLES if case.full_batch else BATCH
    one_epoch = [slice(first, first + size) for first in range(0, EXAMPLES, size)]
    return one_epoch * (EPOCHS * EXAMPLES // BATCH // len(one_epoch))


def _flat(weights: Weights) -> np.ndarray:
    return np.concatenate([weight.detach().numpy().ravel() for weight in weights.values()])


def _loss(case: TrainingCase, weights: Weights, rows: slice) -> torch.Tensor:
    outputs = _outputs(weights, torch.from_numpy(case.inputs()[rows]))
    factors = case.weights()
    some = None if factors is None else factors[rows]
    return value_of(case.loss, outputs, case.targets()[rows], some) + _penalty(case, weights)


def _penalty(case: TrainingCase, weights: Weights) -> torch.Tensor | float:
    document = case.layer.get("kernel_regularizer")
    if document is None:
        return 0.0
    kernels = [weight for name, weight in weights.items() if name.endswith("kernel")]
    l1, l2 = document.get("l1", 0.0), document.get("l2", 0.0)
    if document["type"] in ("l1", "l2"):
        l1, l2 = (document["factor"] * (document["type"] == kind) for kind in ("l1", "l2"))
    return sum(l1 * kernel.abs().sum() + l2 * (kernel**2).sum() for kernel in kernels)


def _outputs(weights: Weights, x: torch.Tensor) -> torch.Tensor:
    hidden = torch.tanh(x @ weights["dense_1.kernel"] + weights["dense_1.bias"])
    return hidden @ weights["dense_2.kernel"] + weights["dense_2.bias"]


def _clip(case: TrainingCase, weights: list[torch.Tensor]) -> None:
    if "clip_norm" in case.more:
        _shorten(weights, case.more["clip_norm"])
    if "clip_weight_norm" in case.more:
        for weight in weights:
            _shorten([weight], case.more["clip_weight_norm"])
    if "clip_value" in case.more:
        torch.nn.utils.clip_grad_value_(weights, case.more["clip_value"])


def _shorten(weights: list[torch.Tensor], limit: float) -> None:
    # PyTorch's clip_grad_norm_ divides by the norm + 1e-6, and so misses the limit by a little.
    norm = torch.sqrt(sum((weight.grad**2).sum() for weight in weights)).item()
    for weight in weights:
        weight.grad *= min(1.0, limit / norm)
