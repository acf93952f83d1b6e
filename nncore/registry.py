"""Names of the units that documents may ask for, by kind (layer, activation, loss, ...).

A kind is a base class marked with `@kind`; a unit is a dataclass below it marked with
`@register("name")`. Each kind has a folder whose modules are imported when its units are first
asked for (`import_units`), so that adding a unit means adding a file.
"""

from __future__ import annotations

import importlib
import pkgutil
import threading
from collections.abc import Callable, Iterable
from typing import ClassVar, TypeVar


class Unit:
    """Anything that a document names by a `type`."""

    __slots__ = ()

    type_name: ClassVar[str]


T = TypeVar("T", bound=type[Unit])

_KINDS: dict[type, dict[str, type[Unit]]] = {}
_FOLDERS: dict[str, Iterable[str]] = {}
_LOADING = threading.RLock()


def kind(cls: T) -> T:
    """Mark a base class as a kind of unit."""
    _KINDS[cls] = {}
    return cls


def register(name: str) -> Callable[[T], T]:
    """Make a unit known to documents as `{"type": name}`."""

    def add(cls: T) -> T:
        units = _KINDS[kind_of(cls)]
        if name in units:
            raise ValueError(f"{name!r} is registered twice")
        cls.type_name = name
        units[name] = cls
        return cls

    return add


def is_kind(cls: object) -> bool:
    """Whether `cls` is a base class marked with `@kind`."""
    return isinstance(cls, type) and cls in _KINDS


def kind_of(unit: type) -> type:
    """The kind that a unit's class belongs to."""
    for cls in unit.__mro__:
        if cls in _KINDS:
            return cls
    raise TypeError(f"{unit.__name__} belongs to no kind of unit")


def units(of: type) -> dict[str, type[Unit]]:
    """Every registered unit of a kind by name."""
    package = of.__module__.rpartition(".")[0]
    with _LOADING:
        for module in pkgutil.iter_modules(_FOLDERS.pop(package, ())):
            importlib.import_module(f"{package}.{module.name}")
    return _KINDS[of]


def import_units(package: str, path: Iterable[str]) -> None:
    """Have every module of a package imported, which registers its units, when they are needed."""
    _FOLDERS[package] = path
