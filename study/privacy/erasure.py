"""Carrying out a wish to be erased: everywhere, in an order that may be broken off and gone on with.

1. The wish is recorded: the person's part ends, their links close, and nothing they gave is used any more.
2. The key file forgets who they are.
3. Their payloads go from the record, with the salts, and from what the database keeps of old pages.
4. Their files go from the study folder, with results and reports made from everybody's data.
5. The backups that were named lose them too.
6. The tombstone says what was erased, and which backups still hold it.

Until the tombstone stands the erasure is due (`study.erasable.erasures_due`), staff are told so, and
running it again goes on where it stopped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from study.backup import erase_from_backup
from study.backup_manifest import read_backup_manifest
from study.erasable import erasable_rows, erasures_due
from study.errors import ConductError, IsopathError, OutOfRange, RecordBusy, RecordMismatch
from study.events import (
    BackupTaken,
    DataErased,
    Event,
    History,
    PayloadErased,
)
from study.founding import Study
from study.held import held
from study.privacy.belongings import belongings_of, remove
from study.privacy.identities import forget_identity, is_noted_here, key_file_path, open_identities
from study.privacy.withdrawal import withdraw
from study.record import Draft

WISH = "consent withdrawn"
"""What every erased row's own event says; why a person withdrew stands in one place only."""


@dataclass(frozen=True)
class Erased:
    """What an erasure did.

    Args:
        tombstone: the last event of it.
        made_anew: results and reports that were removed and must be made again.
        named_elsewhere: a key file of another place still names the person.
    """

    tombstone: DataErased
    made_anew: tuple[str, ...]
    named_elsewhere: bool


def needs_key_file(study: Study, participant_id: str) -> bool:
    """Whether this place's key file names the person, so that its passphrase is needed to erase them.

    Raises:
        UnknownName: nobody of that id is enrolled.
    """
    return key_file_path(study).exists() and is_noted_here(study.record.participant(participant_id))


def erase(
    study: Study,
    actor: str,
    participant_id: str,
    reason: str = "",
    passphrase: str | None = None,
    harm_too: bool = False,
    backups: Sequence[Path] = (),
) -> Erased:
    """Erase everything a person gave, or go on with it.

    Args:
        reason: of the withdrawal, where it was not recorded yet.
        passphrase: of the key file, where `needs_key_file`.
        harm_too: also reports of harm, where no law asks the study to keep them.
        backups: folders of backups that are at hand.

    Raises:
        UnknownName: nobody of that id is enrolled.
        ConductError: everything is erased already, and no backup is named.
        OutOfRange: the key file's passphrase is needed.
        WrongPassphrase, RecordMismatch, StorageError: the key file or a file cannot be used.
        RecordBusy: another process erases somebody.
    """

    def refusal(process_id: str) -> IsopathError:
        problem = f"is being erased from by process {process_id}"
        return RecordBusy(str(study.folder.root), problem, "wait until it is done")

    with held(study.folder.root / ".erasing.lock", refusal):
        _check_backups(study, backups)
        forgets = _check(study, participant_id, passphrase, harm_too, bool(backups))
        withdraw(study, actor, participant_id, keeps_data=False, reason=reason)
        if forgets and passphrase is not None:
            forget_identity(study, actor, passphrase, participant_id, WISH)
        return _carry_out(study, actor, participant_id, harm_too, backups)


def _check(
    study: Study, participant_id: str, passphrase: str | None, harm_too: bool, has_backups: bool
) -> bool:
    """Refuse before anything is written; gives whether this place's key file names the person."""
    history = study.record.participant(participant_id)
    is_done = any(isinstance(r.event, DataErased) for r in history) and not erasures_due(history)
    is_left = erasable_rows(history, harm_too) or belongings_of(study.folder, participant_id).own
    names = needs_key_file(study, participant_id)
    if is_done and not is_left and not names and not has_backups:
        raise ConductError(participant_id, "is erased already", "name a backup with --backup, if one is left")
    if not names:
        return False
    if passphrase is None:
        problem = "is needed: the key file names this person"
        raise OutOfRange("passphrase", problem, "give the key file's passphrase")
    opened = open_identities(study, passphrase)
    return is_noted_here(history, opened.key_id)


def _check_backups(study: Study, backups: Sequence[Path]) -> None:
    """Refuse a backup of another study before anything is done."""
    known = {event.backup_id for event, _ in _backups_taken(study)}
    for backup in backups:
        if read_backup_manifest(backup).backup_id not in known:
            problem = "is a backup that this record does not know"
            raise RecordMismatch(str(backup), problem, "name one that isopath backup made of this study")


def _carry_out(
    study: Study, actor: str, participant_id: str, harm_too: bool, backups: Sequence[Path]
) -> Erased:
    rows = erasable_rows(study.record.participant(participant_id), harm_too)
    study.record.erase_payloads(actor, rows, WISH)
    # Also where nothing was left: somebody may have been stopped just before it.
    study.record.scrub()
    belongings = belongings_of(study.folder, participant_id)
    files = remove(belongings)
    history = study.record.participant(participant_id)
    erased = [recorded.sequence for recorded in history if recorded.event is None]
    lost = [erase_from_backup(backup, participant_id, erased) for backup in backups]
    tombstone = DataErased(
        rows=len(erased),
        files=files,
        kept=tuple(sorted({recorded.kind for recorded in history if recorded.event is not None})),
        backups_erased=tuple(lost),
        backups_holding=_backups_holding(study, history, erased, lost),
    )
    study.record.append(actor, lambda _: [Draft(tombstone, participant_id)])
    return Erased(
        tombstone,
        tuple(path.name for path in belongings.shared),
        is_noted_here(study.record.participant(participant_id)),
    )


def _backups_holding(
    study: Study, history: History, erased: Sequence[int], lost: Sequence[str]
) -> tuple[str, ...]:
    """Backups taken while the person's data were there, and not yet erased from."""
    notes = [r for r in study.record.events(kinds=[PayloadErased]) if isinstance(r.event, PayloadErased)]
    last = max((r.sequence for r in notes if _erased_row(r.event) in set(erased)), default=0)
    gone = {
        *lost,
        *(name for r in history if isinstance(r.event, DataErased) for name in r.event.backups_erased),
    }
    return tuple(
        taken.backup_id
        for taken, sequence in _backups_taken(study)
        if sequence < last and taken.rows >= history[0].sequence and taken.backup_id not in gone
    )


def _erased_row(event: Event | None) -> int | None:
    return event.erased_sequence if isinstance(event, PayloadErased) else None


def _backups_taken(study: Study) -> list[tuple[BackupTaken, int]]:
    found = study.record.events(kinds=[BackupTaken])
    return [(r.event, r.sequence) for r in found if isinstance(r.event, BackupTaken)]
