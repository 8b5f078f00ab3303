"""Palettes: which sampled instruments play which part, how loud and where in the room."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from generation.composer.score import Part


@dataclass(frozen=True)
class Instrument:
    """One sampled instrument.

    Args:
        preset: bank and program in the SoundFont.
        low, high: keys it plays, both included.
        gain: amplitude factor on the sampler's evened sounds.
        pan: -1 left to 1 right.
        reverb: share sent to the room.
        rings: struck or plucked; its notes sound on after the key is let go.
    """

    preset: tuple[int, int]
    low: int
    high: int
    gain: float
    pan: float
    reverb: float
    rings: bool = False


INSTRUMENTS: Mapping[str, Instrument] = MappingProxyType(
    {
        "piano": Instrument((0, 0), 28, 100, 1.0, -0.12, 0.8, rings=True),
        "electric piano": Instrument((0, 4), 28, 96, 0.85, 0.15, 0.7, rings=True),
        "celesta": Instrument((0, 8), 60, 102, 0.8, 0.3, 1.0, rings=True),
        "vibraphone": Instrument((0, 11), 53, 89, 0.95, 0.25, 0.9, rings=True),
        "guitar": Instrument((0, 24), 40, 84, 0.95, -0.28, 0.7, rings=True),
        "bass": Instrument((0, 32), 28, 60, 0.75, 0.0, 0.15, rings=True),
        "cello": Instrument((0, 42), 36, 72, 0.62, 0.22, 0.9),
        "harp": Instrument((0, 46), 31, 96, 1.0, 0.35, 1.0, rings=True),
        "strings": Instrument((0, 48), 36, 90, 0.6, -0.08, 1.0),
        "voices": Instrument((0, 53), 48, 81, 0.62, 0.1, 1.1),
        "clarinet": Instrument((0, 71), 50, 89, 0.5, 0.18, 0.9),
        "flute": Instrument((0, 73), 59, 96, 0.62, -0.18, 1.0),
        "warm pad": Instrument((0, 89), 36, 90, 0.8, 0.0, 0.8),
        "brushes": Instrument((128, 40), 36, 80, 0.36, 0.08, 0.35, rings=True),
    }
)

#: Level of each part against the melody, in dB.
PART_DB: Mapping[Part, float] = MappingProxyType(
    {
        Part.MELODY: 0.0,
        Part.COUNTER: -9.0,
        Part.FIGURE: -6.0,
        Part.PAD: -13.5,
        Part.BASS: -4.5,
        Part.PERCUSSION: -1.0,
    }
)


@dataclass(frozen=True)
class Palette:
    """The instruments of one sound world, by part, in order of preference.

    A section takes one of the melody's and one of the figure's instruments;
    the pad's sound together.
    """

    melody: Sequence[str]
    figure: Sequence[str]
    pad: Sequence[str]
    counter: Sequence[str]
    bass: str = "bass"
    percussion: str = "brushes"


PALETTES: Mapping[str, Palette] = MappingProxyType(
    {
        "chamber": Palette(
            melody=("flute", "piano", "clarinet", "cello"),
            figure=("piano", "harp"),
            pad=("strings", "warm pad"),
            counter=("cello", "clarinet"),
        ),
        "acoustic": Palette(
            melody=("guitar", "flute", "piano"),
            figure=("guitar", "piano"),
            pad=("warm pad", "strings"),
            counter=("cello", "voices"),
        ),
        "ambient": Palette(
            melody=("celesta", "flute", "vibraphone", "electric piano"),
            figure=("harp", "electric piano", "piano"),
            pad=("warm pad", "voices"),
            counter=("voices", "cello"),
        ),
    }
)
DEFAULT_PALETTE = "chamber"


def playable(key: int, instrument: Instrument) -> int:
    """`key` moved by octaves into the instrument's range."""
    while key < instrument.low:
        key += 12
    while key > instrument.high:
        key -= 12
    return key
