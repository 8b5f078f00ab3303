"""Keys: near ones, none for too long, home at both ends, and a chord or a tone that leads into each."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from generation.composer.writing.chords import triad
from generation.composer.writing.keys import links
from generation.composer.writing.modes import LADDER, triad_of
from tests.generation.composer.plans import Point
from tests.generation.composer.writing.planned import Planned, planned

PATHS: list[list[Point]] = [
    [(-0.6, 0.5), (0.6, -0.4)],
    [(0.5, 0.5)],
    [(-0.5, -0.5), (0.3, -0.3)],
    [(-0.9, -0.9), (0.5, -0.9)],
]


@pytest.fixture(scope="module")
def sessions() -> list[Planned]:
    return [planned(path, 900.0, seed) for path in PATHS for seed in range(5)]


def held_s(session: Planned) -> list[tuple[float, float]]:
    """Seconds in each key, and the arousal in its middle."""
    held: list[tuple[float, float]] = []
    for _, group in itertools.groupby(session.all_chords, lambda chord: chord.tonic):
        chords = list(group)
        start_s = session.pulse.second(chords[0].onset_beat)
        end_s = min(session.pulse.second(chords[-1].end_beat), session.curves.duration_s)
        arousal = float(np.interp((start_s + end_s) / 2, session.curves.times_s, session.curves.arousal))
        held.append((end_s - start_s, arousal))
    return held


def test_no_key_is_held_over_two_minutes_and_none_over_two_and_a_half(sessions: list[Planned]) -> None:
    for session in sessions:
        for length_s, arousal in held_s(session):
            assert length_s < 150.0
            if abs(arousal) <= 0.5:
                assert length_s <= 120.0


def test_a_session_travels_and_comes_home(sessions: list[Planned]) -> None:
    for session in sessions:
        chords = session.all_chords
        assert chords[-1].tonic == chords[0].tonic
        assert 3 <= len({chord.tonic for chord in chords}) <= 9


def test_every_change_of_key_goes_through_a_chord_of_both_or_holds_a_tone(sessions: list[Planned]) -> None:
    through: Counter[str] = Counter()
    for session in sessions:
        for before, link in itertools.pairwise(session.all_chords):
            if before.tonic == link.tonic:
                continue
            modes = range(max(link.mode - 1, 0), min(link.mode + 2, len(LADDER)))
            owned = [set(triad_of(before.tonic, mode, degree)) for mode in modes for degree in range(7)]
            pivots = set(link.pitch_classes[:3]) in owned
            holds = bool(set(link.pitch_classes) & set(before.pitch_classes))
            assert pivots or holds
            through["pivot" if pivots else "held tone"] += 1

    assert through["pivot"] > 2 * through["held tone"] > 0


def test_dark_music_turns_to_the_third_more_often_than_bright_music() -> None:
    def thirds(valence: float) -> float:
        moves = [
            (after.tonic - before.tonic) % 12
            for seed in range(12)
            for before, after in itertools.pairwise(planned([(valence, 0.2)], 600.0, seed).all_chords)
            if before.tonic != after.tonic
        ]
        return float(np.mean([move in (3, 4, 8, 9) for move in moves]))

    assert thirds(-0.9) > thirds(0.9) + 0.1


@given(
    tonic=st.integers(0, 11),
    move=st.integers(1, 11),
    place=st.floats(0.0, 4.0),
    degree=st.integers(0, 6),
)
def test_there_is_a_way_from_every_key_to_every_other(
    tonic: int, move: int, place: float, degree: int
) -> None:
    other = (tonic + move) % 12
    before = triad(tonic, int(place), degree)

    found = links(tonic, other, place, before)

    assert found
    for link in found:
        assert link.tonic == other
        assert not link.is_diminished
