"""People whose part took place elsewhere: their data become an ordinary record, marked as imported.

A file is taken whole or not at all. A later file of the same study may add
people and reports; what stands in the record already is left as it is where it
is the same, and refused by name where it is not. Times in such a record are
those of the import.
"""

from __future__ import annotations

import contextlib
import hashlib
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
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
from study.folder import StudyFolder, file_sha256, folder_made_whole, sweep, write_whole
from study.founding import Study, initialise_study, open_study
from study.imported_people import GivenSound, ImportedPerson, new_drafts
from study.manifest import RenderManifest
from study.protocol import StudyProtocol
from study.record import Clock, Draft, Reader, utc_now

ENGINE = "imported"
"""What stands for the engine in the manifest of a sound that was made elsewhere."""


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
        with _existing(root, protocol_path, clock) as study:
            return _bring_in(study, actor, data, people)
    try:
        if root.exists() and (not root.is_dir() or any(root.iterdir())):
            raise StorageError(str(root), "is there already and is no study", "name a new folder")
        sweep(root)
        with folder_made_whole(root) as partial:
            begun = initialise_study(partial, protocol_path, actor, software, clock)
            with _closing(begun) as study:
                count = _bring_in(study, actor, data, people)
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
        with _existing(root, protocol_path, utc_now) as study:
            events = study.record.events()
    return _count(*new_drafts(protocol, events, people))


def holds_study(root: Path) -> bool:
    """Whether a study was begun in this folder."""
    return StudyFolder(root).has_record()


@contextlib.contextmanager
def _existing(root: Path, protocol_path: Path, clock: Clock) -> Iterator[Study]:
    with _closing(open_study(root, clock)) as study:
        if hashlib.sha256(protocol_path.read_bytes()).hexdigest() != study.protocol.sha256:
            raise RecordMismatch(
                str(root), "was begun with another protocol", f"give {study.folder.protocol} as the protocol"
            )
        yield study


@contextlib.contextmanager
def _closing(study: Study) -> Iterator[Study]:
    # A folder that is about to be moved or left holds no open database.
    try:
        yield study
    finally:
        study.record.close()


def _bring_in(study: Study, actor: str, data: DataImported, people: Sequence[ImportedPerson]) -> ImportCount:
    counts: list[ImportCount] = []

    def decide(reader: Reader) -> Sequence[Draft]:
        drafts, known = new_drafts(study.protocol, reader.events(), people)
        counts.append(_count(drafts, known))
        return [Draft(data), *drafts] if drafts else []

    # Refused before any sound is copied, and once more in the transaction that writes.
    new_drafts(study.protocol, study.record.events(), people)
    recorded = {(r.participant_id, r.session_id) for r in study.record.events(kinds=[SessionRendered])}
    made: list[Path] = []
    try:
        for person in people:
            for session_id, sound in person.sounds.items():
                if (person.participant_id, session_id) not in recorded:
                    folder = study.folder.sessions / person.participant_id / session_id
                    _put_sound(folder, sound)
                    made.append(folder)
        study.record.append(actor, decide)
    except BaseException:
        for folder in made:
            shutil.rmtree(folder, ignore_errors=True)
            with contextlib.suppress(OSError):
                folder.parent.rmdir()
        raise
    return counts[-1]


def _put_sound(folder: Path, sound: GivenSound) -> None:
    """Copy a session's sound beside its manifest, where no record knows of that session yet."""
    sweep(folder)
    if folder.exists():
        _take_away(folder)
    with folder_made_whole(folder) as partial:
        target = partial / sound.manifest.stim_file
        shutil.copyfile(sound.path, target)
        if file_sha256(target) != sound.manifest.audio_sha256:
            problem = "changed while it was read"
            raise StorageError(str(sound.path), problem, "import again when nothing writes to it")
        write_whole(partial / "manifest.json", sound.manifest.to_json().encode())


def _take_away(folder: Path) -> None:
    """Remove what an import that was killed had copied and never recorded.

    Raises:
        StorageError: something else lies there.
    """
    try:
        manifest = RenderManifest.from_json((folder / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, TypeError, KeyError):
        manifest = None
    if manifest is None or manifest.engine.get("name") != ENGINE:
        problem = "holds something that no import put there"
        raise StorageError(str(folder), problem, "move the folder away and import again")
    shutil.rmtree(folder)


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
