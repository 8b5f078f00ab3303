"""The code-break list: who has which arm so far, sealed for the pharmacist's safe.

It is for the day on which no server can be asked. It holds those allocated by now and never the list to
come; only its passphrase opens it, and each person's line can be opened by itself, as an envelope would
be. That it was made is an event with its hash. That it was opened is not, since that needs no server:
whoever opens it notes it by hand, and tells the study.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from study.access.accounts import Staff
from study.access.roles import Permission, require_permission
from study.canonical import canonical_json
from study.errors import ConductError, StorageError, UnknownName, WrongPassphrase
from study.events import CodeBreakListMade, ParticipantAllocated
from study.folder import write_whole
from study.founding import Study
from study.record import Draft, Reader
from study.sealed import seal, unseal
from study.session import session_id_of

PURPOSE = "code-break list"
_FORMAT = 1


@dataclass(frozen=True)
class Envelope:
    """One participant's arm, or arms by session."""

    participant_id: str
    labels: tuple[tuple[str, str], ...]

    @property
    def text(self) -> str:
        """The arm in words; by session where they differ."""
        if len({label for _, label in self.labels}) == 1:
            return self.labels[0][1]
        return ", ".join(f"{session} {label}" for session, label in self.labels)


@dataclass(frozen=True)
class CodeBreakList:
    """An opened list.

    Args:
        made_at: ISO 8601, UTC.
        head_sha256: of the record's last row when it was made.
    """

    study_id: str
    title: str
    made_at: str
    head_sha256: str
    envelopes: tuple[Envelope, ...]

    def envelope(self, participant_id: str) -> Envelope:
        """One participant's.

        Raises:
            UnknownName: they were not allocated when the list was made.
        """
        for envelope in self.envelopes:
            if envelope.participant_id == participant_id:
                return envelope
        raise UnknownName(participant_id, f"is not in the list of {self.made_at[:10]}", "open a later list")


def make_code_break_list(study: Study, staff: Staff, passphrase: str, out: Path) -> CodeBreakListMade:
    """Write the sealed list of everybody allocated so far.

    Args:
        out: a new file, readable by its owner alone.

    Raises:
        ConductError: the role may not see arms, or nobody has one yet.
        OutOfRange: the passphrase is too short.
        StorageError: the file is there already or cannot be written.
    """
    if out.exists():
        raise StorageError(str(out), "is there already", "name a new file")
    made: list[CodeBreakListMade] = []

    def decide(reader: Reader) -> Sequence[Draft]:
        require_permission(reader, staff.staff_id, Permission.MAKE_CODE_BREAK, "making the code-break list")
        people = list(_allocated(study, reader))
        if not people:
            raise ConductError("the code-break list", "nobody has an arm yet", "make it when people have one")
        content = {
            "format": _FORMAT,
            "study_id": study.protocol.study_id,
            "title": study.protocol.title,
            "made_at": study.record.clock().isoformat(timespec="seconds"),
            "head_sha256": reader.head().sha256,
            "participants": people,
        }
        sealed = seal(canonical_json(content), passphrase, PURPOSE)
        write_whole(out, sealed, mode=0o600)
        made.append(CodeBreakListMade(hashlib.sha256(sealed).hexdigest(), len(people)))
        return [Draft(made[0])]

    try:
        study.record.append(staff.actor, decide)
    except BaseException:
        # A list that no event speaks of must not lie about.
        if made:
            with contextlib.suppress(FileNotFoundError):
                out.unlink()
        raise
    return made[0]


def open_code_break_list(file: Path, passphrase: str) -> CodeBreakList:
    """What the list says.

    Raises:
        StorageError: the file cannot be read.
        WrongPassphrase: it is not opened by this passphrase, or is no such list.
    """
    try:
        sealed = file.read_bytes()
    except OSError as problem:
        said = f"cannot be read ({problem.strerror})"
        raise StorageError(str(file), said, "name a file made by isopath code-break") from problem
    content = json.loads(unseal(sealed, passphrase, PURPOSE, str(file)))
    if content["format"] != _FORMAT:
        problem_said = f"has format {content['format']}, newer than {_FORMAT}"
        raise WrongPassphrase(str(file), problem_said, "update isopath")
    envelopes = tuple(
        Envelope(one["participant_id"], tuple((session, label) for session, label in one["arms"]))
        for one in content["participants"]
    )
    return CodeBreakList(
        study_id=content["study_id"],
        title=content["title"],
        made_at=content["made_at"],
        head_sha256=content["head_sha256"],
        envelopes=envelopes,
    )


def code_break_page(found: CodeBreakList, envelopes: Sequence[Envelope]) -> str:
    """A page to print: one envelope a sheet, with its lines for who opened it, when and why."""
    sheets = "".join(_sheet(found, envelope) for envelope in envelopes)
    title = escape(f"Code-break list of {found.study_id}")
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{_STYLE}</style></head><body>{sheets}</body></html>\n"
    )


_STYLE = (
    "body{font:12pt/1.5 sans-serif;margin:0;color:#000}"
    "section{box-sizing:border-box;padding:2cm;page-break-after:always;border-bottom:1px dashed #555}"
    "h1{font-size:14pt;margin:0}h2{font-size:20pt;margin:1cm 0 0}p{margin:.2cm 0}.arm{font-size:18pt}"
    "dl{display:grid;grid-template-columns:4cm 1fr;row-gap:1cm;margin-top:1.5cm}"
    "dd{border-bottom:1px solid #000;margin:0}"
    "@media print{section{border:0}}"
)


def _sheet(found: CodeBreakList, envelope: Envelope) -> str:
    lines = "".join(f"<dt>{name}</dt><dd></dd>" for name in ("Opened on", "By", "Why", "Signature"))
    return (
        f"<section><h1>{escape(found.title)}</h1>"
        f"<p>{escape(found.study_id)} · list of {escape(found.made_at[:10])}</p>"
        f'<h2>{escape(envelope.participant_id)}</h2><p class="arm">{escape(envelope.text)}</p>'
        f"<dl>{lines}</dl></section>"
    )


def _allocated(study: Study, reader: Reader) -> Iterator[dict[str, Any]]:
    for recorded in reader.events(kinds=[ParticipantAllocated]):
        if isinstance(recorded.event, ParticipantAllocated):
            arms = [
                [session_id_of(number), study.protocol.arm(arm_id).label]
                for number, arm_id in enumerate(recorded.event.arm_ids, start=1)
            ]
            yield {"participant_id": recorded.participant_id, "arms": arms}
