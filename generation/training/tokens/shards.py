"""The shards of a token cache: raw little-endian int16, frame after frame, no header.

A frame is one row: the tokens of all codebooks. A track's frames lie in one shard, so that a window of it is
one stretch of one file.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from generation.training.tokens.index import TokenEntry
from study.errors import StorageError
from study.folder import sync_folder

SHARD_BYTES = 256_000_000
"""A shard takes no further track once it would be larger: 178 hours of four codebooks at 50 Hz."""

_TOKEN = np.dtype("<i2")

Frames = NDArray[np.int16]
"""Tokens, shape [n_frames, n_rows]."""


def open_shards(folder: Path, entries: Iterable[TokenEntry], n_rows: int) -> Mapping[str, Frames]:
    """The shards that entries name, memory-mapped; one that is not there, or empty, is left out."""
    found = {}
    for name in sorted({entry.shard for entry in entries}):
        path = folder / name
        n_frames = path.stat().st_size // (n_rows * _TOKEN.itemsize) if path.is_file() else 0
        if n_frames:
            found[name] = np.memmap(path, dtype=_TOKEN, mode="r", shape=(n_frames, n_rows))
    return found


def frames_sha256(frames: Frames) -> str:
    """SHA-256 of tokens as they stand in a shard."""
    return hashlib.sha256(_as_bytes(frames)).hexdigest()


class ShardWriter:
    """Appends tracks to the last shard, or to a new one.

    What lies in the last shard behind its last indexed frame is of a run that was killed before it wrote the
    index, and is written over. A shard shorter than its index says keeps its place for what is missing.

    Args:
        entries: of the index.
        n_rows: tokens a frame.
        shard_bytes: largest size of a shard, one long track excepted.
    """

    def __init__(
        self, folder: Path, entries: Iterable[TokenEntry], n_rows: int, shard_bytes: int = SHARD_BYTES
    ) -> None:
        self._folder, self._frame_bytes, self._limit = folder, n_rows * _TOKEN.itemsize, shard_bytes
        ends: dict[str, int] = {_name(0): 0}
        for entry in entries:
            ends[entry.shard] = max(ends.get(entry.shard, 0), entry.first_frame + entry.n_frames)
        self._number = max(int(name.partition(".")[0].rpartition("-")[2]) for name in ends)
        self._end = ends[_name(self._number)]

    def append(self, frames: Frames) -> tuple[str, int]:
        """Write one track's tokens; they are on disk when this returns.

        Returns:
            the shard's name, and the place of the first frame in it.

        Raises:
            StorageError: the folder cannot be written or the disk is full.
        """
        if self._end and (self._end + len(frames)) * self._frame_bytes > self._limit:
            self._number, self._end = self._number + 1, 0
        name, first = _name(self._number), self._end
        path = self._folder / name
        try:
            is_new = not path.exists()
            with path.open("wb" if is_new else "r+b") as file:
                file.seek(first * self._frame_bytes)
                file.write(_as_bytes(frames))
                file.flush()
                os.fsync(file.fileno())
            if is_new:
                sync_folder(self._folder)
        except OSError as problem:
            raise StorageError(
                str(path), f"cannot be written ({problem.strerror})", "make room and run the command again"
            ) from problem
        self._end += len(frames)
        return name, first


def _as_bytes(frames: Frames) -> memoryview:
    return np.ascontiguousarray(frames, dtype=_TOKEN).data


def _name(number: int) -> str:
    return f"tokens-{number:05d}.i16"
