"""A track's sound in overlapping windows, at the codec's rate: no long track is ever whole in memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import samplerate
from numpy.typing import NDArray

from generation.sound_file import read_blocks

_BLOCK_S = 10.0
_QUALITY = "sinc_best"
"""As sound that is played is resampled (`generation.stimuli.stereo_at_rate`)."""
_FLUSH_S = 0.1
"""Silence after the end, so that the resampler gives out what it still holds: its filter is far shorter."""

Sound = NDArray[np.float32]
"""Samples, shape [n_samples, n_channels]."""


@dataclass(frozen=True)
class SoundWindow:
    """A part of a track with what lies around it.

    Args:
        samples: float32, shape [n, 1|2], the context before and after included.
        n_before: frames of context before the part.
        n_frames: of the part itself; the last of a track may hold fewer samples than a whole one.
    """

    samples: Sound
    n_before: int
    n_frames: int


@dataclass(frozen=True)
class WindowSizes:
    """What an encoder takes at once.

    Args:
        rate_hz, n_channels: of its samples; where a file has another number of channels, each is the mean of
            the file's.
        frame: samples a frame.
        window, context: frames of the longest window, and of its context on either side, which is encoded
            and thrown away.
    """

    rate_hz: int
    n_channels: int
    frame: int
    window: int
    context: int


def sound_windows(path: Path, sizes: WindowSizes) -> Iterator[SoundWindow]:
    """The windows of a sound file, in order; together their parts are the whole file.

    A file no longer than a window is one part. Of a longer one every part is a window less its context.

    Raises:
        AudioError: the file cannot be read as sound; damage may show only on the way.
    """
    frame, window, context = sizes.frame, sizes.window, sizes.context
    held = np.zeros((0, sizes.n_channels), dtype=np.float32)
    n_done = n_before = 0
    for block, is_end in _with_end(_at_rate(path, sizes.rate_hz, sizes.n_channels)):
        held = np.concatenate([held, block])
        while is_end or len(held) > window * frame:
            n_left = -(-len(held) // frame) - n_before
            if n_left == 0:
                break
            is_whole = n_done == 0 and n_left <= window
            n_frames = n_left if is_whole else min(window - 2 * context, n_left)
            yield SoundWindow(held[: (n_before + n_frames + context) * frame], n_before, n_frames)
            n_done += n_frames
            kept = min(context, n_done)
            held = held[(n_before + n_frames - kept) * frame :]
            n_before = kept


def _with_end(blocks: Iterator[Sound]) -> Iterator[tuple[Sound, bool]]:
    """Each block, and whether it is the last."""
    before = next(blocks, None)
    while before is not None:
        following = next(blocks, None)
        yield before, following is None
        before = following


def _at_rate(path: Path, rate_hz: int, n_channels: int) -> Iterator[Sound]:
    found_hz, blocks = read_blocks(path, _BLOCK_S)
    mixed = (_mixed(block, n_channels) for block in blocks)
    if found_hz == rate_hz:
        yield from mixed
        return
    # Bit for bit what the whole file at once would give: the resampler remembers where it was.
    resampler = samplerate.Resampler(_QUALITY, channels=n_channels)
    ratio, n_read, n_given = rate_hz / found_hz, 0, 0
    for block in mixed:
        n_read += len(block)
        resampled = resampler.process(block, ratio).reshape(-1, n_channels)
        n_given += len(resampled)
        yield resampled
    silence = np.zeros((round(_FLUSH_S * found_hz), n_channels), dtype=np.float32)
    tail = resampler.process(silence, ratio, end_of_input=True).reshape(-1, n_channels)
    yield tail[: max(0, round(n_read * ratio) - n_given)]


def _mixed(block: Sound, n_channels: int) -> Sound:
    if block.shape[1] == n_channels:
        return block
    mean = block.mean(axis=1, keepdims=True, dtype=np.float32)
    return np.repeat(mean, n_channels, axis=1)
