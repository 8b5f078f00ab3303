"""A study is served by one process at a time: leases and the queue of sessions are in its memory."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from study.errors import ConductError, StorageError

LOCK = ".serving.lock"


@contextmanager
def only_server(root: Path) -> Iterator[None]:
    """Hold the study for this process.

    The lock is the kernel's, on an open file: it goes with the process, however that ends.

    Raises:
        ConductError: another process serves the study.
        StorageError: the folder cannot be written.
    """
    path = root / LOCK
    try:
        file = path.open("a+", encoding="ascii")
    except OSError as problem:
        raise StorageError(
            str(path), f"cannot be written ({problem.strerror})", "see that the study folder can be written"
        ) from problem
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip()
            raise ConductError(
                str(root),
                f"is being served already, by process {holder or 'unknown'}",
                "open that one's address, or end it first",
            ) from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield
