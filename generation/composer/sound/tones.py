"""What an instrument is to the sampler: a maker of single keys, sampled or synthesised."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from generation.composer.palettes import Instrument

Samples = NDArray[np.float32]


@dataclass(frozen=True)
class Tone:
    """One key of one instrument, held down.

    Args:
        shades: float32, shape [n_shades, n_samples]: the same sound from darkest to brightest, in phase,
            so that any two neighbours can be mixed.
        release: falling factors from key-up to silence, shape [n_release].
        length_s: how long it was asked for; what decays by itself may be shorter.
    """

    shades: Samples
    release: Samples
    length_s: float

    @property
    def n_bytes(self) -> int:
        """Memory of the shades."""
        return self.shades.nbytes


class ToneSource(Protocol):
    """Makes keys of instruments sound; the same key sounds the same at every call, on any machine."""

    @property
    def licence(self) -> str:
        """Of the recordings, or of the code where there are none."""

    @property
    def hashes(self) -> Mapping[str, str]:
        """Name to SHA-256 of everything that shapes the tones."""

    def tone(self, instrument: Instrument, key: int, length_s: float, sample_rate_hz: int) -> Tone:
        """A key held for `length_s`, release not included.

        Raises:
            AudioError: there is no such sound.
        """


@runtime_checkable
class Lengthening(Protocol):
    """What a source has that can go on where a tone ended."""

    def more(
        self, instrument: Instrument, key: int, begin_s: float, length_s: float, sample_rate_hz: int
    ) -> Samples:
        """The shades of `tone(instrument, key, length_s, sample_rate_hz)` from `begin_s` on.

        Raises:
            AudioError: there is no such sound.
        """
