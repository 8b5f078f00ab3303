"""Many tracks read at once: windows of sound from processes of their own, for one encoder."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from generation.training.tokens.windows import SoundWindow, WindowSizes, sound_windows
from study.errors import IsopathError
from study.folder import file_sha256

MOST_READERS = 16


@dataclass(frozen=True)
class Source:
    """A sound file as it was when it was read.

    Args:
        size, mtime_ns: of the file, bytes and nanoseconds.
        sha256: of its bytes.
    """

    size: int
    mtime_ns: int
    sha256: str


@dataclass(frozen=True)
class Reading:
    """One step of reading one file.

    Args:
        number: of the file in the list.
        found: the next window; or the source, where the file is read to its end; or why it cannot be.
    """

    number: int
    found: SoundWindow | Source | IsopathError


def readings(paths: Sequence[Path], sizes: WindowSizes, n_readers: int | None) -> Iterator[Reading]:
    """The windows of all files: of one file in order, of several files mixed.

    The same files and readers give the same order.

    Args:
        n_readers: processes; 0: this one; None: one less than there are cores, none of two.
    """
    n_cores = os.cpu_count() or 1
    asked = (0 if n_cores <= 2 else min(n_cores - 1, MOST_READERS)) if n_readers is None else n_readers
    # Sound is decoded and resampled under Python's lock, so threads would not help.
    yield from DataLoader(_Reader(paths, sizes), batch_size=None, num_workers=min(asked, len(paths)))


class _Reader(IterableDataset[Reading]):
    def __init__(self, paths: Sequence[Path], sizes: WindowSizes) -> None:
        self._paths, self._sizes = tuple(paths), sizes

    def __iter__(self) -> Iterator[Reading]:
        worker = get_worker_info()
        first, step = (0, 1) if worker is None else (worker.id, worker.num_workers)
        for number in range(first, len(self._paths), step):
            for found in _windows_of(self._paths[number], self._sizes):
                yield Reading(number, found)


def _windows_of(path: Path, sizes: WindowSizes) -> Iterator[SoundWindow | Source | IsopathError]:
    try:
        # Before the sound: what changes while it is read will be seen as changed by the next run.
        facts = path.stat()
        source = Source(facts.st_size, facts.st_mtime_ns, file_sha256(path))
        yield from sound_windows(path, sizes)
        yield source
    except IsopathError as problem:
        yield problem
