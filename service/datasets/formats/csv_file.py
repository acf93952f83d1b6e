"""CSV files, plain or gzipped: text in UTF-8, a header, one record per row."""

from __future__ import annotations

from array import array
from typing import BinaryIO

from service.datasets.formats.csv_columns import ColumnBuilder
from service.datasets.formats.csv_reader import CsvTable
from service.datasets.formats.errors import FormatError
from service.datasets.formats.gunzip import unpacked
from service.datasets.formats.inference import check_declared
from service.datasets.formats.parsed import ParsedDataset, ParseOptions, collect
from service.datasets.formats.registry import register

BYTES_PER_CELL = 8


@register("csv", ".csv", ".csv.gz", ".tsv", ".tsv.gz")
def parse_csv(file: BinaryIO, options: ParseOptions) -> ParsedDataset:
    """Read a CSV file, typing its columns by their cells or by `options.schema`.

    Raises FormatError that names line and column.
    """
    with unpacked(file, options.max_bytes) as plain:
        return _parse(plain, options)


def _parse(file: BinaryIO, options: ParseOptions) -> ParsedDataset:
    table = CsvTable.open(file, options.header)
    check_declared(options.schema, table.names)
    builders = [ColumnBuilder(name, options.schema.get(name)) for name in table.names]
    lines = array("q")
    for block in table.blocks():
        lines.extend(block.lines)
        _check_size(len(lines) * len(builders), options.max_bytes)
        for builder, cells in zip(builders, zip(*block.rows, strict=True), strict=True):
            builder.add(cells)
    if not lines:
        raise FormatError("the file has a header but no rows; add at least one row of values")
    _read_again(table, [(i, builder) for i, builder in enumerate(builders) if builder.stale])
    return collect("csv", {builder.name: builder.finish(lines) for builder in builders})


def _read_again(table: CsvTable, stale: list[tuple[int, ColumnBuilder]]) -> None:
    """Gather the text of columns that turned out not to be numbers on the way."""
    if not stale:
        return
    for block in table.blocks():
        for position, builder in stale:
            builder.add_texts(tuple(row[position] for row in block.rows))


def _check_size(cells: int, max_bytes: int) -> None:
    if cells * BYTES_PER_CELL > max_bytes:
        raise FormatError(f"the table needs more than the allowed {max_bytes} bytes in memory")
