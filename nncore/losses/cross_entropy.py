"""Cross-entropy of logits z and a class t, or a distribution t over classes, a term a position.

l = log(sum_j exp z_j) - sum_i t_i z_i, dl/dz = softmax(z) - t; the largest z is subtracted first,
so that nothing overflows. Outputs (N, ..., C); targets are classes 0 ... C - 1 as integers (N, ...)
or shares of each class as real numbers (N, ..., C). `label_smoothing` e: t (1 - e) + e / C.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from numpy.typing import NDArray

from nncore.activations.softmax import softmax
from nncore.arrays import AnyArray, Array
from nncore.documents.hints import if_given
from nncore.documents.limits import Range
from nncore.losses.loss import Mask, check_classes, check_range, check_values
from nncore.losses.positionwise import Positionwise, softmax_rows
from nncore.registry import register
from nncore.shapes import Shape, fits


@register("cross_entropy")
@dataclass(frozen=True, slots=True)
class CrossEntropy(Positionwise):
    """Cross-entropy of one class among several, given as logits.

    `class_weights` multiply the terms of their class (of a distribution: its likeliest one);
    positions whose class is `ignore_index` are left out of the mean.
    """

    absorbs: ClassVar[str | None] = "softmax"

    label_smoothing: Annotated[float, Range(min=0, max=1)] = if_given(0.0)
    class_weights: tuple[Annotated[float, Range(min=0)], ...] | None = if_given()
    ignore_index: int | None = if_given()

    def check(self, output_shape: Shape, targets: AnyArray) -> None:
        classes = output_shape[-1]
        if self.class_weights is not None and len(self.class_weights) != classes:
            raise ValueError(
                f"cross_entropy's class_weights need one number for each of the {classes} "
                f"classes, got {len(self.class_weights)}"
            )
        if self.of_vectors(targets) and fits(targets.shape[1:], output_shape):
            check_values("cross_entropy", output_shape, targets)
            if targets.size and targets.min() < 0:
                raise ValueError(f"cross_entropy needs shares of at least 0, got {targets.min()}")
            return
        check_classes("cross_entropy", output_shape, targets)
        counted = self.counted(targets)
        check_range("cross_entropy", classes, targets if counted is None else targets[counted])

    def counted(self, targets: AnyArray, mask: Mask | None = None) -> Mask | None:
        if self.ignore_index is None or self.of_vectors(targets):
            return mask
        here: Mask = targets != self.ignore_index
        if mask is not None:
            here &= mask.reshape(mask.shape + (1,) * (here.ndim - mask.ndim))
        return here

    def rows(self, outputs: Array, targets: AnyArray) -> tuple[Array, Array]:
        if self.of_vectors(targets):
            return self._of_distributions(outputs, np.asarray(targets, outputs.dtype))
        (count, width), smooth = outputs.shape, self.label_smoothing
        places = _starts(count, width) + self._inside(targets, outputs)
        shares, logs, logits = softmax_rows(outputs)
        chosen = logits.reshape(-1).take(places)
        if smooth:
            chosen = (1 - smooth) * chosen + smooth * logits.mean(axis=-1)
            shares -= smooth / width
        flat = shares.reshape(-1)
        flat[places] = flat.take(places) - (1 - smooth)
        logs -= chosen
        return logs, shares

    def _of_distributions(self, outputs: Array, wanted: Array) -> tuple[Array, Array]:
        if self.label_smoothing:
            even = self.label_smoothing / wanted.shape[-1]
            wanted = wanted * (1 - self.label_smoothing) + even
        shares, logs, logits = softmax_rows(outputs)
        values = (wanted * (logs[:, None] - logits)).sum(axis=-1)
        shares *= wanted.sum(axis=-1, keepdims=True)
        shares -= wanted
        return values, shares

    def _inside(self, targets: AnyArray, outputs: Array) -> AnyArray:
        """Classes to look up: any will do where the target is not counted."""
        if self.ignore_index is None:
            return targets
        inside: AnyArray = np.clip(targets, 0, outputs.shape[-1] - 1)
        return inside

    def own_weights(self, targets: AnyArray) -> Array | None:
        if self.class_weights is None:
            return None
        weights = np.array(self.class_weights)
        classes = targets.argmax(axis=-1) if self.of_vectors(targets) else targets
        found: Array = weights[np.clip(classes, 0, len(weights) - 1)]
        return found

    def predictions(self, outputs: Array) -> Array:
        return softmax(outputs)


@functools.lru_cache(maxsize=16)
def _starts(count: int, width: int) -> NDArray[np.intp]:
    """Where each of so many rows starts, one behind the other."""
    starts = np.arange(0, count * width, width)
    starts.flags.writeable = False
    return starts
