"""Palettes: which instruments play which part, how loud and where in the room.

Ranges are those of players (Adler, 2002, The Study of Orchestration; Rimsky-
Korsakov, 1913, Principles of Orchestration), as sounding keys, without the
extremes that only a soloist would be asked for. Places in the room follow a
small seated ensemble: high strings and flute left, low strings and brass right.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from generation.composer.score import Part


@dataclass(frozen=True)
class Instrument:
    """One instrument.

    Args:
        preset: bank and program in the SoundFont; None where no recording is meant to play it.
        low, high: keys it plays, both included.
        gain: amplitude factor on the evened sounds of its keys.
        pan: -1 left to 1 right.
        reverb: share sent to the room.
        rings: struck or plucked; its notes sound on after the key is let go.
        synth: name of its recipe in `sound.synthesis.recipes`, which plays it without a recording.
    """

    preset: tuple[int, int] | None
    low: int
    high: int
    gain: float
    pan: float
    reverb: float
    rings: bool = False
    synth: str = ""


INSTRUMENTS: Mapping[str, Instrument] = MappingProxyType(
    {
        # Keyboards, bars and tines.
        "piano": Instrument((0, 0), 28, 100, 1.0, -0.12, 0.8, rings=True, synth="piano"),
        "electric piano": Instrument((0, 4), 28, 96, 0.85, 0.15, 0.7, rings=True, synth="electric piano"),
        "celesta": Instrument((0, 8), 60, 102, 0.8, 0.3, 1.0, rings=True, synth="celesta"),
        "music box": Instrument((0, 10), 60, 96, 0.7, -0.25, 1.0, rings=True, synth="music box"),
        "vibraphone": Instrument((0, 11), 53, 89, 0.95, 0.25, 0.9, rings=True, synth="vibraphone"),
        "marimba": Instrument((0, 12), 48, 96, 1.0, 0.2, 0.8, rings=True, synth="marimba"),
        "kalimba": Instrument((0, 108), 60, 88, 0.75, -0.2, 0.8, rings=True, synth="kalimba"),
        # Plucked and hammered strings.
        "guitar": Instrument((0, 24), 40, 84, 0.95, -0.28, 0.7, rings=True, synth="guitar"),
        "dulcimer": Instrument((0, 15), 50, 86, 0.8, 0.24, 0.8, rings=True, synth="dulcimer"),
        "harp": Instrument((0, 46), 31, 96, 1.0, 0.35, 1.0, rings=True, synth="harp"),
        "bass": Instrument((0, 32), 28, 60, 0.75, 0.0, 0.15, rings=True, synth="bass"),
        # Bowed strings.
        "violin": Instrument((0, 40), 55, 93, 0.56, -0.22, 1.0, synth="violin"),
        "fiddle": Instrument((0, 110), 55, 84, 0.55, 0.2, 0.8, synth="violin"),
        "cello": Instrument((0, 42), 36, 72, 0.62, 0.22, 0.9, synth="cello"),
        "contrabass": Instrument((0, 43), 28, 58, 0.75, 0.06, 0.35, synth="contrabass"),
        "strings": Instrument((0, 48), 36, 90, 0.6, -0.08, 1.0, synth="strings"),
        "slow strings": Instrument((0, 49), 36, 90, 0.6, -0.08, 1.0, synth="slow strings"),
        # Wind and voices.
        "flute": Instrument((0, 73), 59, 96, 0.62, -0.18, 1.0, synth="flute"),
        "recorder": Instrument((0, 74), 65, 91, 0.55, -0.16, 0.9, synth="recorder"),
        "oboe": Instrument((0, 68), 58, 88, 0.5, 0.1, 0.9, synth="oboe"),
        "clarinet": Instrument((0, 71), 50, 89, 0.5, 0.18, 0.9, synth="clarinet"),
        "horn": Instrument((0, 60), 41, 77, 0.6, 0.28, 1.1, synth="horn"),
        "voices": Instrument((0, 53), 48, 81, 0.57, 0.1, 1.1, synth="voices"),
        # Made by circuits.
        "warm pad": Instrument((0, 89), 36, 90, 0.6, 0.0, 0.8, synth="warm pad"),
        "saw pad": Instrument(None, 36, 90, 0.72, 0.0, 0.9, synth="saw pad"),
        "air pad": Instrument(None, 40, 90, 0.67, 0.05, 1.1, synth="air pad"),
        "soft square": Instrument(None, 45, 91, 0.72, -0.15, 0.8, synth="soft square"),
        "triangle lead": Instrument(None, 52, 98, 0.74, 0.18, 0.9, synth="triangle lead"),
        "soft saw": Instrument(None, 36, 84, 0.8, 0.12, 0.8, synth="soft saw"),
        "glass keys": Instrument(None, 48, 100, 1, -0.22, 0.9, rings=True, synth="glass keys"),
        "sequence": Instrument(None, 40, 96, 1.1, 0.3, 0.7, rings=True, synth="sequence"),
        "sub bass": Instrument(None, 28, 55, 0.75, 0.0, 0.05, rings=True, synth="sub bass"),
        # Kits.
        "brushes": Instrument((128, 40), 36, 80, 0.36, 0.08, 0.35, rings=True, synth="brushes"),
        "soft kit": Instrument(None, 36, 80, 0.36, 0.04, 0.3, rings=True, synth="soft kit"),
    }
)

#: Level of each part against the melody, in dB.
PART_DB: Mapping[Part, float] = MappingProxyType(
    {
        Part.MELODY: 0.0,
        Part.COUNTER: -6.5,
        Part.FIGURE: -7.5,
        Part.PAD: -13.0,
        Part.BASS: -4.5,
        Part.PERCUSSION: -1.0,
    }
)


@dataclass(frozen=True)
class Palette:
    """The instruments of one sound world, by part, in order of preference.

    A section takes one of the melody's and one of the figure's instruments;
    the pad's sound together.

    Args:
        cue_bias: field of `cues.Cues` to an offset in its own unit, the same at every point of the
            plane: how this world is played where another is played otherwise.
    """

    melody: Sequence[str]
    figure: Sequence[str]
    pad: Sequence[str]
    counter: Sequence[str]
    bass: str = "bass"
    percussion: str = "brushes"
    cue_bias: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def instruments(self) -> tuple[str, ...]:
        """Everyone who may play, each once, in order of first mention."""
        named = (*self.melody, *self.figure, *self.pad, *self.counter, self.bass, self.percussion)
        return tuple(dict.fromkeys(named))


PALETTES: Mapping[str, Palette] = MappingProxyType(
    {
        "chamber": Palette(
            melody=("flute", "piano", "clarinet", "cello", "oboe", "violin"),
            figure=("piano", "harp"),
            pad=("strings", "horn"),
            counter=("cello", "clarinet", "oboe"),
        ),
        "acoustic": Palette(
            melody=("guitar", "flute", "fiddle", "dulcimer", "recorder", "harp"),
            figure=("guitar", "dulcimer", "harp"),
            pad=("slow strings", "voices"),
            counter=("cello", "fiddle", "clarinet"),
            cue_bias=MappingProxyType({"tempo_bpm": 2.0, "articulation": -0.02, "groove": 0.04}),
        ),
        "ambient": Palette(
            melody=("celesta", "flute", "vibraphone", "electric piano", "voices", "music box"),
            figure=("harp", "electric piano", "kalimba", "piano", "marimba"),
            pad=("warm pad", "voices"),
            counter=("voices", "cello", "horn"),
            bass="contrabass",
            cue_bias=MappingProxyType(
                {"tempo_bpm": -5.0, "brightness": -0.06, "articulation": 0.03, "percussion": -0.12}
            ),
        ),
        "electronic": Palette(
            melody=("glass keys", "soft square", "triangle lead", "soft saw"),
            figure=("sequence", "glass keys"),
            pad=("saw pad", "air pad"),
            counter=("soft saw", "triangle lead", "soft square"),
            bass="sub bass",
            percussion="soft kit",
            cue_bias=MappingProxyType({"tempo_bpm": 3.0, "brightness": 0.04}),
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
