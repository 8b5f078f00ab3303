"""How loud each note is played: arches, charges, accents."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from generation.composer.playing.dynamics import (
    accent_db,
    charge_db,
    contrast_db,
    harmonic_charge,
    high_loud_db,
    phrase_arch_db,
)
from generation.composer.score import Chord, Part
from tests.generation.composer.test_pulse import phrases_of

PHRASE = phrases_of(1)[0]
TONIC = Chord(0.0, 4.0, 0, 4, 0, (0, 4, 7), (0, 2, 4, 5, 7, 9, 11), 0)
DOMINANT = replace(TONIC, onset_beat=4.0, degree=4, pitch_classes=(7, 11, 2), bass=7, is_dominant=True)
NEAPOLITAN = replace(TONIC, onset_beat=4.0, degree=1, pitch_classes=(1, 5, 8), bass=5)


def test_a_phrase_swells_to_its_turning_point_and_falls_from_it() -> None:
    beats = np.linspace(0.0, 16.0, 33)

    arch = phrase_arch_db(beats, PHRASE, Part.MELODY, np.ones(33))

    assert 8.0 < beats[arch.argmax()] <= 13.0
    assert arch[0] == arch[-1] == pytest.approx(-1.6)
    assert arch.max() < 1.6


def test_the_theme_arches_more_than_what_carries_it_and_nothing_does_where_the_cue_is_nought() -> None:
    beats = np.linspace(0.0, 16.0, 33)

    melody, bass = (phrase_arch_db(beats, PHRASE, part, np.ones(33)) for part in (Part.MELODY, Part.BASS))

    assert np.ptp(melody) == pytest.approx(2.0 * np.ptp(bass))
    assert not phrase_arch_db(beats, PHRASE, Part.MELODY, np.zeros(33)).any()
    assert not phrase_arch_db(beats, PHRASE, Part.PERCUSSION, np.ones(33)).any()


def test_the_higher_the_louder_but_no_register_is_louder_than_another() -> None:
    low, high = np.array([60.0, 64.0, 72.0]), np.array([72.0, 76.0, 84.0])

    louder = high_loud_db(low, Part.MELODY)

    assert louder[2] - louder[0] == pytest.approx(3.0)
    np.testing.assert_allclose(louder, high_loud_db(high, Part.MELODY))
    assert not high_loud_db(low, Part.BASS).any()


def test_tones_remote_from_the_chord_are_leant_on() -> None:
    beats, keys = np.array([0.0, 1.0, 2.0, 3.0]), np.array([60.0, 61.0, 67.0, 66.0])

    charged = charge_db(beats, keys, [TONIC], Part.MELODY)

    # C, C sharp, G, F sharp over C: 0, 6.5, 1 and 6, at .2 dB each.
    np.testing.assert_allclose(np.diff(charged), [1.3, -1.1, 1.0])


def test_music_swells_towards_chords_remote_from_the_key() -> None:
    assert harmonic_charge(TONIC) == 0.0
    assert 0.0 < harmonic_charge(DOMINANT) < harmonic_charge(NEAPOLITAN)
    beats, keys = np.array([0.0, 2.0, 4.0, 6.0]), np.full(4, 40.0)

    swell = charge_db(beats, keys, [TONIC, NEAPOLITAN], Part.BASS)

    assert swell[0] == 0.0
    assert swell[0] < swell[1] < swell[2] == swell[3]
    assert charge_db(beats, keys, (), Part.BASS).tolist() == [0.0] * 4


def test_downbeats_are_louder_than_what_lies_between() -> None:
    np.testing.assert_allclose(accent_db(np.array([1.0, 0.6, 0.05])), [1.28, 0.0, -1.76])


def test_lively_music_contrasts_its_durations_and_calm_music_evens_them_out() -> None:
    lengths = np.array([0.25, 1.0, 1.0, 4.0])

    lively, calm = (contrast_db(lengths, np.full(4, amount)) for amount in (0.6, -0.6))

    np.testing.assert_allclose(lively, [-0.9, 0.0, 0.0, 0.9])
    np.testing.assert_allclose(calm, -lively)
