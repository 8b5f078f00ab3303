"""When notes begin: a novelty curve, its peaks, and how many of them come in a second.

The curve is SuperFlux (Böck & Widmer 2013, Maximum filter vibrato suppression for
onset detection, Proc. DAFx-13): log-compressed magnitudes in bands a quarter of a
tone wide, their rise over the largest of the neighbouring bands two frames (32 ms)
before, so that vibrato and slides are not taken for notes. All notes of a chord
rise in the same frame and count once.

`librosa.onset` offers the same curve, but divides it by its largest value before it
picks peaks, so that the threshold follows one accent, and by default it compresses
against the loudest bin. On the controlled score's piano, librosa 0.11 counts 3.9 a
second where two chords are struck and 10.8 where six are (releases count too); its
first call compiles for ten seconds. Here magnitudes are taken relative to the
window's own level, so that the count does not follow the gain, and the threshold is a
rise in the compressed scale, the same for every window.

Struck and plucked instruments are counted to a few per cent from one to six notes a
second, whatever the threshold; blown and bowed ones that play legato have no sharp
beginnings, and about half of their notes are counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d, uniform_filter1d

from analysis.mer.cues.frames import FINE_FRAME, FINE_HOP, RATE_HZ, CueWindow

Float32 = NDArray[np.float32]
Floats = NDArray[np.float64]
Frames = NDArray[np.intp]

FRAME_RATE_HZ = RATE_HZ / FINE_HOP
"""Values of the novelty curve in a second."""
LAG_FRAMES = 2
"""A rise is measured over half the length of a spectrum's frame."""
COMPRESSION = 100.0
"""A band at the level of the window's loudest band is compressed to log10(1 + 100) = 2."""
THRESHOLD = 0.02
"""Rise above the surroundings that makes a note, mean over the bands."""
_BANDS_PER_OCTAVE = 24
_LOWEST_HZ, _HIGHEST_HZ = 60.0, 7_000.0
_PEAK_FRAMES = 4
"""A peak is the largest of this many frames (64 ms) to either side."""
_SURROUNDING_FRAMES = 10


@dataclass(frozen=True)
class Events:
    """What begins in a window, and in which bands.

    Args:
        duration_s: of the window.
        bands: magnitudes in bands a quarter of a tone wide, shape [n_fine, n_bands].
        compressed: log10(1 + `COMPRESSION` × bands over the loudest band's RMS), same shape.
        novelty: how much begins at each fine frame, shape [n_fine]: mean over the bands of the
            compressed magnitude's rise; 0 in the first `LAG_FRAMES`.
        onsets: fine frames at which a note or chord begins, in order.
        flux: mean over time of the same rise, every octave counted alike.
    """

    duration_s: float
    bands: Float32
    compressed: Float32
    novelty: Floats
    onsets: Frames
    flux: float


def hear_events(window: CueWindow) -> Events:
    """The beginnings in a window; nothing but `Events.bands` changes with its gain."""
    bands = window.fine @ _bands()
    loudest = float(np.sqrt(np.mean(np.square(bands), axis=0)).max(initial=0.0))
    compressed = np.log10(1.0 + np.float32(COMPRESSION / max(loudest, 1e-12)) * bands)
    before = maximum_filter1d(compressed[:-LAG_FRAMES], size=3, axis=1)
    rise = np.maximum(compressed[LAG_FRAMES:] - before, 0.0)
    curve = np.concatenate([np.zeros(LAG_FRAMES), rise.mean(axis=1, dtype=np.float64)])
    flux = float(rise.mean(axis=0) @ _octave_weights())
    return Events(window.duration_s, bands, compressed, curve, onsets(curve), flux)


def note_rate_hz(events: Events) -> float:
    """Beginnings of notes or chords in a second.

    On the controlled score it follows the true rate with the slope that
    `test_one_knob` measures, and does not follow gain, mode or transposition.
    """
    return len(events.onsets) / events.duration_s


def spectral_flux(events: Events) -> float:
    """How hard things begin: mean rise in 32 ms of the compressed spectrum, 0.005 (pads) to 0.1 (drums).

    How hard music is *played*, listeners hear whatever the level it is played back at:
    Elowsson & Friberg (2017, Predicting the perception of performed dynamics in music
    audio with ensemble learning, JASA 141, 2224-2242) predict it from the fluctuation
    and the shape of the spectrum. Loudness says little of music mastered to one level.
    """
    return events.flux


def onsets(curve: Floats) -> Frames:
    """Frames of a novelty curve at which something begins.

    A frame counts that is the largest within 64 ms and `THRESHOLD` above the mean
    of the 160 ms to either side.
    """
    is_peak = maximum_filter1d(curve, 2 * _PEAK_FRAMES + 1) == curve
    surroundings = uniform_filter1d(curve, 2 * _SURROUNDING_FRAMES + 1)
    found = np.flatnonzero(is_peak & (curve > surroundings + THRESHOLD))
    # Two equal values side by side are one beginning.
    return found[np.diff(found, prepend=-_PEAK_FRAMES - 1) > _PEAK_FRAMES]


@lru_cache(maxsize=1)
def _octave_weights() -> Floats:
    """Width of each band in octaves over that of all, shape [n_bands].

    Below 500 Hz bands are as wide as a bin, and few: without it a drum would not count.
    """
    centres = np.log2(np.arange(FINE_FRAME // 2 + 1) @ _bands())
    width = np.gradient(centres)
    return np.asarray(width / width.sum())


@lru_cache(maxsize=1)
def _bands() -> Float32:
    """Triangles of unit sum over the bins, shape [513, n_bands]; no two centres share a bin."""
    bin_hz = RATE_HZ / FINE_FRAME
    steps = np.arange(int(_BANDS_PER_OCTAVE * np.log2(_HIGHEST_HZ / _LOWEST_HZ)) + 1)
    centres = np.unique(np.rint(_LOWEST_HZ * 2.0 ** (steps / _BANDS_PER_OCTAVE) / bin_hz))
    low, middle, high = centres[:-2], centres[1:-1], centres[2:]
    bins = np.arange(FINE_FRAME // 2 + 1)[:, None]
    rising, falling = (bins - low) / (middle - low), (high - bins) / (high - middle)
    triangles = np.maximum(np.minimum(rising, falling), 0.0)
    return np.asarray(triangles / triangles.sum(axis=0), dtype=np.float32)
