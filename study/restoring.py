"""Bringing a study back from a backup: verified before it takes its place, and without whoever was erased."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from study.allocation_seed import SeedForm
from study.backup_manifest import MANIFEST, BackupManifest, Erasure, read_backup_manifest, read_erasures
from study.errors import IsopathError, OutOfRange, RecordBroken, RecordMismatch, StorageError, refuse
from study.events import DataErased, PayloadErased, RestoredFromBackup, StudyInitialised
from study.folder import StudyFolder, file_sha256, folder_made_whole, write_whole
from study.founding import Study, open_study
from study.record import Clock, Draft, Record, utc_now
from study.store_address import checked_address

_RECORD_FILES = frozenset({"record.sqlite", "record.sqlite-wal", "record.sqlite-shm", MANIFEST})


@dataclass(frozen=True)
class Restored:
    """A study that was brought back.

    Args:
        rows: that the backup held.
        erased: people who were erased after it was taken, and were erased from it again.
        can_allocate: whether what decides the allocation is at hand.
    """

    study: Study
    rows: int
    erased: tuple[str, ...]
    can_allocate: bool


def restore_backup(
    backup: Path,
    root: Path,
    actor: str,
    reason: str,
    store: str | None = None,
    seed: Path | None = None,
    live: Study | None = None,
    clock: Clock = utc_now,
) -> Restored:
    """Make a study folder of a backup.

    Args:
        root: a folder that does not exist yet.
        store: the address of an empty PostgreSQL database for the record; None keeps it in the folder.
        seed: the allocation seed, where the backup holds none.
        live: the study as it is now, if it still can be read: whoever was erased from it is not brought back.

    Raises:
        OutOfRange: no reason is given.
        RecordBroken: the backup's record does not verify, or is not the one its manifest names.
        RecordMismatch, StorageError: files are missing, changed or foreign (all of them are told), or the
            folder cannot be made; nothing is left behind.
    """
    if not reason.strip():
        raise OutOfRange("reason", "is empty", "say why, in a few words")
    if root.exists():
        raise StorageError(str(root), "is there already", "name a new folder")
    manifest = read_backup_manifest(backup)
    source = Record.at(StudyFolder(backup).record_url, clock)
    try:
        begun = _checked_record(source, manifest, backup)
        refuse([*_file_problems(backup, manifest), *_seed_problems(seed, begun)])
        erasures = [*read_erasures(backup.parent), *_erased_from(live, manifest)]
        people = tuple(sorted({erasure.participant_id for erasure in erasures}))
        with folder_made_whole(root) as partial:
            folder = StudyFolder(partial)
            _copy_files(backup, partial, manifest, people)
            for made in (folder.sessions, folder.predictions):
                made.mkdir(exist_ok=True)
            if seed is not None:
                kept = folder.allocation_seed if _is_plain(begun) else folder.sealed_allocation_seed
                write_whole(kept, seed.read_bytes(), mode=0o600)
            if store is not None:
                folder.keep_store(checked_address(store))
            _bring_back(source, folder, manifest, erasures, actor, reason.strip())
    except OSError as problem:
        said = f"cannot be made ({problem.strerror})"
        raise StorageError(str(root), said, "make room, or name another folder") from problem
    finally:
        source.close()
    study = open_study(root, clock)
    is_there = study.folder.allocation_seed.exists() or study.folder.sealed_allocation_seed.exists()
    return Restored(study, manifest.rows, people, is_there or begun.allocation_source == SeedForm.DRAWN)


def _checked_record(source: Record, manifest: BackupManifest, backup: Path) -> StudyInitialised:
    head = source.verify(erased=manifest.erased)
    if (head.sequence, head.sha256) != (manifest.rows, manifest.head_sha256):
        problem = f"holds {head.sequence} rows to {head.sha256[:12]}, not what its manifest names"
        raise RecordBroken(str(backup), problem, "use another backup")
    first = source.events(kinds=[StudyInitialised])[0].event
    if not isinstance(first, StudyInitialised):
        raise RecordBroken(str(backup), "does not begin with the study", "use another backup", 1)
    return first


def _file_problems(backup: Path, manifest: BackupManifest) -> list[IsopathError]:
    problems: list[IsopathError] = []
    named = {file.path for file in manifest.files}
    for file in manifest.files:
        path = backup / file.path
        if ".." in Path(file.path).parts or Path(file.path).is_absolute():
            problems.append(RecordMismatch(file.path, "leads out of the backup", "use another backup"))
        elif not path.is_file() or path.is_symlink():
            problems.append(StorageError(str(path), "is missing from the backup", "use another backup"))
        elif file_sha256(path) != file.sha256:
            problems.append(
                RecordMismatch(str(path), "is not the file that was backed up", "use another backup")
            )
    for path in sorted(backup.rglob("*")):
        relative = path.relative_to(backup).as_posix()
        if not path.is_dir() and relative not in named and relative not in _RECORD_FILES:
            remedy = "take it out of the folder"
            problems.append(RecordMismatch(str(path), "is none of the backup's files", remedy))
    return problems


def _seed_problems(seed: Path | None, begun: StudyInitialised) -> list[IsopathError]:
    if seed is None:
        return []
    if not seed.is_file():
        return [StorageError(str(seed), "is not there", "name the allocation seed's file")]
    if _is_plain(begun) and hashlib.sha256(seed.read_bytes()).hexdigest() != begun.allocation_seed_sha256:
        problem = "is not the seed this study was begun with"
        return [RecordMismatch(str(seed), problem, "name allocation.seed as it was kept")]
    return []


def _is_plain(begun: StudyInitialised) -> bool:
    return SeedForm(begun.allocation_source) is SeedForm.SEED


def _erased_from(live: Study | None, manifest: BackupManifest) -> list[Erasure]:
    """Whoever the study as it is now says was erased since.

    Raises:
        RecordMismatch: it is another study.
    """
    if live is None:
        return []
    if live.protocol.study_id != manifest.study_id:
        problem = f"is the study {live.protocol.study_id}, the backup is of {manifest.study_id}"
        raise RecordMismatch(str(live.folder.root), problem, "name the study the backup was taken of")
    people = {
        row.participant_id for row in live.record.events(kinds=[DataErased]) if row.participant_id is not None
    }
    found = []
    for who in sorted(people):
        rows = [row.sequence for row in live.record.events(who) if row.event is None]
        found.append(Erasure(who, tuple(rows)))
    return found


def _copy_files(backup: Path, target: Path, manifest: BackupManifest, erased: Sequence[str]) -> None:
    for file in manifest.files:
        if file.participant_id not in erased:
            (target / file.path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(backup / file.path, target / file.path)


def _bring_back(
    source: Record,
    folder: StudyFolder,
    manifest: BackupManifest,
    erasures: Sequence[Erasure],
    actor: str,
    reason: str,
) -> None:
    gone = {row for erasure in erasures for row in erasure.sequences if row <= manifest.rows}
    told = {
        row.event.erased_sequence
        for row in source.events(kinds=[PayloadErased])
        if isinstance(row.event, PayloadErased)
    }
    missing = sorted((gone | set(manifest.erased)) - told)
    record = Record.copy(source, folder.record_url, without=frozenset(gone))
    try:
        drafts = [Draft(PayloadErased(row, "erased after the backup was taken")) for row in missing]
        drafts.append(Draft(RestoredFromBackup(manifest.backup_id, manifest.head_sha256, reason)))
        record.append(actor, lambda _: drafts)
        record.verify()
    finally:
        record.close()
