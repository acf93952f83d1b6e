"""What nncore raises: errors that point into the user's document, and divergence."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import Self


def step_into(pointer: str, token: str | int) -> str:
    """JSON Pointer (RFC 6901) of a member or an element below `pointer`."""
    return f"{pointer}/{str(token).replace('~', '~0').replace('/', '~1')}"


def readable(pointer: str) -> str:
    """`/layers/2/units` as people write it: `layers[2].units`."""
    path = ""
    for token in pointer.split("/")[1:]:
        plain = token.replace("~1", "/").replace("~0", "~")
        path += f"[{plain}]" if re.fullmatch(r"\d+", plain) else f".{plain}"
    return path.removeprefix(".")


def few(names: Collection[str], most: int = 20) -> str:
    """Names as an error lists them: the first ones, and how many there are."""
    listed = ", ".join(name for name, _ in zip(names, range(most), strict=False))
    return listed if len(names) <= most else f"{listed}, ... ({len(names)} in all)"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A guess which of the known names was meant, to be put behind the mistake; or nothing."""
    import difflib  # only mistakes need it

    close = difflib.get_close_matches(word[:100], list(known), n=1)
    return f'; did you mean "{close[0]}"?' if close else ""


class DocumentError(ValueError):
    """A document that cannot be used: where (`pointer`) and how to mend it (`detail`)."""

    def __init__(self, pointer: str, detail: str) -> None:
        path = readable(pointer)
        super().__init__(f"{path}: {detail}" if path else detail)
        self.pointer = pointer
        self.detail = detail

    def under(self, pointer: str) -> Self:
        """The same error seen from a document that holds this one at `pointer`."""
        return type(self)(pointer + self.pointer, self.detail)

    def __reduce__(self) -> tuple[type[Self], tuple[str, str]]:
        return type(self), (self.pointer, self.detail)


class ArchitectureError(DocumentError):
    """A network document that describes no possible network."""


class ConfigError(DocumentError):
    """A training configuration that cannot be followed."""


class StateError(ValueError):
    """A training state that a run cannot go on from: of another run, or broken."""


class DivergedError(ArithmeticError):
    """Training met NaN or infinity; `layer` is the first one that gave it (None: the loss).

    `doubt`: what else than a bad course of the training may make the loss infinite.
    """

    def __init__(self, epoch: int, step: int, layer: str | None, doubt: str | None = None) -> None:
        where = f"layer {layer!r} gave" if layer else "the loss gave"
        mend = "lower the learning rate, set clip_norm or look for extreme inputs"
        self.doubt = None if layer else doubt
        super().__init__(
            f"training diverged in epoch {epoch}, step {step}: {where} values that are not "
            f"finite; {self.doubt or mend}"
        )
        self.epoch = epoch
        self.step = step
        self.layer = layer

    def __reduce__(self) -> tuple[type[Self], tuple[int, int, str | None, str | None]]:
        return type(self), (self.epoch, self.step, self.layer, self.doubt)
