"""How a study begins, and how it is opened again."""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from study.allocation import AllocationSource, Seeded
from study.allocation_seed import SeedForm, keep_new_seed, source_of, unsealed_seed
from study.backup_manifest import MANIFEST
from study.errors import RecordBroken, RecordMismatch, StorageError, UnknownName, refuse
from study.events import (
    Event,
    History,
    ParticipantEnrolled,
    ProtocolAmended,
    RecordedEvent,
    RehearsalStarted,
    StudyInitialised,
)
from study.folder import StudyFolder, file_sha256, write_whole
from study.protocol import StudyProtocol
from study.protocol_file import load_protocol, parse_protocol
from study.record import Clock, Draft, Reader, Record, utc_now
from study.step import Step
from study.steps import next_step, require_step
from study.store_address import checked_address
from study.versions import amended_by, pinned


@dataclass(eq=False)
class Study:
    """An opened study: where it is, what was planned, what happened.

    Args:
        protocol: the version in force, as this last caught up with the record; it knows those before it.
        opened_seed: the sealed allocation seed, where somebody gave its passphrase; never printed.
    """

    folder: StudyFolder
    protocol: StudyProtocol
    record: Record
    opened_seed: bytes | None = field(default=None, repr=False)

    def catch_up(self, reader: Reader | None = None) -> StudyProtocol:
        """The version in force now: somebody else may have amended the protocol since.

        Args:
            reader: of the transaction that asks, so that it needs no second connection.
        """
        self.protocol = amended_by(self.protocol, (reader or self.record).events(kinds=[ProtocolAmended]))
        return self.protocol

    def protocol_of(self, history: History, reader: Reader | None = None) -> StudyProtocol:
        """The version that a participant was enrolled under, and stays under.

        Args:
            history: their events, in order; empty for somebody who is not enrolled yet.
            reader: as in `catch_up`.

        Raises:
            RecordMismatch: it is no version of this study.
        """
        if not history:
            return self.protocol
        if not self.protocol.knows(history[0].protocol_sha256):
            self.catch_up(reader)
        # A study may be opened with a protocol of another hash in its place; it then has no other version.
        return pinned(self.protocol, history)

    def protocol_for(self, participant_id: str) -> StudyProtocol:
        """As `protocol_of`, for a participant by their id; the version in force where nobody has it."""
        return self.protocol_of(self.record.events(participant_id, kinds=[ParticipantEnrolled])[:1])

    def due(self, participant_id: str) -> Step:
        """A participant's next step.

        Raises:
            UnknownName: nobody of that id is enrolled.
        """
        history = self.record.participant(participant_id)
        return next_step(self.protocol_of(history), history)

    def allocation_source(self, reader: Reader | None = None) -> AllocationSource:
        """What an allocation draws from, for the moment of an allocation.

        A rehearsal has a list of its own, from its public seed: nothing of the live list shows.

        Args:
            reader: of the transaction that allocates, so that it needs no second connection.

        Raises:
            ConductError: the seed is sealed and nobody gave its passphrase, see `unsealed`.
            RecordMismatch: it is not the one sealed when the study began.
            StorageError: it cannot be read.
        """
        rehearsal = self.rehearsal(reader)
        if rehearsal is not None:
            return Seeded(hashlib.sha256(f"rehearsal/{rehearsal.seed}".encode()).digest())
        return source_of(self.folder, self._beginning(reader), self.opened_seed)

    def needs_passphrase(self) -> bool:
        """Whether the allocation seed is sealed and nobody gave its passphrase yet."""
        is_sealed = self._beginning().allocation_source == SeedForm.SEALED_SEED
        return is_sealed and self.opened_seed is None and self.rehearsal() is None

    def unsealed(self, passphrase: str) -> Study:
        """The same study with its sealed allocation seed in memory.

        Raises:
            WrongPassphrase: it does not open the seed.
            RecordMismatch: what it opens is not the seed this study was begun with.
            StorageError: it cannot be read.
        """
        return replace(self, opened_seed=unsealed_seed(self.folder, self._beginning(), passphrase))

    def frozen_sounds(self, names: Sequence[str]) -> tuple[str, ...]:
        """Where the frozen copies of the protocol's sound files lie, relative to the study folder.

        Raises:
            RecordMismatch: one is not there, or is not the one this study was begun with.
        """
        sealed = self._frozen_files()[0]
        paths = [_unchanged(self.folder.sounds / name, sealed.get(name), "sound") for name in names]
        return tuple(str(path.relative_to(self.folder.root)) for path in paths)

    def frozen_picture(
        self, instrument_id: str, item: str, point: int, protocol: StudyProtocol | None = None
    ) -> Path:
        """The frozen copy of one of an instrument's pictures.

        Args:
            protocol: the version that has the instrument; None for the one in force.
            point: from 1, the lowest, to 9.

        Raises:
            UnknownName: the instrument has no such picture.
            RecordMismatch: it is not there, or is not the one this study was begun with.
        """
        pictures = (protocol or self.protocol).instrument(instrument_id).pictures.get(item, ())
        if not 1 <= point <= len(pictures):
            raise UnknownName(
                f"{instrument_id}.{item}", f"has no picture {point}", "ask for one that the protocol names"
            )
        name, sealed = pictures[point - 1], self._frozen_files()[1]
        return _unchanged(self.folder.pictures / name, sealed.get(name), "picture")

    def _frozen_files(self) -> tuple[dict[str, str], dict[str, str]]:
        """The SHA-256 of every frozen sound and picture, of all versions, by its name."""
        begun = self._beginning()
        sounds, pictures = dict(begun.sounds_sha256), dict(begun.pictures_sha256)
        for recorded in self.record.events(kinds=[ProtocolAmended]):
            if isinstance(recorded.event, ProtocolAmended):
                sounds |= recorded.event.sounds_sha256
                pictures |= recorded.event.pictures_sha256
        return sounds, pictures

    def _beginning(self, reader: Reader | None = None) -> StudyInitialised:
        begun = (reader or self.record).events(kinds=[StudyInitialised])[0].event
        if not isinstance(begun, StudyInitialised):
            raise RecordBroken(
                str(self.folder.record), "has lost its beginning", "restore the last backup", 1
            )
        return begun

    def act(
        self,
        actor: str,
        participant_id: str,
        decide: Callable[[Reader, History], Sequence[Draft]],
    ) -> list[RecordedEvent]:
        """Look at one participant's history and append what `decide` makes of it, in one transaction.

        Raises:
            UnknownName: nobody of that id is enrolled.
        """

        def in_transaction(reader: Reader) -> Sequence[Draft]:
            history = reader.participant(participant_id)
            self.protocol_of(history, reader)
            return decide(reader, history)

        return self.record.append(actor, in_transaction)

    def take(
        self,
        actor: str,
        participant_id: str,
        step: Step,
        doing: str,
        event: Event,
        session_id: str | None = None,
    ) -> None:
        """Record `event` if `step` is the participant's next.

        Raises:
            ConductError: it is not.
        """

        def decide(_: Reader, history: History) -> Sequence[Draft]:
            require_step(self.protocol_of(history), history, participant_id, step, doing)
            return [Draft(event, participant_id, session_id)]

        self.act(actor, participant_id, decide)

    def rehearsal(self, reader: Reader | None = None) -> RehearsalStarted | None:
        """How this study is rehearsed, or None where its participants are people."""
        for recorded in (reader or self.record).events(kinds=[RehearsalStarted]):
            if isinstance(recorded.event, RehearsalStarted):
                return recorded.event
        return None


