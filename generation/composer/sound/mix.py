"""From notes to a stereo signal: panning, tone, room, level, in blocks of two seconds."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, next_fast_len, rfft
from scipy.signal import lfilter

from generation.audio import SAMPLE_RATE_HZ
from generation.composer.cues import CueCurves
from generation.composer.palettes import INSTRUMENTS
from generation.composer.score import Note, Score
from generation.composer.sound.balance import balance_gains, note_level
from generation.composer.sound.sampler import LONGEST_S, Sampler

Stereo = NDArray[np.float32]

BLOCK = 1 << 16
_ROOM_S = 2.0
_ROOM_GAIN = 0.30
_TONE_CORNER_HZ = 1_800.0
_FADE_IN_S = 1.2
_FADE_OUT_S = 3.0
_OPEN_GAIN = 2.2


def render_score(
    score: Score, curves: CueCurves, sampler: Sampler, progress: Callable[[float], None]
) -> Stereo:
    """The score's sound.

    Args:
        progress: called with the share that is done.

    Returns:
        float32, shape [n_samples, 2], n_samples = round(duration_s × SAMPLE_RATE_HZ);
        level follows the cues, no sample is limited.

    Raises:
        AudioError: the bank lacks a sound the score asks for.
    """
    n_samples = round(score.duration_s * SAMPLE_RATE_HZ)
    out = np.zeros((n_samples, 2), dtype=np.float32)
    desk = _Desk(score.notes, balance_gains(score, curves, sampler), curves, sampler)
    for start in range(0, n_samples, BLOCK):
        block = desk.next_block()
        end = min(start + BLOCK, n_samples)
        out[start:end] = block[:, : end - start].T
        progress(end / n_samples)
    _fade(out, score.duration_s)
    return out


class _Desk:
    """Sums the notes of a block, then tone, room and level; carries what rings on."""

    def __init__(
        self, notes: Sequence[Note], gains: NDArray[np.float64], curves: CueCurves, sampler: Sampler
    ) -> None:
        self._notes = notes
        self._gains = gains
        self._curves = curves
        self._sampler = sampler
        self._next_note = 0
        self._block = 0
        ahead = BLOCK + math.ceil((LONGEST_S + 0.1) * SAMPLE_RATE_HZ)
        # Rows: left, right, send to the room.
        self._sums = np.zeros((3, ahead), dtype=np.float32)
        self._filters = np.zeros((2, 1), dtype=np.float32)
        self._room_tail = np.zeros((2, BLOCK), dtype=np.float32)

    def next_block(self) -> Stereo:
        """The next `BLOCK` samples, shape [2, BLOCK]."""
        start = self._block * BLOCK
        while self._next_note < len(self._notes):
            note = self._notes[self._next_note]
            at = round(note.onset_s * SAMPLE_RATE_HZ)
            if at >= start + BLOCK:
                break
            self._add(note, float(self._gains[self._next_note]), at - start)
            self._next_note += 1
        dry = self._sums[:2, :BLOCK].copy()
        send = self._sums[2, :BLOCK].copy()
        self._sums[:, :-BLOCK] = self._sums[:, BLOCK:]
        self._sums[:, -BLOCK:] = 0.0
        mixed = dry + self._room(send)
        edges_s = np.array([start, start + BLOCK]) / SAMPLE_RATE_HZ
        cues = self._curves.at(edges_s)
        self._tone(mixed, cues.brightness)
        # A straight ramp between block edges: no level ever steps.
        gain = 10.0 ** (cues.gain_db / 20.0) * _OPEN_GAIN
        mixed *= np.linspace(gain[0], gain[1], BLOCK, endpoint=False, dtype=np.float32)
        self._block += 1
        return mixed

    def _add(self, note: Note, gain: float, at: int) -> None:
        instrument = INSTRUMENTS[note.instrument]
        sound = self._sampler.note(instrument.preset, note.key, note.duration_s, note.velocity)
        level = gain * note_level(note)
        # Low keys to the left, high to the right, as a keyboard stands before its player.
        pan = instrument.pan + (0.012 * (note.key - 64) if instrument.rings else 0.0)
        angle = (min(max(pan, -0.7), 0.7) + 1.0) * math.pi / 4.0
        left, right, send = self._sums[:, at : at + len(sound)]
        left += sound * np.float32(level * math.cos(angle))
        right += sound * np.float32(level * math.sin(angle))
        send += sound * np.float32(level * instrument.reverb)

    def _room(self, send: NDArray[np.float32]) -> Stereo:
        wet = irfft(rfft(send, 2 * BLOCK)[None, :] * _room_spectrum(), 2 * BLOCK)
        here = wet[:, :BLOCK] + self._room_tail
        self._room_tail = wet[:, BLOCK:]
        return np.asarray(here, dtype=np.float32)

    def _tone(self, mixed: Stereo, factor: NDArray[np.float64]) -> None:
        """A first-order high shelf whose factor runs straight from one block edge to the next."""
        pole = math.exp(-2.0 * math.pi * _TONE_CORNER_HZ / SAMPLE_RATE_HZ)
        b = np.array([1.0 - pole], dtype=np.float32)
        a = np.array([1.0, -pole], dtype=np.float32)
        low, self._filters = lfilter(b, a, mixed, axis=1, zi=self._filters)
        ramp = np.linspace(factor[0], factor[1], BLOCK, endpoint=False, dtype=np.float32)
        mixed -= low
        mixed *= ramp
        mixed += low


@lru_cache(maxsize=1)
def _room_spectrum() -> NDArray[np.complex64]:
    """Transfer function of the room, shape [2, BLOCK + 1].

    Velvet-like early reflections and noise that decays faster the higher it is:
    a small hall of 1.9 s at 500 Hz, different noise left and right, nothing under 160 Hz.
    """
    rng = np.random.default_rng(20_180_305)
    n_samples = min(round(_ROOM_S * SAMPLE_RATE_HZ), BLOCK)
    times = np.arange(n_samples) / SAMPLE_RATE_HZ
    n_fft = next_fast_len(n_samples, real=True)
    hertz = np.fft.rfftfreq(n_fft, 1.0 / SAMPLE_RATE_HZ)
    room = np.zeros((2, n_samples))
    edges = (160.0, 400.0, 1_000.0, 2_500.0, 5_000.0, 10_000.0)
    decays_s = (1.7, 1.9, 1.7, 1.25, 0.8)
    for side in range(2):
        noise = rfft(rng.standard_normal(n_samples), n_fft)
        for low, high, decay_s in zip(edges[:-1], edges[1:], decays_s, strict=True):
            band = 1.0 / (1.0 + (low / np.maximum(hertz, 1.0)) ** 4) / (1.0 + (hertz / high) ** 4)
            room[side] += irfft(noise * band, n_fft)[:n_samples] * 10.0 ** (-3.0 * times / decay_s)
        room[side] *= np.clip((times - 0.018) / 0.03, 0.0, 1.0)
        for _ in range(7):
            at = int(rng.uniform(0.011, 0.055) * SAMPLE_RATE_HZ)
            room[side, at] += rng.choice([-1.0, 1.0]) * rng.uniform(1.0, 2.2)
        room[side] *= np.clip((_ROOM_S - times) / 0.2, 0.0, 1.0)
    room *= _ROOM_GAIN / np.sqrt((room**2).sum(axis=1, keepdims=True))
    return np.asarray(rfft(room.astype(np.float32), 2 * BLOCK, axis=1), dtype=np.complex64)


def _fade(out: Stereo, duration_s: float) -> None:
    opening = round(min(_FADE_IN_S, 0.1 * duration_s) * SAMPLE_RATE_HZ)
    closing = round(min(_FADE_OUT_S, 0.35 * duration_s) * SAMPLE_RATE_HZ)
    rise = np.sin(np.linspace(0.0, np.pi / 2, opening, dtype=np.float32)) ** 2
    out[:opening] *= rise[:, None]
    fall = np.cos(np.linspace(0.0, np.pi / 2, closing, dtype=np.float32)) ** 2
    out[len(out) - closing :] *= fall[:, None]
