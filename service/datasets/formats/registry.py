"""The file formats by name and by the ending of a file name; one module registers one format."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import BinaryIO

from nncore.preprocessing.wording import listed, quoted
from service.datasets.formats.errors import FormatError
from service.datasets.formats.parsed import ParsedDataset, ParseOptions

Parser = Callable[[BinaryIO, ParseOptions], ParsedDataset]
_PARSERS: dict[str, Parser] = {}
_ENDINGS: dict[str, str] = {}


def register(name: str, *endings: str) -> Callable[[Parser], Parser]:
    """Make a parser known under a format's name and the endings of its files."""

    def add(parser: Parser) -> Parser:
        _PARSERS[name] = parser
        _ENDINGS.update(dict.fromkeys(endings, name))
        return parser

    return add


def supported_formats() -> dict[str, list[str]]:
    """Each format with the endings of its files."""
    return {
        name: [ending for ending, owner in _ENDINGS.items() if owner == name]
        for name in sorted(_PARSERS)
    }


def detect_format(file_name: str, format_name: str | None = None) -> str:
    """The format given, or else told by the file name. Raises FormatError listing the formats."""
    if format_name is not None:
        if format_name in _PARSERS:
            return format_name
        raise FormatError(
            f"the format {quoted(format_name)} is not supported; supported are"
            f" {listed(sorted(_PARSERS))}",
            "/format",
        )
    lowered = file_name.lower()
    for ending, name in _ENDINGS.items():
        if lowered.endswith(ending):
            return name
    raise FormatError(
        f"the file name {quoted(file_name)} does not tell the format; supported are"
        f" {listed(_ENDINGS)}. Rename the file or give the field format"
        f" ({listed(sorted(_PARSERS))})"
    )


def parse_file(
    file: bytes | BinaryIO,
    file_name: str,
    format_name: str | None = None,
    options: ParseOptions | None = None,
) -> ParsedDataset:
    """Read an uploaded file (a seekable one stays open). Raises FormatError."""
    name = detect_format(file_name, format_name)
    stream = BytesIO(file) if isinstance(file, bytes) else file
    return _PARSERS[name](stream, options or ParseOptions())
