"""One note's sound from the bank: resampled, looped, enveloped, in two shades.

Every key is kept twice, as recorded and darkened. A note mixes the two by its
velocity, so that dynamics change the timbre without a step.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, next_fast_len, rfft
from scipy.signal import butter, sosfilt

from generation.audio import SAMPLE_RATE_HZ
from generation.composer.sound.bank import Bank, load_bank
from generation.composer.sound.voice import Voice

Samples = NDArray[np.float32]

LONGEST_S = 16.0
"""No note sounds longer than this, release included."""
_LENGTHS_S = (1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, LONGEST_S)
_OVERSAMPLING = 2
#: Keys are brought most of the way to one level, measured over their first 0.8 s.
_EVENED = round(0.8 * SAMPLE_RATE_HZ)
_EVEN_RMS = 0.1
_EVENNESS = 0.8
_SEAM = 600
_CACHE_BYTES = 120_000_000
#: A release is followed down to this share of 100 dB, where it is 70 dB under the note.
_RELEASE_SHARE = 0.7
_SHORTEST_RELEASE_S = 0.12
_LONGEST_RELEASE_S = 2.4


@dataclass(frozen=True)
class KeySound:
    """One key held down.

    Args:
        bright, dark: float32, shape [n_samples], at `SAMPLE_RATE_HZ`.
        release: falling factors from key-up to silence, shape [n_release].
        length_s: how long it was made for; a recording without loop may be shorter.
    """

    bright: Samples
    dark: Samples
    release: Samples
    length_s: float

    @property
    def n_bytes(self) -> int:
        """Memory of the two shades."""
        return self.bright.nbytes + self.dark.nbytes


class Sampler:
    """Renders single notes; keeps the sounds of recent keys.

    A key's sound depends on bank, preset and key only, never on
    what was played before: what falls out of the store is made again alike.

    Args:
        bank: where the recordings are.
        cache_bytes: size of the store of sounds.
    """

    def __init__(self, bank: Bank, cache_bytes: int = _CACHE_BYTES) -> None:
        self._bank = bank
        self._cache_bytes = cache_bytes
        self._held = 0
        self._sounds: OrderedDict[tuple[tuple[int, int], int], KeySound] = OrderedDict()
        self._dense: dict[int, Samples] = {}

    def note(self, preset: tuple[int, int], key: int, duration_s: float, velocity: float) -> Samples:
        """One note, mono, float32, release included.

        Args:
            duration_s: from key-down to key-up.
            velocity: 0 to 1; 0.5 is a medium touch.

        Raises:
            AudioError: the bank has no such sound.
        """
        voices = self._bank.voices(preset, key)
        release_s = _release_s(voices[0])
        held_s = min(max(duration_s, 0.03), LONGEST_S - release_s)
        sound = self._sound(preset, key, voices, held_s + release_s)
        held = min(round(held_s * SAMPLE_RATE_HZ), len(sound.bright))
        end = min(held + len(sound.release), len(sound.bright))
        shade = min(max(1.15 * velocity + 0.1, 0.0), 1.0)
        level = velocity_gain(velocity)
        samples = sound.bright[:end] * np.float32(level * shade)
        samples += sound.dark[:end] * np.float32(level * (1.0 - shade))
        samples[held:end] *= sound.release[: end - held]
        return samples

    def _sound(self, preset: tuple[int, int], key: int, voices: Sequence[Voice], needed_s: float) -> KeySound:
        # A longer sound begins with exactly the samples of a shorter one.
        name = (preset, key)
        sound = self._sounds.pop(name, None)
        if sound is None or sound.length_s < needed_s:
            if sound is not None:
                self._held -= sound.n_bytes
            length_s = next(length for length in _LENGTHS_S if length >= min(needed_s, LONGEST_S))
            layers = [_make_layer(self._oversampled(voice.sample), voice, length_s) for voice in voices]
            sound = _make_sound(layers, voices[0], length_s)
            self._held += sound.n_bytes
        self._sounds[name] = sound
        while self._held > self._cache_bytes and len(self._sounds) > 1:
            _, dropped = self._sounds.popitem(last=False)
            self._held -= dropped.n_bytes
        return sound

    def _oversampled(self, number: int) -> Samples:
        if number not in self._dense:
            self._dense[number] = _oversampled(self._bank.sample(number))
        return self._dense[number]


def velocity_gain(velocity: float) -> float:
    """Amplitude of a note of `velocity` (0 to 1); the SoundFont's own square, softened."""
    return float(max(velocity, 0.0) ** 1.4)


@lru_cache(maxsize=1)
def shared_sampler() -> Sampler:
    """The process's sampler on the vendored bank."""
    return Sampler(load_bank())


def _make_layer(source: Samples, voice: Voice, length_s: float) -> Samples:
    wanted = round(length_s * SAMPLE_RATE_HZ)
    speed = _OVERSAMPLING * voice.ratio / SAMPLE_RATE_HZ
    frames = math.ceil(wanted * speed) + 8
    if voice.loop is not None:
        first, last = (_OVERSAMPLING * frame for frame in voice.loop)
        first, last = max(first, 0), min(last, len(source))
        repeats = max(0, math.ceil((frames - last) / max(last - first, 1)))
        source = _with_smooth_seam(source, first, last)
        source = np.concatenate([source[:last], np.tile(source[first:last], repeats)])
    layer = _read_at_speed(source[:frames], speed)[:wanted]
    if voice.cutoff_hz < 0.45 * SAMPLE_RATE_HZ:
        layer = _low_passed(layer, voice.cutoff_hz)
    return layer * _envelope(voice, len(layer))


