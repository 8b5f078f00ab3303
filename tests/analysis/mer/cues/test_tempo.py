"""Tempo: the right class of tempi always, and of its octaves the one that the stated rule takes."""

from __future__ import annotations

import math

import numpy as np
import pytest

from analysis.mer.cues.events import hear_events
from analysis.mer.cues.tempo import PREFERRED_BPM, tempo_bpm
from tests.analysis.mer.controlled_audio import Knobs
from tests.analysis.mer.cues.one_window import RATE_HZ, sine, window_of, window_with

STEP = 0.012
"""Two steps of the grid of tempi."""


def _nearest_octave(beats: float) -> float:
    octaves = [beats * 2.0**k for k in range(-3, 4)]
    return min(octaves, key=lambda tempo: abs(math.log2(tempo / PREFERRED_BPM)))


@pytest.mark.parametrize("notes_per_s", [1.5, 1.9, 2.0, 2.3, 2.8, 3.3, 4.4, 5.0, 6.0])
def test_even_notes_have_the_octave_of_their_rate_that_is_nearest_120(notes_per_s: float) -> None:
    window = window_with(Knobs(notes_per_s=notes_per_s, duration_s=12.0))

    heard = tempo_bpm(hear_events(window))

    assert heard == pytest.approx(_nearest_octave(60.0 * notes_per_s), rel=STEP)


@pytest.mark.parametrize("notes_per_s", [1.0, 1.2])
def test_slow_notes_with_nothing_between_them_keep_their_own_tempo(notes_per_s: float) -> None:
    window = window_with(Knobs(notes_per_s=notes_per_s, duration_s=12.0))

    # Nothing sounds at twice this tempo, so preference alone does not double it.
    assert tempo_bpm(hear_events(window)) == pytest.approx(60.0 * notes_per_s, rel=STEP)


def _strokes(
    onsets_s: np.ndarray[tuple[int], np.dtype[np.float64]],
) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    noise = np.random.default_rng(1).normal(size=12 * RATE_HZ)
    t = np.arange(len(noise)) / RATE_HZ
    envelope = sum(np.where(t >= onset, np.exp(-30.0 * (t - onset)), 0.0) for onset in onsets_s)
    return np.asarray(0.1 * envelope * noise, dtype=np.float32)


@pytest.mark.parametrize("bpm", [75.0, 95.0, 126.0, 150.0])
def test_a_beat_with_eighths_and_off_beats_keeps_its_class(bpm: float) -> None:
    beats = np.arange(0.0, 12.0, 60.0 / bpm)
    eighths = beats + 30.0 / bpm
    last_sixteenth = beats[::2] + 45.0 / bpm

    heard = tempo_bpm(hear_events(window_of(_strokes(np.concatenate([beats, eighths, last_sixteenth])))))

    octaves = math.log2(heard / bpm)
    assert octaves == pytest.approx(round(octaves), abs=math.log2(1 + STEP))


def test_a_waltz_is_heard_in_beats_not_in_thirds_of_them() -> None:
    beats = np.arange(0.0, 12.0, 0.4)

    heard = tempo_bpm(hear_events(window_of(_strokes(np.concatenate([beats, beats[::3]])))))

    assert heard == pytest.approx(150.0, rel=STEP)


def test_nothing_that_repeats_has_the_preferred_tempo() -> None:
    assert tempo_bpm(hear_events(window_of(sine(330.0, 0.0)))) == PREFERRED_BPM
