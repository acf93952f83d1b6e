"""What is wrong with uploaded data, and where."""

from __future__ import annotations


class FormatError(ValueError):
    """Data that cannot become a dataset; `pointer` leads into the upload, such as "/rows/3/age"."""

    def __init__(self, detail: str, pointer: str = "/file") -> None:
        super().__init__(detail)
        self.detail = detail
        self.pointer = pointer
