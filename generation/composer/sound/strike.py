"""One note as a run of samples that can be added to a mix piece by piece."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from generation.composer.sound.held import HeldTone, ShadeMix

Samples = NDArray[np.float32]


class Strike:
    """A key struck, held and let go.

    Args:
        tone: of the key.
        mix: of its shades.
        held_s: from key-down to key-up.
        sample_rate_hz: of the tone.
    """

    __slots__ = ("energy", "mix", "n_held", "n_samples", "tone")

    def __init__(self, tone: HeldTone, mix: ShadeMix, held_s: float, sample_rate_hz: int) -> None:
        self.tone, self.mix = tone, mix
        self.n_held = min(round(held_s * sample_rate_hz), tone.n_samples)
        """Samples until the release begins."""
        self.n_samples = min(self.n_held + len(tone.release), tone.n_samples)
        """Samples until it is silent."""
        self.energy = tone.energy(mix, held_s)
        """In seconds of unit power."""

    def add_to(self, block: Samples, at: int, gain: float, scratch: Samples) -> None:
        """Add the part of it that falls into `block`.

        Plain products and sums of single floats: the same bits on any machine.

        Args:
            block: shape [n_samples].
            at: where the note begins, in samples of the block; negative where it has begun before.
            gain: amplitude factor.
            scratch: shape [2, n], n at least as long as the block; its content is lost.
        """
        first = max(-at, 0)
        last = min(self.n_samples, len(block) - at)
        if last <= first:
            return
        rows, mix = self.tone.shades, self.mix
        scale = gain * self.tone.step
        part, other = scratch[0, : last - first], scratch[1, : last - first]
        part[:] = rows[mix.lower, first:last]
        part *= np.float32(scale * mix.lower_gain)
        if mix.upper_gain:
            other[:] = rows[mix.lower + 1, first:last]
            other *= np.float32(scale * mix.upper_gain)
            part += other
        if last > self.n_held:
            let_go = max(self.n_held, first)
            part[let_go - first :] *= self.tone.release[let_go - self.n_held : last - self.n_held]
        block[at + first : at + last] += part
