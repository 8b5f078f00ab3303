"""From beats to played notes: phrase arches, touch, articulation and human timing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from generation.composer.cues import CueCurves
from generation.composer.palettes import INSTRUMENTS, playable
from generation.composer.pulse import Pulse
from generation.composer.score import Note, Part, Phrase, WrittenNote
from generation.composer.writing.orchestration import Seat

#: Standard deviation of the onset, in seconds: ensembles of good players stay within 10 ms.
_JITTER_S = {
    Part.MELODY: 0.008,
    Part.COUNTER: 0.010,
    Part.FIGURE: 0.007,
    Part.PAD: 0.012,
    Part.BASS: 0.006,
    Part.PERCUSSION: 0.004,
}
_LONGEST_JITTER = 2.0
_ARCH = 0.045
_ARCH_OF_THE_REST = 0.02
_ACCENT = 0.14
_TOUCH = 0.025
_GENTLE_OPENING_S = 6.0


class Performance:
    """Plays written parts.

    Args:
        curves: the session's cues.
        pulse: the session's beat.
    """

    def __init__(self, curves: CueCurves, pulse: Pulse) -> None:
        self._curves = curves
        self._pulse = pulse

    def play(
        self,
        seat: Seat,
        written: Sequence[WrittenNote],
        phrase: Phrase,
        rng: np.random.Generator,
    ) -> list[Note]:
        """The notes as they sound.

        Args:
            seat: who plays, from where to where, and how loud.
            written: in beats.
            phrase: whose arch of loudness they share (Friberg, Bresin & Sundberg, 2006,
                Overview of the KTH rule system, Advances in Cognitive Psychology 2, 145-161).
            rng: of timing and touch.
        """
        written = [note for note in written if seat.from_beat <= note.onset_beat < seat.until_beat]
        if not written:
            return []
        part = seat.part
        beats = np.array([note.onset_beat for note in written])
        lengths = np.array([note.beats for note in written])
        accents = np.array([note.accent for note in written])
        onsets_s = self._pulse.seconds(beats)
        spans_s = self._pulse.seconds(beats + lengths) - onsets_s
        cues = self._curves.at(onsets_s)
        jitter = np.clip(rng.standard_normal(len(beats)), -_LONGEST_JITTER, _LONGEST_JITTER)
        onsets_s = np.maximum(onsets_s + jitter * _JITTER_S[part], self._pulse.first_s)
        touch = _TOUCH * np.clip(rng.standard_normal(len(beats)), -2.0, 2.0)
        opening = min(_GENTLE_OPENING_S, 0.25 * self._curves.duration_s)
        gentle = 0.72 + 0.28 * np.clip(onsets_s / opening, 0.0, 1.0)
        if part == Part.PERCUSSION:
            velocity = accents * (0.75 + 0.5 * cues.velocity) * np.clip(onsets_s / opening, 0.0, 1.0)
        else:
            arch = _ARCH if part == Part.MELODY else _ARCH_OF_THE_REST
            velocity = cues.velocity + arch * _arch(beats, phrase) + _ACCENT * (accents - 0.6) + touch
        velocity = np.clip(velocity * seat.weight_at(beats) * gentle, 0.02, 1.0)
        # The final chord is held as long as it is written.
        share = np.where(beats < phrase.end_beat - 1e-6, _articulation(part, cues.articulation), 1.0)
        sounding_s = np.maximum(spans_s * share, 0.08)
        chosen = INSTRUMENTS[seat.instrument]
        return [
            Note(
                onset_s=float(onset_s),
                duration_s=float(duration_s),
                key=playable(note.key + 12 * seat.octaves, chosen),
                velocity=float(value),
                part=part,
                instrument=seat.instrument,
            )
            for onset_s, duration_s, value, note in zip(onsets_s, sounding_s, velocity, written, strict=True)
        ]


def _arch(beats: NDArray[np.float64], phrase: Phrase) -> NDArray[np.float64]:
    """-1 at a phrase's ends, 1 in its middle."""
    share = np.clip((beats - phrase.onset_beat) / max(phrase.beats, 1), 0.0, 1.0)
    return np.asarray(1.0 - 2.0 * (2.0 * share - 1.0) ** 2)


def _articulation(part: Part, cue: NDArray[np.float64]) -> NDArray[np.float64]:
    match part:
        case Part.PAD | Part.COUNTER:
            return np.full_like(cue, 1.02)
        case Part.FIGURE:
            return np.asarray(1.5 * cue)
        case Part.BASS:
            return np.minimum(cue + 0.05, 1.0)
        case _:
            return cue
