"""Roughness is that of the published model, in partials and in sound."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from analysis.mer.cues.roughness import (
    critical_bandwidth_hz,
    dissonance,
    roughness,
    roughness_of_partials,
)
from generation.audio import SAMPLE_RATE_HZ
from tests.analysis.mer.cues.controlled_windows import changes, windows_of


def _partials(keys: Sequence[float], harmonics: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    number = np.arange(1, harmonics + 1)
    fundamentals = 440.0 * 2.0 ** ((np.array(keys) - 69.0) / 12.0)
    return (fundamentals[:, None] * number).ravel(), np.tile(1.0 / number, len(keys))


def _sound(keys: Sequence[float], harmonics: int, duration_s: float = 4.0) -> NDArray[np.float32]:
    times = np.arange(round(duration_s * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    phases = np.random.default_rng(2).uniform(0, 2 * np.pi, len(keys) * harmonics)
    partials = zip(*_partials(keys, harmonics), phases, strict=True)
    return np.asarray(
        0.05 * sum(a * np.sin(2 * np.pi * f * times + phase) for f, a, phase in partials), dtype=np.float32
    )


@pytest.mark.parametrize(
    ("keys", "harmonics", "expected"),
    [
        ((60, 61), 1, 0.499),
        ((69, 70), 1, 0.491),
        ((60, 61), 11, 0.484),
        ((60, 64, 67), 11, 0.120),
        ((60, 63, 67), 11, 0.130),
    ],
)
def test_chords_are_as_rough_as_the_reference_says(
    keys: tuple[int, ...], harmonics: int, expected: float
) -> None:
    """R package dycon (P. M. C. Harrison), tests/testthat/test-hutch.R: roughness_hutch."""
    assert roughness_of_partials(*_partials(keys, harmonics)) == pytest.approx(expected, abs=1e-3)


def test_the_curve_and_the_critical_band_are_the_references() -> None:
    """The same file: hutch_g and hutch_cbw."""
    assert dissonance(np.array([0.5, 1.0, 1.5])) == pytest.approx([0.5413, 0.0397, 0.0], abs=5e-5)
    assert critical_bandwidth_hz(np.array([400.0, 400.0]), np.array([440.0, 380.0])) == pytest.approx(
        [87.225, 83.123], abs=5e-4
    )


@pytest.mark.parametrize("keys", [(60, 61), (60, 62), (60, 64, 67), (60, 63, 67), (72, 73, 74), (48, 55)])
def test_sound_is_as_rough_as_its_partials(keys: tuple[int, ...]) -> None:
    heard = roughness(windows_of(_sound(keys, 8))[0])

    assert heard == pytest.approx(roughness_of_partials(*_partials(keys, 8)), rel=0.1, abs=0.01)


def test_a_single_tone_is_smooth_and_silence_too() -> None:
    assert roughness(windows_of(_sound((69,), 6))[0]) < 0.01
    assert roughness(windows_of(np.zeros(4 * SAMPLE_RATE_HZ, dtype=np.float32))[0]) == 0.0


def test_intervals_are_ordered_from_smooth_to_rough() -> None:
    """Octave, fifth, major third, major second, minor second: the order of Plomp & Levelt (1965)."""
    heard = [roughness(windows_of(_sound((60, 60 + interval), 8))[0]) for interval in (12, 7, 4, 2, 1)]

    assert heard == sorted(heard)
    assert heard[-1] > 10 * heard[0]


def test_each_added_semitone_neighbour_makes_it_rougher() -> None:
    one, two, three = (changes(roughness, dissonance=n) for n in (1, 2, 3))

    # Measured: +0.15, +0.27 and +0.37.
    assert (one > 0.08).all()
    assert (two > one + 0.02).all()
    assert (three > two).all()
    assert 0.25 < three.mean() < 0.5


@pytest.mark.parametrize(
    ("knob", "bound"),
    [
        ({"mode": "minor"}, 0.05),
        ({"transpose_semitones": 5}, 0.12),
        ({"transpose_semitones": -6}, 0.1),
        ({"notes_per_s": 1.0}, 0.1),
        # Notes that ring into each other beat.
        ({"notes_per_s": 4.0}, 0.2),
        ({"gain_db": -30.0}, 1e-4),
        ({"articulation": 0.3}, 0.08),
    ],
)
def test_other_knobs_move_it_less_than_one_neighbour(knob: dict[str, float], bound: float) -> None:
    moved = changes(roughness, **knob)

    assert np.abs(moved).max() < bound
    assert abs(moved.mean()) < 0.5 * changes(roughness, dissonance=1).mean()
