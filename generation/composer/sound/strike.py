"""One note as a run of samples that can be added to a mix piece by piece."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from generation.composer.sound.held import HeldTone, ShadeMix

Samples = NDArray[np.float32]


@dataclass(frozen=True)
class Strike:
    """A key struck, held and let go.

    Args:
        tone: of the key.
        mix: of its shades.
        held_s: from key-down to key-up.
        sample_rate_hz: of the tone.
    """

    tone: HeldTone
    mix: ShadeMix
    held_s: float
    sample_rate_hz: int

    @property
    def n_held(self) -> int:
        """Samples until the release begins."""
        return min(round(self.held_s * self.sample_rate_hz), self.tone.n_samples)

    @property
    def n_samples(self) -> int:
        """Samples until it is silent."""
        return min(self.n_held + len(self.tone.release), self.tone.n_samples)

    @property
    def energy(self) -> float:
        """In seconds of unit power."""
        return self.tone.energy(self.mix, self.held_s)

    def add_to(self, block: Samples, at: int, gain: float) -> None:
        """Add the part of it that falls into `block`.

        Plain products and sums of single floats: the same bits on any machine.

        Args:
            block: shape [n_samples].
            at: where the note begins, in samples of the block; negative where it has begun before.
            gain: amplitude factor.
        """
        first = max(-at, 0)
        last = min(self.n_samples, len(block) - at)
        if last <= first:
            return
        rows, mix = self.tone.shades, self.mix
        scale = gain * self.tone.step
        part = _scaled(rows[mix.lower, first:last], scale * mix.lower_gain)
        if mix.upper_gain:
            part += _scaled(rows[mix.lower + 1, first:last], scale * mix.upper_gain)
        if last > self.n_held:
            let_go = max(self.n_held, first)
            part[let_go - first :] *= self.tone.release[let_go - self.n_held : last - self.n_held]
        block[at + first : at + last] += part


def _scaled(units: NDArray[np.int16], factor: float) -> Samples:
    return np.multiply(units, np.float32(factor), dtype=np.float32)
