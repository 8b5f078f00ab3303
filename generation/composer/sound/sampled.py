"""The recorded instruments: which recording plays a key, how fast, looped and shaped how."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache

import numpy as np

from generation.composer.palettes import Instrument
from generation.composer.sound.bank import LICENCE, Bank
from generation.composer.sound.resampling import Samples, Shade, frames_read, read_at_speed
from generation.composer.sound.tones import Tone
from generation.composer.sound.voice import Voice
from study.errors import AudioError

_SEAM = 600
#: Keys are brought most of the way to one level, measured over their first 0.8 s.
_EVENED_S = 0.8
_EVEN_RMS = 0.1
_EVENNESS = 0.8
_DARK_HZ = 1_400.0
_SHORTEST_ATTACK_S = 0.002
#: A release is followed down to this share of 100 dB, where it is 60 dB under the note.
_RELEASE_SHARE = 0.6
_SHORTEST_RELEASE_S = 0.12
_LONGEST_RELEASE_S = 2.4
_CLOSING_S = 0.01


class SampledTones:
    """A `ToneSource` of recordings.

    A key's tone depends on bank, preset, key and sample rate alone; a longer one begins with
    exactly the samples of a shorter one.
    """

    def __init__(self, bank: Bank) -> None:
        self._bank = bank
        self._factors: dict[tuple[tuple[Voice, ...], int], np.float32] = {}

    @property
    def licence(self) -> str:
        """Of the recordings."""
        return LICENCE

    @property
    def hashes(self) -> Mapping[str, str]:
        """SHA-256 of the bank's file, of its decoded recordings and of what is put right of them.

        The first call decodes them all.
        """
        return {
            "bank": self._bank.sha256,
            "bank_decoded": self._bank.decoded_sha256(),
            "bank_recordings": self._bank.recordings.sha256,
        }

    def tone(self, instrument: Instrument, key: int, length_s: float, sample_rate_hz: int) -> Tone:
        """A key held for `length_s`, in two shades: darkened and as recorded.

        Raises:
            AudioError: the instrument has no recording, or none of this key.
        """
        voices = self._voices(instrument, key)
        shades = self._shades(voices, 0.0, length_s, sample_rate_hz)
        return Tone(shades, _release_curve(_release_s(voices[0]), sample_rate_hz), length_s)

    def more(
        self, instrument: Instrument, key: int, begin_s: float, length_s: float, sample_rate_hz: int
    ) -> Samples:
        """The shades of `tone` from `begin_s` on, without making again what comes before.

        Raises:
            AudioError: as `tone` does.
        """
        return self._shades(self._voices(instrument, key), begin_s, length_s, sample_rate_hz)

    def _voices(self, instrument: Instrument, key: int) -> tuple[Voice, ...]:
        if instrument.preset is None:
            raise AudioError(
                "the recorded instruments", "an instrument has no preset", "play it by its recipe"
            )
        return self._bank.voices(instrument.preset, key)

    def _shades(
        self, voices: tuple[Voice, ...], begin_s: float, length_s: float, sample_rate_hz: int
    ) -> Samples:
        layers = [self._layer(voice, begin_s, length_s, sample_rate_hz) for voice in voices]
        shades = layers[0]
        for layer in layers[1:]:
            longer, shorter = (shades, layer) if shades.shape[1] >= layer.shape[1] else (layer, shades)
            longer[:, : shorter.shape[1]] += shorter
            shades = longer
        if voices[0].loop is not None:
            whole = begin_s == 0.0 and length_s >= _EVENED_S
            shades *= self._evening(voices, sample_rate_hz, shades[-1] if whole else None)
        return shades

    def _layer(self, voice: Voice, begin_s: float, length_s: float, sample_rate_hz: int) -> Samples:
        samples_per_frame = sample_rate_hz / voice.ratio
        begin, wanted = round(begin_s * sample_rate_hz), round(length_s * sample_rate_hz)
        recording = self._bank.sample(voice.sample)[voice.begin :]
        whole = math.ceil(len(recording) * samples_per_frame)
        frames = frames_read(samples_per_frame, wanted)
        if voice.loop is None:
            wanted = min(wanted, whole)
            begin = min(begin, wanted)
            source = recording
        else:
            source = _looped(recording, voice.loop, frames)
        dark = Shade(min(_DARK_HZ, 0.6 * voice.cutoff_hz))
        filtered = voice.cutoff_hz < 0.45 * sample_rate_hz
        bright = Shade(voice.cutoff_hz if filtered else math.inf)
        layer = read_at_speed(
            source[:frames], samples_per_frame, sample_rate_hz, (dark, bright), wanted, begin
        )
        layer *= _envelope(voice, begin, wanted, sample_rate_hz)
        if voice.loop is None:
            # A recording that plays out falls to silence in its last moment.
            left = whole - np.arange(begin, wanted)
            layer *= np.clip(left / (_CLOSING_S * sample_rate_hz), 0.0, 1.0).astype(np.float32)
        return layer

    def _evening(self, voices: tuple[Voice, ...], sample_rate_hz: int, bright: Samples | None) -> np.float32:
        # Recordings of one instrument differ by 10 dB and more from key to key.
        if (voices, sample_rate_hz) not in self._factors:
            if bright is None:
                layers = [self._layer(voice, 0.0, _EVENED_S, sample_rate_hz)[-1] for voice in voices]
                bright = np.sum(layers, axis=0)
            start = bright[: round(_EVENED_S * sample_rate_hz)]
            rms = float(np.sqrt(np.mean(np.square(start, dtype=np.float64))))
            factor = min(max((_EVEN_RMS / max(rms, 1e-6)) ** _EVENNESS, 0.25), 4.0)
            self._factors[voices, sample_rate_hz] = np.float32(factor)
        return self._factors[voices, sample_rate_hz]


def _looped(recording: Samples, loop: tuple[int, int], frames: int) -> Samples:
    first, last = max(loop[0], 0), min(loop[1], len(recording))
    if frames <= last - _SEAM or last - first < 2:
        return recording
    # Some loops do not close on themselves: the loop's end is blended into what
    # comes before its beginning, so that the jump back is no jump.
    body = recording[:last].copy()
    blended = min(_SEAM, first, (last - first) // 2)
    if blended:
        share = np.linspace(0.0, 1.0, blended, dtype=np.float32)
        body[last - blended :] *= 1.0 - share
        body[last - blended :] += share * recording[first - blended : first]
    repeats = max(0, math.ceil((frames - last) / (last - first)))
    return np.concatenate([body, np.tile(body[first:], repeats)])


def _envelope(voice: Voice, begin: int, end: int, sample_rate_hz: int) -> Samples:
    """Attack, hold, decay and sustain of the key held down, from sample `begin` to `end`."""
    envelope = np.full(end - begin, voice.gain, dtype=np.float32)
    falls_from = round((voice.attack_s + voice.hold_s) * sample_rate_hz)
    if voice.sustain_db > 0.0:
        # Decibels a sample; from where the sustain is reached on, one factor.
        slope_db = 100.0 / max(voice.decay_s, 0.01) / sample_rate_hz
        rests_from = falls_from + math.ceil(voice.sustain_db / slope_db)
        falling = np.arange(max(begin, falls_from), min(end, rests_from))
        if len(falling):
            first = int(falling[0]) - begin
            envelope[first : first + len(falling)] *= 10.0 ** ((falling - falls_from) * (-slope_db / 20.0))
        envelope[max(rests_from - begin, 0) :] *= 10.0 ** (-voice.sustain_db / 20.0)
    # Two milliseconds at least: some recordings begin inside the wave.
    attack = max(round(max(voice.attack_s, _SHORTEST_ATTACK_S) * sample_rate_hz), 1)
    rising = np.linspace(0.0, 1.0, attack, dtype=np.float32)[begin:end]
    envelope[: len(rising)] *= rising
    return envelope


def _release_s(voice: Voice) -> float:
    return min(max(voice.release_s, _SHORTEST_RELEASE_S), _LONGEST_RELEASE_S) * _RELEASE_SHARE


@lru_cache(maxsize=256)
def _release_curve(release_s: float, sample_rate_hz: int) -> Samples:
    n_samples = round(release_s * sample_rate_hz)
    falling = 10.0 ** (-5.0 * _RELEASE_SHARE * np.linspace(0.0, 1.0, n_samples))
    # The last 5 % end in true silence instead of 60 dB below.
    falling *= np.minimum(1.0, np.linspace(20.0, 0.0, n_samples))
    return falling.astype(np.float32)
