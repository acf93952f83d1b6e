"""Phrases of error messages: quoted values, lists of names, suggestions, pointers."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from difflib import get_close_matches

LONGEST_VALUE = 40
LONGEST_LIST = 8


def join_pointer(*tokens: str | int) -> str:
    """The JSON Pointer (RFC 6901) of nested keys and indices."""
    return "".join("/" + str(token).replace("~", "~0").replace("/", "~1") for token in tokens)


def quoted(value: object) -> str:
    """`value` as JSON for a message, shortened, and always encodable as UTF-8."""
    if isinstance(value, str):
        clipped = value if len(value) <= LONGEST_VALUE else value[: LONGEST_VALUE - 3] + "..."
        text = json.dumps(clipped, ensure_ascii=False)
        return text.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list | tuple):
        return "a list"
    if isinstance(value, int) and abs(value) >= 10**LONGEST_VALUE:
        return "a number of more than 40 digits"
    return json.dumps(value)


def listed(values: Iterable[object]) -> str:
    """`values` quoted and separated by commas; a long list is cut and counted."""
    known = list(values)
    shown = ", ".join(quoted(value) for value in known[:LONGEST_LIST])
    return shown if len(known) <= LONGEST_LIST else f"{shown}, ... ({len(known)} in all)"


def did_you_mean(name: str, known: Collection[str]) -> str:
    """' Did you mean "age"?' where a known name is close, else nothing."""
    if len(name) > 200 or len(known) > 20_000:
        return ""
    close = get_close_matches(name, known, n=1)
    return f" Did you mean {quoted(close[0])}?" if close else ""
