"""Words and numbers in a reader's language and a journal's style.

Texts are catalogues, ``analysis/texts/<part>.<language>.json``: key to text with
``{named}`` places. The parts are `report` and `figures`; every language has the
same keys.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from analysis import wording

LANGUAGES = ("en", "de")
STYLES = ("apa", "lancet")
PARTS = ("report", "figures")


@dataclass(frozen=True)
class Words:
    """How a report speaks.

    Args:
        language: one of `LANGUAGES`.
        style: one of `STYLES`: how numbers are printed.
    """

    language: str = "en"
    style: str = "apa"

    def text(self, key: str, **values: object) -> str:
        """The text of a key, with its places filled.

        Raises:
            KeyError: no such key, or a place without a value.
        """
        return _texts(self.language)[key].format(**values)

    def number(self, value: float | None, digits: int = 2) -> str:
        """A number with that many decimals; a dash where there is none."""
        return wording.number(value, digits)

    def p_text(self, value: float | None) -> str:
        """A p-value to three decimals."""
        return wording.p_text(value)

    def interval(self, row: Mapping[str, Any], digits: int = 2) -> str:
        """Estimate and 95 % limits; the reason where there is no number."""
        return wording.interval(row, digits)

    def limits(self, low: float | None, high: float | None, digits: int = 2) -> str:
        """Two limits."""
        return wording.limits(low, high, digits)


ENGLISH = Words()


@cache
def _texts(language: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in PARTS:
        source = resources.files("analysis").joinpath(f"texts/{part}.{language}.json")
        found |= json.loads(source.read_text("utf-8"))
    return found
