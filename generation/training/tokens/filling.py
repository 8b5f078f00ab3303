"""A token cache is filled by one process at a time; any number may read it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from study.errors import StorageError

LOCK = ".filling.lock"


@contextmanager
def only_filler(folder: Path) -> Iterator[None]:
    """Hold the cache for this process.

    The lock is the kernel's, on an open file: it goes with the process, however that ends.

    Raises:
        StorageError: another process fills the cache, or the folder cannot be written.
    """
    path = folder / LOCK
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = path.open("a+", encoding="ascii")
    except OSError as problem:
        raise StorageError(
            str(path), f"cannot be written ({problem.strerror})", "see that the folder can be written"
        ) from problem
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip()
            raise StorageError(
                str(folder),
                f"is being filled by process {holder or 'unknown'}",
                "wait for that one, or name another folder",
            ) from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield
