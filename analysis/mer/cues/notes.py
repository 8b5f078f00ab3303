"""Which notes sound when: partials explained by as few harmonic notes as they need.

Each frame's partials are laid on the semitones of the sound's own tuning and
explained by non-negative notes of decaying harmonics (approximate transcription:
Mauch & Dixon, 2010, "Approximate note transcription for the improved
identification of difficult chords", Proc. ISMIR; the multiplicative update is Lee
& Seung's, 2001, Proc. NIPS 13). The square root of the magnitudes stands for
loudness, so that a melody is not lost beside a loud bass (Stevens, 1957,
Psychological Review 64: loudness grows with about the 0.6th power of pressure).

librosa's chroma of a constant-Q transform is not used: it takes longer than all
cues together may, keeps a note's overtones as notes of their own (the fifth and the
major third, which is what tells major from minor), and folds the register away.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.mer.cues.peaks import SpectralPeaks

LOWEST_KEY, HIGHEST_KEY = 28, 96
"""E1 (41 Hz) to C7 (2093 Hz): the fundamentals of nearly all music."""

_N_KEYS = HIGHEST_KEY - LOWEST_KEY + 1
_HIGHEST_PARTIAL = 111
_N_PARTIALS = _HIGHEST_PARTIAL - LOWEST_KEY + 1
_A4_KEY, _A4_HZ = 69, 440.0
_HARMONICS = 10
_DECAY = 0.7
_LOUDNESS_POWER = 0.5
_ROUNDS = 12

Float32 = NDArray[np.float32]


@dataclass(frozen=True)
class SoundingNotes:
    """How loud each key sounds in each frame.

    Args:
        loudness: shape [n_frames, 69], keys `LOWEST_KEY` to `HIGHEST_KEY`; 0 or more, relative to
            the sound's strongest partial, which is 1.
        tuning: semitones by which the sound's keys lie above those of A = 440 Hz, -0.5 to 0.5.
    """

    loudness: Float32
    tuning: float

    @property
    def by_key(self) -> NDArray[np.float64]:
        """Loudness of each key, summed over time, shape [69]."""
        return np.asarray(self.loudness.sum(axis=0, dtype=np.float64))


def sounding_notes(peaks: SpectralPeaks) -> SoundingNotes:
    """The notes that explain the partials."""
    strongest = float(peaks.magnitude.max(initial=0.0))
    if strongest == 0.0:
        return SoundingNotes(np.zeros((len(peaks.magnitude), _N_KEYS), dtype=np.float32), 0.0)
    frame, place = np.nonzero(peaks.magnitude)
    loudness = (peaks.magnitude[frame, place] / strongest) ** _LOUDNESS_POWER
    pitch = _A4_KEY + 12.0 * np.log2(peaks.frequency_hz[frame, place] / np.float32(_A4_HZ))
    tuning = _tuning(pitch, loudness)
    key = np.rint(pitch - tuning).astype(np.int64) - LOWEST_KEY
    inside = (key >= 0) & (key < _N_PARTIALS)
    n_frames = len(peaks.magnitude)
    partials = np.bincount(
        frame[inside] * _N_PARTIALS + key[inside], loudness[inside], n_frames * _N_PARTIALS
    ).reshape(n_frames, _N_PARTIALS)
    return SoundingNotes(_explained(partials.astype(np.float32)), tuning)


def _tuning(pitch: Float32, loudness: Float32) -> float:
    """Mean direction of the pitches on the circle of one semitone."""
    return float(np.angle(np.sum(loudness * np.exp(2j * np.pi * pitch))) / (2.0 * np.pi))


def _explained(partials: Float32) -> Float32:
    """Non-negative notes whose harmonics come closest to the partials, shape [n_frames, 69]."""
    seen = partials @ _HARMONIC_NOTES.T
    notes = seen.copy()
    for _ in range(_ROUNDS):
        notes *= seen / (notes @ _OVERLAP + np.float32(1e-9))
    return notes


def _harmonic_notes() -> Float32:
    """Each key's harmonics on the semitones, of unit length, shape [69, n_partials]."""
    notes = np.zeros((_N_KEYS, _N_PARTIALS + 48))
    for harmonic in range(1, _HARMONICS + 1):
        keys = np.arange(_N_KEYS)
        notes[keys, keys + round(12.0 * np.log2(harmonic))] += _DECAY ** (harmonic - 1)
    notes = notes[:, :_N_PARTIALS]
    return np.asarray(notes / np.linalg.norm(notes, axis=1, keepdims=True), dtype=np.float32)


_HARMONIC_NOTES = _harmonic_notes()
_OVERLAP = _HARMONIC_NOTES @ _HARMONIC_NOTES.T
