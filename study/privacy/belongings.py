"""Files about one participant in the study folder, and those made from everybody's data."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from study.errors import StorageError
from study.folder import StudyFolder, sync_folder

_REPORTS = ("report.html", "report.docx", "report.pdf")


@dataclass(frozen=True)
class Belongings:
    """What lies in the study folder about one person.

    Args:
        own: folders and files of that person alone: sound, plans, own music, predictions.
        shared: results, report and picture, which were made from everybody's data.
    """

    own: tuple[Path, ...]
    shared: tuple[Path, ...]

    def __bool__(self) -> bool:
        return bool(self.own or self.shared)

    def files(self) -> list[Path]:
        """Every single file."""
        found = []
        for path in (*self.own, *self.shared):
            found += [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
        return found


def belongings_of(folder: StudyFolder, participant_id: str) -> Belongings:
    """What there is of one participant now.

    Args:
        participant_id: of somebody in the record.
    """
    own = [
        place
        for place in (folder.sessions / participant_id, folder.own_music(participant_id))
        # An id from elsewhere must not lead out of its folder.
        if place.name == participant_id and place.exists()
    ]
    if folder.predictions.is_dir():
        heard = f"{participant_id}_ses-"
        own += sorted(
            file for file in folder.predictions.iterdir() if file.name.lstrip(".").startswith(heard)
        )
    reports = [folder.root / name for name in _REPORTS]
    shared = [path for path in (folder.results, folder.picture, *reports) if path.exists()]
    return Belongings(tuple(own), tuple(shared))


def remove(belongings: Belongings) -> int:
    """Delete them, and see that they are gone from the disk's own list; gives how many files there were.

    Raises:
        StorageError: one cannot be deleted; what was deleted before it stays so.
    """
    files = len(belongings.files())
    for path in (*belongings.own, *belongings.shared):
        _delete(path)
    _sync({path.parent for path in (*belongings.own, *belongings.shared)})
    return files


def _delete(path: Path) -> None:
    try:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    except OSError as problem:
        raise StorageError(
            str(problem.filename or path),
            f"cannot be deleted ({problem.strerror})",
            "see that its folder can be written, and run the command again: it goes on where it stopped",
        ) from problem


def _sync(folders: Sequence[Path] | set[Path]) -> None:
    for folder in folders:
        if folder.is_dir():
            sync_folder(folder)
