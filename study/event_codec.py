"""Events as JSON payloads: versioned when written, lifted to today's form when read.

A field is never removed or given another meaning: the kind gets a higher
version here and an upcast that lifts old payloads. Stored bytes stay as written.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from enum import StrEnum
from typing import Any

from study.affect import Affect
from study.canonical import plain
from study.errors import RecordMismatch
from study.events import Asked, Event, PlayerEntry

_CLASSES: Mapping[str, type[Any]] = {cls.__name__: cls for cls in typing.get_args(Event)}
_SCHEMA_VERSION: Mapping[str, int] = dict.fromkeys(_CLASSES, 1)

Upcast = Callable[[Mapping[str, Any]], Mapping[str, Any]]
#: (kind, version) to the function that lifts a payload of that version by one.
UPCASTS: dict[tuple[str, int], Upcast] = {}


def schema_version_of(kind: str) -> int:
    """The version new events of this kind are written in."""
    return _SCHEMA_VERSION[kind]


def encode(event: Event) -> dict[str, Any]:
    """The event's payload as plain JSON values."""
    payload: dict[str, Any] = plain(event)
    return payload


def decode(kind: str, version: int, payload: Mapping[str, Any]) -> Event:
    """The event of a stored payload, lifted to today's form.

    Raises:
        RecordMismatch: the kind or version is newer than this isopath.
    """
    cls = _CLASSES.get(kind)
    if cls is None or version > _SCHEMA_VERSION[kind]:
        raise RecordMismatch(
            f"event {kind} version {version}",
            "was written by a newer isopath",
            "read this record with the version that wrote it, or a later one",
        )
    for step in range(version, _SCHEMA_VERSION[kind]):
        payload = UPCASTS[kind, step](payload)
    event: Event = _build(cls, payload)
    return event


Conversion = Callable[[Any], Any]


def _as_it_is(raw: Any) -> Any:
    return raw


def _conversion(hint: Any) -> Conversion:
    """How a field of this type is made from its JSON value."""
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        inner = _conversion(next(arg for arg in typing.get_args(hint) if arg is not type(None)))
        return lambda raw: None if raw is None else inner(raw)
    if origin is tuple:
        inner = _conversion(typing.get_args(hint)[0])
        return lambda raw: tuple(inner(item) for item in raw)
    if isinstance(hint, type) and is_dataclass(hint):
        return lambda raw: _build(hint, raw)
    if isinstance(hint, type) and issubclass(hint, (StrEnum, float)):
        return hint
    return _as_it_is


def _conversions(cls: type[Any]) -> tuple[tuple[str, Conversion], ...]:
    hints = typing.get_type_hints(cls)
    return tuple((f.name, _conversion(hints[f.name])) for f in fields(cls))


# Resolved once: a record is read many times.
_CONVERSIONS = {cls: _conversions(cls) for cls in (*_CLASSES.values(), Affect, Asked, PlayerEntry)}


def _build(cls: type[Any], payload: Mapping[str, Any]) -> Any:
    return cls(**{name: make(payload[name]) for name, make in _CONVERSIONS[cls] if name in payload})
