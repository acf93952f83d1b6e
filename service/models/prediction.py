"""A model in memory: instances in, answers out, with the preprocessing of its training."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load

from nncore import Network
from nncore.preprocessing import (
    InputEncoder,
    InstanceError,
    PreprocessingError,
    TargetEncoder,
    encode_instances,
)
from service.errors import Invalid, Mistake

MAX_CACHED_BYTES = 512 * 2**20


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """Everything that a prediction needs; immutable, shared by threads."""

    network: Network
    params: dict[str, NDArray[Any]]
    inputs: InputEncoder
    target: TargetEncoder | None
    link: str

    @classmethod
    def load(
        cls, network: dict[str, Any], preprocessing: dict[str, Any], weights: bytes
    ) -> LoadedModel:
        """From what the store keeps; `weights` are safetensors."""
        target = preprocessing["target"]
        return cls(
            Network.from_spec(network),
            load(weights),
            InputEncoder.from_document(preprocessing["inputs"]),
            TargetEncoder.from_document(target) if target else None,
            preprocessing["link"],
        )

    @property
    def bytes(self) -> int:
        """The size of the weights in memory."""
        return sum(value.nbytes for value in self.params.values())

    def predict(self, instances: list[Any]) -> list[dict[str, Any]]:
        """One answer an instance; raises Invalid with pointers to wrong instances."""
        if not instances:
            return []
        try:
            x = self.inputs.transform(encode_instances(instances, self.inputs))
        except InstanceError as error:
            raise Invalid(Mistake(error.pointer, error.detail)) from error
        except PreprocessingError as error:
            raise Invalid(Mistake("/instances", error.detail)) from error
        outputs = self.network.predict(self.params, x.reshape(-1, *self._example_shape))
        outputs = _LINKS[self.link](outputs.astype(np.float64))
        if not np.isfinite(outputs).all():
            raise Invalid(
                Mistake("/instances", "the answer is not finite: values this large overflow")
            )
        return self._answers(outputs)

    @property
    def _example_shape(self) -> tuple[int, ...]:
        shape = self.network.input_shape
        return tuple(size if size is not None else -1 for size in shape)

    def _answers(self, outputs: NDArray[np.float64]) -> list[dict[str, Any]]:
        if self.target is None or self.target.kind in ("identity", "standard"):
            values = outputs if self.target is None else self.target.decode(outputs)
            single = values.shape[1:] == (1,)
            return [{"value": value[0] if single else value} for value in values.tolist()]
        if self.target.kind == "binary":
            second = outputs.reshape(-1, 1)
            outputs = np.concatenate([1 - second, second], axis=1)
        return [self._class_answer(row) for row in outputs.tolist()]

    def _class_answer(self, probabilities: list[float]) -> dict[str, Any]:
        assert self.target is not None
        labels = self.target.labels
        best = max(range(len(labels)), key=probabilities.__getitem__)
        named = {
            label if isinstance(label, str) else json.dumps(label): probability
            for label, probability in zip(labels, probabilities, strict=True)
        }
        return {"label": labels[best], "score": probabilities[best], "probabilities": named}


def _softmax(z: NDArray[np.float64]) -> NDArray[np.float64]:
    exponentials = np.exp(z - z.max(axis=-1, keepdims=True))
    result: NDArray[np.float64] = exponentials / exponentials.sum(axis=-1, keepdims=True)
    return result


def _sigmoid(z: NDArray[np.float64]) -> NDArray[np.float64]:
    return 0.5 * np.tanh(0.5 * z) + 0.5


_LINKS: dict[str, Callable[[NDArray[np.float64]], NDArray[np.float64]]] = {
    "none": lambda z: z,
    "softmax": _softmax,
    "sigmoid": _sigmoid,
    "clip": lambda z: np.clip(z, 0.0, 1.0),
}


class ModelCache:
    """The models used last, up to a number of bytes. Models never change, so nor do entries."""

    def __init__(self, max_bytes: int = MAX_CACHED_BYTES) -> None:
        self._max_bytes = max_bytes
        self._models: OrderedDict[str, LoadedModel] = OrderedDict()
        self._lock = Lock()

    def get(self, model_id: str) -> LoadedModel | None:
        """The model, if it is in memory."""
        with self._lock:
            if model_id in self._models:
                self._models.move_to_end(model_id)
            return self._models.get(model_id)

    def put(self, model_id: str, model: LoadedModel) -> None:
        """Keep a model, dropping those used longest ago."""
        with self._lock:
            self._models[model_id] = model
            self._models.move_to_end(model_id)
            while len(self._models) > 1 and self._size() > self._max_bytes:
                self._models.popitem(last=False)

    def _size(self) -> int:
        return sum(model.bytes for model in self._models.values())
