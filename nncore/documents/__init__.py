"""JSON documents as frozen dataclasses: parsing, writing and JSON schema from type hints alone."""

from nncore.documents.hints import if_given
from nncore.documents.limits import Range
from nncore.documents.parsing import parse
from nncore.documents.schema import json_schema
from nncore.documents.writing import to_document

__all__ = ["Range", "if_given", "json_schema", "parse", "to_document"]
