"""Whether a run may go on from a state: it must be of the same run, and whole."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields
from typing import Any

import numpy as np

from nncore.arrays import Params, dtype_of
from nncore.documents import parse
from nncore.documents.hints import shown
from nncore.errors import StateError, readable, step_into
from nncore.reports import Position
from nncore.training_config import TrainingConfig
from nncore.training_state import VERSION, TrainingState

Run = dict[str, Any]
"""What a state is of: the documents of the network and the configuration, examples, dtype."""

_ABSENT = object()
_MAY_DIFFER = "epochs"


def run_of(network: Mapping[str, Any], c: TrainingConfig, examples: int, params: Params) -> Run:
    """What a state says of its run; JSON."""
    dtype = str(dtype_of(params))
    config = c.to_document()
    return {"network": dict(network), "config": config, "examples": examples, "dtype": dtype}


@contextmanager
def whole() -> Iterator[None]:
    """Turn whatever goes wrong with a state's contents into a StateError."""
    try:
        yield
    except StateError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        what = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        raise StateError(f"the state is broken: {what}") from None


def check_run(state: TrainingState, own: Run) -> None:
    """Raise StateError, naming what differs, unless the state is of a run like this one.

    The number of epochs may differ: a run may go on for longer.
    """
    if not isinstance(state, TrainingState):
        raise StateError(f"resume needs a TrainingState, got {type(state).__name__}")
    version = state.document.get("version")
    if version != VERSION:
        raise StateError(f"the state is of version {version!r}, only {VERSION} can be resumed")
    with whole():
        run = state.document["run"]
        theirs = {**run["config"], _MAY_DIFFER: own["config"][_MAY_DIFFER]}
        for (field, there, here), words in (
            (_difference(run["network"], own["network"]), "network with "),
            (_difference(theirs, own["config"]), "run with "),
            (_difference(run["examples"], own["examples"], "/examples"), "run with "),
            (_difference(run["dtype"], own["dtype"], "/dtype"), "run with "),
        ):
            if field:
                raise StateError(
                    f"the state is of a {words}{readable(field)} {_said(there)}, "
                    f"this one has {_said(here)}; go on with the same, or start afresh"
                )


def read_position(document: Mapping[str, Any]) -> Position:
    """A position, every field of which must be there."""
    return parse(Position, {field.name: document[field.name] for field in fields(Position)})


def finite(numbers: Mapping[str, Any]) -> dict[str, float]:
    """The same numbers. Raises ValueError if they are no finite ones."""
    for name, number in numbers.items():
        if not isinstance(number, int | float | np.number) or not math.isfinite(number):
            raise ValueError(f"{name} must be a finite number, got {shown(number)}")
    return dict(numbers)


def _difference(there: Any, here: Any, pointer: str = "") -> tuple[str, Any, Any]:
    """Where two documents first differ, and how; an empty pointer if they do not."""
    if isinstance(there, Mapping) and isinstance(here, Mapping):
        pairs = [
            (key, there.get(key, _ABSENT), here.get(key, _ABSENT)) for key in {**here, **there}
        ]
    elif isinstance(there, list | tuple) and isinstance(here, list | tuple):
        if len(there) != len(here):
            return pointer, there, here
        pairs = [(index, *pair) for index, pair in enumerate(zip(there, here, strict=True))]
    else:
        return ("" if there == here else pointer), there, here
    for key, one, other in pairs:
        found = _difference(one, other, step_into(pointer, key))
        if found[0]:
            return found
    return "", there, here


def _said(value: object) -> str:
    if isinstance(value, Mapping) and "type" in value:
        return str(value["type"])
    return "none" if value is _ABSENT else shown(value)
