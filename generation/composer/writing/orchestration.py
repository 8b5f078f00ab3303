"""Who plays which part, phrase by phrase: entries, exits and levels over a session."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from generation.composer.cues import CueCurves
from generation.composer.palettes import INSTRUMENTS, Palette
from generation.composer.pulse import Pulse
from generation.composer.score import Part, Phrase, Section
from generation.composer.streams import stream


@dataclass(frozen=True)
class Seat:
    """One instrument at work on one part, for one phrase.

    Args:
        part, instrument: what is played, and on what.
        weight_in, weight_out: factor on the velocity at both ends of the phrase, straight between.
        octaves: added to what is written, for doublings.
        from_beat, until_beat: only notes that begin in [from, until) are played.
        begins_beat, ends_beat: of the phrase, where the weights hold.
    """

    part: Part
    instrument: str
    weight_in: float
    weight_out: float
    begins_beat: float
    ends_beat: float
    octaves: int = 0
    from_beat: float = -math.inf
    until_beat: float = math.inf

    def weight_at(self, beats: NDArray[np.float64]) -> NDArray[np.float64]:
        """Factor on the velocity at `beats`, shape [n]."""
        ends = [self.begins_beat, self.ends_beat]
        return np.asarray(np.interp(beats, ends, [self.weight_in, self.weight_out]))


def orchestrate(
    sections: Sequence[Section], curves: CueCurves, pulse: Pulse, palette: Palette, seed: int
) -> list[list[Seat]]:
    """The seats of each phrase, in the order of the phrases; several may share a part."""
    return [
        _seats(phrase, curves, pulse, palette, seed) for section in sections for phrase in section.phrases
    ]


def _seats(phrase: Phrase, curves: CueCurves, pulse: Pulse, palette: Palette, seed: int) -> list[Seat]:
    # One choice a section: instruments enter and leave at its seams, not within.
    rng = stream(seed, "players", phrase.section)
    centre = curves.one("melody_key", pulse.second(phrase.onset_beat))
    able = [
        name
        for name in palette.melody
        if INSTRUMENTS[name].low <= centre - 10 and centre + 10 <= INSTRUMENTS[name].high
    ]
    melody = str(rng.choice(able or list(palette.melody)))
    figure = str(rng.choice([name for name in palette.figure if name != melody] or list(palette.figure)))
    counters = [name for name in palette.counter if name != melody]
    counter = str(rng.choice(counters)) if rng.random() < 0.4 and phrase.section > 0 else None
    sustain = curves.one("sustain", pulse.second(phrase.onset_beat + phrase.beats / 2))
    chosen = [
        (Part.BASS, palette.bass, 1.0),
        (Part.FIGURE, figure, 1.12 if phrase.melody_rests else 1.0),
        (Part.PAD, palette.pad[0], 0.65 + 0.35 * sustain),
        (Part.PAD, palette.pad[1], 0.35 + 0.55 * sustain),
        *([(Part.COUNTER, counter, 1.0)] if counter else []),
        *([(Part.MELODY, melody, 1.0)] if not phrase.melody_rests else []),
        (Part.PERCUSSION, palette.percussion, 1.0),
    ]
    return [
        Seat(part, instrument, weight, weight, phrase.onset_beat, phrase.end_beat)
        for part, instrument, weight in chosen
    ]
