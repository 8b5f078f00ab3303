"""A key's tone as the sampler keeps it: 16 bits a sample, and how loud it is up to any moment."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from generation.composer.sound.spectrum import band_amplitudes
from generation.composer.sound.tones import Tone

Samples = NDArray[np.float32]

_FULL_SCALE = 2.0
_LARGEST = 32_767
_FRAME_S = 0.02


@dataclass(frozen=True)
class HeldTone:
    """One key held down.

    Args:
        shades: int16, shape [n_shades, n_samples], darkest first.
        step: amplitude of one of their units.
        release: falling factors from key-up to silence, shape [n_release].
        length_s: how long it was made for; what decays by itself may be shorter.
        powers: running sums over frames of each shade's energy and of each neighbouring pair's product,
            in seconds of unit power, shape [2 n_shades - 1, n_frames + 1]: shades first, then pairs.
        amplitudes, magnitudes: of each shade in each band of `spectrum`, shape [n_shades, 17], see
            `band_amplitudes`.
        release_s: the release's energy, as seconds held on.
    """

    shades: NDArray[np.int16]
    step: float
    release: Samples
    length_s: float
    powers: NDArray[np.float64]
    amplitudes: NDArray[np.float64]
    magnitudes: NDArray[np.float64]
    release_s: float

    @property
    def n_samples(self) -> int:
        """Length of the shades."""
        return int(self.shades.shape[1])

    @property
    def n_bytes(self) -> int:
        """Memory of the shades."""
        return self.shades.nbytes

    def energy(self, mix: ShadeMix, held_s: float) -> float:
        """Energy of a mix of two shades, held and let go, in seconds of unit power, unweighted."""
        last = self.powers.shape[1] - 1
        place = min((held_s + self.release_s) / _FRAME_S, float(last))
        frame = min(int(place), max(last - 1, 0))
        part = place - frame
        begun, ended = self.powers[:, frame], self.powers[:, min(frame + 1, last)]
        here = begun + part * (ended - begun)
        energy = mix.lower_gain**2 * here[mix.lower]
        if mix.upper_gain:
            energy += mix.upper_gain**2 * here[mix.lower + 1]
            energy += 2.0 * mix.lower_gain * mix.upper_gain * here[self.shades.shape[0] + mix.lower]
        return float(energy)

    def band_shares(self, mix: ShadeMix) -> NDArray[np.float64]:
        """How the energy of a mix of two shades lies over the bands of `spectrum`, shape [17], sum 1."""
        power = np.square(_mixed(self.amplitudes, mix))
        return np.asarray(power / max(float(power.sum()), 1e-30))

    def band_magnitudes(self, mix: ShadeMix) -> NDArray[np.float64]:
        """Sums of the magnitudes of a mix of two shades at unit power, shape [17]."""
        power = float(np.square(_mixed(self.amplitudes, mix)).sum())
        return np.asarray(_mixed(self.magnitudes, mix) / math.sqrt(max(power, 1e-30)))


@dataclass(frozen=True)
class ShadeMix:
    """What a touch takes of two neighbouring shades.

    Args:
        lower: number of the darker one.
        lower_gain, upper_gain: amplitude factors; the brighter one is `lower` + 1.
    """

    lower: int
    lower_gain: float
    upper_gain: float


def shade_mix(velocity: float, n_shades: int) -> ShadeMix:
    """The shades of a touch: darkest at 0, brightest from 0.78 up, straight between, loudness included."""
    level = velocity_gain(velocity)
    place = min(max(1.15 * velocity + 0.1, 0.0), 1.0) * (n_shades - 1)
    lower = min(int(place), max(n_shades - 2, 0))
    share = place - lower
    return ShadeMix(lower, level * (1.0 - share), level * share)


def velocity_gain(velocity: float) -> float:
    """Amplitude of a note of `velocity` (0 to 1); the SoundFont's own square, softened."""
    return float(max(velocity, 0.0) ** 1.4)


def _mixed(by_shade: NDArray[np.float64], mix: ShadeMix) -> NDArray[np.float64]:
    """Of two neighbouring shades together: they are in phase."""
    mixed = mix.lower_gain * by_shade[mix.lower]
    if mix.upper_gain:
        mixed = mixed + mix.upper_gain * by_shade[mix.lower + 1]
    return np.asarray(mixed, dtype=np.float64)


def keep(tone: Tone, sample_rate_hz: int) -> HeldTone:
    """`tone` as the sampler keeps it."""
    shades = np.atleast_2d(tone.shades)
    peak = max(float(shades.max(initial=0.0)), -float(shades.min(initial=0.0)))
    # The step does not depend on a tone's length unless it is far louder than any instrument here.
    step = _FULL_SCALE * 2.0 ** max(math.ceil(math.log2(max(peak, 1e-9) / _FULL_SCALE)), 0) / _LARGEST
    amplitudes, magnitudes = band_amplitudes(shades, sample_rate_hz)
    return HeldTone(
        shades=_rounded(shades, step),
        step=step,
        release=tone.release,
        length_s=tone.length_s,
        powers=_running_powers(shades, sample_rate_hz),
        amplitudes=amplitudes,
        magnitudes=magnitudes,
        release_s=float(np.sum(np.square(tone.release, dtype=np.float64))) / sample_rate_hz,
    )


def lengthen(held: HeldTone, more: Samples, length_s: float, sample_rate_hz: int) -> HeldTone | None:
    """`held` and what comes after it; None where that is too loud for the step of what is kept.

    Args:
        more: the shades from where `held` ends, float32, shape [n_shades, n].
        length_s: of the whole.
    """
    if float(np.abs(more).max(initial=0.0)) > held.step * _LARGEST:
        return None
    powers = _running_powers(more, sample_rate_hz)
    return replace(
        held,
        shades=np.concatenate([held.shades, _rounded(more, held.step)], axis=1),
        length_s=length_s,
        powers=np.concatenate([held.powers, held.powers[:, -1:] + powers[:, 1:]], axis=1),
    )


def _rounded(shades: Samples, step: float) -> NDArray[np.int16]:
    units = shades * np.float32(1.0 / step)
    return np.asarray(np.rint(units, out=units), dtype=np.int16)


def _running_powers(shades: Samples, sample_rate_hz: int) -> NDArray[np.float64]:
    frame = round(_FRAME_S * sample_rate_hz)
    n_frames = shades.shape[1] // frame
    framed = [shade[: n_frames * frame].reshape(n_frames, frame) for shade in shades]
    products = [*zip(framed, framed, strict=True), *pairwise(framed)]
    sums = [np.einsum("fi,fi->f", one, other) for one, other in products]
    powers = np.zeros((len(sums), n_frames + 1))
    np.cumsum(np.asarray(sums, dtype=np.float64) / sample_rate_hz, axis=1, out=powers[:, 1:])
    return powers
