"""Words and numbers in a reader's language and a journal's style.

Texts are catalogues, ``analysis/texts/<part>.<language>.json``: key to text with
``{named}`` places. The parts are `report` and `figures`; every language has the
same keys. What the results themselves say (reasons, methods, notes) is English;
``analysis/texts/phrases.<language>.json`` turns those phrases it knows, and what
it does not know stays English and can be marked as such.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from analysis import wording
from analysis.wording import NumberStyle

LANGUAGES = ("en", "de")
STYLES = ("apa", "lancet")
PARTS = ("report", "figures")

ENGLISH_BEGINS, ENGLISH_ENDS = "\ue000", "\ue001"
"""Private-use signs around a piece that is English inside a text of another language."""

_NUMBERS: Mapping[tuple[str, str], NumberStyle] = {
    ("en", "apa"): wording.APA,
    ("en", "lancet"): wording.LANCET,
    ("de", "apa"): wording.GERMAN_APA,
    ("de", "lancet"): wording.GERMAN_LANCET,
}
_PLACE = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Words:
    """How a report speaks.

    Args:
        language: one of `LANGUAGES`.
        style: one of `STYLES`: how numbers are printed.
    """

    language: str = "en"
    style: str = "apa"

    @property
    def numbers(self) -> NumberStyle:
        """How numbers are printed."""
        return _NUMBERS[self.language, self.style]

    def text(self, key: str, **values: object) -> str:
        """The text of a key, with its places filled.

        Raises:
            KeyError: no such key, or a place without a value.
        """
        return _texts(self.language)[key].format(**values)

    def has(self, key: str) -> bool:
        """Whether there is a text of that key."""
        return key in _texts(self.language)

    def name(self, group: str, identifier: str) -> str:
        """The text ``<group>.<identifier>``; where there is none, the identifier in words, marked English."""
        key = f"{group}.{identifier}"
        return self.text(key) if self.has(key) else self.marked(identifier.replace("_", " "))

    def said(self, english: str | None) -> str:
        """What the results say in English, in this language where a phrase is known; else as it is."""
        return "" if english is None else _said(english, self.language) or english

    def marked(self, english: str | None) -> str:
        """As `said`; a phrase that is not known stands between the signs of an English piece."""
        if not english:
            return ""
        clean = english.replace(ENGLISH_BEGINS, "").replace(ENGLISH_ENDS, "")
        found = _said(clean, self.language)
        return found if found is not None else f"{ENGLISH_BEGINS}{clean}{ENGLISH_ENDS}"

    def number(self, value: float | None, digits: int = 2, bounded: bool = False) -> str:
        """A number with that many decimals; a dash where there is none.

        Args:
            bounded: the number cannot exceed 1 in size.
        """
        return wording.number(value, digits, bounded, self.numbers)

    def p_text(self, value: float | None) -> str:
        """A p-value to three decimals."""
        return wording.p_text(value, self.numbers)

    def p_clause(self, value: float | None) -> str:
        """A p-value in a sentence: ``p = .032``."""
        return wording.p_clause(value, self.numbers)

    def interval(self, row: Mapping[str, Any], digits: int = 2, bounded: bool = False) -> str:
        """Estimate and limits, ``0.31, 95% CI [0.10, 0.52]``; the reason where there is no number."""
        if row["estimate"] is None:
            return self.not_estimable(row["reason"])
        estimate = self.number(row["estimate"], digits, bounded)
        if row["ci_low"] is None:
            return self.text("number.no_interval", estimate=estimate, reason=self.marked(row["reason"]))
        return f"{estimate}, {self.ci(row['ci_low'], row['ci_high'], digits, bounded)}"

    def ci(
        self,
        low: float | None,
        high: float | None,
        digits: int = 2,
        bounded: bool = False,
        percent: float = 95,
    ) -> str:
        """A named interval: ``95% CI [0.10, 0.52]``."""
        return f"{self.level(percent)} {self.limits(low, high, digits, bounded)}"

    def level(self, percent: float = 95) -> str:
        """The name of an interval: ``95% CI``."""
        return wording.level_text(percent, self.numbers)

    def limits(self, low: float | None, high: float | None, digits: int = 2, bounded: bool = False) -> str:
        """Two limits."""
        return wording.limits(low, high, digits, bounded, self.numbers)

    def bracketed(self, limits: str) -> str:
        """Limits behind an estimate: brackets are set where the style has none of its own."""
        return limits if limits.startswith("[") else f"({limits})"

    def not_estimable(self, reason: str | None) -> str:
        """Why there is no number."""
        if not reason:
            return self.text("number.not_estimable_unsaid")
        return self.text("number.not_estimable", reason=self.marked(reason))

    def share_text(self, cell: Mapping[str, int]) -> str:
        """``12/40 (30%)``; ``0/0`` without a percentage."""
        return wording.share_text(cell, self.numbers)

    def counted(self, n: int, noun: str) -> str:
        """A count with its noun, from the texts ``counted.<noun>.one`` and ``counted.<noun>.many``."""
        return self.text(f"counted.{noun}.{'one' if n == 1 else 'many'}", n=n)

    def reasons_text(self, reasons: Mapping[str, int]) -> str:
        """``not yet given 3; withdrew 1``; a dash where there are none."""
        return wording.reasons_text({self.marked(reason): n for reason, n in reasons.items()})

    def sentences(self, said: Iterable[str | None]) -> str:
        """What the results say, each once and as a sentence."""
        whole = (self.marked(one) for one in dict.fromkeys(said) if one)
        return " ".join(one if one.endswith((".", f".{ENGLISH_ENDS}")) else f"{one}." for one in whole)

    def listed(self, names: Sequence[str], word: str = "and") -> str:
        """``a, b and c``; `word` is ``and`` or ``or``."""
        if len(names) < 2:
            return "".join(names)
        return self.text(f"list.{word}", first=", ".join(names[:-1]), last=names[-1])


ENGLISH = Words()


@cache
def _texts(language: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in PARTS:
        found |= _catalogue(part, language)
    return found


def _catalogue(part: str, language: str) -> dict[str, str]:
    source = resources.files("analysis").joinpath(f"texts/{part}.{language}.json")
    content: dict[str, str] = json.loads(source.read_text("utf-8"))
    return content


@cache
def _said(english: str, language: str) -> str | None:
    """The phrase in that language; None where it is not known."""
    if language == "en" or not re.search("[A-Za-z]", english):
        return english
    exact, patterns = _phrases(language)
    if english in exact:
        return exact[english]
    for pattern, text in patterns:
        if (match := pattern.fullmatch(english)) is not None:
            return text.format(**{name: _piece(value, language) for name, value in match.groupdict().items()})
    return None


def _piece(value: str, language: str) -> str:
    """What stood in a phrase's place: itself a phrase, a list of phrases, or a name."""
    if re.fullmatch(r"\d+\.\d+", value):
        return value.replace(".", _NUMBERS[language, "apa"].point)
    known = _said(value, language)
    if known is None and ", " in value:
        return ", ".join(_said(part, language) or part for part in value.split(", "))
    return known if known is not None else value


@cache
def _phrases(language: str) -> tuple[dict[str, str], tuple[tuple[re.Pattern[str], str], ...]]:
    """Phrases without places, and those with places as patterns, longest first."""
    content = _catalogue("phrases", language)
    patterns = []
    for english in sorted((one for one in content if _PLACE.search(one)), key=len, reverse=True):
        parts = _PLACE.split(english)
        source = "".join(
            re.escape(part) if index % 2 == 0 else f"(?P<{part}>.+?)" for index, part in enumerate(parts)
        )
        patterns.append((re.compile(source, re.DOTALL), content[english]))
    return {one: text for one, text in content.items() if not _PLACE.search(one)}, tuple(patterns)
