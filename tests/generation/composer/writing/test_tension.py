"""Dissonance: rougher with the cue, chord by chord, and pure where there is none."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from generation.composer.writing.chords import dominant, triad
from generation.composer.writing.tension import coloured, roughness
from tests.generation.composer.writing.planned import planned

PLACES = (-0.8, -0.4, 0.0, 0.4, 0.8)


def test_roughness_counts_seconds_and_tritones() -> None:
    # C E G; C E G B with its minor second; G B D F with its major second and tritone; C D♭ E G.
    assert roughness((0, 4, 7)) == 0.0
    assert roughness((0, 4, 7, 11)) == pytest.approx(1.428)
    assert roughness((7, 11, 2, 5)) == pytest.approx(0.582 + 0.453)
    assert roughness((0, 4, 7, 1)) == pytest.approx(1.428 + 0.453)


def test_no_dissonance_leaves_every_triad_pure() -> None:
    for mode in range(5):
        for degree in range(7):
            harmony = triad(0, mode, degree)
            for draw in np.linspace(0.0, 0.99, 12):
                assert coloured(harmony, 0.0, float(draw)).pitch_classes == harmony.pitch_classes


@given(
    tonic=st.integers(0, 11),
    mode=st.integers(0, 4),
    degree=st.integers(0, 6),
    draw=st.floats(0.0, 0.999),
    less=st.floats(0.0, 1.0),
    more=st.floats(0.0, 1.0),
)
def test_more_dissonance_never_makes_a_chord_smoother(
    tonic: int, mode: int, degree: int, draw: float, less: float, more: float
) -> None:
    low, high = sorted((less, more))
    for harmony in (triad(tonic, mode, degree), dominant(tonic, mode)):
        milder, rougher = (coloured(harmony, cue, draw).pitch_classes for cue in (low, high))
        assert roughness(milder) <= roughness(rougher) + 1e-9
        assert milder[:3] == harmony.pitch_classes[:3]
        assert len(rougher) <= 5


def test_roughness_grows_with_the_cue_in_small_steps() -> None:
    draws = np.linspace(0.0, 0.999, 40)
    chords = [triad(0, mode, degree) for mode in range(5) for degree in range(7)]

    mean = [
        np.mean([roughness(coloured(chord, cue, float(u)).pitch_classes) for chord in chords for u in draws])
        for cue in np.linspace(0.0, 1.0, 41).tolist()
    ]

    assert np.all(np.diff(mean) >= -1e-9)
    assert np.max(np.diff(mean)) < 0.2
    assert mean[-1] - mean[0] > 2.0


def test_written_roughness_falls_with_valence_and_rises_with_arousal() -> None:
    rows = [
        (
            v,
            a,
            np.average([roughness(c.pitch_classes) for c in chords], weights=[c.beats for c in chords]),
        )
        for seed in (1, 2)
        for v in PLACES
        for a in PLACES
        for chords in [planned([(v, a)], 60.0, seed).all_chords]
    ]
    valence, arousal, rough = np.array(rows).T

    # Measured: -.94 and .29.
    assert spearmanr(rough, valence).statistic < -0.85
    assert spearmanr(rough, arousal).statistic > 0.1
