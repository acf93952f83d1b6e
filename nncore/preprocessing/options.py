"""How feature columns are to be encoded: a default and exceptions per column."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from nncore.preprocessing.errors import PreprocessingError
from nncore.preprocessing.wording import did_you_mean, join_pointer, listed, quoted

Scale = Literal["none", "standard", "min_max"]
Missing = Literal["mean", "zero", "error"]
CHOICES: dict[str, tuple[str, ...]] = {"scale": get_args(Scale), "missing": get_args(Missing)}


@dataclass(frozen=True, slots=True)
class InputOptions:
    """The `features` document: defaults, `columns` with exceptions, layout of a tensor.

    `channels_last` scales a tensor per last axis; without it only a 2-D array is.
    """

    scale: Scale = "standard"
    missing: Missing = "mean"
    columns: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    channels_last: bool = False

    @classmethod
    def parse(cls, document: Mapping[str, Any] | None) -> InputOptions:
        """Check a JSON document; `include` is let through, since the caller selects by it."""
        given = {key: value for key, value in (document or {}).items() if key != "include"}
        known = ("scale", "missing", "columns", "channels_last", "include")
        _check_keys(given, known, "")
        for key, value in given.items():
            if key in CHOICES:
                _check_choice(value, key, f"/{key}")
        if not isinstance(given.get("channels_last", False), bool):
            raise PreprocessingError("/channels_last", "must be true or false")
        _check_columns(given.get("columns", {}))
        return cls(**given)

    def scale_of(self, column: str) -> Scale:
        """The scaling of `column`."""
        return self.columns.get(column, {}).get("scale", self.scale)  # type: ignore[return-value]  # checked by parse

    def missing_of(self, column: str) -> Missing:
        """What stands for a missing value of `column`."""
        return self.columns.get(column, {}).get("missing", self.missing)  # type: ignore[return-value]  # checked by parse


def _check_columns(columns: object) -> None:
    if not isinstance(columns, Mapping):
        raise PreprocessingError("/columns", "must be an object of column names")
    for name, choices in columns.items():
        pointer = join_pointer("columns", name)
        if not isinstance(choices, Mapping):
            raise PreprocessingError(pointer, 'must be an object such as {"scale": "none"}')
        _check_keys(choices, tuple(CHOICES), pointer)
        for key, value in choices.items():
            _check_choice(value, key, f"{pointer}/{key}")


def _check_keys(given: Mapping[str, Any], known: tuple[str, ...], pointer: str) -> None:
    for key in given:
        if key not in known:
            raise PreprocessingError(
                pointer + join_pointer(key),
                f"unknown field {quoted(key)}; the fields are {listed(known)}."
                + did_you_mean(key, known),
            )


def _check_choice(value: object, key: str, pointer: str) -> None:
    if value not in CHOICES[key]:
        raise PreprocessingError(
            pointer, f"{quoted(value)} is not a choice; choose {listed(CHOICES[key])}"
        )