def _make_sound(layers: Sequence[Samples], voice: Voice, length_s: float) -> KeySound:
    bright = np.zeros(max(len(layer) for layer in layers), dtype=np.float32)
    for layer in layers:
        bright[: len(layer)] += layer
    if voice.loop is not None:
        bright *= _evening(bright)
    return KeySound(
        bright, _low_passed(bright, _dark_cutoff_hz(voice)), _release_curve(_release_s(voice)), length_s
    )


def _with_smooth_seam(source: Samples, first: int, last: int) -> Samples:
    # Some loops do not close on themselves: the loop's end is blended into what
    # comes before its beginning, so that the jump back is no jump.
    blended = min(_SEAM, first, (last - first) // 2)
    if blended < 1:
        return source
    share = np.linspace(0.0, 1.0, blended, dtype=np.float32)
    smooth = source.copy()
    smooth[last - blended : last] *= 1.0 - share
    smooth[last - blended : last] += share * source[first - blended : first]
    return smooth


def _evening(bright: Samples) -> np.float32:
    # Recordings of one instrument differ by 10 dB and more from key to key.
    rms = float(np.sqrt(np.mean(np.square(bright[:_EVENED], dtype=np.float64))))
    return np.float32(min(max((_EVEN_RMS / max(rms, 1e-6)) ** _EVENNESS, 0.25), 4.0))


def _oversampled(decoded: Samples) -> Samples:
    # Band-limited below the output's Nyquist frequency, then twice as dense, so
    # that a short interpolation reads it cleanly at any speed.
    recording = np.concatenate([decoded, np.zeros(256, dtype=np.float32)])
    n_fft = next_fast_len(len(recording), real=True)
    spectrum = rfft(recording, n_fft)
    hertz = np.linspace(0.0, 22_050.0, len(spectrum), dtype=np.float32)
    spectrum *= np.clip((15_500.0 - hertz) / 1_500.0, 0.0, 1.0)
    wide = np.zeros(n_fft * _OVERSAMPLING // 2 + 1, dtype=spectrum.dtype)
    wide[: len(spectrum)] = spectrum * np.float32(_OVERSAMPLING)
    dense: Samples = np.asarray(irfft(wide, n_fft * _OVERSAMPLING), dtype=np.float32)
    return dense[: len(recording) * _OVERSAMPLING]


def _read_at_speed(source: Samples, speed: float) -> Samples:
    # Lagrange interpolation through four neighbours.
    n_samples = max(int((len(source) - 4) / speed), 0)
    positions = np.arange(n_samples) * speed
    whole = positions.astype(np.int64)
    t = (positions - whole).astype(np.float32)
    before, here = source[np.maximum(whole - 1, 0)], source[whole]
    after, beyond = source[whole + 1], source[whole + 2]
    third = np.float32(1 / 3)
    sixth = np.float32(1 / 6)
    half = np.float32(0.5)
    c1 = after - third * before - half * here - sixth * beyond
    c2 = half * (before + after) - here
    c3 = sixth * (beyond - before) + half * (here - after)
    read: Samples = ((c3 * t + c2) * t + c1) * t + here
    return read


def _low_passed(samples: Samples, cutoff_hz: float) -> Samples:
    filtered: Samples = np.asarray(sosfilt(_low_pass(cutoff_hz), samples), dtype=np.float32)
    return filtered


@lru_cache(maxsize=512)
def _low_pass(cutoff_hz: float) -> NDArray[np.float64]:
    return np.asarray(butter(2, cutoff_hz, fs=SAMPLE_RATE_HZ, output="sos"))


def _dark_cutoff_hz(voice: Voice) -> float:
    return min(1400.0, 0.6 * voice.cutoff_hz)


def _envelope(voice: Voice, n_samples: int) -> Samples:
    times = np.arange(n_samples, dtype=np.float32) / np.float32(SAMPLE_RATE_HZ)
    decaying = np.maximum(times - np.float32(voice.attack_s + voice.hold_s), np.float32(0.0))
    fall_db = np.minimum(decaying * np.float32(100.0 / max(voice.decay_s, 0.01)), voice.sustain_db)
    envelope: Samples = np.asarray(np.float32(voice.gain) * np.float32(10.0) ** (fall_db * np.float32(-0.05)))
    # Two milliseconds at least: some recordings begin inside the wave.
    attack = max(round(max(voice.attack_s, 0.002) * SAMPLE_RATE_HZ), 1)
    rising = np.linspace(0.0, 1.0, attack, dtype=np.float32)[:n_samples]
    envelope[: len(rising)] *= rising
    return envelope


def _release_s(voice: Voice) -> float:
    return min(max(voice.release_s, _SHORTEST_RELEASE_S), _LONGEST_RELEASE_S) * _RELEASE_SHARE


@lru_cache(maxsize=256)
def _release_curve(release_s: float) -> Samples:
    n_samples = round(release_s * SAMPLE_RATE_HZ)
    falling = 10.0 ** (-5.0 * _RELEASE_SHARE * np.linspace(0.0, 1.0, n_samples))
    # The last 5 % end in true silence instead of 70 dB below.
    falling *= np.minimum(1.0, np.linspace(20.0, 0.0, n_samples))
    return falling.astype(np.float32)
