"""The sounds of a study, copied into an export: each once, named by its SHA-256."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from analysis.export.content import Told
from study.errors import RecordMismatch, StorageError
from study.folder import file_sha256


def copy_sounds(sounds: Mapping[str, Path], folder: Path, told: Told) -> dict[str, str]:
    """Copy every sound; gives SHA-256 to the name of its copy.

    Args:
        sounds: SHA-256 of a file to where it lies; the same sound is copied once, however many heard it.
        folder: made if there is anything to copy.

    Raises:
        StorageError: a file is not there.
        RecordMismatch: one is not the one that was rendered.
    """
    found: dict[str, str] = {}
    for done, (sha256, path) in enumerate(sorted(sounds.items())):
        told("copying sounds", done, len(sounds))
        if not path.is_file():
            raise StorageError(
                str(path), "is not there", "put the rendered session back, or export with --no-sounds"
            )
        folder.mkdir(exist_ok=True)
        found[sha256] = f"{sha256}{path.suffix}"
        copy = folder / found[sha256]
        shutil.copyfile(path, copy)
        if file_sha256(copy) != sha256:
            raise RecordMismatch(
                str(path), "is not the sound the record names", "put the rendered file back from your backup"
            )
    return found
