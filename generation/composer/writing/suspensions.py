"""What sounds together, moment by moment: chords as they are led, with their suspensions.

A suspension is prepared (its note sounded in the chord before), held over the change as a dissonance, and
falls by step into its chord: 4-3, 9-8, 7-6 above the bass, 2-3 in the bass itself (Aldwell & Schachter,
Harmony and Voice Leading). Pad and figures read the same moments, so that what is suspended is
heard in both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from generation.composer.score import Chord
from generation.composer.writing.voicing import Led, Voicing

#: Intervals above the bass that a suspension may make: seconds, fourths, tritones, sevenths.
_FOREIGN = (1, 2, 5, 6, 10, 11)
_SHORTEST_BEATS = 1.0
_ON_DOMINANT = 1.5
_IN_BASS = 0.35


@dataclass(frozen=True)
class Sounding:
    """What sounds for a while.

    Args:
        onset_beat, beats: in quarter notes.
        chord: the harmony it belongs to.
        upper: keys of the upper voices, low to high.
        bass: key of the bass.
        held: upper voices (by place) or -1 (the bass) that are suspended here.
        left_out: keys for a third or an added tone that the led voices have no room for; figures touch them.
    """

    onset_beat: float
    beats: float
    chord: Chord
    upper: Voicing
    bass: int
    held: tuple[int, ...] = ()
    left_out: tuple[int, ...] = ()

    @property
    def end_beat(self) -> float:
        """Where the next begins."""
        return self.onset_beat + self.beats


def suspend(
    chords: Sequence[Chord],
    voicings: Sequence[Voicing],
    basses: Sequence[int],
    before: Led | None,
    share: float,
    rng: np.random.Generator,
) -> list[Sounding]:
    """The chords as they sound, in time order without gaps; a suspended chord is two soundings.

    Args:
        before: what sounded before the first chord.
        share: 0 to 1, of the voices that could be suspended.
    """
    soundings: list[Sounding] = []
    last = (before.upper, before.bass) if before is not None else None
    for chord, upper, bass in zip(chords, voicings, basses, strict=True):
        draws = rng.random(len(upper) + 1)
        held: list[int] = []
        if last is not None and len(last[0]) == len(upper) and chord.beats >= _SHORTEST_BEATS:
            wanted = share * (_ON_DOMINANT if chord.is_dominant else 1.0)
            for voice in _fallers(last[0], upper, bass, chord):
                # A second suspension at once is a matter of twice the tension.
                if draws[voice] < (wanted if not held else wanted**2):
                    held.append(voice)
            if not held and draws[-1] < _IN_BASS * share and _bass_falls(last[1], bass, upper, chord):
                held.append(-1)
        soundings += _split(chord, upper, bass, last, tuple(held))
        last = (upper, bass)
    return soundings


def _fallers(old: Voicing, new: Voicing, bass: int, chord: Chord) -> list[int]:
    """Upper voices, highest first, that fall by step from a note foreign to the chord and dissonant in it."""
    found = []
    for voice in range(len(new) - 1, -1, -1):
        before, after = old[voice], new[voice]
        if before - after not in (1, 2) or before % 12 in chord.pitch_classes:
            continue
        # Its goal must not sound elsewhere above the bass, and it must not rub against a voice that moved.
        doubled = any(key % 12 == after % 12 for place, key in enumerate(new) if place != voice)
        crossed = any(key in (before, before - 1) for place, key in enumerate(new) if place != voice)
        if not doubled and not crossed and (before - bass) % 12 in _FOREIGN:
            found.append(voice)
    return found


def _bass_falls(old: int, new: int, upper: Voicing, chord: Chord) -> bool:
    foreign = old % 12 not in chord.pitch_classes
    return old - new in (1, 2) and foreign and all(key % 12 != new % 12 for key in upper)


def _split(
    chord: Chord, upper: Voicing, bass: int, last: tuple[Voicing, int] | None, held: tuple[int, ...]
) -> list[Sounding]:
    if last is None or not held:
        return [Sounding(chord.onset_beat, chord.beats, chord, upper, bass, (), _missing(chord, upper, bass))]
    # Held on the strong beat, released on a weaker one: after half the chord, in three after two beats.
    wait = 2.0 if chord.beats == 3.0 else min(chord.beats / 2, 2.0)
    above = tuple(last[0][voice] if voice in held else key for voice, key in enumerate(upper))
    low = last[1] if -1 in held else bass
    missing = _missing(chord, upper, bass)
    return [
        Sounding(chord.onset_beat, wait, chord, above, low, held, missing),
        Sounding(chord.onset_beat + wait, chord.beats - wait, chord, upper, bass, (), missing),
    ]


def _missing(chord: Chord, upper: Voicing, bass: int) -> tuple[int, ...]:
    """Keys of the third and the added tones that nobody has, each in the widest place between the voices."""
    heard = {key % 12 for key in (*upper, bass)}
    found: list[int] = []
    for pitch in (chord.pitch_classes[1], *chord.pitch_classes[3:]):
        if pitch in heard:
            continue
        keys = [key for key in range(upper[0] - 5, upper[-1]) if key % 12 == pitch and key > bass + 3]
        if keys:
            found.append(max(keys, key=lambda key: (min(abs(key - voice) for voice in upper), key)))
    return tuple(sorted(found))
