"""Records of a CSV file: encoding, delimiter, header, and a line number for every error."""

from __future__ import annotations

import codecs
import csv
import io
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO

from nncore.preprocessing.wording import quoted
from service.datasets.formats.errors import FormatError
from service.datasets.formats.inference import check_name

DELIMITERS = ",;\t|"
SNIFFED_RECORDS = 20
BLOCK_CELLS = 1 << 18
MOST_COLUMNS = 20_000
LONG_LINE = 1 << 20
CHUNK_BYTES = 1 << 20

Record = tuple[int, list[str]]  # the line on which it begins, from 1, and its cells


@dataclass(slots=True)
class Block:
    """Consecutive records, all as wide as the header."""

    lines: array[int]
    rows: list[list[str]]


@dataclass(frozen=True, slots=True)
class CsvTable:
    """A CSV file with its column names known; its records are read anew by every `blocks()`."""

    file: BinaryIO
    delimiter: str
    names: tuple[str, ...]
    has_header: bool

    @classmethod
    def open(cls, file: BinaryIO, has_header: bool) -> CsvTable:
        """Find delimiter and names. Raises FormatError for an empty file or a bad header."""
        refuse_binary(file)
        delimiter = sniff_delimiter(file)
        first = next(records(file, delimiter), None)
        if first is None:
            raise FormatError(
                "the file is empty; the first row must hold the column names, the rows follow"
            )
        if not has_header:
            return cls(file, delimiter, tuple(f"c{i}" for i in range(len(first[1]))), False)
        names = tuple(cell.strip() for cell in first[1])
        check_header(names, first[0])
        return cls(file, delimiter, names, True)

    def blocks(self) -> Iterator[Block]:
        """The records in blocks of bounded size. Raises FormatError at one of another width."""
        source = records(self.file, self.delimiter)
        if self.has_header:
            next(source)
        each = max(1, BLOCK_CELLS // len(self.names))
        while chunk := list(islice(source, each)):
            for line, row in chunk:
                if len(row) != len(self.names):
                    raise self._width_error(line, row)
            yield Block(array("q", [line for line, _ in chunk]), [row for _, row in chunk])

    def _width_error(self, line: int, row: list[str]) -> FormatError:
        got, expected = len(row), len(self.names)
        wanted = f"the header has {expected}" if self.has_header else f"the first has {expected}"
        hint = "quote a value that holds the delimiter" if got > expected else "fill in the rest"
        return FormatError(
            f"line {line} has {got} {_plural(got)}, but {wanted}; {hint} ({quoted(self.delimiter)})"
        )


def refuse_binary(file: BinaryIO) -> None:
    """Refuse archives and UTF-16 by their first bytes. Raises FormatError."""
    file.seek(0)
    start = file.read(4)
    if start.startswith(b"PK"):
        raise FormatError(
            "the file is a zip archive (a spreadsheet or .npz?), no CSV text; export it as CSV"
        )
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise FormatError("the file is UTF-16; save it as UTF-8")


def check_header(names: tuple[str, ...], line: int) -> None:
    """Refuse names that are missing, doubled, or plainly data. Raises FormatError."""
    if len(names) > MOST_COLUMNS:
        raise _too_wide(line)
    if all(map(_is_number, names)):
        raise FormatError(
            f"line {line} holds only numbers, but the first row must hold the column names; add"
            ' such a row (for example "c0,c1,c2") or send header=false'
        )
    seen: dict[str, int] = {}
    for position, name in enumerate(names, 1):
        if not name:
            raise FormatError(
                f"column {position} has no name in line {line}; name it or remove the column (a"
                " delimiter at the end of a line, or a written row index, makes one)"
            )
        check_name(name, "/file", f"column {position}")
        if name in seen:
            raise FormatError(
                f"columns {seen[name]} and {position} are both named {quoted(name)}; rename one"
            )
        seen[name] = position


def sniff_delimiter(file: BinaryIO) -> str:
    """The delimiter by which most of the first records are as wide as the first; else a comma."""

    def score(delimiter: str) -> tuple[int, int]:
        try:
            widths = [len(row) for _, row in islice(records(file, delimiter), SNIFFED_RECORDS)]
        except FormatError:  # the reading proper tells it, with the best delimiter
            return 0, 0
        if not widths or widths[0] == 1:
            return 0, 0
        return widths.count(widths[0]), widths[0]

    return max(DELIMITERS, key=score)


def records(file: BinaryIO, delimiter: str) -> Iterator[Record]:
    """The records from the start of the file; blank lines are skipped. Raises FormatError."""
    file.seek(0)
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    reader = csv.reader(_bounded(text, delimiter), delimiter=delimiter, strict=True)
    line = 1
    try:
        for row in reader:
            if row and (len(row) > 1 or row[0].strip()):
                yield line, row
            line = reader.line_num + 1
    except UnicodeDecodeError:
        raise encoding_error(file) from None
    except csv.Error as error:
        raise FormatError(f"line {line}: {_quoting_detail(str(error))}") from error
    finally:
        text.detach()  # else it would close the caller's file


def _quoting_detail(reason: str) -> str:
    if "expected after" in reason:
        return "text follows a closing quote; double a quote that stands within a quoted value"
    return f"a quoted value that begins here is not closed ({reason}); close the quote"


def _bounded(text: io.TextIOWrapper, delimiter: str) -> Iterator[str]:
    for number, line in enumerate(text, 1):
        if "\0" in line:
            raise FormatError(
                f"line {number} holds a NUL character; the file is no CSV text (a spreadsheet or"
                " UTF-16 file?), export it as CSV in UTF-8"
            )
        if len(line) > LONG_LINE and line.count(delimiter) > MOST_COLUMNS:
            raise _too_wide(number)
        yield line


def encoding_error(file: BinaryIO) -> FormatError:
    """The error that names the first byte which is not UTF-8."""
    file.seek(0)
    decoder = codecs.getincrementaldecoder("utf-8")()
    consumed, line = 0, 1
    while chunk := file.read(CHUNK_BYTES):
        pending = len(decoder.getstate()[0])
        try:
            line += decoder.decode(chunk).count("\n")
        except UnicodeDecodeError as error:
            position = consumed - pending + error.start
            line += error.object[: error.start].count(b"\n")
            return _not_utf8(f"byte 0x{error.object[error.start]:02x}", position, line)
        consumed += len(chunk)
    return _not_utf8("a character that is cut off", consumed, line)


def _not_utf8(what: str, position: int, line: int) -> FormatError:
    return FormatError(
        f"{what} at position {position} (line {line}) is not UTF-8; save the file as UTF-8 (for"
        " Latin-1: iconv -f latin1 -t utf-8)"
    )


def _too_wide(line: int) -> FormatError:
    return FormatError(
        f"line {line} has more than {MOST_COLUMNS} columns; send such data as arrays (npz)"
    )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _plural(count: int) -> str:
    return "value" if count == 1 else "values"
