"""The protocol of everything that a network executes: layers and activations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from nncore.arrays import Array, Params
from nncore.errors import ArchitectureError
from nncore.initializers.initializer import Initializer
from nncore.passes import Mask, Pass
from nncore.registry import Unit
from nncore.regularizers.regularizer import Regularizer
from nncore.shapes import Shape

if TYPE_CHECKING:
    from nncore.onnx.graph import Graph, Value


@dataclass(frozen=True, slots=True)
class Weight:
    """A weight before it exists: its shape, how it starts, and what training adds to the loss.

    `shared`: all layers of the network that have a weight of that name use one, `network.<name>`,
    and must have equals of this object, which says what the weight is for.
    """

    shape: tuple[int, ...]
    initializer: Initializer
    trainable: bool = True
    regularizer: Regularizer | None = None
    shared: object = None


class Operation(Unit):
    """A differentiable map without state; all that a pass needs comes in and goes out.

    Shapes are those of one example; `x` and `y` have the examples as a first axis more. An
    operation of several inputs sets `many`: then `shape`, `x`, `mask` and dL/dx are tuples with one
    item an input (hence Any here; the others say Shape, Array and Mask | None).
    `needs_output`: whether y must outlive the operation that reads it, for `backward` or because it
    is a view of x. `repeatable`: whether all work on numbers goes through `pass_.do`, so that a
    pass over arrays of the same shapes may be repeated without `forward` and `backward`.
    `never_falls`: y is a function of single elements that never falls as x rises. `takes_maxima`:
    each element of y is the greatest of some of x. `only_trains`: outside of training y is x.
    `weighs_channels`: y is linear in a weight `kernel`, whose last axis is that of y, plus `bias`
    if there is one; a field `use_bias` tells.
    """

    __slots__ = ()

    many: ClassVar[bool] = False
    needs_output: ClassVar[bool] = True
    repeatable: ClassVar[bool] = False
    never_falls: ClassVar[bool] = False
    takes_maxima: ClassVar[bool] = False
    only_trains: ClassVar[bool] = False
    weighs_channels: ClassVar[bool] = False

    def wants_integers(self) -> bool:
        """Whether x holds whole numbers (token ids), which arrive as integers; else as floats."""
        return False

    def output_shape(self, shape: Any) -> Shape:
        """The shape of y. Raises ArchitectureError, its pointer relative to this document."""
        result: Shape = shape
        return result

    def weights(self, shape: Any) -> dict[str, Weight]:
        """The weights that an input of this shape needs, by short name."""
        return {}

    def flops(self, shape: Any) -> int:
        """Floating-point operations of a forward pass for one example."""
        return 0

    def kept(self, shape: Any) -> int:
        """Numbers that training keeps for one example, beside y and its gradient."""
        return 0

    def scratch(self, shape: Any, examples: int) -> int:
        """Numbers that a pass over so many examples needs for as long as it works here."""
        return 0

    def of_channels(self, params: Params) -> tuple[Array, Array] | None:
        """Factor and summand (C,) that make y of x on its last axis outside of training.

        None if y is anything else.
        """
        return None

    def output_mask(self, x: Any, mask: Any) -> Mask | None:
        """Which positions (N, T) of y hold data, given those of x; None: all do.

        A mask that does not fit the positions of y is dropped.
        """
        result: Mask | None = mask
        return result

    def forward(self, params: Params, x: Any, pass_: Pass) -> tuple[Array, Any]:
        """y, and what `backward` wants to know. Must not change x."""
        raise NotImplementedError

    def backward(self, params: Params, cache: Any, dy: Array, pass_: Pass) -> tuple[Any, Params]:
        """dL/dx (may be None unless `pass_.needs_dx`) and dL/dw by short name, from dL/dy.

        May overwrite dy.
        """
        raise NotImplementedError

    def to_onnx(self, params: Params, x: Any, graph: Graph) -> str:
        """Write `forward` in evaluation mode as ONNX operators and name their result.

        `x` is a Value, or a tuple of them. Raises ArchitectureError if there is no such form.
        """
        raise ArchitectureError("", f"{self.word()} has no form in ONNX; leave it out to export")

    def onnx_mask(self, x: Any, graph: Graph) -> Value | None:
        """What `output_mask` does, in ONNX operators: here, keep the mask of the only input.

        An operation with an `output_mask` of its own that never gives None has this as well.
        """
        kept = type(self).output_mask is Operation.output_mask
        mask: Value | None = x.mask if kept and not self.many else None
        return mask

    def word(self) -> str:
        """What to call it in an error."""
        return getattr(self, "type_name", type(self).__name__)
