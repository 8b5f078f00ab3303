"""From beats to played notes: where the rules of dynamics, timing and articulation meet."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from generation.composer.cues import CueCurves
from generation.composer.palettes import INSTRUMENTS, playable
from generation.composer.playing.articulation import SHORTEST_S, change_moments, lifted_s, sounding_s
from generation.composer.playing.dynamics import (
    accent_db,
    charge_db,
    contrast_db,
    high_loud_db,
    phrase_arch_db,
)
from generation.composer.playing.timing import human_s, lead_s, pink, swung
from generation.composer.pulse import Pulse
from generation.composer.score import Chord, Note, Part, Phrase, WrittenNote
from generation.composer.writing.seats import Seat

#: The sampler's gain is velocity to the power of 1.4.
_DB_PER_DECADE = 28.0
_TOUCH_DB = 0.5
_GENTLE_OPENING_S = 6.0
_GENTLE = 0.72
_EDGE_BEATS = 1e-6


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
        chords: Sequence[Chord] = (),
    ) -> list[Note]:
        """The notes as they sound.

        Onsets are rounded to a microsecond and touch to a millionth, so that they are the same on any
        machine. A theme may begin up to 40 ms before its phrase.

        Args:
            seat: who plays, from where to where, and how loud.
            written: in beats, by onset.
            phrase: whose arch of loudness they share.
            rng: of timing and touch.
            chords: the phrase's; without them no note is played for its harmony.
        """
        written = [note for note in written if seat.from_beat <= note.onset_beat < seat.until_beat]
        if not written:
            return []
        part = seat.part
        beats, lengths, keys, accents = np.array(
            [(note.onset_beat, note.beats, note.key, note.accent) for note in written]
        ).T
        swing = self._curves.at(self._pulse.seconds(beats)).swing
        strict_s = self._pulse.seconds(swung(beats, swing))
        spans_s = self._pulse.seconds(swung(beats + lengths, swing)) - strict_s
        cues = self._curves.at(strict_s)
        onsets_s = np.maximum(strict_s + human_s(strict_s, part, rng) - lead_s(part), self._pulse.first_s)
        decibels = _TOUCH_DB * np.clip(pink(rng, len(beats)), -2.0, 2.0)
        opening = np.clip(onsets_s / min(_GENTLE_OPENING_S, 0.25 * self._curves.duration_s), 0.0, 1.0)
        if part == Part.PERCUSSION:
            # Its accents are levels, and a drummer's hands are even.
            decibels = 0.5 * decibels
            touch = accents * (0.75 + 0.5 * cues.velocity) * opening
        else:
            decibels += accent_db(accents) + phrase_arch_db(beats, phrase, part, cues.arch)
            decibels += high_loud_db(keys, part) + charge_db(beats, keys, chords, part)
            decibels += contrast_db(lengths, cues.contrast)
            touch = cues.velocity * (_GENTLE + (1.0 - _GENTLE) * opening)
        velocity = touch * 10.0 ** (decibels / _DB_PER_DECADE) * seat.weight_at(beats)
        sounding = sounding_s(part, keys, spans_s, cues.articulation, cues.contrast)
        if part == Part.FIGURE:
            changes_s = self._pulse.seconds(np.array(change_moments(chords)))
            sounding = lifted_s(onsets_s, sounding, changes_s)
        # The final chord is held as long as it is written.
        final = beats >= phrase.end_beat - _EDGE_BEATS
        sounding = np.maximum(np.where(final, spans_s, sounding), SHORTEST_S)
        chosen = INSTRUMENTS[seat.instrument]
        return [
            Note(
                onset_s=onset_s,
                duration_s=duration_s,
                key=playable(note.key + 12 * seat.octaves, chosen),
                velocity=value,
                part=part,
                instrument=seat.instrument,
            )
            for onset_s, duration_s, value, note in zip(
                np.round(onsets_s, 6).tolist(),
                np.round(sounding, 6).tolist(),
                np.round(np.clip(velocity, 0.02, 1.0), 6).tolist(),
                written,
                strict=True,
            )
        ]
