"""Which notes sound when: partials explained, note by note, by fundamentals and their harmonics.

After Klapuri (2006), "Multiple fundamental frequency estimation by summing harmonic
amplitudes", Proc. ISMIR, on semitones: whitened partials are summed over each key's
harmonics with his weights; the most salient key is taken, what it would leave in
the spectrum is cancelled, and the next is sought. The whitening makes
loud and bright instruments alike; the cancelling keeps a note's overtones
from counting as notes of their own (its fifth and its major third, which is what
would tell major from minor).

librosa's chroma of a constant-Q transform is not used: it takes longer than all cues
together may, keeps the overtones, and folds the register away.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d

from analysis.mer.cues.peaks import SpectralPeaks

LOWEST_KEY, HIGHEST_KEY = 28, 96
"""E1 (41 Hz) to C7 (2093 Hz): the fundamentals of nearly all music."""

_N_KEYS = HIGHEST_KEY - LOWEST_KEY + 1
_HIGHEST_PARTIAL = 111
_N_PARTIALS = _HIGHEST_PARTIAL - LOWEST_KEY + 1
_A4_KEY, _A4_HZ = 69, 440.0

#: Klapuri's: harmonics, their weights (f0 + α) / (h f0 + β), and the exponent of the whitening.
_HARMONICS = 20
_ALPHA_HZ, _BETA_HZ = 52.0, 320.0
_WHITENING = 0.33
_OCTAVE = 13
#: Notes at a time, and how salient the last is beside the first: small chords, no crumbs.
_POLYPHONY = 6
_FAINTEST = 0.25
#: How much more than the weights say a note's overtones may hold: a clarinet's or a low piano's hold much.
_RICHEST = 1.4

Float32 = NDArray[np.float32]


@dataclass(frozen=True)
class SoundingNotes:
    """How salient each key is in each frame.

    Args:
        salience: shape [n_frames, 69], keys `LOWEST_KEY` to `HIGHEST_KEY`; 0 where a key does not sound.
            Its scale goes with the 0.17th power of the magnitude: a note counts little less for being soft.
        tuning: semitones by which the sound's keys lie above those of A = 440 Hz, -0.5 to 0.5.
    """

    salience: Float32
    tuning: float

    @property
    def by_key(self) -> NDArray[np.float64]:
        """Salience of each key, summed over time, shape [69]."""
        return np.asarray(self.salience.sum(axis=0, dtype=np.float64))


def sounding_notes(peaks: SpectralPeaks) -> SoundingNotes:
    """The notes that explain the partials, at most six at a time."""
    n_frames = len(peaks.magnitude)
    frame, place = np.nonzero(peaks.magnitude)
    if not len(frame):
        return SoundingNotes(np.zeros((n_frames, _N_KEYS), dtype=np.float32), 0.0)
    magnitude = peaks.magnitude[frame, place]
    # The sound's level is no part of the notes.
    magnitude = magnitude / magnitude.max()
    pitch = _A4_KEY + 12.0 * np.log2(peaks.frequency_hz[frame, place] / np.float32(_A4_HZ))
    tuning = _tuning(pitch, np.sqrt(magnitude))
    key = np.rint(pitch - tuning).astype(np.int64) - LOWEST_KEY
    inside = (key >= 0) & (key < _N_PARTIALS)
    partials = np.zeros((n_frames, _N_PARTIALS), dtype=np.float32)
    np.maximum.at(partials, (frame[inside], key[inside]), magnitude[inside])
    return SoundingNotes(np.sqrt(_explained(_whitened(partials))), tuning)


def _tuning(pitch: Float32, weight: Float32) -> float:
    """Mean direction of the pitches on the circle of one semitone."""
    return float(np.angle(np.sum(weight * np.exp(2j * np.pi * pitch))) / (2.0 * np.pi))


def _whitened(partials: Float32) -> Float32:
    """Each partial by a power of the level in the octave around it."""
    level = np.sqrt(uniform_filter1d(np.square(partials), _OCTAVE, axis=1, mode="constant"))
    return np.asarray(partials * np.where(level > 0.0, level, np.float32(1.0)) ** (_WHITENING - 1.0))


def _explained(partials: Float32) -> Float32:
    """Salience of the keys found one after another in each frame, shape [n_frames, 69]."""
    rows = np.arange(len(partials))
    rest = partials.copy()
    found = np.zeros((len(partials), _N_KEYS), dtype=np.float32)
    faintest = np.zeros(len(partials), dtype=np.float32)
    for i in range(_POLYPHONY):
        salience = np.where(found > 0.0, np.float32(0.0), rest @ _WEIGHTS.T)
        key = salience.argmax(axis=1)
        best = salience[rows, key]
        if i == 0:
            faintest = best * np.float32(_FAINTEST)
        best[best <= faintest] = 0.0
        found[rows, key] = np.maximum(found[rows, key], best)
        left = _SPECTRA[key] * rest.max(axis=1, keepdims=True)
        rest = np.where(best[:, None] > 0.0, np.maximum(rest - left, np.float32(0.0)), rest)
    return found


def _weights() -> Float32:
    """How much a partial speaks for each key, shape [69, n_partials]."""
    keys = np.arange(_N_KEYS)
    fundamental_hz = _A4_HZ * 2.0 ** ((keys + LOWEST_KEY - _A4_KEY) / 12.0)
    weights = np.zeros((_N_KEYS, _N_PARTIALS + 12 * 5))
    for harmonic in range(1, _HARMONICS + 1):
        place = keys + round(12.0 * np.log2(harmonic))
        weight = (fundamental_hz + _ALPHA_HZ) / (harmonic * fundamental_hz + _BETA_HZ)
        weights[keys, place] = np.maximum(weights[keys, place], weight)
    return weights[:, :_N_PARTIALS].astype(np.float32)


_WEIGHTS = _weights()
#: What a key leaves, at most, in a whitened spectrum whose strongest partial is 1.
_SPECTRA = np.minimum(_WEIGHTS / _WEIGHTS.max(axis=1, keepdims=True) * np.float32(_RICHEST), np.float32(1.0))
