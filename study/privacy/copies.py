"""Whole lists of people into the key file and out of it: on purpose, with a reason, never by the way."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from study.errors import OutOfRange, StorageError
from study.events import IdentitiesHandedOut
from study.folder import write_whole
from study.founding import Study
from study.privacy.identities import open_identities
from study.privacy.key_file import Entry
from study.record import Draft, Reader

ID_COLUMN = "participant_id"


def hand_out(study: Study, actor: str, passphrase: str, target: Path, reason: str) -> int:
    """Copy the key file out in the clear, as CSV readable by its owner alone; gives how many it names.

    Raises:
        OutOfRange: no reason is given, or the file would lie in the study folder.
        StorageError: it is there already or cannot be written.
        WrongPassphrase, RecordMismatch: see `open_identities`.
    """
    if not reason.strip():
        raise OutOfRange("reason", "is empty", "say what the copy is for")
    if target.resolve().is_relative_to(study.folder.root):
        raise OutOfRange(
            str(target), "lies in the study folder", "name a place that is not backed up with it"
        )
    if target.exists():
        raise StorageError(str(target), "is there already", "name a new file")
    people = open_identities(study, passphrase).people
    fields = sorted({name for entry in people.values() for name in entry})
    written = io.StringIO()
    rows = csv.writer(written, lineterminator="\n")
    rows.writerow([ID_COLUMN, *fields])
    rows.writerows([who, *(entry.get(name, "") for name in fields)] for who, entry in people.items())

    def decide(_: Reader) -> Sequence[Draft]:
        write_whole(target, written.getvalue().encode(), mode=0o600)
        return [Draft(IdentitiesHandedOut(len(people), reason.strip()))]

    study.record.append(actor, decide)
    return len(people)


def read_people(source: Path) -> dict[str, Entry]:
    """People of a CSV file: a column ``participant_id`` and one for each field; empty cells are left out.

    Raises:
        StorageError: it cannot be read.
        OutOfRange: it has no such column, or somebody stands in it twice.
    """
    try:
        rows = list(csv.DictReader(io.StringIO(source.read_text(encoding="utf-8-sig")), strict=True))
    except (OSError, UnicodeDecodeError, csv.Error) as problem:
        raise StorageError(str(source), "cannot be read as CSV in UTF-8", "save it as such") from problem
    people: dict[str, Entry] = {}
    for number, row in enumerate(rows, start=2):
        who = row.pop(ID_COLUMN, None)
        if not who or who in people or None in row or None in row.values():
            problem_words = f"has no {ID_COLUMN}, one that stood there before, or another number of cells"
            raise OutOfRange(f"{source} line {number}", problem_words, "write one line a participant")
        people[who] = {name: value for name, value in row.items() if value.strip()}
    if not people:
        raise OutOfRange(str(source), "names nobody", f"give a line for each person under {ID_COLUMN}")
    return people
