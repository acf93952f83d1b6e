"""The protocol of regularizers: what a weight's size adds to the loss."""

from __future__ import annotations

from collections.abc import Sequence

from nncore.arrays import Array
from nncore.registry import Unit, kind


@kind
class Regularizer(Unit):
    """A penalty on a weight, added to the loss as it is (not divided by any number)."""

    __slots__ = ()

    def penalty(self, weight: Array) -> float:
        """What is added to the loss."""
        raise NotImplementedError

    def gradient(self, weight: Array) -> Array:
        """dpenalty/dweight, a fresh array."""
        raise NotImplementedError

    def together(self, weights: Sequence[Array]) -> tuple[float, list[Array]]:
        """The penalty on all weights that carry this regularizer (or one equal), its gradients.

        The sum over the weights, unless a regularizer looks at them as a whole.
        """
        penalty = sum(self.penalty(weight) for weight in weights)
        return penalty, [self.gradient(weight) for weight in weights]
