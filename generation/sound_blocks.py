"""A session's sound block by block: in memory, or in a temporary file on disk that reads like an array.

Fifteen minutes of float32 stereo are 230 MB, three hours 2.8 GB. What measures, masters and writes sound
takes slices of frames, so that it works on either and gives the very same samples.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from study.errors import StorageError

Samples = NDArray[np.float32]

BLOCK = 1 << 16
"""Frames that are in memory at a time (two seconds, half a megabyte of stereo)."""


class Sound(Protocol):
    """float32, shape [n_frames, n_channels]: an array, or something whose slices of frames are arrays."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Frames and channels."""

    def __len__(self) -> int:
        """Frames."""

    def __getitem__(self, frames: slice, /) -> Samples:
        """The frames of a slice."""


class SoundOnDisk:
    """A sound in a temporary file without a name; silent until frames are written.

    The file is gone with the last reference to it, or with the process, however that ends. Not for two
    threads at once.

    Args:
        folder: whose disk holds the file; it or a folder above it exists.
        n_frames: its length.
        n_channels: values a frame.

    Raises:
        StorageError: too little room, or the folder cannot be written.
    """

    def __init__(self, folder: Path, n_frames: int, n_channels: int = 2) -> None:
        self.shape = (n_frames, n_channels)
        self.folder = next(place for place in (folder, *folder.absolute().parents) if place.is_dir())
        self._frame_bytes = 4 * n_channels
        needed_mb, free_mb = n_frames * self._frame_bytes / 1e6, shutil.disk_usage(self.folder).free / 1e6
        if free_mb < needed_mb:
            raise StorageError(
                str(folder),
                f"a session takes {needed_mb:.0f} MB while it is made and the disk has {free_mb:.0f} MB left",
                "make room on the disk, or name another folder",
            )
        try:
            with tempfile.TemporaryFile(dir=self.folder, buffering=0) as file:
                self._descriptor = os.dup(file.fileno())
        except OSError as problem:
            raise self._refused(problem) from problem
        self.close = weakref.finalize(self, os.close, self._descriptor)
        """Gives the disk its room back at once."""

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, frames: slice, /) -> Samples:
        first, last = self._bounds(frames)
        samples = np.zeros((last - first, self.shape[1]), dtype=np.float32)
        whole, done = samples.reshape(-1).view(np.uint8).data, 0
        while done < len(whole):
            taken = os.preadv(self._descriptor, [whole[done:]], first * self._frame_bytes + done)
            if not taken:
                # Behind what was written: silence.
                break
            done += taken
        return samples

    def __setitem__(self, frames: slice, samples: Samples, /) -> None:
        first, last = self._bounds(frames)
        if samples.shape != (last - first, self.shape[1]):
            raise ValueError(f"{samples.shape} does not fit frames {first} to {last} of {self.shape}")
        content = np.ascontiguousarray(samples, dtype=np.float32).reshape(-1).view(np.uint8).data
        done = 0
        try:
            while done < len(content):
                done += os.pwrite(self._descriptor, content[done:], first * self._frame_bytes + done)
        except OSError as problem:
            raise self._refused(problem) from problem

    def blocks(self, n_frames: int = BLOCK) -> Iterator[Samples]:
        """All of it in order, `n_frames` at a time."""
        return blocks_of(self, n_frames)

    def _bounds(self, frames: slice) -> tuple[int, int]:
        first, last, step = frames.indices(len(self))
        if step != 1:
            raise ValueError("frames are read and written in a row")
        return first, max(first, last)

    def _refused(self, problem: OSError) -> StorageError:
        return StorageError(
            str(self.folder),
            f"cannot hold a session while it is made ({(problem.strerror or 'unknown reason').lower()})",
            f"make {self.shape[0] * self._frame_bytes / 1e6:.0f} MB of room in a folder you may write to",
        )


class ScaledSound:
    """A sound with one gain on every frame, computed where it is read.

    Args:
        sound: what is scaled.
        factor: applied in float32.
    """

    def __init__(self, sound: Sound, factor: float) -> None:
        self.sound = sound
        self._factor = np.float32(factor)

    @property
    def shape(self) -> tuple[int, ...]:
        """Frames and channels."""
        return self.sound.shape

    def __len__(self) -> int:
        return len(self.sound)

    def __getitem__(self, frames: slice, /) -> Samples:
        return self.sound[frames] * self._factor


def blocks_of(sound: Sound, n_frames: int = BLOCK) -> Iterator[Samples]:
    """A sound in order, `n_frames` at a time, the last block shorter."""
    for first in range(0, len(sound), n_frames):
        yield sound[first : first + n_frames]


def scaled(sound: Sound, factor: float) -> Sound:
    """The sound with one gain, in float32: an array of an array, computed when read for one on disk."""
    return sound * np.float32(factor) if isinstance(sound, np.ndarray) else ScaledSound(sound, factor)


def blank_sound(n_frames: int, n_channels: int, folder: Path | None) -> Samples | SoundOnDisk:
    """Silence to write into, in memory or on the disk of `folder`.

    Raises:
        StorageError: as `SoundOnDisk`.
    """
    if folder is None:
        return np.zeros((n_frames, n_channels), dtype=np.float32)
    return SoundOnDisk(folder, n_frames, n_channels)


def collected(
    blocks: Iterable[Samples], n_frames: int, folder: Path | None, progress: Callable[[float], None]
) -> Samples | SoundOnDisk:
    """Blocks of stereo in a row, in memory or on the disk of `folder`.

    Args:
        n_frames: of all blocks together.
        progress: called with the share that is done, 0 to 1.

    Raises:
        StorageError: as `SoundOnDisk`.
        ValueError: the blocks together are longer or shorter.
    """
    sound = blank_sound(n_frames, 2, folder)
    done = 0
    for block in blocks:
        sound[done : done + len(block)] = block
        done += len(block)
        progress(done / n_frames)
    if done != n_frames:
        raise ValueError(f"{done} frames were played, not {n_frames}")
    return sound


def blank_like(sound: Sound) -> Samples | SoundOnDisk:
    """Silence to write into, of a sound's shape and kept where that one is kept.

    Raises:
        StorageError: as `SoundOnDisk`.
    """
    while isinstance(sound, ScaledSound):
        sound = sound.sound
    folder = sound.folder if isinstance(sound, SoundOnDisk) else None
    return blank_sound(sound.shape[0], sound.shape[1], folder)


def in_memory(sound: Sound) -> Samples:
    """The whole sound as one array; the very same where it is one."""
    return sound if isinstance(sound, np.ndarray) else sound[:]
