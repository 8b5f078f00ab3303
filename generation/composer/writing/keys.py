"""Keys: which are near, how a session travels and comes home, and the chords that lead from key to key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from generation.composer.writing.chances import choose
from generation.composer.writing.chords import (
    MEDIANT,
    SUBDOMINANT,
    SUBMEDIANT,
    SUPERTONIC,
    TONIC,
    Harmony,
    neapolitan,
    triad,
)
from generation.composer.writing.modes import PHRYGIAN, mode_count, triad_of

#: Degrees that a link may have in the new key: all lead on to its dominant.
_LEADING_ON = (SUPERTONIC, SUBDOMINANT, SUBMEDIANT, TONIC, MEDIANT)
#: Semitones up to neighbours on the circle of fifths, two fifths away, and by thirds.
_FIFTHS, _SECONDS, _THIRDS = (7, 5), (2, 10), (9, 3, 4, 8)
_FIFTH_WEIGHT, _SECOND_WEIGHT, _THIRD_WEIGHT, _THIRD_WHERE_DARK = 5.0, 1.3, 0.3, 2.0
_FRESH = 1.5
#: A section's key begins in the phrase before it or ends in the one after: up to six bars more.
_MARGIN_BEATS = 24.0
_LONGEST_S = 118.0
_LONGEST_FAR_FROM_MODERATE_S = 145.0
_MODERATE = 0.55


@dataclass(frozen=True)
class Stay:
    """A section as the key plan sees it.

    Args:
        letter: sections of one letter like one key.
        onset_s, end_s: its span.
        beat_s: length of a quarter note.
        place: on the ladder of modes.
        arousal: -1 to 1, as the cues show it.
        is_home: it must be in the first key: the end of the session.
    """

    letter: str
    onset_s: float
    end_s: float
    beat_s: float
    place: float
    arousal: float
    is_home: bool

    @property
    def limit_s(self) -> float:
        """How long its key may have been held by its end."""
        longest = _LONGEST_S if abs(self.arousal) <= _MODERATE else _LONGEST_FAR_FROM_MODERATE_S
        return longest - _MARGIN_BEATS * self.beat_s


def plan_keys(stays: Sequence[Stay], rng: np.random.Generator) -> list[int]:
    """The tonic of each section, as pitch classes.

    The first letter is at home wherever it returns; every other letter keeps a near key of its own; no key is
    held too long; the last sections are at home.
    """
    home = int(rng.integers(12))
    own: dict[str, int] = {}
    keys: list[int] = []
    since_s = 0.0
    for index, stay in enumerate(stays):
        if stay.letter not in own:
            # Near home, and no semitone or tritone from the key before.
            far = tuple((keys[-1] + move) % 12 for move in (1, 6, 11)) if keys else ()
            heard = (home, *own.values())
            own[stay.letter] = home if not own else _near(home, stay.place, heard, rng, far)
        current = keys[-1] if keys else None
        wanted = home if stay.is_home else own[stay.letter]
        coming = next((later for later in stays[index + 1 :] if later.is_home), None)
        # Before the last return the music is elsewhere, if home would otherwise last too long.
        held_from_s = since_s if wanted == current else stay.onset_s
        until_s = stay.end_s
        if wanted == home and coming is not None and stays[index + 1].is_home:
            until_s = stays[-1].end_s
        if not stay.is_home and until_s - held_from_s > stay.limit_s and current is not None:
            shut = (home, current) if until_s > stay.end_s else (current,)
            wanted = _near(current if current != home else home, stay.place, shut, rng, forbidden=shut)
        if wanted != current:
            since_s = stay.onset_s
        keys.append(wanted)
    return keys


def _near(
    tonic: int,
    place: float,
    heard: Sequence[int],
    rng: np.random.Generator,
    forbidden: Sequence[int] = (),
) -> int:
    """A key near `tonic`; thirds, which share no more than a tone, where the music is dark."""
    dark = max(1.0 - place / 4.0, 0.0)
    third = _THIRD_WEIGHT + _THIRD_WHERE_DARK * dark * dark
    weights = [
        *((move, _FIFTH_WEIGHT) for move in _FIFTHS),
        *((move, _SECOND_WEIGHT) for move in _SECONDS),
        *((move, third) for move in _THIRDS),
    ]
    options = {
        (tonic + move) % 12: weight * (1.0 if (tonic + move) % 12 in heard else _FRESH)
        for move, weight in weights
        if (tonic + move) % 12 not in forbidden
    }
    return choose(options, float(rng.random()))


def links(tonic: int, other: int, place: float, before: Harmony | None) -> list[Harmony]:
    """Chords of the key on `other` that lead there from the key on `tonic`; never empty.

    Pivots first: consonant triads that both keys own, in the modes around `place`. Where there is none, the
    chords that hold as many tones as they can of the one before: a common-tone modulation (Kostka & Payne,
    Tonal Harmony, chapters 18 and 19).
    """
    low = min(max(int(place), 0), mode_count() - 1)
    modes = (low, min(low + 1, mode_count() - 1)) if place > low else (low,)
    owned = {frozenset(triad_of(tonic, mode, degree)) for mode in modes for degree in range(7)}
    arrivals = [
        chord
        for mode in modes
        for degree in _LEADING_ON
        if not (chord := triad(other, mode, degree)).is_diminished
    ]
    last = frozenset(before.pitch_classes[:3]) if before else frozenset()
    pivots = [
        chord
        for chord in arrivals
        if frozenset(chord.pitch_classes) in owned and frozenset(chord.pitch_classes) != last
    ]
    if pivots:
        return pivots
    held = last or frozenset(triad_of(tonic, modes[0], TONIC))
    # Some chord of some mode, or the lowered second, holds a tone of any chord.
    borrowed = [triad(other, mode, degree) for mode in range(mode_count()) for degree in _LEADING_ON]
    others = [*(chord for chord in borrowed if not chord.is_diminished), neapolitan(other, PHRYGIAN)]
    for chords in (arrivals, others):
        most = max(len(held & set(chord.pitch_classes)) for chord in chords)
        if most:
            return [chord for chord in chords if len(held & set(chord.pitch_classes)) == most]
    return arrivals
