"""Every phrase ends in the cadence that it was given, by formulas a musician knows."""

from __future__ import annotations

import itertools
from collections import Counter

import pytest

from generation.composer.score import Cadence
from tests.benchmarks.composer_measures import cadence_of
from tests.generation.composer.writing.planned import Planned, planned

CORNERS = [(-0.9, -0.9), (-0.9, 0.9), (0.0, 0.0), (0.9, -0.9), (0.9, 0.9)]


@pytest.fixture(scope="module")
def sessions() -> list[Planned]:
    return [planned([corner], 400.0, seed) for corner in CORNERS for seed in range(4)]


def test_every_phrase_ends_in_its_cadence(sessions: list[Planned]) -> None:
    for session in sessions:
        for phrase, chords in zip(session.phrases, session.chords, strict=True):
            assert cadence_of(chords, phrase.next_tonic) == phrase.cadence.value


def test_a_strong_cadence_has_both_its_roots_in_the_bass(sessions: list[Planned]) -> None:
    for session in sessions:
        for phrase, chords in zip(session.phrases, session.chords, strict=True):
            if phrase.cadence == Cadence.AUTHENTIC:
                assert chords[-2].is_dominant
                assert chords[-2].bass == (phrase.next_tonic + 7) % 12
                assert chords[-1].bass == phrase.next_tonic


def test_cadences_are_prepared_in_several_ways(sessions: list[Planned]) -> None:
    formulas: Counter[str] = Counter()
    for session in sessions:
        for phrase, chords in zip(session.phrases, session.chords, strict=True):
            if phrase.cadence == Cadence.AUTHENTIC and len(chords) > 3:
                formulas[chords[-3].roman.split("(")[0].rstrip("6/574 ")] += 1

    known = {"ii", "IV", "iv", "bII", "iiø", "ii°", "I", "i", "Vsus"}
    assert sum(formulas[formula] for formula in known) > 0.75 * formulas.total()
    assert sum(count >= 3 for count in formulas.values()) >= 6


def test_a_suspended_dominant_holds_a_tone_that_was_there_and_lets_it_fall(sessions: list[Planned]) -> None:
    found = 0
    for session in sessions:
        chords = session.all_chords
        for index, chord in enumerate(chords):
            if not chord.roman.startswith("Vsus4"):
                continue
            found += 1
            tonic = chord.tonic
            assert tonic in chords[index - 1].pitch_classes
            assert tonic in chord.pitch_classes
            assert (tonic + 11) % 12 in chords[index + 1].pitch_classes

    assert found >= 3


def test_a_six_four_before_the_dominant_resolves_over_the_same_bass(sessions: list[Planned]) -> None:
    found = 0
    for session in sessions:
        chords = session.all_chords
        for chord, following in itertools.pairwise(chords):
            if chord.roman in ("I6/4", "i6/4"):
                found += 1
                assert following.is_dominant
                assert following.bass == chord.bass

    assert found >= 10
