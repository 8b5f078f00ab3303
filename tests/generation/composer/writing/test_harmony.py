"""Chords that lead on, a bass that is a line, mixture and harmonic rhythm that follow the cues."""

from __future__ import annotations

import itertools
import re
from collections import Counter

import numpy as np
import pytest
from scipy.stats import spearmanr

from generation.composer.score import Cadence, Chord, PhraseKind
from generation.composer.writing.modes import mode_at
from tests.generation.composer.writing.planned import Planned, planned

PLACES = (-0.8, -0.4, 0.0, 0.4, 0.8)


@pytest.fixture(scope="module")
def plane() -> list[tuple[float, float, Planned]]:
    """Three sessions of a minute and a half at each of 25 places."""
    return [(v, a, planned([(v, a)], 90.0, 500 + s)) for s in range(3) for v in PLACES for a in PLACES]


def is_major(chord: Chord) -> bool:
    return (chord.pitch_classes[1] - chord.pitch_classes[0]) % 12 == 4


def test_chords_lie_within_their_phrase_from_its_first_beat_to_its_last(
    plane: list[tuple[float, float, Planned]],
) -> None:
    for _, _, session in plane:
        for phrase, chords in zip(session.phrases, session.chords, strict=True):
            inside = [chord for chord in chords if chord.onset_beat < phrase.end_beat - 1e-6]
            assert inside[0].onset_beat == phrase.onset_beat
            assert inside[-1].end_beat == pytest.approx(phrase.end_beat)
            assert len(chords) - len(inside) == phrase.is_last
            assert len(chords) >= 2


def test_every_chord_is_named_and_its_tones_are_in_the_scale_that_a_melody_gets(
    plane: list[tuple[float, float, Planned]],
) -> None:
    for _, _, session in plane:
        for chord in session.all_chords:
            assert chord.roman
            assert chord.bass in chord.pitch_classes
            assert len(set(chord.scale)) == 7
            assert set(chord.pitch_classes[:3]) <= set(chord.scale)
            assert len(set(chord.pitch_classes)) == len(chord.pitch_classes) <= 5


def test_the_share_of_major_thirds_rises_with_valence_in_small_steps(
    plane: list[tuple[float, float, Planned]],
) -> None:
    shares = [
        np.average([is_major(c) for c in session.all_chords], weights=[c.beats for c in session.all_chords])
        for _, _, session in plane
    ]
    valence, arousal = np.array([(v, a) for v, a, _ in plane]).T
    by_valence = [float(np.mean(np.array(shares)[valence == v])) for v in PLACES]

    # Measured: .86, and .04 against arousal.
    assert spearmanr(shares, valence).statistic >= 0.75
    assert abs(spearmanr(shares, arousal).statistic) <= 0.25
    assert by_valence[-1] - by_valence[0] > 0.25
    assert np.diff(by_valence).max() < 0.35


def test_between_two_modes_phrases_hold_chords_of_both() -> None:
    # Place 2.3: three chords of the tonic's kind in ten are major.
    mixed = borrowed = 0
    for seed in range(6):
        for chords in planned([(0.0, 0.0)], 120.0, seed).chords:
            modes = {chord.mode for chord in chords}
            assert modes <= {1, 2, 3}
            mixed += len(modes) > 1
            borrowed += 1

    assert mixed > 0.5 * borrowed


def test_the_neighbouring_mode_takes_its_turns_in_proportion_to_the_place() -> None:
    shares = np.linspace(0.0, 1.0, 1000, endpoint=False)

    for place in (0.0, 0.25, 1.5, 2.9, 4.0):
        assert np.mean([mode_at(place, share) for share in shares]) == pytest.approx(place, abs=0.01)


