"""A token cache is filled by one process at a time; any number may read it."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

from study.errors import StorageError
from study.held import held

LOCK = ".filling.lock"


def only_filler(folder: Path) -> AbstractContextManager[None]:
    """Hold the cache for this process.

    Raises:
        StorageError: another process fills the cache, or the folder cannot be written.
    """

    def refusal(holder: str) -> StorageError:
        return StorageError(
            str(folder), f"is being filled by process {holder}", "wait for that one, or name another folder"
        )

    return held(folder / LOCK, refusal)
