"""What every cue looks at: windows of sound and their spectra, made once, piece by piece.

Sound of any rate and channels becomes mono at 16 kHz, band-limited (libsamplerate's
SRC_SINC_FASTEST: flat to 6.4 kHz, aliases some 97 dB down; musicnn's own linear interpolation
would fold treble into the tones that the tonal cues listen to). From it come two sets
of magnitude spectra: `fine` for what happens when, `long` for what sounds at
which pitch (bins of 1.95 Hz). Windows overlap by three quarters and share their
spectra.

The result does not depend on how the sound is cut into blocks, to the last bit:
samples are gathered into pieces of one length before anything is computed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import samplerate
from numpy.typing import NDArray
from scipy.fft import rfft
from scipy.signal import get_window

from analysis.mer.cues.notes import SoundingNotes, sounding_notes
from analysis.mer.cues.peaks import SpectralPeaks, find_peaks
from analysis.mer.sound import checked_mono
from study.errors import AudioError

RATE_HZ = 16_000
WINDOW_S = 12.0
WINDOW_HOP_S = 3.0
SHORTEST_S = 3.0
"""A shorter sound gives no window: it holds too few notes for any cue."""

FINE_FRAME = 1024
FINE_HOP = 256
LONG_FRAME = 8192
LONG_HOP = 2048

SLOWEST_HZ, FASTEST_HZ = 8_000, 192_000

_WINDOW = round(WINDOW_S * RATE_HZ)
_WINDOW_HOP = round(WINDOW_HOP_S * RATE_HZ)
_PIECE_S = 3.0
_QUALITY = "sinc_fastest"

Float32 = NDArray[np.float32]


@dataclass(frozen=True)
class CueWindow:
    """What one window of sound offers to every cue.

    A full-scale sine has magnitude 1 in its bin. The frames lie wholly inside the
    window; frame i of `fine` is centred `FINE_HOP` / `RATE_HZ` seconds after
    frame i - 1, the first at `FINE_FRAME` / 2 samples or up to one hop later
    (likewise `long`).

    Args:
        onset_s: seconds from the start of the sound.
        duration_s: `WINDOW_S`, or the length of the whole sound if that is less.
        samples: mono, 16 kHz, shape [n_samples], full scale 1.
        fine: magnitudes, shape [n_fine, 513]; Hann of 64 ms, every 16 ms.
        long: magnitudes, shape [n_long, 4097]; Hann of 512 ms, every 128 ms.
        peaks: of the `long` spectra.
    """

    onset_s: float
    duration_s: float
    samples: Float32
    fine: Float32
    long: Float32
    peaks: SpectralPeaks

    @cached_property
    def notes(self) -> SoundingNotes:
        """The notes that explain the peaks; worked out when a cue first asks."""
        return sounding_notes(self.peaks)


class CueFrames:
    """Hears one sound block by block and gives its windows as they fill.

    Windows begin every three seconds. What is left at the end and fills no window
    (less than three seconds) is dropped; a sound shorter than a window is one
    window of its own length. Memory does not grow with the sound.

    Args:
        sample_rate_hz: of the blocks.

    Raises:
        AudioError: a rate outside 8 to 192 kHz.
    """

    def __init__(self, sample_rate_hz: int) -> None:
        if not SLOWEST_HZ <= sample_rate_hz <= FASTEST_HZ:
            raise AudioError(
                "sound", f"a sample rate of {sample_rate_hz} Hz", "give sound of 8000 Hz to 192000 Hz"
            )
        self._rate_hz = sample_rate_hz
        self._piece = round(_PIECE_S * sample_rate_hz)
        self._resampler = samplerate.Resampler(_QUALITY, channels=1)
        self._ratio = RATE_HZ / sample_rate_hz
        self._waiting: list[Float32] = []
        self._n_waiting = 0
        self._n_heard = 0
        self._n_windows = 0
        # From the next window onwards; `_first` is the sample of the sound that it begins with.
        self._samples = np.empty(0, dtype=np.float32)
        self._first = 0
        self._fine_spectra = _Spectra(FINE_FRAME, FINE_HOP)
        self._long_spectra = _Spectra(LONG_FRAME, LONG_HOP)
        self._fine = _Kept(FINE_FRAME, FINE_HOP)
        self._long, self._frequencies, self._magnitudes = (_Kept(LONG_FRAME, LONG_HOP) for _ in range(3))

    def hear(self, block: Float32) -> list[CueWindow]:
        """The windows that this block completes.

        Args:
            block: float32, shape [n, n_channels], full scale 1; any length.

        Raises:
            AudioError: NaN, infinity or samples that are not on a full scale of 1; at the latest three
                seconds after they came, or by `finish`.
        """
        self._waiting.append(block)
        self._n_waiting += len(block)
        self._n_heard += len(block)
        if self._n_waiting < self._piece:
            return []
        waiting = np.concatenate(self._waiting)
        whole = len(waiting) - len(waiting) % self._piece
        # A copy: a view would keep the whole block alive.
        self._waiting, self._n_waiting = [waiting[whole:].copy()], len(waiting) - whole
        found: list[CueWindow] = []
        for first in range(0, whole, self._piece):
            mono = checked_mono(waiting[first : first + self._piece])
            self._take(self._at_16_khz(mono))
            found.extend(self._filled())
        return found

    def finish(self) -> list[CueWindow]:
        """The windows that the end of the sound completes.

        Raises:
            AudioError: the sound was shorter than `SHORTEST_S`, or its end is refused as by `hear`.
        """
        heard_s = self._n_heard / self._rate_hz
        if heard_s < SHORTEST_S:
            raise AudioError(
                "sound",
                f"it lasts {heard_s:.2f} s; its musical cues need {SHORTEST_S:g} s",
                f"use {SHORTEST_S:g} seconds of sound or more",
            )
        tail = self._at_16_khz(checked_mono(np.concatenate(self._waiting)), is_last=True)
        # The resampler may end a sample early or late; the sound's length is what it is.
        n_missing = round(heard_s * RATE_HZ) - self._first - len(self._samples)
        self._take(np.concatenate([tail[:n_missing], np.zeros(max(n_missing - len(tail), 0), np.float32)]))
        found = self._filled()
        if not self._n_windows:
            found.append(self._window(len(self._samples)))
        return found

    def _at_16_khz(self, mono: Float32, is_last: bool = False) -> Float32:
        if self._rate_hz == RATE_HZ:
            return mono
        return np.asarray(self._resampler.process(mono, self._ratio, end_of_input=is_last), dtype=np.float32)

    def _take(self, samples: Float32) -> None:
        self._samples = np.concatenate([self._samples, samples])
        self._fine.add(self._fine_spectra.of(samples))
        long = self._long_spectra.of(samples)
        peaks = find_peaks(long, RATE_HZ / LONG_FRAME)
        self._long.add(long)
        self._frequencies.add(peaks.frequency_hz)
        self._magnitudes.add(peaks.magnitude)

    def _filled(self) -> list[CueWindow]:
        found: list[CueWindow] = []
        while len(self._samples) >= _WINDOW:
            found.append(self._window(_WINDOW))
            self._n_windows += 1
            self._first += _WINDOW_HOP
            self._samples = self._samples[_WINDOW_HOP:]
            for kept in (self._fine, self._long, self._frequencies, self._magnitudes):
                kept.forget_before(self._first)
        return found

    def _window(self, n_samples: int) -> CueWindow:
        end = self._first + n_samples
        return CueWindow(
            onset_s=self._first / RATE_HZ,
            duration_s=n_samples / RATE_HZ,
            samples=self._samples[:n_samples],
            fine=self._fine.until(end),
            long=self._long.until(end),
            peaks=SpectralPeaks(self._frequencies.until(end), self._magnitudes.until(end)),
        )


class _Spectra:
    """Magnitude spectra of one frame length; frame k begins at sample k × hop of the sound."""

    def __init__(self, frame: int, hop: int) -> None:
        self._frame = frame
        self._hop = hop
        self._weights = _hann(frame)
        self._rest = np.empty(0, dtype=np.float32)

    def of(self, samples: Float32) -> Float32:
        """Magnitudes of the frames that these samples complete."""
        self._rest = np.concatenate([self._rest, samples])
        n_frames = max((len(self._rest) - self._frame) // self._hop + 1, 0)
        if not n_frames:
            return np.empty((0, self._frame // 2 + 1), dtype=np.float32)
        frames = np.lib.stride_tricks.sliding_window_view(self._rest, self._frame)[:: self._hop]
        spectrum = rfft(frames[:n_frames] * self._weights, axis=1, overwrite_x=True)
        self._rest = self._rest[n_frames * self._hop :].copy()
        return np.asarray(np.sqrt(spectrum.real**2 + spectrum.imag**2))


class _Kept:
    """Rows of numbers, one a frame, from the frame that the next window begins with."""

    def __init__(self, frame: int, hop: int) -> None:
        self._frame = frame
        self._hop = hop
        self._first = 0
        self._rows: Float32 | None = None

    def add(self, rows: Float32) -> None:
        """The next frames'."""
        self._rows = rows if self._rows is None else np.concatenate([self._rows, rows])

    def until(self, end: int) -> Float32:
        """Those of the frames that end at or before sample `end` of the sound."""
        assert self._rows is not None
        return self._rows[: max((end - self._frame) // self._hop + 1 - self._first, 0)]

    def forget_before(self, start: int) -> None:
        """Drop those of the frames that begin before sample `start` of the sound."""
        assert self._rows is not None
        first = -(-start // self._hop)
        self._rows = self._rows[first - self._first :]
        self._first = first


def _hann(frame: int) -> Float32:
    window = get_window("hann", frame)
    return np.asarray(window * (2.0 / window.sum()), dtype=np.float32)
