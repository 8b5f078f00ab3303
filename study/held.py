"""One process at a time: a lock file that goes with its holder, however that ends."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from study.errors import IsopathError, StorageError


@contextmanager
def held(path: Path, refusal: Callable[[str], IsopathError]) -> Iterator[None]:
    """Hold a lock file for this process; the lock is the kernel's, on an open file.

    Args:
        path: of the lock file; its folder is made where it is missing.
        refusal: gives what is raised where another process holds it, of that process's id.

    Raises:
        StorageError: the file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("a+", encoding="ascii")
    except OSError as problem:
        raise StorageError(
            str(path), f"cannot be written ({problem.strerror})", "see that its folder can be written"
        ) from problem
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise refusal(file.read().strip() or "unknown") from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield
