"""What every listener needs of a sound, once: checked samples, one channel, and where it is silent."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from analysis.mer.predictor import AffectSeries
from study.errors import AudioError

LARGEST_SAMPLE = 100.0
"""Beyond this a sound cannot have been scaled to 1: 40 dB over full scale."""

SILENT_DBFS = -70.0
"""A piece whose level lies below is silent: the absolute gate of ITU-R BS.1770-5."""

PIECE_S = 0.1
"""Length of the pieces whose levels decide about silence."""

#: Shares of the channels, in WAVE's order, of the mean of the stereo that ITU-R BS.775-4 (table 2) folds
#: them to: front 1/2 each, centre and surrounds at -3 dB; the low-frequency channel is left out.
_FRONT, _CENTRE, _SURROUND, _LOW = 0.5, np.sqrt(0.5), np.sqrt(0.125), 0.0
_FOLDED = {
    3: (_FRONT, _FRONT, _CENTRE),
    4: (_FRONT, _FRONT, _SURROUND, _SURROUND),
    5: (_FRONT, _FRONT, _CENTRE, _SURROUND, _SURROUND),
    6: (_FRONT, _FRONT, _CENTRE, _LOW, _SURROUND, _SURROUND),
    7: (_FRONT, _FRONT, _CENTRE, _LOW, _SURROUND, _SURROUND, _SURROUND),
    8: (_FRONT, _FRONT, _CENTRE, _LOW, _SURROUND, _SURROUND, _SURROUND, _SURROUND),
}


def checked_mono(block: NDArray[np.float32]) -> NDArray[np.float32]:
    """One channel, after the checks that every listener makes.

    Of one or two channels the mean; of three to eight, in WAVE's order (left,
    right, centre, low, surrounds), the mean of the stereo they are folded to.

    Args:
        block: float32, shape [n, n_channels], full scale 1.

    Returns:
        float32, shape [n].

    Raises:
        AudioError: NaN, infinity, samples that are not on a full scale of 1, or more than eight channels.
    """
    if not block.size:
        return np.zeros(len(block), dtype=np.float32)
    peak = max(float(block.max()), -float(block.min()))
    if not np.isfinite(peak):
        raise AudioError("sound", "NaN or infinity in the samples", "export the sound again")
    if peak > LARGEST_SAMPLE:
        raise AudioError("sound", f"a sample of {peak:g}", "scale the samples to [-1, 1]")
    n_channels = block.shape[1]
    if n_channels == 1:
        return block[:, 0]
    if n_channels == 2:
        return np.asarray((block[:, 0] + block[:, 1]) * np.float32(0.5))
    shares = _FOLDED.get(n_channels)
    if shares is None:
        raise AudioError(
            "sound", f"{n_channels} channels: nobody says which is which", "mix it to stereo or mono"
        )
    return np.asarray(block @ np.array(shares, dtype=np.float32))


class Levels:
    """The level of a sound in pieces of 0.1 s, heard block by block.

    A piece's level is the root mean square about its own mean, so that a
    constant offset is no sound.

    Args:
        sample_rate_hz: of the blocks.
    """

    def __init__(self, sample_rate_hz: int) -> None:
        self._piece = max(round(PIECE_S * sample_rate_hz), 1)
        self._piece_s = self._piece / sample_rate_hz
        self._waiting: NDArray[np.float32] = np.zeros(0, dtype=np.float32)
        self._is_sounding: list[NDArray[np.bool_]] = []
        self._channels_sound = False

    def hear(self, block: NDArray[np.float32]) -> None:
        """The next block: float32, shape [n, n_channels].

        Raises:
            AudioError: as `checked_mono`.
        """
        self._take(checked_mono(block))
        if not self._channels_sound and block.size:
            self._channels_sound = bool((_deviation(block.T) > _SILENT).any())

    def is_silent(self, onset_s: NDArray[np.float64], window_s: float) -> NDArray[np.bool_]:
        """Shape [n_windows]: whether all pieces that a window [onset_s, onset_s + window_s) touches are."""
        self._take_rest()
        sounding = np.concatenate([np.zeros(1, dtype=bool), *self._is_sounding])
        n_sounding = np.cumsum(sounding)
        last = len(sounding) - 1
        # A rounded onset must not reach into the piece before or after.
        first = np.clip(np.floor(onset_s / self._piece_s + 1e-6).astype(int), 0, last)
        after = np.clip(np.ceil((onset_s + window_s) / self._piece_s - 1e-6).astype(int), 0, last)
        return np.asarray(n_sounding[after] == n_sounding[first])

    def check_sounds(self) -> None:
        """Refuse what holds no sound at all.

        Raises:
            AudioError: it is silent all through, or its channels cancel.
        """
        self._take_rest()
        if any(pieces.any() for pieces in self._is_sounding):
            return
        if self._channels_sound:
            raise AudioError(
                "sound", "its channels cancel when mixed to one", "turn the polarity of one channel round"
            )
        raise AudioError(
            "sound", f"it is silent all through (below {SILENT_DBFS:g} dBFS)", "use a file with sound in it"
        )

    def _take(self, mono: NDArray[np.float32]) -> None:
        waiting = np.concatenate([self._waiting, mono])
        n_whole = len(waiting) // self._piece * self._piece
        self._is_sounding.append(_deviation(waiting[:n_whole].reshape(-1, self._piece)) > _SILENT)
        self._waiting = waiting[n_whole:]

    def _take_rest(self) -> None:
        if len(self._waiting):
            self._is_sounding.append(_deviation(self._waiting[None]) > _SILENT)
            self._waiting = self._waiting[:0]


_SILENT = 10.0 ** (SILENT_DBFS / 20.0)


def _deviation(pieces: NDArray[np.float32]) -> NDArray[np.float32]:
    """Standard deviation along the last axis."""
    off = pieces - pieces.mean(axis=-1, keepdims=True)
    return np.asarray(np.sqrt(np.einsum("...i,...i->...", off, off) / max(pieces.shape[-1], 1)))


def without_silence(series: AffectSeries, levels: Levels) -> AffectSeries:
    """The series without its silent windows.

    Raises:
        AudioError: nothing is left.
    """
    sounding = ~levels.is_silent(series.onset_s, series.window_s)
    if sounding.all():
        return series
    if not sounding.any():
        levels.check_sounds()
        raise AudioError("sound", "it is silent in every window", "use a sound of three seconds or more")
    return replace(
        series,
        onset_s=series.onset_s[sounding],
        valence_pred=series.valence_pred[sounding],
        arousal_pred=series.arousal_pred[sounding],
        stated_spread=None if series.stated_spread is None else series.stated_spread[sounding],
        domain_distance=None if series.domain_distance is None else series.domain_distance[sounding],
    )
