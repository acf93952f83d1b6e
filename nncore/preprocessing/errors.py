"""Errors of fitting and replaying a preprocessing, each with a JSON Pointer to its cause."""

from __future__ import annotations


class PreprocessingError(ValueError):
    """Columns or options that cannot be encoded.

    `pointer` leads into the options document that was passed ("/columns/age/scale"), and is empty
    where the data itself is at fault.
    """

    def __init__(self, pointer: str, detail: str) -> None:
        super().__init__(f"{pointer}: {detail}" if pointer else detail)
        self.pointer = pointer
        self.detail = detail


class InstanceError(PreprocessingError):
    """An instance of a prediction request that the fitted encoding does not accept.

    `pointer` leads into the request, for example "/instances/0/age".
    """
