"""Voice-leading over real progressions, counted as a teacher of harmony would."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generation.composer.score import Chord
from generation.composer.writing.bass import lead_bass
from generation.composer.writing.voicing import HIGHEST_KEY, LOWEST_KEY, VOICES, Led, voice_chords
from tests.generation.composer.plans import Point
from tests.generation.composer.writing.composed import CALM, JOURNEY, LIVELY, TENSE, chords_of, music
from tests.generation.composer.writing.progressions import SCALES

Voices = tuple[int, ...]
SESSIONS = (JOURNEY, CALM, TENSE, LIVELY)


@lru_cache(maxsize=4)
def _led(points: tuple[Point, ...]) -> list[tuple[Chord, Voices]]:
    """Chords and their voices, bass first."""
    chords = chords_of(music(points))
    basses = lead_bass(chords, None)
    return [
        (chord, (bass, *upper))
        for chord, bass, upper in zip(chords, basses, voice_chords(chords, 60.0, None, basses), strict=True)
    ]


@pytest.fixture(scope="module", params=SESSIONS)
def led(request: pytest.FixtureRequest) -> list[tuple[Chord, Voices]]:
    return _led(request.param)


def _moves(led: Sequence[tuple[Chord, Voices]]) -> list[tuple[Voices, Voices]]:
    return list(itertools.pairwise(voices for _, voices in led))


def test_upper_voices_move_by_a_semitone_on_average(led: list[tuple[Chord, Voices]]) -> None:
    moves = [np.abs(np.subtract(new[1:], old[1:])).mean() for old, new in _moves(led)]

    # Measured: .50 to 1.02; .54 to 1.07 while a semitone cost two thirds of what it does.
    assert np.mean(moves) <= 1.05
    assert np.max([np.abs(np.subtract(new[1:], old[1:])).max() for old, new in _moves(led)]) <= 9


def test_no_two_voices_run_in_fifths_or_octaves_the_bass_included() -> None:
    moving, parallels = 0, 0
    for old, new in itertools.chain.from_iterable(_moves(_led(points)) for points in SESSIONS):
        for (a0, a1), (b0, b1) in itertools.combinations(list(zip(old, new, strict=True)), 2):
            if a1 != a0 and b1 != b0:
                moving += 1
                together = (a1 - a0) * (b1 - b0) > 0
                parallels += together and (b0 - a0) % 12 in (0, 7) and (b1 - a1) % 12 == (b0 - a0) % 12

    assert moving > 500
    assert parallels <= 0.01 * moving


def test_voices_never_cross_and_stay_in_their_range(led: list[tuple[Chord, Voices]]) -> None:
    for _, voices in led:
        assert list(voices) == sorted(set(voices))
        assert voices[1] >= LOWEST_KEY
        assert voices[-1] <= HIGHEST_KEY


def test_sevenths_fall_and_leading_tones_rise(led: list[tuple[Chord, Voices]]) -> None:
    bound, kept = 0, 0
    for (chord, old), (coming, new) in itertools.pairwise(led):
        root = chord.pitch_classes[0]
        sevenths = {pitch for pitch in chord.pitch_classes[3:] if (pitch - root) % 12 in (10, 11)}
        leads = chord.is_dominant and (root + 5) % 12 in coming.pitch_classes
        for before, after in zip(old[1:], new[1:], strict=True):
            if before % 12 in sevenths:
                bound += 1
                kept += after - before in (0, -1, -2)
            elif leads and (before - root) % 12 == 4:
                bound += 1
                kept += after - before in (0, 1)

    # The rest are inner voices; measured: .8 to .95.
    assert kept >= 0.75 * bound


def _triad(degree: int, at: float) -> Chord:
    scale = SCALES[4]
    tones = tuple(scale[(degree + step) % 7] for step in (0, 2, 4))
    return Chord(at, 4.0, 0, 4, degree, tones, scale, tones[0], degree == 4)


def test_a_held_chord_is_not_moved() -> None:
    chords = [_triad(0, 0.0), _triad(0, 4.0)]

    first, second = voice_chords(chords, 60.0, None, lead_bass(chords, None))

    assert first == second


def test_the_leading_tone_rises_into_the_tonic_across_a_phrase() -> None:
    before = Led(_triad(4, 0.0), 43, (55, 59, 62))

    (after,) = voice_chords([_triad(0, 4.0)], 60.0, before, [48])

    assert after[1] == 60


def test_tension_closes_the_spacing() -> None:
    seventh = Chord(0.0, 4.0, 0, 4, 0, (0, 4, 7, 11), SCALES[4], 0)

    (wide,) = voice_chords([seventh], 60.0, None, [36], tension=0.0)
    (close,) = voice_chords([seventh], 60.0, None, [36], tension=1.0)

    assert close[-1] - close[0] < wide[-1] - wide[0]


def test_tension_brings_voices_within_a_tone_of_each_other_along_a_whole_phrase() -> None:
    chords = chords_of(music(TENSE))
    basses = lead_bass(chords, None)

    close = [
        np.mean([np.diff(upper).min() <= 2 for upper in voice_chords(chords, 60.0, None, basses, tension)])
        for tension in (0.0, 0.5, 1.0)
    ]

    # Measured: 0, .15, .35; 0, .05, .30 with weights that think of motion alone.
    assert close[0] <= 0.05
    assert close[1] >= 0.1
    assert close[2] >= 0.25


@settings(max_examples=60, deadline=None)
@given(
    tones=st.lists(st.integers(0, 11), min_size=2, max_size=7, unique=True),
    bass=st.integers(0, 6),
    centre=st.floats(40.0, 80.0),
    tension=st.floats(-1.0, 2.0),
    ceiling=st.floats(40.0, 90.0),
)
def test_any_chord_has_a_position(
    tones: list[int], bass: int, centre: float, tension: float, ceiling: float
) -> None:
    low = tones[bass % len(tones)]
    chord = Chord(0.0, 4.0, 0, 4, 0, tuple(tones), SCALES[4], low)

    (upper,) = voice_chords([chord], centre, None, [36 + low], tension, ceiling)

    assert len(upper) == VOICES
    assert {key % 12 for key in upper} <= set(tones)
