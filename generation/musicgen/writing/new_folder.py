"""Folders that are there whole or not at all."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from study.errors import StorageError


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """A folder to fill, which takes its name only when the block ends well.

    Raises:
        StorageError: the name is taken by a file or by a folder that holds something,
            or there is no folder to put it in.
    """
    folder = folder.absolute()
    check_is_free(folder)
    building = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        yield building
        building.chmod(0o755)
        building.rename(folder)
    finally:
        shutil.rmtree(building, ignore_errors=True)


def check_is_free(folder: Path) -> None:
    """Refuse a name that is taken, before the work rather than after it.

    Raises:
        StorageError: as `new_folder`.
    """
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise StorageError(str(folder), "there is a file of that name", "name a new folder")
    if folder.is_dir() and any(folder.iterdir()):
        raise StorageError(str(folder), "the folder is not empty", "name a new folder")
    if not folder.parent.is_dir():
        raise StorageError(str(folder.parent), "there is no such folder", "make it first")