def initialise_study(
    root: Path,
    protocol_path: Path,
    actor: str,
    software: str,
    clock: Clock = utc_now,
    seed_form: SeedForm = SeedForm.SEED,
    passphrase: str | None = None,
    store: str | None = None,
) -> Study:
    """Make a study folder: frozen protocol, sealed seed, and a record with its first event.

    Args:
        root: a folder that does not exist yet, or is empty.
        software: name and version, for the record.
        seed_form: how the allocation seed is kept, if at all.
        passphrase: that seals it.
        store: the address of an empty PostgreSQL database for the record; None keeps it in the folder.

    Raises:
        ProtocolErrors: the protocol has problems; nothing is made.
        OutOfRange: the passphrase is too short, or the address is none.
        RecordError: the database holds a record already, or cannot be used; nothing is left behind.
        StorageError: the folder is in use or cannot be written; nothing is left behind.
    """
    protocol = load_protocol(protocol_path)
    text = protocol_path.read_bytes()
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise StorageError(str(root), "is there already and not empty", "name a new folder")
    try:
        root.parent.mkdir(parents=True, exist_ok=True)
        building = Path(tempfile.mkdtemp(prefix=f".{root.name}.", dir=root.parent))
    except OSError as problem:
        raise StorageError(
            str(root), f"cannot be made ({problem.strerror})", "name a folder you may write to"
        ) from problem
    try:
        frozen = freeze_files(StudyFolder(building), protocol, protocol_path.parent)
        seed_sha256 = _build(StudyFolder(building), text, seed_form, passphrase, store)
        begun = StudyInitialised(
            protocol.study_id, text.decode(), seed_sha256, software, *frozen, allocation_source=seed_form
        )
        if store is None:
            _begin(StudyFolder(building), protocol, begun, actor, clock)
        with contextlib.suppress(FileNotFoundError):
            root.rmdir()
        building.chmod(0o755)
        building.rename(root)
        if store is not None:
            # Last: a database that was begun has its folder, and with it the seed.
            _begin_elsewhere(StudyFolder(root), protocol, begun, actor, clock)
    except OSError as problem:
        raise StorageError(
            str(root), f"cannot be made ({problem.strerror})", "name another folder or make room"
        ) from problem
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return open_study(root, clock)