def test_harmonic_rhythm_follows_arousal_without_a_step() -> None:
    rates = []
    for arousal in np.linspace(-0.9, 0.9, 10):
        sessions = [planned([(0.1, float(arousal))], 120.0, seed) for seed in range(8)]
        bars = sum(phrase.bars for session in sessions for phrase in session.phrases)
        rates.append(sum(len(session.all_chords) for session in sessions) / bars)

    # Measured: .89 to 1.70 chords a bar.
    assert rates[0] < 1.0
    assert rates[-1] > 1.55
    assert spearmanr(rates, range(10)).statistic >= 0.95
    assert np.abs(np.diff(rates)).max() < 0.25


def test_slow_chords_last_two_bars_and_quick_ones_half_of_one() -> None:
    def lengths(arousal: float) -> Counter[float]:
        found: Counter[float] = Counter()
        for seed in range(8):
            session = planned([(0.1, arousal)], 120.0, seed)
            for phrase, chords in zip(session.phrases, session.chords, strict=True):
                found.update(chord.beats / phrase.beats_per_bar for chord in chords)
        return found

    slow, quick = lengths(-0.95), lengths(0.95)

    assert slow[2.0] / slow.total() > 0.1
    assert sum(n for bars, n in quick.items() if bars < 1.0) / quick.total() > 0.5
    assert quick[2.0] == 0


def test_the_bass_is_a_line() -> None:
    moves: Counter[int] = Counter()
    inverted = total = 0
    for seed in range(6):
        chords = planned([(0.3, 0.1)], 300.0, seed).all_chords
        for before, after in itertools.pairwise(chords):
            distance = (after.bass - before.bass) % 12
            moves[min(distance, 12 - distance)] += 1
        inverted += sum(chord.bass != chord.pitch_classes[0] for chord in chords)
        total += len(chords)

    # Measured: 46 % steps, 34 % fourths and fifths, no tritone.
    assert (moves[1] + moves[2]) / moves.total() > 0.35
    assert moves[6] / moves.total() < 0.02
    assert 0.1 < inverted / total < 0.4


def test_a_seventh_in_the_bass_falls_by_step_and_a_leading_bass_rises_or_falls_by_step() -> None:
    found = 0
    for seed in range(10):
        for before, after in itertools.pairwise(planned([(0.0, 0.6)], 300.0, seed).all_chords):
            if "4/2" in before.roman and before.tonic == after.tonic:
                found += 1
                assert (before.bass - after.bass) % 12 in (1, 2)

    assert found >= 3


def test_applied_dominants_resolve_to_the_chord_that_they_name() -> None:
    resolved = 0
    for seed in range(8):
        for before, after in itertools.pairwise(planned([(0.2, 0.5)], 300.0, seed).all_chords):
            if not re.search("/[b#]?[ivIV]+$", before.roman):
                continue
            resolved += 1
            root, goal = before.pitch_classes[0], after.pitch_classes[0]
            delayed = after.bass == (root - 7) % 12
            assert (root - goal) % 12 == 7 or delayed
            assert (root + 4) % 12 in before.pitch_classes

    assert resolved >= 20


def test_phrases_of_one_theme_bring_their_chords_along() -> None:
    alike: dict[bool, list[bool]] = {True: [], False: []}
    for seed in range(6):
        session = planned([(0.5, 0.0)], 400.0, seed)
        opened = [
            (phrase.theme, tuple(chord.degree for chord in chords[:3]))
            for phrase, chords in zip(session.phrases, session.chords, strict=True)
            if phrase.kind in (PhraseKind.ANTECEDENT, PhraseKind.CONSEQUENT) and phrase.bars == 4
        ]
        for (theme, degrees), (other, others) in itertools.combinations(opened, 2):
            alike[theme == other].append(degrees == others)

    assert np.mean(alike[True]) > 1.8 * np.mean(alike[False])


def test_half_cadences_of_dark_music_are_often_phrygian() -> None:
    found = halves = 0
    for seed in range(10):
        session = planned([(-0.8, 0.0)], 300.0, seed)
        for phrase, chords in zip(session.phrases, session.chords, strict=True):
            if phrase.cadence == Cadence.HALF:
                halves += 1
                found += (chords[-2].bass - chords[-1].bass) % 12 == 1

    assert found > 0.15 * halves
