"""A protocol file that may be wrong in places, so that the rest can be checked.

A check reads the parts it needs. A part that is missing or already refused
raises `Unreadable`, which ends that one check and no other: the author sees
every problem of the file at once, and no problem twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from study.affect import NAMED_STATES, Affect
from study.protocol_file.text import Finding, JsonPath, did_you_mean, shown


class Unreadable(Exception):
    """A part that a check needs is missing or was refused already."""


class Part:
    """One value of a protocol file and where it stands.

    Args:
        value: as JSON gives it.
        path: from the top of the file.
        bad: paths of values that must not be read.
    """

    def __init__(self, value: Any, path: JsonPath, bad: frozenset[JsonPath]) -> None:
        if path in bad:
            raise Unreadable
        self._value = value
        self.path = path
        self._bad = bad

    def __getitem__(self, name: str) -> Part:
        """A field that must be there.

        Raises:
            Unreadable: it is missing or was refused.
        """
        found = self.get(name)
        if found is None:
            raise Unreadable
        return found

    def at(self, *names: str) -> Part:
        """A field of a field; all must be there.

        Raises:
            Unreadable: one is missing or was refused.
        """
        found = self
        for name in names:
            found = found[name]
        return found

    def get(self, name: str) -> Part | None:
        """A field, or None where the author left it out.

        Raises:
            Unreadable: it was refused.
        """
        if name not in self._value:
            return None
        return Part(self._value[name], (*self.path, name), self._bad)

    def fields(self) -> list[tuple[str, Part]]:
        """Every field with its name; all must be readable."""
        return [(name, self[name]) for name in self._value]

    def parts(self) -> list[Part]:
        """Every item of a list; all must be readable."""
        return [Part(item, (*self.path, i), self._bad) for i, item in enumerate(self._items())]

    def readable_parts(self) -> list[Part]:
        """The items of a list that were not refused."""
        places = ((item, (*self.path, i)) for i, item in enumerate(self._items()))
        return [Part(item, path, self._bad) for item, path in places if path not in self._bad]

    def _items(self) -> list[Any]:
        # An unknown field is refused by its object, not by its own path, and may hold anything.
        if not isinstance(self._value, list):
            raise Unreadable
        return self._value

    @property
    def text(self) -> str:
        """A text."""
        return str(self._value)

    @property
    def number(self) -> float:
        """A number, as a float."""
        return float(self._value)

    @property
    def whole(self) -> int:
        """A whole number, as an int (JSON may write 30 as 30.0)."""
        return int(self._value)

    @property
    def is_text(self) -> bool:
        """Whether the value is a text."""
        return isinstance(self._value, str)

    @property
    def is_true(self) -> bool:
        """Whether the value is true."""
        return self._value is True

    @property
    def json(self) -> Any:
        """The value as JSON gave it."""
        return self._value

    @property
    def texts(self) -> list[str]:
        """A list of texts; all must be readable."""
        return [part.text for part in self.parts()]

    @property
    def affect(self) -> Affect:
        """A point, by name or coordinates."""
        state = self.get("state")
        if state is not None:
            return NAMED_STATES[state.text]
        return Affect(self["valence"].number, self["arousal"].number)

    def finding(self, problem: str, remedy: str) -> Finding:
        """A problem with this part."""
        return Finding(self.path, problem, remedy)


def run_checks(checks: Iterable[Callable[..., Iterable[Finding]]], *parts: Any) -> Iterator[Finding]:
    """Every finding of every check on the same parts; a check ends early at what it cannot read."""
    for check in checks:
        try:
            yield from check(*parts)
        except Unreadable:
            continue


def unknown(part: Part, known: Iterable[str], what: str) -> Iterator[Finding]:
    """A finding where a text is not one of the known names."""
    names = list(known)
    if part.text not in names:
        yield part.finding(
            f"{shown(part.text)} is not an {what} of this protocol",
            did_you_mean(part.text, names) + "write one of " + ", ".join(names),
        )
