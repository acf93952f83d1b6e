"""What PyTorch says of the graph: the loss, all gradients, and the outputs."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional

from tests.nncore.references.graph_cases import LOSS_WEIGHTS, inputs, targets, weights


def of_graph() -> dict[str, Any]:
    """Gradients of weights by name, of inputs by theirs."""
    w = {name: torch.from_numpy(value).requires_grad_() for name, value in weights().items()}
    x = {name: torch.from_numpy(value).requires_grad_() for name, value in inputs().items()}

    def dense(name: str, value: torch.Tensor) -> torch.Tensor:
        return value @ w[f"{name}.kernel"] + w[f"{name}.bias"]

    residual = torch.tanh(dense("tower", x["left"])) + x["left"]
    both = torch.cat([residual, torch.tanh(dense("tower", x["right"]))], dim=-1)
    digit, ink = dense("digit", both), dense("ink", both)
    wanted = {name: torch.from_numpy(value) for name, value in targets().items()}
    loss = LOSS_WEIGHTS["digit"] * functional.cross_entropy(digit, wanted["digit"])
    loss = loss + LOSS_WEIGHTS["ink"] * functional.mse_loss(ink, wanted["ink"])
    loss.backward()
    found = {"loss": loss.item(), "y digit": digit.detach().numpy(), "y ink": ink.detach().numpy()}
    found |= {f"d{name}": tensor.grad.numpy() for name, tensor in (w | x).items()}
    return found
