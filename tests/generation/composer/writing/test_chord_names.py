"""Names of chords, as a lead sheet and as a harmony book write them."""

from __future__ import annotations

import pytest

from generation.composer.score import Chord
from generation.composer.writing.chord_names import chord_name, key_name, roman_name
from generation.composer.writing.chords import applied, dominant, neapolitan, triad
from generation.composer.writing.modes import scale_with

C_MAJOR = (0, 2, 4, 5, 7, 9, 11)


def chord(tonic: int, mode: int, degree: int, pitch_classes: tuple[int, ...], bass: int) -> Chord:
    return Chord(0.0, 4.0, tonic, mode, degree, pitch_classes, C_MAJOR, bass)


@pytest.mark.parametrize(
    ("given", "name", "roman"),
    [
        (chord(0, 4, 0, (0, 4, 7), 0), "C", "I"),
        (chord(0, 4, 5, (9, 0, 4, 7), 0), "Am7/C", "vi6/5"),
        (chord(0, 4, 4, (7, 11, 2, 5), 5), "G7/F", "V4/2"),
        (chord(0, 1, 5, (8, 0, 3), 8), "Ab", "bVI"),
        (chord(0, 1, 0, (0, 3, 7), 7), "Cm/G", "i6/4"),
        (chord(0, 1, 1, (2, 5, 8, 0), 5), "Dm7b5/F", "iiø6/5"),
        (chord(0, 4, 6, (11, 2, 5), 2), "Bdim/D", "vii°6"),
        (chord(0, 4, 4, (7, 0, 2), 7), "Gsus4", "Vsus4"),
        (chord(0, 4, 0, (0, 4, 7, 11), 0), "Cmaj7", "I7"),
        (chord(0, 4, 0, (0, 4, 7, 2), 4), "C(add9)/E", "I6(add9)"),
        (chord(0, 0, 4, (7, 11, 2, 5, 8), 7), "G7(b9)", "V7(addb9)"),
        (chord(6, 4, 6, (5, 8, 11), 8), "E#dim/G#", "vii°6"),
        (chord(8, 1, 4, (3, 7, 10), 3), "D#", "V"),
        (chord(3, 4, 3, (8, 0, 3), 8), "Ab", "IV"),
    ],
)
def test_chords_are_named_by_root_and_by_degree(given: Chord, name: str, roman: str) -> None:
    assert chord_name(given) == name
    assert roman_name(given.pitch_classes, given.bass, given.tonic) == roman


def test_applied_chords_name_what_they_lead_to() -> None:
    to_five = applied(dominant(0, 4))
    to_six = applied(triad(0, 4, 5)).over(8)

    assert to_five.over(6).at(0.0, 1.0).roman == "V6/5/V"
    assert to_six.at(0.0, 1.0).roman == "V6/5/vi"
    assert chord_name(to_six.at(0.0, 1.0)) == "E7/G#"


def test_the_neapolitan_is_the_lowered_second_over_the_fourth() -> None:
    named = neapolitan(9, 1).at(0.0, 1.0)

    assert (named.roman, chord_name(named)) == ("bII6", "Bb/D")


def test_keys_are_spelled_as_their_mode_is_mostly_written() -> None:
    assert [key_name(pitch, 4) for pitch in (1, 3, 6, 8)] == ["Db", "Eb", "F#", "Ab"]
    assert [key_name(pitch, 1) for pitch in (1, 3, 6, 8)] == ["C#", "Eb", "F#", "G#"]


def test_a_scale_bends_to_hold_a_foreign_chord() -> None:
    assert scale_with(C_MAJOR, (2, 6, 9)) == (0, 2, 4, 6, 7, 9, 11)
    assert scale_with(C_MAJOR, (0, 4, 7, 10)) == (0, 2, 4, 5, 7, 9, 10)
    assert scale_with((0, 1, 3, 5, 7, 8, 10), (7, 11, 2)) == (0, 2, 3, 5, 7, 8, 11)
