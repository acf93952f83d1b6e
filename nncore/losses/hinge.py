"""Hinge losses, for answers whose sign or order counts.

hinge: l = max(1 - t y, 0), squared_hinge: its square; targets t are -1 and 1, or 0 and 1, where 0
stands for -1. categorical_hinge, of a class t: l = max(rival - y_t + 1, 0) with the
rival max(max_j!=t y_j, 0), for Keras takes the target's own place for a 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nncore.arrays import AnyArray, Array
from nncore.losses.elementwise import Elementwise
from nncore.losses.loss import check_classes, check_range, check_values
from nncore.losses.positionwise import Positionwise
from nncore.registry import register
from nncore.shapes import Shape


@register("hinge")
@dataclass(frozen=True, slots=True)
class Hinge(Elementwise):
    """How far a signed output falls short of a margin of 1."""

    def check(self, output_shape: Shape, targets: AnyArray) -> None:
        check_values(self.type_name, output_shape, targets)
        if not np.isin(targets, (-1, 0, 1)).all():
            raise ValueError(f"{self.type_name} needs targets -1 and 1, or 0 and 1")

    def elements(self, outputs: Array, wanted: Array) -> tuple[Array, Array]:
        signs = _signs(wanted)
        short = np.maximum(1 - signs * outputs, 0)
        return short, -signs * (short > 0)


@register("squared_hinge")
@dataclass(frozen=True, slots=True)
class SquaredHinge(Hinge):
    """The square of how far a signed output falls short of a margin of 1."""

    def elements(self, outputs: Array, wanted: Array) -> tuple[Array, Array]:
        signs = _signs(wanted)
        short = np.maximum(1 - signs * outputs, 0)
        return np.square(short), -2 * signs * short


def _signs(wanted: Array) -> Array:
    signs: Array = np.copysign(np.ones_like(wanted), wanted - 0.5)
    return signs


@register("categorical_hinge")
@dataclass(frozen=True, slots=True)
class CategoricalHinge(Positionwise):
    """How far the right class falls short of a margin of 1 over the others and 0."""

    def check(self, output_shape: Shape, targets: AnyArray) -> None:
        check_classes("categorical_hinge", output_shape, targets)
        check_range("categorical_hinge", output_shape[-1], targets)

    def rows(self, outputs: Array, targets: AnyArray) -> tuple[Array, Array]:
        rows = np.arange(len(outputs))
        others = outputs.copy()
        others[rows, targets] = 0
        rival = others.argmax(axis=1)
        short = np.maximum(others[rows, rival] - outputs[rows, targets] + 1, 0)
        slopes = np.zeros_like(outputs)
        slopes[rows, rival] = short > 0
        slopes[rows, targets] = np.where(short > 0, -1, 0)
        return short, slopes
