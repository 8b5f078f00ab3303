"""What differs between two protocols, field by field, in words."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from study.canonical import canonical_json

_LONGEST = 200


class _Nothing:
    """What stands where a field is not there."""


NOTHING = _Nothing()


@dataclass(frozen=True)
class Change:
    """One field that is not what it was.

    Args:
        json_path: where; items of a list that have an ``id`` are named by it, as in ``$.arms[iso].label``.
        before, after: JSON values; `NOTHING` where the field is not there.
    """

    json_path: str
    before: Any
    after: Any

    @property
    def text(self) -> str:
        """In one line."""
        if self.before is NOTHING:
            return f"{self.json_path}: added {_shown(self.after)}"
        if self.after is NOTHING:
            return f"{self.json_path}: removed {_shown(self.before)}"
        return f"{self.json_path}: {_shown(self.before)} became {_shown(self.after)}"

    def is_within(self, json_path: str) -> bool:
        """Whether the field is that one, or inside it."""
        rest = self.json_path.removeprefix(json_path)
        return self.json_path.startswith(json_path) and (not rest or rest[0] in ".[")


def protocol_changes(before: Any, after: Any) -> tuple[Change, ...]:
    """Every field that differs between two protocols' JSON values, in the order of the newer one.

    What means the same in another notation (key order, spaces) is no change.
    """
    return tuple(_changes("$", before, after))


def _changes(path: str, before: Any, after: Any) -> Iterator[Change]:
    if canonical_json(before) == canonical_json(after):
        return
    if isinstance(before, dict) and isinstance(after, dict):
        yield from _of_fields(path, before, after, ".{}")
    elif isinstance(before, list) and isinstance(after, list) and _named(before) and _named(after):
        old, new = ({item["id"]: item for item in items} for items in (before, after))
        yield from _of_fields(path, old, new, "[{}]")
        kept = [name for name in old if name in new]
        if kept != [name for name in new if name in old]:
            yield Change(f"{path} (order)", list(old), list(new))
    else:
        yield Change(path, before, after)


def _of_fields(path: str, before: Mapping[str, Any], after: Mapping[str, Any], form: str) -> Iterator[Change]:
    for name in [*before, *(name for name in after if name not in before)]:
        where = path + form.format(name)
        if name not in after:
            yield Change(where, before[name], NOTHING)
        elif name not in before:
            yield Change(where, NOTHING, after[name])
        else:
            yield from _changes(where, before[name], after[name])


def _named(items: Sequence[Any]) -> bool:
    """Whether every item has an id of its own."""
    ids = [item.get("id") for item in items if isinstance(item, dict)]
    return len(ids) == len(items) == len({str(one) for one in ids}) and all(isinstance(i, str) for i in ids)


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
