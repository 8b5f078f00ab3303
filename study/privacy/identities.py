"""Who people are: noted, looked up and forgotten in the key file, each time on record.

What is noted stands in the key file alone; the record holds the names of the
fields. Each place that enrols keeps a key file of its own, which stays there.
"""

from __future__ import annotations

import time
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from study.canonical import canonical_sha256
from study.errors import (
    ConductError,
    IsopathError,
    OutOfRange,
    RecordBusy,
    RecordMismatch,
    StorageError,
    UnknownName,
    refuse,
)
from study.events import (
    ConsentWithdrawn,
    Event,
    History,
    IdentityForgotten,
    IdentityNoted,
    KeyFileMade,
    StudyInitialised,
)
from study.founding import Study
from study.held import held
from study.privacy.key_file import (
    Entry,
    KeyFile,
    check_fields,
    new_key_file,
    open_key_file,
    with_passphrase,
)
from study.record import Draft, Reader

_WAIT_S, _PAUSE_S = 10.0, 0.05


def key_file_path(study: Study) -> Path:
    """Where the study's key file lies at this place."""
    return study.folder.root / "identities.sealed"


def begin_key_file(study: Study, actor: str, passphrase: str) -> str:
    """Make the key file of this place; gives its key id.

    Raises:
        StorageError: there is one, or the folder cannot be written.
        OutOfRange: the passphrase is too short.
    """
    path = key_file_path(study)
    with _alone(study):
        if path.exists():
            raise StorageError(str(path), "is there already", "note people in it with isopath identity set")
        made = new_key_file(path, _record_id(study), passphrase)
        # On record first: a file that the record does not know would be a foreign one.
        study.record.append(actor, lambda _: [Draft(KeyFileMade(made.key_id))])
        made.write()
    return made.key_id


def note_identities(study: Study, actor: str, passphrase: str, people: Mapping[str, Entry]) -> None:
    """Write who these participants are; fields they have already are replaced, others kept.

    Raises:
        UnknownName, ConductError, OutOfRange, Refusals: somebody is not enrolled or asked to be
            erased, or a field will not do; then nothing is written.
        WrongPassphrase, RecordMismatch, StorageError: see `open_identities`.
    """
    for who, fields in people.items():
        check_fields(fields, who)
    with _alone(study):
        opened = open_identities(study, passphrase)

        def decide(reader: Reader) -> Sequence[Draft]:
            refuse([problem for who in people for problem in _not_notable(reader.events(who), who)])
            together = {who: {**opened.people.get(who, {}), **fields} for who, fields in people.items()}
            # Within the transaction: a disk that is full leaves record and file as they were.
            opened.holding({**opened.people, **together}).write()
            return [
                Draft(IdentityNoted(tuple(sorted(fields)), opened.key_id), who)
                for who, fields in people.items()
            ]

        study.record.append(actor, decide)


def open_identities(study: Study, passphrase: str) -> KeyFile:
    """This place's key file, as the record knows it.

    Raises:
        StorageError: it is not there or cannot be read.
        WrongPassphrase: the passphrase does not open it, or it was changed.
        RecordMismatch: it is another study's, or an older copy than the record speaks of.
    """
    opened = _opened(study, passphrase)
    noted = _noted(study, opened.key_id)
    revenants = sorted(who for who in opened.people if noted.get(who) is False)
    lost = sorted(who for who, is_noted in noted.items() if is_noted and who not in opened.people)
    told = [f"still names {', '.join(revenants)}"] if revenants else []
    told += [f"lacks {', '.join(lost)}"] if lost else []
    if told:
        raise RecordMismatch(
            str(opened.path),
            f"is an older copy: it {' and '.join(told)}",
            "put the newest copy back, or run isopath identity forget for each of them",
        )
    return opened


def entry_of(study: Study, passphrase: str, participant_id: str) -> Entry:
    """Who one participant is.

    Raises:
        UnknownName: nothing is noted of them here.
        StorageError, WrongPassphrase, RecordMismatch: see `open_identities`.
    """
    people = open_identities(study, passphrase).people
    if participant_id not in people:
        remedy = "see isopath identity list; another place may hold it"
        raise UnknownName("key file", f"nothing is noted of {participant_id}", remedy)
    return people[participant_id]


