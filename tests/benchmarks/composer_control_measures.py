"""What is measured of a clip: its sound alone, never its score.

Onsets, tempo classes, sounding notes, key and roughness are heard by `analysis.mer.cues`, which was made and
tested on controlled sound before this composer; each of its modules names its source. Added here:

note_rate: notes, not chords, that begin in a second: peaks in time and pitch of the rise of a compressed
    spectrum in semitone bands (spectral flux, band by band, after Bello et al., 2005, A tutorial on onset
    detection in music signals, IEEE Transactions on Speech and Audio Processing 13, 1035-1047), without
    those that coincide with one of the same strength or more at a harmonic below.
tempo: the class of tempi an octave apart is that of the strongest comb in the novelty's autocorrelation
    (`analysis.mer.cues.tempo`). Its octave is chosen by the rate of onsets, which a listener hears too:
    nearest to 90 a minute × √(onsets per second / 2.5), from 40 to 240.
brightness: centroid of the magnitude spectrum in Hz, mean over frames within 40 dB of the loudest.
loudness: integrated loudness (ITU-R BS.1770-4) in LUFS, before any mastering.
register: of the melody: MIDI key, mean over frames, of the most salient note from E3 up (after Salamon &
    Gómez, 2012, Melody extraction from polyphonic music signals using pitch contour characteristics, IEEE
    Transactions on Audio, Speech, and Language Processing 20, 1759-1770).
major_minor: how much nearer the major than the minor keys are (Krumhansl's and Temperley's profiles), from
    -1 to 1.
third: energy of the major third above the heard tonic against the minor third, -1 to 1.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pyloudnorm
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter
from scipy.signal import ShortTimeFFT, get_window, resample_poly

from analysis.mer.cues.articulation import articulation_ratio
from analysis.mer.cues.events import hear_events, note_rate_hz, spectral_flux
from analysis.mer.cues.frames import CueFrames, CueWindow
from analysis.mer.cues.notes import LOWEST_KEY
from analysis.mer.cues.roughness import roughness
from analysis.mer.cues.tempo import FASTEST_BPM, SLOWEST_BPM, tempo_bpm
from analysis.mer.cues.tonality import hear_mode

Sound = NDArray[np.float32]
Floats = NDArray[np.float64]

UNITS: Mapping[str, str] = {
    "note_rate": "1/s",
    "tempo": "bpm",
    "onset_rate": "1/s",
    "brightness": "Hz",
    "loudness": "LUFS",
    "major_minor": "",
    "register": "key",
    "roughness": "",
    "third": "",
    "articulation": "",
    "flux": "",
}

_NOTE_RATE_HZ = 16_000
_NOTE_FRAME, _NOTE_HOP = 4_096, 256
_LOWEST_BAND, _HIGHEST_BAND = 48, 103
_COMPRESSION = 30.0
_LAG = 4
_RISE = 0.3
_HARMONICS = (12, 19, 24, 28, 31, 34, 36)
_MIDDLE_BPM, _MIDDLE_ONSETS_HZ = 90.0, 2.5
_AUDIBLE_DB = 40.0
_LOWEST_MELODY = 52


def measure(sound: Sound, sample_rate_hz: int) -> dict[str, float]:
    """Every measure of `UNITS`.

    Args:
        sound: float32, shape [n_samples, 2], before mastering.
    """
    frames = CueFrames(sample_rate_hz)
    windows = [*frames.hear(sound), *frames.finish()]
    mono = sound.mean(axis=1, dtype=np.float64)
    events = [hear_events(window) for window in windows]
    modes = [hear_mode(window) for window in windows]
    onsets_hz = float(np.mean([note_rate_hz(one) for one in events]))
    tempi = [_in_octave(tempo_bpm(one), onsets_hz) for one in events]
    thirds = [_third(window, mode.tonic) for window, mode in zip(windows, modes, strict=True)]
    return {
        "note_rate": heard_note_rate_hz(resample_poly(mono, _NOTE_RATE_HZ, sample_rate_hz)),
        "tempo": float(np.exp(np.median(np.log(tempi)))),
        "onset_rate": onsets_hz,
        "brightness": centroid_hz(mono, sample_rate_hz),
        "loudness": float(pyloudnorm.Meter(sample_rate_hz).integrated_loudness(sound.astype(np.float64))),
        "major_minor": float(np.mean([mode.majorness for mode in modes])),
        "register": melody_key(windows),
        "roughness": float(np.mean([roughness(window) for window in windows])),
        "third": float(np.mean(thirds)),
        "articulation": float(np.mean([articulation_ratio(one) for one in events])),
        "flux": float(np.mean([spectral_flux(one) for one in events])),
    }


def heard_note_rate_hz(mono: Floats) -> float:
    """Beginnings of notes in a second, the notes of a chord each for itself; `mono` at 16 kHz."""
    transform = ShortTimeFFT(
        get_window("hann", _NOTE_FRAME), _NOTE_HOP, fs=_NOTE_RATE_HZ, mfft=2 * _NOTE_FRAME
    )
    spectrum = np.abs(transform.stft(mono))
    hertz = 440.0 * 2.0 ** ((np.arange(_LOWEST_BAND, _HIGHEST_BAND + 1) - 69) / 12.0)
    edges = np.rint(np.stack([hertz * 2 ** (-1 / 24), hertz * 2 ** (1 / 24)]) / transform.delta_f).astype(int)
    bands = np.stack([spectrum[low : high + 1].max(axis=0) for low, high in edges.T])
    loudest = float(np.sqrt(np.square(bands).mean(axis=1)).max())
    compressed = np.log10(1.0 + _COMPRESSION * bands / max(loudest, 1e-12))
    before = maximum_filter(compressed[:, :-_LAG], size=(3, 1))
    rise = np.maximum(compressed[:, _LAG:] - before, 0.0)
    is_peak = (maximum_filter(rise, size=(3, 9)) == rise) & (rise > _RISE)
    around = maximum_filter(np.where(is_peak, rise, 0.0), size=(3, 9))
    for harmonic in _HARMONICS:
        is_peak[harmonic:] &= around[:-harmonic] < 0.8 * rise[harmonic:]
    return float(is_peak.sum() * _NOTE_RATE_HZ / len(mono))


def centroid_hz(mono: Floats, sample_rate_hz: int) -> float:
    """Mean over the audible frames of the centroid of the magnitude spectrum."""
    transform = ShortTimeFFT(get_window("hann", 2_048), 1_024, fs=sample_rate_hz)
    spectrum = np.abs(transform.stft(mono))
    total = spectrum.sum(axis=0)
    energy = np.square(spectrum).sum(axis=0)
    audible = energy > energy.max() * 10.0 ** (-_AUDIBLE_DB / 10.0)
    return float(((transform.f @ spectrum)[audible] / total[audible]).mean())


def melody_key(windows: Sequence[CueWindow]) -> float:
    """Mean MIDI key of the most salient note in the range of melodies, fractional."""
    heights: list[float] = []
    for window in windows:
        salience = window.notes.salience[:, _LOWEST_MELODY - LOWEST_KEY :]
        salience = salience[salience.max(axis=1) > 0.0]
        if len(salience):
            heights.append(float(salience.argmax(axis=1).mean()) + _LOWEST_MELODY + window.notes.tuning)
    return float(np.mean(heights)) if heights else float(_LOWEST_MELODY)


def _in_octave(tempo: float, onsets_hz: float) -> float:
    expected = _MIDDLE_BPM * math.sqrt(max(onsets_hz, 0.1) / _MIDDLE_ONSETS_HZ)
    octaves = [tempo * 2.0**k for k in range(-3, 4) if SLOWEST_BPM <= tempo * 2.0**k <= FASTEST_BPM]
    return min(octaves, key=lambda bpm: abs(math.log2(bpm / expected)))


def _third(window: CueWindow, tonic: int) -> float:
    keys = window.notes.by_key
    classes = np.bincount((np.arange(len(keys)) + LOWEST_KEY) % 12, keys, 12)
    major, minor = classes[(tonic + 4) % 12], classes[(tonic + 3) % 12]
    return float((major - minor) / max(major + minor, 1e-12))
