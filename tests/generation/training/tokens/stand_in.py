"""An encoder whose tokens can be worked out by hand: of every frame, what its samples are."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from generation.musicgen.sound_encoder import CodecCard

RATE_HZ = 32_000
FRAME_RATE_HZ = 50
FRAME = RATE_HZ // FRAME_RATE_HZ
SIZE = 2048


def card(name: str = "stand-in", sha256: str = "0" * 64, n_codebooks: int = 2) -> CodecCard:
    """A card of the stand-in."""
    return CodecCard(
        name=name,
        sha256=sha256,
        n_codebooks=n_codebooks,
        codebook_size=SIZE,
        frame_rate_hz=FRAME_RATE_HZ,
        sample_rate_hz=RATE_HZ,
    )


@dataclass
class StandIn:
    """Tokens of a frame: its first sample, and its mean with the frames on either side, as 11-bit levels.

    So the second row depends on what lies around a frame, as a codec's does.

    Args:
        longest: samples of the longest sound that was encoded.
    """

    card: CodecCard = field(default_factory=card)
    n_channels: int = 1
    longest: int = 0

    def encode(self, samples: NDArray[np.float32]) -> NDArray[np.int16]:
        """Shape [2 × n_channels, n_frames]; channels alternate."""
        self.longest = max(self.longest, len(samples))
        n_frames = -(-len(samples) // FRAME)
        padded = np.zeros((n_frames * FRAME, self.n_channels))
        padded[: len(samples)] = samples
        frames = padded.reshape(n_frames, FRAME, self.n_channels)
        means = np.pad(frames.mean(axis=1), ((1, 1), (0, 0)))
        around = (means[:-2] + means[1:-1] + means[2:]) / 3.0
        rows = np.stack([_level(frames[:, 0]), _level(around)], axis=1)
        return rows.reshape(n_frames, -1).T.astype(np.int16)


def _level(value: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.clip(np.floor((value + 1.0) / 2.0 * SIZE), 0, SIZE - 1)