def find_people(study: Study, passphrase: str, words: str) -> Mapping[str, Entry]:
    """Participants whose entry holds these words, whatever their case; every word must be there.

    Raises:
        OutOfRange: no word is given.
        StorageError, WrongPassphrase, RecordMismatch: see `open_identities`.
    """
    wanted = _folded(words).split()
    if not wanted:
        raise OutOfRange("words", "there are none", "give a part of a name or a number")
    people = open_identities(study, passphrase).people
    return {
        who: entry
        for who, entry in people.items()
        if all(word in _folded(" ".join(entry.values())) for word in wanted)
    }


def forget_identity(study: Study, actor: str, passphrase: str, participant_id: str, reason: str) -> None:
    """Delete a participant's entry: nobody can tell any more who this was.

    Raises:
        UnknownName: nothing is noted of them here.
        StorageError, WrongPassphrase, RecordMismatch: the key file cannot be used.
    """
    with _alone(study):
        opened = _opened(study, passphrase)
        # An older copy is opened here too: this is the way out of it.
        if participant_id not in opened.people and not _noted(study, opened.key_id).get(participant_id):
            remedy = "see isopath identity list; another place may hold it"
            raise UnknownName("key file", f"nothing is noted of {participant_id}", remedy)

        def decide(_: Reader) -> Sequence[Draft]:
            opened.holding(
                {who: entry for who, entry in opened.people.items() if who != participant_id}
            ).write()
            return [Draft(IdentityForgotten(reason, opened.key_id), participant_id)]

        study.record.append(actor, decide)


def change_passphrase(study: Study, old: str, new: str) -> None:
    """Give the key file another passphrase and another data key.

    Raises:
        OutOfRange: the new passphrase is too short.
        StorageError, WrongPassphrase, RecordMismatch: see `open_identities`.
    """
    with _alone(study):
        with_passphrase(open_identities(study, old), new).write()


def is_noted_here(history: History, key_id: str | None = None) -> bool:
    """Whether the record says that some key file (or this one) names the person whose events these are."""
    noted: dict[str, bool] = {}
    for recorded in history:
        match recorded.event:
            case IdentityNoted(key_id=where):
                noted[where] = True
            case IdentityForgotten(key_id=where):
                noted[where] = False
    return any(noted.values()) if key_id is None else noted.get(key_id, False)


def _opened(study: Study, passphrase: str) -> KeyFile:
    opened = open_key_file(key_file_path(study), _record_id(study), passphrase)
    known = {
        r.event.key_id for r in study.record.events(kinds=[KeyFileMade]) if isinstance(r.event, KeyFileMade)
    }
    if opened.key_id not in known:
        problem = "is a key file that this record does not know"
        raise RecordMismatch(str(opened.path), problem, "put back the one that was begun with this study")
    return opened


def _noted(study: Study, key_id: str) -> dict[str, bool]:
    """Everybody this key file ever named, and whether it should name them now."""
    kinds: list[type[Event]] = [IdentityNoted, IdentityForgotten]
    noted = {}
    for recorded in study.record.events(kinds=kinds):
        event = recorded.event
        if isinstance(event, (IdentityNoted, IdentityForgotten)) and event.key_id == key_id:
            noted[recorded.participant_id or ""] = isinstance(event, IdentityNoted)
    return noted


def _not_notable(history: History, who: str) -> Iterator[IsopathError]:
    if not history:
        yield UnknownName("participant", f"{who!r} is not enrolled", "see isopath status")
    if any(isinstance(r.event, ConsentWithdrawn) and not r.event.keeps_data for r in history):
        yield ConductError(who, "asked for their data to be erased", "note nothing of them")


def _record_id(study: Study) -> str:
    begun = study.record.events(kinds=[StudyInitialised])[0]
    seed = begun.event.allocation_seed_sha256 if isinstance(begun.event, StudyInitialised) else None
    return canonical_sha256([study.protocol.study_id, seed, begun.at.isoformat(), begun.actor])


@contextmanager
def _alone(study: Study) -> Iterator[None]:
    """Nobody else of this place writes the key file meanwhile; whoever does is waited for, ten seconds."""
    lock = study.folder.root / ".identities.lock"

    def refusal(process_id: str) -> IsopathError:
        problem = f"is being written by process {process_id}"
        return RecordBusy(str(key_file_path(study)), problem, "try again in a moment")

    until = time.monotonic() + _WAIT_S
    with ExitStack() as stack:
        while True:
            try:
                stack.enter_context(held(lock, refusal))
                break
            except RecordBusy:
                if time.monotonic() > until:
                    raise
                time.sleep(_PAUSE_S)
        yield


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()
