"""Short names as SDTM wants them: at most eight capitals and digits, a letter first, no two alike."""

from __future__ import annotations

import re

_LONGEST = 8


class ShortNames:
    """Gives out short names; the same key always gets the one it had."""

    def __init__(self) -> None:
        self._given: dict[str, str] = {}

    def of(self, key: str, wanted: str) -> str:
        """The short name of `key`.

        Args:
            wanted: what it should look like: ``valence`` becomes ``VALENCE``, a second one ``VALENC02``.
        """
        if key not in self._given:
            plain = re.sub(r"[^A-Z0-9]", "", wanted.upper()) or "X"
            plain = plain if plain[0].isalpha() else f"Q{plain}"
            made, number = plain[:_LONGEST], 1
            while made in self._given.values():
                number += 1
                made = f"{plain[: _LONGEST - 2]}{number:02d}"
            self._given[key] = made
        return self._given[key]
