"""Clicks: corners in a wave that no note's attack explains.

A recording may strike twice: a kalimba's tine is let go, and 30 to 65 ms later it knocks again, 17 dB
softer. Such a knock is music, and a click at the same moment is not: what is told of it is when the
recording itself, read from the bank and by no code that plays it, has it, and how much softer than its
attack it is there. A corner that is louder than twice that is a click wherever it lies.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d, percentile_filter
from scipy.signal import butter, sosfilt

from generation.composer.palettes import INSTRUMENTS
from generation.composer.score import Note
from generation.composer.sound.bank import load_bank

_CORNER_HZ = 12_000.0
_BEFORE_S, _AFTER_S = 0.01, 0.05
_FRAME = 64
_FRAME_S = 0.002
_TIMES_ABOVE = 12.0
_FLOOR = 3e-5
_LONGEST_ATTACK_S = 0.12
#: A second strike stands this far over what is around it, in the recording.
_TIMES_OVER_REST = 3.0
_SOFTEST_SHARE = 0.02
_NEAR_FRAMES = 2
_TIMES_AS_RECORDED = 2.0

Levels = NDArray[np.float64]


@dataclass(frozen=True)
class SecondStrike:
    """Where a note's recording strikes once more.

    Args:
        onset_s: of the note.
        after_s: from there to the second strike.
        share: its peak above 12 kHz, as a share of the attack's.
    """

    onset_s: float
    after_s: float
    share: float


def clicks(
    samples: NDArray[np.float32],
    onsets_s: Sequence[float],
    sample_rate_hz: int,
    second_strikes: Iterable[SecondStrike] = (),
) -> Levels:
    """Moments, in seconds, where what lies above 12 kHz leaps far over what is around it.

    A click has all frequencies; released and held notes have next to nothing up there. Frames from 10 ms
    before a note's onset to 50 ms after it are left out: hammers and brushes are meant to be heard.

    Args:
        samples: shape [n_samples, n_channels].
        second_strikes: what is known of the recordings that are played.
    """
    peaks = _peaks(samples, sample_rate_hz)
    usual = percentile_filter(peaks, 50, size=round(0.25 * sample_rate_hz / _FRAME))
    frames_per_s = sample_rate_hz / _FRAME
    attack = np.zeros(len(peaks), dtype=bool)
    for onset_s in onsets_s:
        attack[_window(onset_s, frames_per_s)] = True
    explained = np.zeros(len(peaks))
    for strike in second_strikes:
        limit = (
            _TIMES_AS_RECORDED * strike.share * peaks[_window(strike.onset_s, frames_per_s)].max(initial=0)
        )
        at = round((strike.onset_s + strike.after_s) * frames_per_s)
        near = slice(max(at - _NEAR_FRAMES, 0), at + _NEAR_FRAMES + 1)
        explained[near] = np.maximum(explained[near], limit)
    found = (peaks > _TIMES_ABOVE * usual + _FLOOR) & (peaks == maximum_filter1d(peaks, 9))
    return np.flatnonzero(found & ~attack & (peaks > explained)) / frames_per_s


def second_strikes(notes: Iterable[Note]) -> list[SecondStrike]:
    """Of all notes on struck and plucked recordings, those whose recording strikes twice."""
    return [
        SecondStrike(note.onset_s, after_s, share)
        for note in notes
        for after_s, share in _strikes_of(note.instrument, note.key)
        if after_s < note.duration_s + _LONGEST_ATTACK_S
    ]


@lru_cache(maxsize=1024)
def _strikes_of(name: str, key: int) -> tuple[tuple[float, float], ...]:
    """Moments and shares of a key's second strikes, as its recording in the bank has them."""
    instrument, bank = INSTRUMENTS[name], load_bank()
    if instrument.preset is None or not instrument.rings:
        return ()
    found: list[tuple[float, float]] = []
    for voice in bank.voices(instrument.preset, key):
        if voice.ratio <= 2.0 * _CORNER_HZ:
            continue
        frames = bank.sample(voice.sample)[voice.begin :][: round(2.0 * _LONGEST_ATTACK_S * voice.ratio)]
        # Frames of the recording that make 2 ms of the key's sound. Some recordings begin inside the wave:
        # where they are cut is no part of their attack.
        frame = round(_FRAME_S * voice.ratio)
        frames = np.concatenate([frames[:frame] * np.linspace(0.0, 1.0, frame), frames[frame:]])
        peaks = _peaks(frames[:, None], voice.ratio, frame)
        last = round(_LONGEST_ATTACK_S / _FRAME_S)
        first = round(_AFTER_S / _FRAME_S) - _NEAR_FRAMES
        rest = percentile_filter(peaks, 50, size=11)
        stands_out = (peaks > _TIMES_OVER_REST * rest) & (peaks == maximum_filter1d(peaks, 9))
        found += [
            (number * _FRAME_S, float(peaks[number] / peaks[:first].max()))
            for number in np.flatnonzero(stands_out[:last]).tolist()
            if number >= first and peaks[number] >= _SOFTEST_SHARE * peaks[:first].max()
        ]
    return tuple(found)


def _peaks(samples: NDArray[np.floating[Any]], rate_hz: float, frame: int = _FRAME) -> Levels:
    """Largest amplitude above 12 kHz in each frame, shape [n_frames]."""
    stages = butter(6, _CORNER_HZ, btype="high", fs=rate_hz, output="sos")
    crackle = np.abs(sosfilt(stages, samples.astype(np.float64), axis=0)).max(axis=1)
    n_frames = len(crackle) // frame
    return np.asarray(crackle[: n_frames * frame].reshape(n_frames, frame).max(axis=1))


def _window(onset_s: float, frames_per_s: float) -> slice:
    first = max(round((onset_s - _BEFORE_S) * frames_per_s), 0)
    return slice(first, first + round((_BEFORE_S + _AFTER_S) * frames_per_s))
