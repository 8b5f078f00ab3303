"""Copies of a study, taken while it runs, and what happens to them when somebody is erased.

A backup is a study folder of its own that can be read and verified with the
same commands: the record as SQLite, whatever database it lives in, with the
rows byte for byte as they are; the protocol; its sounds and pictures; people's
sessions. Accounts and a plain allocation seed are in it only where that is
asked for; the key file that says who people are never is.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from study.backup_manifest import (
    ERASURES,
    MANIFEST,
    BackedUpFile,
    BackupManifest,
    Erasure,
    read_backup_manifest,
    read_erasures,
    with_erasure,
)
from study.errors import ConductError, StorageError
from study.events import BackupTaken, PayloadErased
from study.folder import StudyFolder, file_sha256, folder_made_whole, sync_folder, write_whole
from study.founding import Study
from study.record import Draft, Reader, Record

_FOLDERS = ("sounds", "pictures", "sessions", "own_music", "texts")
_BY_PERSON = frozenset({"sessions", "own_music"})


def take_backup(
    study: Study, folder: Path, actor: str, with_accounts: bool = False, with_seed: bool = False
) -> tuple[Path, BackupManifest]:
    """Copy a study, whole or not at all, while others go on writing to it.

    Args:
        folder: where the study's backups are kept; this one gets a folder of its own in it.
        with_accounts: also the staff's password hashes (`access.sqlite`).
        with_seed: also a plain allocation seed; a sealed one is always in it.

    Returns:
        The backup's folder, and what it holds.

    Raises:
        StorageError: the place lies in the study itself, or cannot be written.
        ConductError: somebody was erased meanwhile.
    """
    if folder.resolve().is_relative_to(study.folder.root):
        raise StorageError(str(folder), "lies in the study folder", "keep backups on another disk")
    at = study.record.clock()
    backup_id = f"backup-{at:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
    try:
        with folder_made_whole(folder / backup_id) as partial:
            copied = Record.copy(study.record, StudyFolder(partial).record_url)
            head = copied.verify()
            copied.close()
            files = _copy_files(study.folder, partial, with_accounts, with_seed)
            manifest = BackupManifest(
                backup_id, study.protocol.study_id, at.isoformat(), head.sequence, head.sha256, files
            )
            write_whole(partial / MANIFEST, manifest.to_json().encode())
            # Before it takes its place: a backup that the record does not know could outlive an erasure.
            study.record.append(actor, lambda reader: [_taken(reader, manifest)])
    except OSError as problem:
        said = f"cannot be written ({problem.strerror})"
        raise StorageError(str(folder), said, "make room, or name another folder") from problem
    return folder / backup_id, manifest


def _taken(reader: Reader, manifest: BackupManifest) -> Draft:
    if reader.events(kinds=[PayloadErased], after=manifest.rows):
        problem = "somebody's data were erased while it was taken"
        raise ConductError("the backup", problem, "run the command again; nothing was kept")
    return Draft(BackupTaken(manifest.backup_id, manifest.head_sha256, manifest.rows))


def _copy_files(
    source: StudyFolder, target: Path, with_accounts: bool, with_seed: bool
) -> tuple[BackedUpFile, ...]:
    single = [source.protocol, source.sealed_allocation_seed]
    single += [source.allocation_seed] if with_seed else []
    single += [source.root / "access.sqlite"] if with_accounts else []
    paths = [path.relative_to(source.root) for path in single if path.is_file()]
    for name in _FOLDERS:
        paths += [path.relative_to(source.root) for path in _files_in(source.root / name)]
    return tuple(_copy(source.root, target, path) for path in paths)


def _files_in(folder: Path) -> list[Path]:
    """Files that are there whole: a session in the making has a hidden folder."""
    if not folder.is_dir():
        return []
    inside = sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return [path for path in inside if not any(part[0] == "." for part in path.relative_to(folder).parts)]


def _copy(source: Path, target: Path, path: Path) -> BackedUpFile:
    copy = target / path
    copy.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source / path, copy)
    with copy.open("rb") as written:
        os.fsync(written.fileno())
    sync_folder(copy.parent)
    whose = path.parts[1] if path.parts[0] in _BY_PERSON and len(path.parts) > 1 else None
    return BackedUpFile(path.as_posix(), file_sha256(copy), copy.stat().st_size, whose)


def erase_from_backup(backup: Path, participant_id: str, sequences: Sequence[int]) -> str:
    """Take a person out of a backup, and note beside it that they are never to be restored.

    The note also binds the other backups of the same folder. Running it again goes on where it stopped.

    Args:
        sequences: the rows of the record whose payloads were erased.

    Returns:
        The backup's id.

    Raises:
        StorageError, RecordBroken: it is no backup, or cannot be written.
    """
    manifest = read_backup_manifest(backup)
    erasure = Erasure(participant_id, tuple(sequences))
    noted = with_erasure(read_erasures(backup.parent), erasure)
    write_whole(backup.parent / ERASURES, noted.encode(), mode=0o600)
    held = sorted({row for row in sequences if row <= manifest.rows} | set(manifest.erased))
    # The manifest first: a record that lacks what the manifest still promises would not verify.
    kept = tuple(file for file in manifest.files if file.participant_id != participant_id)
    after = replace(manifest, files=kept, erased=tuple(held))
    write_whole(backup / MANIFEST, after.to_json().encode())
    record = Record.at(StudyFolder(backup).record_url)
    try:
        record.empty_payloads(held)
        record.scrub()
    finally:
        record.close()
    for name in sorted(_BY_PERSON):
        shutil.rmtree(backup / name / participant_id, ignore_errors=True)
    return manifest.backup_id
