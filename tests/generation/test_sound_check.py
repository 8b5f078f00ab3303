"""The acoustics of the sound check, measured."""

from __future__ import annotations

import io

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from generation.audio import SAMPLE_RATE_HZ
from generation.loudness import integrated_loudness
from generation.sound_check import (
    Samples,
    as_wav,
    calibration_sound,
    huggins_interval,
    trial_sound,
)
from study.errors import OutOfRange

RATE = SAMPLE_RATE_HZ
ONSETS_S = (0.0, 1.5, 3.0)


def interval(trial: Samples, number: int) -> NDArray[np.float64]:
    """One of the three, without its ramps."""
    onset = round((ONSETS_S[number - 1] + 0.1) * RATE)
    return trial[onset : onset + round(0.8 * RATE)].astype(np.float64)


def level_db(samples: NDArray[np.float64]) -> float:
    return float(10 * np.log10(np.mean(samples**2)))


def coherent_phase(left: NDArray[np.float64], right: NDArray[np.float64], hz: NDArray[np.float64]) -> float:
    """Interaural phase in cycles at the frequencies given, by the cross spectrum."""
    frequencies = np.fft.rfftfreq(len(left), 1 / RATE)
    cross = np.fft.rfft(right) * np.conj(np.fft.rfft(left))
    at = [int(np.argmin(np.abs(frequencies - f))) for f in hz]
    return float(np.angle(np.sum(cross[at])) / (2 * np.pi) % 1.0)


def third_octave_db(samples: NDArray[np.float64]) -> NDArray[np.float64]:
    """Power per Hz in third-octave bands from 200 Hz to 6.3 kHz."""
    power = np.abs(np.fft.rfft(samples)) ** 2
    hz = np.fft.rfftfreq(len(samples), 1 / RATE)
    centres = 1000.0 * 2.0 ** (np.arange(-7, 9) / 3)
    bands = [(hz >= c * 2 ** (-1 / 6)) & (hz < c * 2 ** (1 / 6)) for c in centres]
    return np.array([10 * np.log10(np.mean(power[band])) for band in bands])


@pytest.mark.parametrize("answer", [1, 2, 3])
def test_the_two_ears_differ_in_the_huggins_interval_that_is_the_answer_and_in_no_other(answer: int) -> None:
    trial = trial_sound("huggins", answer, seed=7, loudness_lufs=-23.0)

    differing = [
        n for n in (1, 2, 3) if not np.array_equal(interval(trial, n)[:, 0], interval(trial, n)[:, 1])
    ]

    assert differing == [answer]


@pytest.mark.parametrize(
    ("hz", "cycles"), [(400.0, 0.0), (582.0, 0.25), (600.0, 0.5), (618.0, 0.75), (900.0, 0.0)]
)
def test_the_phase_between_the_ears_runs_once_around_within_six_percent_of_600_hz(
    hz: float, cycles: float
) -> None:
    # Unramped: the whole period, of which every bin has exactly the phase it was given.
    both = huggins_interval(np.random.default_rng(3), has_pitch=True)
    ramp = np.ones(len(both))
    n = round(0.1 * RATE)
    ramp[:n] = 0.5 - 0.5 * np.cos(np.pi * np.arange(n) / n)
    ramp[-n:] = ramp[:n][::-1]
    inner = np.where(ramp > 0.5, 1.0 / np.maximum(ramp, 0.5), 0.0)[:, None] * both

    found = coherent_phase(inner[:, 0], inner[:, 1], np.arange(hz - 3, hz + 4))

    assert min(abs(found - cycles), 1 - abs(found - cycles)) < 0.05


def test_neither_ear_alone_shows_where_the_tone_is() -> None:
    trial = trial_sound("huggins", 2, seed=11, loudness_lufs=-23.0)
    whole = trial[round(1.5 * RATE) : round(2.5 * RATE)].astype(np.float64)

    spectra = [third_octave_db(whole[:, ear]) for ear in (0, 1)]

    # Measured over ten draws: 0.47 to 0.60 dB from the lowest band to the highest.
    for spectrum in spectra:
        assert np.ptp(spectrum) < 1.0
        around_630_hz = spectrum[5]
        assert abs(around_630_hz - np.median(spectrum)) < 0.5