def _build(
    folder: StudyFolder, text: bytes, seed_form: SeedForm, passphrase: str | None, store: str | None
) -> str:
    """Everything but the record; gives the seed's SHA-256."""
    write_whole(folder.protocol, text)
    for made in (folder.sessions, folder.predictions):
        made.mkdir()
    if store is not None:
        folder.keep_store(checked_address(store))
    return keep_new_seed(folder, seed_form, passphrase)


def _begin(
    folder: StudyFolder, protocol: StudyProtocol, begun: StudyInitialised, actor: str, clock: Clock
) -> None:
    record = Record.create(folder.record_url, protocol.sha256, clock)
    try:
        record.append(actor, lambda _: [Draft(begun)])
    finally:
        record.close()


def _begin_elsewhere(
    folder: StudyFolder, protocol: StudyProtocol, begun: StudyInitialised, actor: str, clock: Clock
) -> None:
    try:
        _begin(folder, protocol, begun, actor, clock)
    except BaseException:
        shutil.rmtree(folder.root)
        raise


def freeze_files(
    folder: StudyFolder, protocol: StudyProtocol, source: Path
) -> tuple[dict[str, str], dict[str, str]]:
    """Copy the protocol's sounds and pictures; the SHA-256 of each copy by its name.

    Raises:
        RecordMismatch: an earlier version has another file of that name; nothing is copied.
    """
    sounds = {name for arm in protocol.arms for name in arm.files}
    nines = [nine for instrument in protocol.instruments for nine in instrument.pictures.values()]
    pictures = {name for nine in nines for name in nine}
    refuse(
        [
            *_taken_names(sounds, source, folder.sounds),
            *_taken_names(pictures, source, folder.pictures),
        ]
    )
    return _copies(sounds, source, folder.sounds), _copies(pictures, source, folder.pictures)


def _taken_names(names: Collection[str], source: Path, target: Path) -> Iterator[RecordMismatch]:
    for name in sorted(names):
        copy = target / name
        if copy.exists() and file_sha256(copy) != file_sha256(source / name):
            problem = "is another file than the frozen one of that name"
            yield RecordMismatch(str(source / name), problem, "give it a name of its own")


def _copies(names: Collection[str], source: Path, target: Path) -> dict[str, str]:
    frozen = {}
    for name in sorted(names):
        copy = target / name
        if not copy.exists():
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source / name, copy)
        frozen[name] = file_sha256(copy)
    return frozen


def _unchanged(path: Path, sha256: str | None, what: str) -> Path:
    if not path.is_file() or file_sha256(path) != sha256:
        raise RecordMismatch(
            str(path), f"is not the {what} this study was begun with", "put the frozen copy back"
        )
    return path


def open_study(root: Path, clock: Clock = utc_now, busy_timeout_s: float = 10.0) -> Study:
    """Open a study folder.

    Raises:
        StorageError: it is not a study folder.
        RecordMismatch: the protocol file is not the one the study was begun with.
        RecordBroken, RecordBusy: see `Record.open`.
    """
    folder = StudyFolder(root.resolve())
    if not root.is_dir():
        raise StorageError(str(root), "is not a folder", "name a study made by isopath init")
    if not folder.has_record():
        raise StorageError(str(root), "holds no study record", "name a study made by isopath init")
    try:
        text = folder.protocol.read_bytes()
    except OSError as problem:
        raise StorageError(
            str(folder.protocol), f"cannot be read ({problem.strerror})", "put the frozen protocol back"
        ) from problem
    record = Record.open(folder.record_url, hashlib.sha256(text).hexdigest(), clock, busy_timeout_s)
    if (root / MANIFEST).is_file():
        record.as_backup()
    begun = record.events(kinds=[StudyInitialised])
    if not begun or begun[0].sequence != 1:
        raise RecordBroken(str(folder.record), "does not begin with the study", "restore the last backup", 1)
    study = Study(folder, parse_protocol(text, str(folder.protocol)), record)
    study.catch_up()
    rehearsal = study.rehearsal()
    return (
        study if rehearsal is None else replace(study, protocol=study.protocol.lasting(rehearsal.session_s))
    )


def require_kind(reader: Reader, study: Study, simulated: bool) -> None:
    """Keep people and simulated participants in records of their own.

    Raises:
        RecordMismatch: the record holds the other kind.
    """
    is_rehearsal = bool(reader.events(kinds=[RehearsalStarted]))
    if is_rehearsal and not simulated:
        raise RecordMismatch(
            str(study.folder.record),
            "is a rehearsal: its participants are simulated",
            "begin the real study in a new folder with isopath init",
        )
    if simulated and not is_rehearsal:
        raise RecordMismatch(
            str(study.folder.record), "is a study with people", "rehearse in a new folder (isopath rehearse)"
        )
