"""The end: nothing but the tonic chord, rolled, low at home, and answered once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generation.composer.score import Cadence, Part
from generation.composer.writing.ending import write_ending
from generation.composer.writing.harmony import final_chord
from tests.generation.composer.writing.planned import planned


@given(
    tonic=st.integers(0, 11),
    mode=st.integers(0, 4),
    lowest=st.integers(48, 60),
    ring_beats=st.floats(0.05, 40.0),
)
def test_every_part_ends_on_the_tonic_chord_with_the_tonic_lowest(
    tonic: int, mode: int, lowest: int, ring_beats: float
) -> None:
    chord = final_chord(tonic, mode, 4.0)
    voicing = [key for key in range(lowest, lowest + 16) if key % 12 in chord.pitch_classes][:4]

    parts = write_ending(chord, voicing, ring_beats)

    keys = [note.key for notes in parts.values() for note in notes]
    assert {key % 12 for key in keys} <= set(chord.pitch_classes)
    assert min(keys) % 12 == tonic
    assert 32 <= min(keys) <= 43
    assert [note.key for note in parts[Part.PAD]] == voicing
    for notes in parts.values():
        for note in notes:
            assert note.beats > 0.0
            assert note.onset_beat + note.beats == pytest.approx(chord.onset_beat + ring_beats)


def test_the_chord_is_rolled_upwards_and_answered_once_from_above() -> None:
    chord = final_chord(0, 4, 4.0)

    *rolled, echo = write_ending(chord, (52, 55, 60, 64), 8.0)[Part.FIGURE]

    assert [note.key for note in rolled] == sorted(note.key for note in rolled)
    assert rolled[-1].onset_beat <= 2.0
    assert echo.onset_beat > 3.0
    assert echo.key % 12 == 0
    assert echo.key > rolled[-1].key
    assert echo.accent < rolled[-1].accent


def test_a_short_last_chord_is_not_answered() -> None:
    chord = final_chord(0, 4, 1.0)

    figure = write_ending(chord, (52, 55, 60, 64), 1.0)[Part.FIGURE]

    assert [note.key for note in figure] == [48, 52, 55, 60, 64, 67][: len(figure)]


def test_sessions_close_plagally_or_authentically_and_stay_at_home_in_the_coda() -> None:
    found = set()
    for seed in range(12):
        session = planned([(-0.5, 0.3), (0.5, -0.4)], 120.0, seed)
        last = session.phrases[-1]
        found.add(last.cadence)
        assert {chord.tonic for chord in session.chords[-1]} == {session.phrases[0].tonic}
        assert len(session.all_chords[-1].pitch_classes) == 3

    assert found == {Cadence.AUTHENTIC, Cadence.PLAGAL}
