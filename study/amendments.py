"""Amending the protocol of a study under way, and what an amendment may not touch.

People under way go on under the version they consented to; whoever is enrolled afterwards is under the new
one. What would make the two incomparable, or undo the allocation, is refused once anybody is enrolled
(SPIRIT 2025, item 31). The plan of analysis may change while nobody can know
results by arm, and every such change stands in the report.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from study.access.accounts import Staff
from study.access.roles import Permission, require_permission
from study.errors import ConductError, IsopathError, OutOfRange, RecordMismatch, refuse
from study.events import (
    ParticipantEnrolled,
    ProtocolAmended,
    QuestionnaireSubmitted,
    RecordFrozen,
    SelfReportMissed,
    SelfReportSubmitted,
    StudyInitialised,
)
from study.founding import Study, freeze_files
from study.protocol import StudyProtocol
from study.protocol_diff import Change, protocol_changes
from study.protocol_file import load_protocol
from study.record import Draft, Reader

_NEW_STUDY = "begin a new study with isopath init"


def amend(study: Study, staff: Staff, new: Path, reason: str) -> ProtocolAmended:
    """Put another version of the protocol in force for whoever is enrolled from here on.

    Args:
        staff: who does it; their role is held against `Permission.AMEND`.
        new: the new protocol file, whole, beside the sounds and pictures it names.

    Raises:
        ProtocolErrors: the file has problems.
        OutOfRange: no reason is given.
        ConductError, RecordMismatch: the role may not, the record is frozen, nothing differs, or something
            differs that may not; all of them at once. Nothing is changed.
    """
    if not reason.strip():
        raise OutOfRange("reason", "is empty", "say why the protocol is amended, as the committee reads it")
    protocol, text = load_protocol(new), new.read_bytes()
    made: list[ProtocolAmended] = []

    def decide(reader: Reader) -> Sequence[Draft]:
        require_permission(reader, staff.staff_id, Permission.AMEND, "amending the protocol")
        in_force = study.catch_up(reader)
        changes = protocol_changes(json.loads(_text_in_force(reader)), json.loads(text))
        refuse([*_refusals(str(new), reader, in_force, protocol, changes)])
        sounds, pictures = freeze_files(study.folder, protocol, new.parent)
        made.append(
            ProtocolAmended(
                protocol.version,
                text.decode(),
                protocol.sha256,
                hashlib.sha256(_text_in_force(reader).encode()).hexdigest(),
                reason.strip(),
                tuple(change.text for change in changes),
                sounds,
                pictures,
            )
        )
        return [Draft(made[0])]

    study.record.append(staff.actor, decide)
    study.catch_up()
    return made[0]


def protocol_text_of(study: Study) -> str:
    """The text of the version in force, as its file was given."""
    told = study.record.events(kinds=[StudyInitialised, ProtocolAmended])[-1].event
    return told.protocol_text if isinstance(told, StudyInitialised | ProtocolAmended) else ""


def _text_in_force(reader: Reader) -> str:
    told = reader.events(kinds=[StudyInitialised, ProtocolAmended])[-1].event
    if not isinstance(told, StudyInitialised | ProtocolAmended):
        raise RecordMismatch("the record", "does not hold the protocol's text", "restore the last backup")
    return told.protocol_text


def _refusals(
    where: str, reader: Reader, old: StudyProtocol, new: StudyProtocol, changes: Sequence[Change]
) -> Iterator[IsopathError]:
    if reader.events(kinds=[RecordFrozen]):
        problem = "the record is frozen, and the plan of analysis with it"
        yield ConductError("the protocol", f"cannot be amended: {problem}", "report it beside the results")
    if not changes:
        yield ConductError(where, "does not differ from the version in force", "see isopath diff")
    elif new.version in {version.version for version in old.versions}:
        remedy = "write another one, so that the versions can be told apart"
        yield ConductError(f"{where}::$.study.version", f"{new.version!r} was in force before", remedy)
    if new.study_id != old.study_id:
        problem = f"{old.study_id!r} became {new.study_id!r}: this is another study"
        yield RecordMismatch(f"{where}::$.study.id", problem, _NEW_STUDY)
    if not reader.events(kinds=[ParticipantEnrolled]):
        return
    for path, why in _FIXED.items():
        for change in changes:
            if change.is_within(path):
                problem = f"{change.text.partition(': ')[2]}, and people are enrolled: {why}"
                yield ConductError(f"{where}::{change.json_path}", problem, _NEW_STUDY)
    if [arm.arm_id for arm in old.arms] != [arm.arm_id for arm in new.arms]:
        problem = "the arms or their order changed, and people are enrolled: the list is drawn among them"
        yield ConductError(f"{where}::$.arms", problem, _NEW_STUDY)
    if old.session_count != new.session_count:
        problem = f"{old.session_count} sessions became {new.session_count}, and people are enrolled"
        yield ConductError(f"{where}::$.session.count", problem, _NEW_STUDY)
    yield from _answered_changes(where, reader, old, new)


_FIXED = {
    "$.design": "the two halves could not be analysed as one trial",
    "$.allocation": "the list was sealed with these groups and strata",
}


def _answered_changes(
    where: str, reader: Reader, old: StudyProtocol, new: StudyProtocol
) -> Iterator[IsopathError]:
    """An instrument somebody answered must ask the same of whoever comes after."""
    answered = set()
    for recorded in reader.events(kinds=[SelfReportSubmitted, SelfReportMissed, QuestionnaireSubmitted]):
        match recorded.event:
            case SelfReportSubmitted(instrument_id=name) | SelfReportMissed(instrument_id=name):
                answered.add(name)
            case QuestionnaireSubmitted(questionnaire_id=name):
                answered.add(name)
    before, after = (
        {i.instrument_id: i for i in version.instruments}
        | {q.questionnaire_id: q for q in version.questionnaires}
        for version in (old, new)
    )
    for name in sorted(answered & before.keys()):
        if before[name] != after.get(name):
            what = "is gone" if name not in after else "changed"
            problem = f"{name} {what}, and people have answered it"
            yield ConductError(f"{where}::{name}", problem, "leave it as it is, and add another beside it")
