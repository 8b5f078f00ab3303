"""The windows of a sound file, one after another: no more of it is in memory than a window and a block."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from generation.sound_file import read_blocks
from study.errors import AudioError

Samples = NDArray[np.float32]

ROUNDING_S = 0.1
"""A window may reach so far beyond the sound's end: data sets state durations to a tenth of a second."""

_BLOCK_S = 10.0


def read_windows(path: Path, spans: Sequence[tuple[float, float]]) -> tuple[int, Iterator[Samples]]:
    """The samples of each window.

    Args:
        spans: onset_s and duration_s of each, by rising onset; they may overlap.

    Returns:
        the sample rate in Hz; for each span float32, shape [n_samples, n_channels], full scale 1.

    Raises:
        AudioError: the file cannot be read, or ends before a window does; what lies after may show only
            while the windows are taken.
    """
    sample_rate_hz, blocks = read_blocks(path, _BLOCK_S)
    bounds = [
        (round(onset_s * sample_rate_hz), round((onset_s + duration_s) * sample_rate_hz))
        for onset_s, duration_s in spans
    ]
    return sample_rate_hz, _cut(path, blocks, bounds, sample_rate_hz)


def _cut(
    path: Path, blocks: Iterator[Samples], bounds: Sequence[tuple[int, int]], sample_rate_hz: int
) -> Iterator[Samples]:
    held: deque[tuple[int, Samples]] = deque()
    reached = 0
    for start, end in bounds:
        while held and held[0][0] + len(held[0][1]) <= start:
            held.popleft()
        while reached < end and (block := next(blocks, None)) is not None:
            if reached + len(block) > start:
                held.append((reached, block))
            reached += len(block)
        if end - reached > ROUNDING_S * sample_rate_hz or reached <= start:
            raise AudioError(
                str(path),
                f"ends at {reached / sample_rate_hz:.3f} s, a window at {end / sample_rate_hz:.3f} s",
                "state its duration as it is, or leave it out",
            )
        yield np.concatenate([block[max(start - first, 0) : max(end - first, 0)] for first, block in held])
