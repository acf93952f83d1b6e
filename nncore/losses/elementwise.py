"""What losses share whose terms are the single elements of the outputs.

One loss defines the terms l(y, t) and their derivatives; the mean, weights and masks are here.
"""

from __future__ import annotations

from dataclasses import dataclass

from nncore.arrays import AnyArray, Array
from nncore.losses.loss import Loss, Mask, check_values, like_outputs
from nncore.losses.weighting import factors
from nncore.reductions import total
from nncore.shapes import Shape


@dataclass(frozen=True, slots=True)
class Elementwise(Loss):
    """A mean over elements; targets are shaped like the outputs."""

    def check(self, output_shape: Shape, targets: AnyArray) -> None:
        check_values(self.type_name, output_shape, targets)

    def elements(self, outputs: Array, wanted: Array) -> tuple[Array, Array]:
        """Each element's term and its derivative in the output, in fresh arrays."""
        raise NotImplementedError

    def forward(
        self,
        outputs: Array,
        targets: AnyArray,
        terms: int,
        weights: Array | None = None,
        mask: Mask | None = None,
    ) -> tuple[float, Array]:
        values, slopes = self.elements(outputs, like_outputs(targets, outputs))
        factor = factors(outputs.shape, outputs.dtype, weights, self.counted(targets, mask))
        if factor is not None:
            values *= factor
            slopes *= factor
        share = 1 / max(terms, 1)
        slopes *= share
        return total(values.reshape(-1)) * share, slopes
