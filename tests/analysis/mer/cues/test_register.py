"""Register follows transposition, not timbre, drums, speed or loudness."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.signal import butter, sosfilt

from analysis.mer.cues.register import MIDDLE_KEY, mean_pitch
from generation.audio import SAMPLE_RATE_HZ
from generation.composer.palettes import INSTRUMENTS
from generation.composer.sound.sampler import shared_sampler
from tests.analysis.mer.controlled_audio import PLAYERS, score_of, sound_of
from tests.analysis.mer.cues.controlled_windows import NEUTRAL, changes, window_with, windows_of


def _tone(key: float, harmonics: int = 8) -> NDArray[np.float32]:
    times = np.arange(4 * SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    f0 = 440.0 * 2.0 ** ((key - 69) / 12.0)
    tone = sum(np.sin(2 * np.pi * f0 * h * times) / h for h in range(1, harmonics + 1))
    return np.asarray(0.1 * tone, dtype=np.float32)


@pytest.mark.parametrize("key", [34, 40, 47, 52.3, 60, 64.8, 69, 76, 84, 93])
def test_a_harmonic_tone_has_its_own_pitch(key: float) -> None:
    assert mean_pitch(windows_of(_tone(key))[0]) == pytest.approx(key, abs=0.3)


def test_overtones_do_not_count() -> None:
    for key in (48, 60, 72):
        plain, rich = (mean_pitch(windows_of(_tone(key, n))[0]) for n in (2, 16))
        assert rich == pytest.approx(plain, abs=0.1)


def test_two_tones_have_the_pitch_between_them() -> None:
    assert mean_pitch(windows_of(_tone(57) + _tone(64))[0]) == pytest.approx(60.5, abs=1.0)


def test_an_octave_up_is_about_twelve_semitones_up() -> None:
    """Measured: 10.9 up, none under 8.8, 9.8 down; keys near both ends of the range lose octaves."""
    up, down = changes(mean_pitch, transpose_semitones=12), changes(mean_pitch, transpose_semitones=-12)

    assert 10.0 < up.mean() < 12.5
    assert -12.5 < down.mean() < -9.0
    assert (up > 8.5).all()
    assert (down < -6.0).all()


@pytest.mark.parametrize("semitones", [-6, -3, 3, 5])
def test_small_transpositions_are_followed(semitones: int) -> None:
    moved = changes(mean_pitch, transpose_semitones=semitones)

    assert moved.mean() == pytest.approx(semitones, abs=1.25)
    assert (np.sign(moved) == np.sign(semitones)).all()


def test_the_mean_is_that_of_the_keys_but_for_a_few_semitones() -> None:
    errors = [
        mean_pitch(window_with(neutral)) - np.mean([note.key for note in score_of(neutral)])
        for neutral in NEUTRAL
    ]

    assert np.abs(errors).max() < 7.0
    assert abs(np.mean(errors)) < 3.5


@pytest.mark.parametrize(
    ("knob", "mean_bound", "bound"),
    [
        ({"mode": "minor"}, 1.0, 2.5),
        ({"notes_per_s": 4.0}, 1.0, 2.5),
        ({"notes_per_s": 1.0}, 1.2, 2.0),
        ({"gain_db": -30.0}, 1e-3, 1e-2),
        ({"articulation": 0.3}, 1.5, 2.5),
        ({"dissonance": 2}, 2.0, 3.0),
    ],
)
def test_other_knobs_hardly_move_the_register(
    knob: dict[str, float], mean_bound: float, bound: float
) -> None:
    moved = changes(mean_pitch, **knob)

    assert abs(moved.mean()) < mean_bound
    assert np.abs(moved).max() < bound


def test_darkness_is_not_depth() -> None:
    low_pass = butter(2, 1000.0, fs=SAMPLE_RATE_HZ, output="sos")
    for neutral in NEUTRAL:
        bright = sound_of(neutral)[:, 0]
        dark = np.asarray(sosfilt(low_pass, bright), dtype=np.float32)

        heard = [mean_pitch(windows_of(sound)[0]) for sound in (bright, dark)]

        # The filter takes 12 dB of brightness, and the melody's highest keys with it.
        assert heard[1] == pytest.approx(heard[0], abs=3.5)


def test_drums_as_loud_as_the_music_move_it_little() -> None:
    drums = np.zeros(12 * SAMPLE_RATE_HZ, dtype=np.float32)
    for i in range(48):
        hit = shared_sampler().note(INSTRUMENTS["brushes"], (36, 42, 38, 42)[i % 4], 0.2, 0.9)
        first = i * SAMPLE_RATE_HZ // 4
        drums[first : first + len(hit)] += hit[: len(drums) - first]
    for neutral in NEUTRAL:
        music = sound_of(neutral)[:, 0]
        both = music + drums * np.sqrt(np.mean(music**2) / np.mean(drums**2))

        assert mean_pitch(windows_of(both)[0]) == pytest.approx(mean_pitch(windows_of(music)[0]), abs=3.5)


def test_most_single_notes_are_heard_in_their_octave() -> None:
    errors = []
    for player in (*PLAYERS, "flute", "cello"):
        instrument = INSTRUMENTS[player]
        for key in range(max(instrument.low, 40), min(instrument.high, 84) + 1, 6):
            note = shared_sampler().note(instrument, key, 3.0, 0.5)
            sound = np.zeros(3 * SAMPLE_RATE_HZ, dtype=np.float32)
            sound[: len(note)] = note[: len(sound)]
            errors.append(mean_pitch(windows_of(sound)[0]) - key)

    # An octave error would show as 12; a stray overtone as a few semitones.
    assert np.median(np.abs(errors)) < 0.1
    assert np.mean(np.abs(errors) < 3.0) > 0.8
    assert np.mean(np.abs(errors) < 7.0) > 0.95


def test_silence_is_said_to_lie_in_the_middle() -> None:
    assert mean_pitch(windows_of(np.zeros(4 * SAMPLE_RATE_HZ, dtype=np.float32))[0]) == MIDDLE_KEY
