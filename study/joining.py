"""Another server of one study: its folder, made from the record alone.

What the record does not hold is brought along: the sound and picture files that
the protocol names (each is known by its hash), and the allocation seed, where
the study keeps one. Sessions' sounds are made anew from their plans where they
are missing.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from study.allocation_seed import SeedForm
from study.errors import IsopathError, RecordBroken, RecordMismatch, StorageError, refuse
from study.events import ProtocolAmended, StudyInitialised
from study.folder import StudyFolder, file_sha256, folder_made_whole, write_whole
from study.founding import Study, open_study
from study.record import Clock, Record, utc_now
from study.store_address import checked_address


@dataclass(frozen=True)
class Joined:
    """A study that this server serves too.

    Args:
        can_allocate: whether what decides the allocation is at hand.
    """

    study: Study
    can_allocate: bool


def join_study(
    root: Path,
    url: str,
    sources: Sequence[Path] = (),
    seed: Path | None = None,
    clock: Clock = utc_now,
) -> Joined:
    """Make a study folder whose record is in a database that another server began.

    Args:
        root: a folder that does not exist yet.
        url: the database's address, without a password.
        sources: folders that hold the protocol's sounds and pictures; another server's study folder will do.
        seed: the allocation seed, plain or sealed as the study began with it.

    Raises:
        RecordBroken: the database holds no record, or one whose chain does not hold.
        RecordMismatch: a file is missing or is another one; all of them are told.
        StorageError: the folder cannot be made.
    """
    if root.exists():
        raise StorageError(str(root), "is there already", "name a new folder")
    record = Record.at(url, clock)
    try:
        record.verify()
        events = [row.event for row in record.events(kinds=[StudyInitialised, ProtocolAmended])]
    finally:
        record.close()
    versions = [event for event in events if isinstance(event, (StudyInitialised, ProtocolAmended))]
    begun = versions[0] if versions else None
    if not isinstance(begun, StudyInitialised):
        raise RecordBroken(url, "does not begin with the study", "name the database of a study")
    sounds = _found({k: v for version in versions for k, v in version.sounds_sha256.items()}, sources)
    pictures = _found({k: v for version in versions for k, v in version.pictures_sha256.items()}, sources)
    form = SeedForm(begun.allocation_source)
    problems = [*sounds.problems, *pictures.problems]
    if seed is not None:
        problems += _seed_problems(seed, form, begun)
    refuse(problems)
    try:
        with folder_made_whole(root) as partial:
            _fill(StudyFolder(partial), begun, url, sounds.files, pictures.files)
            if seed is not None:
                folder = StudyFolder(partial)
                kept = folder.allocation_seed if form is SeedForm.SEED else folder.sealed_allocation_seed
                write_whole(kept, seed.read_bytes(), mode=0o600)
    except OSError as problem:
        said = problem.strerror or str(problem)
        raise StorageError(str(root), f"cannot be made ({said})", "name another folder") from problem
    return Joined(open_study(root, clock), form is SeedForm.DRAWN or seed is not None)


@dataclass(frozen=True)
class _Files:
    files: Mapping[str, Path]
    problems: Sequence[IsopathError]


def _found(needed: Mapping[str, str], sources: Sequence[Path]) -> _Files:
    files: dict[str, Path] = {}
    problems: list[IsopathError] = []
    for name, sha256 in needed.items():
        places = [folder / inside / name for folder in sources for inside in ("", "sounds", "pictures")]
        there = [place for place in places if place.is_file()]
        same = [place for place in there if file_sha256(place) == sha256]
        if same:
            files[name] = same[0]
        else:
            problem = "is another file than the study's" if there else "is not at hand"
            remedy = f"bring the one of SHA-256 {sha256[:12]}… and name its folder with --sounds"
            problems.append(RecordMismatch(str(there[0]) if there else name, problem, remedy))
    return _Files(files, problems)


def _seed_problems(seed: Path, form: SeedForm, begun: StudyInitialised) -> list[IsopathError]:
    if form is SeedForm.DRAWN:
        problem = "is given, and this study draws each place at its moment"
        return [RecordMismatch(str(seed), problem, "leave --seed out")]
    if not seed.is_file():
        return [StorageError(str(seed), "is not there", "name the allocation seed's file")]
    if (
        form is SeedForm.SEED
        and hashlib.sha256(seed.read_bytes()).hexdigest() != begun.allocation_seed_sha256
    ):
        problem = "is not the seed this study was begun with"
        return [RecordMismatch(str(seed), problem, "bring allocation.seed from the first server")]
    return []


def _fill(
    folder: StudyFolder,
    begun: StudyInitialised,
    url: str,
    sounds: Mapping[str, Path],
    pictures: Mapping[str, Path],
) -> None:
    write_whole(folder.protocol, begun.protocol_text.encode())
    folder.keep_store(checked_address(url))
    for made in (folder.sessions, folder.predictions):
        made.mkdir()
    for files, target in ((sounds, folder.sounds), (pictures, folder.pictures)):
        for name, found in files.items():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(found, target / name)
