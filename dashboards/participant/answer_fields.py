"""The fields of an answer as JSON gives them: each of its type, none unknown, all problems told at once."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import Any, TypeVar

from study.errors import IsopathError, OutOfRange, UnknownName, refuse

LONGEST_TEXT = 10_000
"""Characters of one free text: about two pages."""

LONGEST_LIST = 500

T = TypeVar("T")


class AnswerFields:
    """Reads an answer's fields and notes what is wrong with them.

    Args:
        where: names the answer in refusals, e.g. ``consent``.
        answer: what the page sent.
        expected: field name to what it holds, in words, for the refusals.
    """

    def __init__(self, where: str, answer: object, expected: Mapping[str, str]) -> None:
        self._where = where
        self._expected = expected
        self._problems: list[IsopathError] = []
        self._answer: Mapping[str, Any] = answer if isinstance(answer, Mapping) else {}
        if not isinstance(answer, Mapping):
            self._problems.append(OutOfRange(where, "is not an object", f"send {self._all()}"))
        for name in self._answer:
            if name not in expected:
                # Not repeated in the message: the name came from outside.
                self._problems.append(
                    UnknownName(where, "has a field it does not know", f"send {self._all()}")
                )
                break

    def flag(self, name: str, otherwise: bool | None = None) -> bool:
        """True or false; `otherwise` where the field may be absent."""
        value = self._answer.get(name, otherwise)
        return value if isinstance(value, bool) else self._wrong(name, False)

    def word(self, name: str, choices: Collection[str] | None = None) -> str:
        """A text; one of `choices` where they are given."""
        value = self._answer.get(name)
        if not isinstance(value, str) or len(value) > LONGEST_TEXT or _has_controls(value):
            return self._wrong(name, "")
        return value if choices is None or value in choices else self._wrong(name, "")

    def word_or_none(self, name: str, choices: Collection[str]) -> str | None:
        """One of `choices`, or null."""
        return None if self._answer.get(name) is None else self.word(name, choices)

    def share_or_none(self, name: str) -> float | None:
        """A number from 0 to 1, or null."""
        value = self._answer.get(name)
        if value is None:
            return None
        return float(value) if is_number(value) and 0 <= value <= 1 else self._wrong(name, None)

    def numbers(self, name: str) -> dict[str, float]:
        """Item to number."""
        value = self._mapping(name)
        if not all(is_number(given) for given in value.values()):
            return self._wrong(name, {})
        return {item: float(given) for item, given in value.items()}

    def flags(self, name: str) -> dict[str, bool]:
        """Question to true or false."""
        value = self._mapping(name)
        return dict(value) if all(isinstance(v, bool) for v in value.values()) else self._wrong(name, {})

    def answers(self, name: str) -> dict[str, str | float]:
        """Item to a number, an option or a text."""
        found: dict[str, str | float] = {}
        for item, given in self._mapping(name).items():
            if is_number(given):
                found[item] = float(given)
            elif isinstance(given, str) and len(given) <= LONGEST_TEXT and not _has_controls(given):
                found[item] = given
            else:
                return self._wrong(name, {})
        return found

    def whole_numbers(self, name: str) -> tuple[int, ...]:
        """A list of whole numbers."""
        value = self._listing(name)
        is_whole = all(isinstance(v, int) and not isinstance(v, bool) for v in value)
        return tuple(value) if is_whole else self._wrong(name, ())

    def items(self, name: str, known: Collection[str], is_whole: bool) -> tuple[str, ...]:
        """A list of item ids, none twice; all of them where `is_whole`. Absent is empty unless `is_whole`."""
        if name not in self._answer and not is_whole:
            return ()
        value = self._listing(name)
        if not all(isinstance(v, str) for v in value) or len(set(value)) != len(value):
            return self._wrong(name, ())
        if not set(value) <= set(known) or (is_whole and set(value) != set(known)):
            return self._wrong(name, ())
        return tuple(value)

    def done(self) -> None:
        """Refuse whatever was found.

        Raises:
            OutOfRange, UnknownName, Refusals: fields that are unknown, missing or of another type.
        """
        refuse(self._problems)

    def _mapping(self, name: str) -> Mapping[str, Any]:
        value = self._answer.get(name)
        is_fit = isinstance(value, Mapping) and len(value) <= LONGEST_LIST
        return value if is_fit and isinstance(value, Mapping) else self._wrong(name, {})

    def _listing(self, name: str) -> list[Any]:
        value = self._answer.get(name)
        is_fit = isinstance(value, list) and len(value) <= LONGEST_LIST
        return value if is_fit and isinstance(value, list) else self._wrong(name, [])

    def _wrong(self, name: str, instead: T) -> T:
        problem = "is missing" if name not in self._answer else "does not hold what it should"
        where = f"{self._where}.{name}"
        self._problems.append(OutOfRange(where, problem, f"send {self._expected[name]}"))
        return instead

    def _all(self) -> str:
        told = ", ".join(f"{name} ({holds})" for name, holds in self._expected.items())
        return told or "an empty object"


def is_number(value: object) -> bool:
    """Whether a JSON value is a finite number; true and false are none."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _has_controls(text: str) -> bool:
    return any(ord(character) < 32 and character not in "\n\r\t" for character in text) or "\x7f" in text
