"""Sounds of the sound check: one to set the loudness by, and trials that need headphones.

Huggins pitch (Milne et al. 2021, Behav. Res. Methods 53, 1551-1562): three white
noises, one of which holds a faint tone that arises between the ears alone: in a
narrow band around 600 Hz the phase of one ear runs through 2π against the other.
Each ear by itself hears plain white noise, so loudspeakers show no tone.

Antiphase tones (Woods et al. 2017, Atten. Percept. Psychophys. 79, 2064-2072):
three 200 Hz tones, one 6 dB quieter, one with its two sides in antiphase. Over
loudspeakers the antiphase tone cancels and seems the quietest; over headphones
the one that is quieter does.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from generation.audio import SAMPLE_RATE_HZ, encode_audio
from generation.loudness import integrated_loudness
from study.errors import AudioError, OutOfRange, UnknownName

Samples = NDArray[np.float32]
"""float32, shape [n_samples, 2], at `SAMPLE_RATE_HZ`."""

INTERVALS = 3
INTERVAL_S = 1.0
GAP_S = 0.5
RAMP_S = 0.1
HUGGINS_HZ = 600.0
HUGGINS_BAND = 0.06
ANTIPHASE_HZ = 200.0
QUIETER_DB = -6.0
CALIBRATION_S = 8.0

_CALIBRATION_BAND_HZ = (100.0, 8_000.0)


def trial_sound(headphone_test: str, answer: int, seed: int, loudness_lufs: float) -> Samples:
    """One trial: three intervals of 1 s with 0.5 s between them.

    Args:
        headphone_test: ``huggins`` or ``antiphase``.
        answer: the interval that holds the tone or is quietest, 1 to 3.
        seed: of the noise, and of which other tone is in antiphase.
        loudness_lufs: integrated loudness (ITU-R BS.1770).

    Raises:
        OutOfRange: there is no such interval.
        UnknownName: there is no such test.
    """
    if answer not in range(1, INTERVALS + 1):
        raise OutOfRange("answer", f"{answer} is not an interval of a trial", f"write 1 to {INTERVALS}")
    random = np.random.default_rng(seed)
    match headphone_test:
        case "huggins":
            intervals = [huggins_interval(random, n == answer) for n in range(1, INTERVALS + 1)]
        case "antiphase":
            others = [n for n in range(1, INTERVALS + 1) if n != answer]
            turned = int(random.choice(others))
            intervals = [
                antiphase_interval(is_quieter=n == answer, is_turned=n == turned)
                for n in range(1, INTERVALS + 1)
            ]
        case _:
            raise UnknownName(
                "headphone_test", f"{headphone_test!r} is not a test", "write huggins or antiphase"
            )
    gap = np.zeros((round(GAP_S * SAMPLE_RATE_HZ), 2))
    parts = [part for interval in intervals for part in (interval, gap)][:-1]
    return _at_loudness(np.concatenate(parts), loudness_lufs)


def huggins_interval(random: np.random.Generator, has_pitch: bool) -> NDArray[np.float64]:
    """White noise, shape [n, 2], of unit power in each ear; with `has_pitch`, a tone between the ears."""
    n_samples = round(INTERVAL_S * SAMPLE_RATE_HZ)
    spectrum = np.fft.rfft(random.standard_normal(n_samples))
    # A flat amplitude: neither the noise of a single draw nor the phase leaves a peak in either ear.
    spectrum = np.exp(1j * np.angle(spectrum))
    spectrum[0] = spectrum[-1] = 0.0
    left = np.fft.irfft(spectrum, n_samples)
    right = (
        np.fft.irfft(spectrum * np.exp(1j * interaural_phase(n_samples)), n_samples) if has_pitch else left
    )
    both = np.stack([left, right], axis=1)
    return _ramped(both / np.sqrt(np.mean(both**2, axis=0)))


def interaural_phase(n_samples: int) -> NDArray[np.float64]:
    """By how much the right ear leads in a Huggins interval, in radians, at each frequency of an rfft."""
    hz = np.fft.rfftfreq(n_samples, 1.0 / SAMPLE_RATE_HZ)
    low, high = HUGGINS_HZ * (1.0 - HUGGINS_BAND), HUGGINS_HZ * (1.0 + HUGGINS_BAND)
    phase: NDArray[np.float64] = 2.0 * math.pi * np.clip((hz - low) / (high - low), 0.0, 1.0)
    return phase


def antiphase_interval(is_quieter: bool, is_turned: bool) -> NDArray[np.float64]:
    """A 200 Hz tone, shape [n, 2], of unit power before `is_quieter` takes 6 dB away."""
    time_s = np.arange(round(INTERVAL_S * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    tone = math.sqrt(2.0) * np.sin(2.0 * math.pi * ANTIPHASE_HZ * time_s)
    both = np.stack([tone, -tone if is_turned else tone], axis=1)
    return _ramped(both * 10.0 ** (QUIETER_DB / 20.0) if is_quieter else both)


def calibration_sound(loudness_lufs: float, seed: int = 0) -> Samples:
    """Pink noise of 100 Hz to 8 kHz, the same in both ears, whose end joins its beginning.

    Args:
        loudness_lufs: integrated loudness, the study's own: what is comfortable here is
            comfortable in every session.
    """
    n_samples = round(CALIBRATION_S * SAMPLE_RATE_HZ)
    hz = np.fft.rfftfreq(n_samples, 1.0 / SAMPLE_RATE_HZ)
    low, high = _CALIBRATION_BAND_HZ
    within = (hz >= low) & (hz <= high)
    amplitude = np.zeros_like(hz)
    amplitude[within] = hz[within] ** -0.5
    turned = np.random.default_rng(seed).uniform(0.0, 2.0 * math.pi, hz.size)
    # One period of a periodic signal: played in a loop there is no seam to hear.
    noise = np.fft.irfft(amplitude * np.exp(1j * turned), n_samples)
    noise /= np.sqrt(np.mean(noise**2))
    return _at_loudness(np.stack([noise, noise], axis=1), loudness_lufs)


def as_wav(samples: Samples) -> bytes:
    """A sound as the bytes of a 16-bit WAV file."""
    return encode_audio(samples, SAMPLE_RATE_HZ, ".wav")


def _ramped(samples: NDArray[np.float64]) -> NDArray[np.float64]:
    n_ramp = round(RAMP_S * SAMPLE_RATE_HZ)
    ramp = 0.5 - 0.5 * np.cos(np.pi * np.arange(n_ramp) / n_ramp)
    shaped = samples.copy()
    shaped[:n_ramp] *= ramp[:, None]
    shaped[-n_ramp:] *= ramp[::-1, None]
    return shaped


def _at_loudness(samples: NDArray[np.float64], loudness_lufs: float) -> Samples:
    measured = integrated_loudness(samples.astype(np.float32), SAMPLE_RATE_HZ)
    if measured is None:
        raise AudioError("sound check", "is silent", "report this as a fault of isopath")
    scaled: Samples = (samples * 10.0 ** ((loudness_lufs - measured) / 20.0)).astype(np.float32)
    return scaled
