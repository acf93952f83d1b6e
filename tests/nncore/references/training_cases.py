"""The training runs: ten steps of a small dense network, shared by the generator and the tests."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.nncore.references.filling import fill
from tests.nncore.references.recorded import title

INPUTS, HIDDEN, OUTPUTS = 4, 5, 3
EXAMPLES, BATCH, EPOCHS = 20, 4, 2


@dataclass(frozen=True)
class TrainingCase:
    """`more` are further fields of the training configuration, `layer` of both dense layers."""

    optimizer: dict[str, Any]
    loss: str = "mean_squared_error"
    more: dict[str, Any] = field(default_factory=dict)
    layer: dict[str, Any] = field(default_factory=dict)
    weighted: bool = False

    @property
    def name(self) -> str:
        """Tells the case from all others."""
        more = _written(self.more | self.layer) + (" weighted" if self.weighted else "")
        return f"{title(self.optimizer)} {self.loss} {more}".strip()

    @property
    def full_batch(self) -> bool:
        """Whether each step sees all examples."""
        return self.optimizer["type"] == "lbfgs"

    def network(self) -> dict[str, Any]:
        """The document of the network."""
        hidden = {"type": "dense", "units": HIDDEN, "activation": "tanh"} | self.layer
        last = {"type": "dense", "units": OUTPUTS} | self.layer
        return {"input": {"shape": [INPUTS]}, "layers": [hidden, last]}

    def config(self) -> dict[str, Any]:
        """The document of the run."""
        return {
            "optimizer": self.optimizer,
            "loss": self.loss,
            "epochs": EPOCHS * EXAMPLES // BATCH if self.full_batch else EPOCHS,
            "batch_size": None if self.full_batch else BATCH,
            "shuffle": False,
            **self.more,
        }

    def targets(self) -> NDArray[Any]:
        """Numbers, classes, bits or counts, as the loss wants them."""
        numbers = 2 * fill((EXAMPLES, OUTPUTS), 11)
        if self.loss in ("cross_entropy", "categorical_hinge"):
            return np.arange(EXAMPLES) * 5 % 7 % OUTPUTS
        if self.loss == "kl_divergence":
            powers = np.exp(2 * numbers)
            return powers / powers.sum(axis=-1, keepdims=True)
        if self.loss in ("binary_cross_entropy", "hinge", "squared_hinge"):
            return (numbers > 0).astype(float)
        return numbers

    def inputs(self) -> NDArray[np.float64]:
        """Examples (N, INPUTS)."""
        return 2 * fill((EXAMPLES, INPUTS), 0.3)

    def weights(self) -> NDArray[np.float64] | None:
        """A weight for each example, by sample or by class."""
        if "class_weight" in self.more:
            return np.array([self.more["class_weight"][str(y)] for y in self.targets()])
        return fill((EXAMPLES,), 7) + 1 if self.weighted else None


def _written(more: dict[str, Any]) -> str:
    pairs = []
    for key, value in more.items():
        kind = isinstance(value, dict) and "type" in value
        pairs.append(f"{key}={title(value) if kind else value}")
    return " ".join(pairs)


def start() -> dict[str, NDArray[np.float64]]:
    """The weights before the first step, in nncore's names and layout."""
    return {
        "dense_1.kernel": fill((INPUTS, HIDDEN), 1),
        "dense_1.bias": fill((HIDDEN,), 3),
        "dense_2.kernel": fill((HIDDEN, OUTPUTS), 2),
        "dense_2.bias": fill((OUTPUTS,), 4),
    }


def _optimizer(kind: str, rate: float, **fields: Any) -> dict[str, Any]:
    return {"type": kind, "learning_rate": rate, **fields}


_SGD = _optimizer("sgd", 0.1)
_MOMENTUM = _optimizer("sgd", 0.1, momentum=0.9)
_ADAM = _optimizer("adam", 0.05)

