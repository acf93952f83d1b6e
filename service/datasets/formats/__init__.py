"""File and JSON formats of datasets; a format is one module here that registers its parser."""

from importlib import import_module
from pkgutil import iter_modules

from service.datasets.formats.arrays import parse_arrays
from service.datasets.formats.errors import FormatError
from service.datasets.formats.parsed import ParsedDataset, ParseOptions
from service.datasets.formats.registry import detect_format, parse_file, supported_formats
from service.datasets.formats.rows import parse_rows

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")

__all__ = [
    "FormatError",
    "ParseOptions",
    "ParsedDataset",
    "detect_format",
    "parse_arrays",
    "parse_file",
    "parse_rows",
    "supported_formats",
]
