"""Keys, signatures and sections as musicians write them."""

from __future__ import annotations

from generation.composer.score import Section
from generation.composer.writing.chord_names import key_name
from generation.composer.writing.modes import LADDER

_FIFTHS = "FCGDAEB"
_MINOR_THIRD = 3
_SUM_OF_IONIAN = 38


def sharps_of(tonic: int, mode: int) -> int:
    """Sharps (above 0) or flats (below) of the key signature, -7 to 7.

    Each step down the ladder of modes takes one sharp away: D Ionian has two, Mixolydian one, Dorian none.
    """
    name = key_name(tonic, mode)
    above_c = _FIFTHS.index(name[0]) - 1 + 7 * (name.count("#") - name.count("b"))
    return above_c + sum(LADDER[mode][1]) - _SUM_OF_IONIAN


def full_key_name(tonic: int, mode: int) -> str:
    """Tonic and mode: ``Bb Dorian``."""
    return f"{key_name(tonic, mode)} {mode_name(mode)}"


def mode_name(mode: int) -> str:
    """The mode's name: ``Dorian``."""
    return LADDER[mode][0]


def is_minor(mode: int) -> bool:
    """Whether the third above the tonic is minor."""
    return LADDER[mode][1][2] == _MINOR_THIRD


def section_name(section: Section) -> str:
    """Its letter, and how often the letter has been heard from the second time on: ``A``, ``A2``."""
    return section.letter + (str(section.variant + 1) if section.variant else "")