OPTIMIZERS = [
    _SGD,
    _MOMENTUM,
    _optimizer("sgd", 0.1, momentum=0.9, nesterov=True),
    _optimizer("sgd", 0.1, momentum=0.9, weight_decay=0.1),
    _ADAM,
    _optimizer("adam", 0.05, beta_1=0.8, beta_2=0.95, epsilon=1e-3),
    _optimizer("adam", 0.05, amsgrad=True),
    _optimizer("adam", 0.05, weight_decay=0.1),
    _optimizer("adamw", 0.05),
    _optimizer("adamw", 0.05, weight_decay=0.3, amsgrad=True),
    _optimizer("adamw", 0.05, beta_1=0.8, beta_2=0.9, epsilon=1e-3),
    _optimizer("nadam", 0.05),
    _optimizer("nadam", 0.05, beta_1=0.8, beta_2=0.9, epsilon=1e-4, momentum_decay=0.1),
    _optimizer("nadam", 0.05, weight_decay=0.1),
    _optimizer("adamax", 0.05),
    _optimizer("adamax", 0.05, beta_1=0.8, beta_2=0.9, epsilon=1e-3, weight_decay=0.1),
    _optimizer("rmsprop", 0.02),
    _optimizer("rmsprop", 0.02, rho=0.9, epsilon=1e-3),
    _optimizer("rmsprop", 0.02, momentum=0.9),
    _optimizer("rmsprop", 0.02, centered=True),
    _optimizer("rmsprop", 0.02, centered=True, momentum=0.8, weight_decay=0.1),
    _optimizer("adagrad", 0.1),
    _optimizer("adagrad", 0.1, initial_accumulator_value=0.1, epsilon=1e-7),
    _optimizer("adagrad", 0.1, learning_rate_decay=0.2, weight_decay=0.1),
    _optimizer("adadelta", 1.0),
    _optimizer("adadelta", 1.0, weight_decay=0.1),
    _optimizer("adadelta", 0.5, rho=0.95, epsilon=1e-4),
    _optimizer("lion", 0.01),
    _optimizer("lion", 0.01, beta_1=0.8, beta_2=0.9, weight_decay=0.2),
    _optimizer("lbfgs", 1.0, max_iter=3),
    _optimizer("lbfgs", 0.5, max_iter=2, history_size=2),
    _optimizer("lbfgs", 1.0, max_iter=4, max_eval=3, tolerance_grad=1e-3),
    _optimizer("lbfgs", 0.1, max_iter=2, line_search=False),
    _optimizer("lbfgs", 0.1, max_iter=3, line_search=False, tolerance_change=1e-2),
]
LOSSES = [
    "cross_entropy",
    "binary_cross_entropy",
    "root_mean_squared_error",
    "half_sum_squared_error",
    "mean_absolute_error",
    "huber",
    "log_cosh",
    "kl_divergence",
    "hinge",
    "squared_hinge",
    "categorical_hinge",
    "cosine_similarity",
]
RUNS = [
    *(TrainingCase(optimizer) for optimizer in OPTIMIZERS),
    *(TrainingCase(optimizer, loss) for loss in LOSSES for optimizer in (_MOMENTUM, _ADAM)),
    TrainingCase(_MOMENTUM, more={"clip_norm": 0.5}),
    TrainingCase(_ADAM, more={"clip_norm": 0.2}),
    TrainingCase(_MOMENTUM, more={"clip_weight_norm": 0.2}),
    TrainingCase(_MOMENTUM, more={"clip_value": 0.05}),
    TrainingCase(_MOMENTUM, more={"schedule": {"type": "cosine", "warmup_steps": 2}}),
    TrainingCase(_ADAM, more={"schedule": {"type": "one_cycle"}}),
    TrainingCase(_SGD, more={"schedule": {"type": "step", "step_size": 4}}),
    TrainingCase(_ADAM, weighted=True),
    TrainingCase(_ADAM, "cross_entropy", weighted=True),
    TrainingCase(_ADAM, "cross_entropy", {"class_weight": {"0": 0.5, "1": 2.0, "2": 1.0}}),
    TrainingCase(_MOMENTUM, more={"ema_decay": 0.8}),
    TrainingCase(_ADAM, more={"batch_size": BATCH // 2, "accumulate_steps": 2}),
    *(
        TrainingCase(_MOMENTUM, layer={"kernel_regularizer": penalty})
        for penalty in (
            {"type": "l2", "factor": 0.05},
            {"type": "l1", "factor": 0.02},
            {"type": "l1_l2", "l1": 0.01, "l2": 0.03},
        )
    ),
]
