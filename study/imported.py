"""People whose part took place elsewhere: their data become an ordinary record, marked as imported.

A file is taken whole or not at all. A later file of the same study may add
people and reports; what stands in the record already is left as it is where it
is the same, and refused by name where it is not. Times in such a record are
those of the import.
"""

from __future__ import annotations

import hashlib
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from study.errors import RecordMismatch, StorageError
from study.events import (
    DataImported,
    ParticipantEnrolled,
    RecordedEvent,
    SelfReportMissed,
    SelfReportSubmitted,
    SessionRendered,
)
from study.folder import file_sha256, folder_made_whole, write_whole
from study.founding import Study, initialise_study, open_study
from study.imported_people import GivenSound, ImportedPerson, new_drafts
from study.protocol import StudyProtocol
from study.record import Clock, Draft, Reader, utc_now


@dataclass(frozen=True)
class ImportCount:
    """What an import adds to a record.

    Args:
        people: enrolled by it.
        reports, missed: instruments answered, and not answered at all.
        sounds: sessions whose sound is copied.
        added, known: events that are new, and events that stood in the record already.
    """

    added: int
    people: int
    reports: int
    missed: int
    sounds: int
    known: int


def import_people(
    root: Path,
    protocol_path: Path,
    actor: str,
    software: str,
    data: DataImported,
    people: Sequence[ImportedPerson],
    clock: Clock = utc_now,
) -> ImportCount:
    """Write a file's people into a study folder: a new one, or one that was imported before.

    Args:
        root: made whole or not at all where it is not there yet.
        protocol_path: of a new study; byte for byte that of an existing one.

    Raises:
        ConductError: the record holds people of its own, or is frozen; or it says something else of
            somebody; all such places at once, in `Refusals`. Nothing is changed.
        RecordMismatch: the record belongs to another protocol, or is a rehearsal.
        StorageError: the folder cannot be written.
    """
    if holds_study(root):
        study = _existing(root, protocol_path, clock)
        return _bring_in(study, actor, data, people)
    try:
        if root.exists() and (not root.is_dir() or any(root.iterdir())):
            raise StorageError(str(root), "is there already and is no study", "name a new folder")
        with folder_made_whole(root) as partial:
            study = initialise_study(partial, protocol_path, actor, software, clock)
            count = _bring_in(study, actor, data, people)
            study.record.close()
    except OSError as problem:
        reason = (problem.strerror or "unknown reason").lower()
        raise StorageError(
            str(root), f"cannot be made ({reason})", "name another folder or make room"
        ) from problem
    return count


def preview_import(
    root: Path, protocol: StudyProtocol, protocol_path: Path, people: Sequence[ImportedPerson]
) -> ImportCount:
    """What `import_people` would add, with the same refusals; nothing is written."""
    events: Sequence[RecordedEvent] = ()
    if holds_study(root):
        events = _existing(root, protocol_path, utc_now).record.events()
    return _count(*new_drafts(protocol, events, people))


def holds_study(root: Path) -> bool:
    """Whether a study was begun in this folder."""
    return (root / "record.sqlite").is_file()


def _existing(root: Path, protocol_path: Path, clock: Clock) -> Study:
    study = open_study(root, clock)
    if hashlib.sha256(protocol_path.read_bytes()).hexdigest() != study.protocol.sha256:
        raise RecordMismatch(
            str(root), "was begun with another protocol", f"give {study.folder.protocol} as the protocol"
        )
    return study


def _bring_in(study: Study, actor: str, data: DataImported, people: Sequence[ImportedPerson]) -> ImportCount:
    counts: list[ImportCount] = []

    def decide(reader: Reader) -> Sequence[Draft]:
        drafts, known = new_drafts(study.protocol, reader.events(), people)
        counts.append(_count(drafts, known))
        return [Draft(data), *drafts] if drafts else []

    # Refused before any sound is copied, and once more in the transaction that writes.
    new_drafts(study.protocol, study.record.events(), people)
    made: list[Path] = []
    try:
        for person in people:
            for session_id, sound in person.sounds.items():
                made += _put_sound(study.folder.sessions / person.participant_id / session_id, sound)
        study.record.append(actor, decide)
    except BaseException:
        for folder in made:
            shutil.rmtree(folder, ignore_errors=True)
        raise
    return counts[-1]


def _put_sound(folder: Path, sound: GivenSound) -> list[Path]:
    """Copy a session's sound beside its manifest; the folders that were made."""
    manifest = sound.manifest
    if folder.exists():
        kept = folder / manifest.stim_file
        if not kept.is_file() or file_sha256(kept) != manifest.audio_sha256:
            raise StorageError(str(folder), "holds another sound", "move the folder away and import again")
        return []
    with folder_made_whole(folder) as partial:
        target = partial / manifest.stim_file
        shutil.copyfile(sound.path, target)
        if file_sha256(target) != manifest.audio_sha256:
            problem = "changed while it was read"
            raise StorageError(str(sound.path), problem, "import again when nothing writes to it")
        write_whole(partial / "manifest.json", manifest.to_json().encode())
    return [folder]


def _count(drafts: Sequence[Draft], known: int) -> ImportCount:
    kinds = Counter(type(draft.event) for draft in drafts)
    return ImportCount(
        len(drafts),
        kinds[ParticipantEnrolled],
        kinds[SelfReportSubmitted],
        kinds[SelfReportMissed],
        kinds[SessionRendered],
        known,
    )
