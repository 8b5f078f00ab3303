"""What a backup holds, as its manifest says it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from study.errors import RecordBroken, RecordMismatch, StorageError

MANIFEST = "manifest.json"
ERASURES = "erasures.json"
"""Beside the backups: who has been erased since; read before anything is restored."""

_FORMAT = 1


@dataclass(frozen=True)
class BackedUpFile:
    """One file of a backup.

    Args:
        path: relative to the backup, with ``/``.
        participant_id: whose it is; None for the study's own.
    """

    path: str
    sha256: str
    size: int
    participant_id: str | None


@dataclass(frozen=True)
class BackupManifest:
    """One backup.

    Args:
        taken_at: UTC, ISO 8601.
        rows, head_sha256: of the record as it was then.
        erased: rows whose payload was taken out of the backup since.
    """

    backup_id: str
    study_id: str
    taken_at: str
    rows: int
    head_sha256: str
    files: tuple[BackedUpFile, ...]
    erased: tuple[int, ...] = ()

    def to_json(self) -> str:
        """The manifest's text."""
        return json.dumps({"format": _FORMAT, **asdict(self)}, indent=1) + "\n"


def read_backup_manifest(backup: Path) -> BackupManifest:
    """The manifest of a backup.

    Raises:
        StorageError: there is none, or it cannot be read.
        RecordMismatch: it was written by a newer isopath.
        RecordBroken: it is no manifest.
    """
    path = backup / MANIFEST
    try:
        raw = json.loads(path.read_bytes())
        if raw.pop("format") > _FORMAT:
            raise RecordMismatch(str(path), "was written by a newer isopath", "restore it with that one")
        files = tuple(BackedUpFile(**entry) for entry in raw.pop("files"))
        return BackupManifest(files=files, erased=tuple(raw.pop("erased")), **raw)
    except OSError as problem:
        said = f"cannot be read ({problem.strerror})"
        raise StorageError(str(path), said, "name a folder that isopath backup made") from problem
    except (ValueError, KeyError, TypeError, AttributeError) as problem:
        raise RecordBroken(str(path), "is no backup's manifest", "use another backup") from problem


@dataclass(frozen=True)
class Erasure:
    """One person who was erased after backups were taken."""

    participant_id: str
    sequences: tuple[int, ...]


def read_erasures(folder: Path) -> list[Erasure]:
    """Who was erased since, as the folder of the backups says; empty where nobody was.

    Raises:
        RecordBroken: the file cannot be read, so that nobody can tell.
    """
    path = folder / ERASURES
    try:
        raw: list[dict[str, Any]] = json.loads(path.read_bytes())
        return [Erasure(entry["participant_id"], tuple(map(int, entry["sequences"]))) for entry in raw]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, TypeError) as problem:
        remedy = "mend it: without it somebody's erased data might come back"
        raise RecordBroken(str(path), "cannot be read", remedy) from problem


def with_erasure(erasures: Sequence[Erasure], erasure: Erasure) -> str:
    """The text of `ERASURES` with one more in it."""
    merged = {one.participant_id: set(one.sequences) for one in erasures}
    merged.setdefault(erasure.participant_id, set()).update(erasure.sequences)
    entries = [{"participant_id": who, "sequences": sorted(rows)} for who, rows in sorted(merged.items())]
    return json.dumps(entries, indent=1) + "\n"