def test_the_huggins_intervals_are_equally_loud() -> None:
    trial = trial_sound("huggins", 3, seed=5, loudness_lufs=-23.0)

    levels = [level_db(interval(trial, n)) for n in (1, 2, 3)]

    assert max(levels) - min(levels) < 0.2


@pytest.mark.parametrize("answer", [1, 2, 3])
def test_one_tone_is_six_decibels_quieter_and_another_cancels_when_the_sides_are_added(answer: int) -> None:
    trial = trial_sound("antiphase", answer, seed=2, loudness_lufs=-23.0)

    one_ear = [level_db(interval(trial, n)[:, 0]) for n in (1, 2, 3)]
    added = [float(np.max(np.abs(interval(trial, n).sum(axis=1)))) for n in (1, 2, 3)]

    others = [n for n in (1, 2, 3) if n != answer]
    for other in others:
        assert one_ear[answer - 1] - one_ear[other - 1] == pytest.approx(-6.0, abs=0.01)
    cancelling = [n for n in (1, 2, 3) if added[n - 1] < 1e-6]
    assert len(cancelling) == 1
    assert cancelling[0] in others


def test_over_loudspeakers_the_antiphase_tone_would_be_chosen_wherever_it_stands() -> None:
    quietest = set()
    for seed in range(12):
        trial = trial_sound("antiphase", 1, seed=seed, loudness_lufs=-23.0)
        quietest.add(min((1, 2, 3), key=lambda n: float(np.sum(interval(trial, n).sum(axis=1) ** 2))))

    assert quietest == {2, 3}


def test_the_antiphase_tone_is_200_hz() -> None:
    tone = interval(trial_sound("antiphase", 2, seed=2, loudness_lufs=-23.0), 1)[:, 0]

    spectrum = np.abs(np.fft.rfft(tone))

    assert np.fft.rfftfreq(len(tone), 1 / RATE)[int(np.argmax(spectrum))] == pytest.approx(200.0, abs=1.3)


@pytest.mark.parametrize("loudness_lufs", [-40.0, -23.0, -14.0])
def test_every_sound_has_the_study_s_loudness_and_none_clips(loudness_lufs: float) -> None:
    sounds = [
        calibration_sound(loudness_lufs),
        trial_sound("huggins", 1, 1, loudness_lufs),
        trial_sound("antiphase", 1, 1, loudness_lufs),
    ]

    for sound in sounds:
        assert sound.dtype == np.float32
        assert sound.shape[1] == 2
        assert integrated_loudness(sound, RATE) == pytest.approx(loudness_lufs, abs=0.05)
        assert float(np.max(np.abs(sound))) < 0.99


def test_the_calibration_sound_falls_by_three_decibels_an_octave_and_loops_without_a_seam() -> None:
    sound = calibration_sound(-23.0)[:, 0].astype(np.float64)

    spectrum = third_octave_db(sound)
    slope = np.polyfit(np.arange(len(spectrum)) / 3, spectrum, 1)[0]
    seam = abs(sound[0] - sound[-1])

    assert slope == pytest.approx(-3.01, abs=0.05)
    assert seam < 3 * float(np.std(np.diff(sound)))


def test_the_same_seed_gives_the_same_sound_and_another_seed_another() -> None:
    first, again, other = (trial_sound("huggins", 1, seed, -23.0) for seed in (4, 4, 5))

    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_trial_lasts_four_seconds_as_a_file_of_two_channels() -> None:
    samples, rate = soundfile.read(io.BytesIO(as_wav(trial_sound("huggins", 1, 1, -23.0))))

    assert (rate, samples.shape) == (RATE, (4 * RATE, 2))


@pytest.mark.parametrize("answer", [0, 4])
def test_a_trial_has_three_intervals(answer: int) -> None:
    with pytest.raises(OutOfRange, match="write 1 to 3"):
        trial_sound("huggins", answer, 1, -23.0)
