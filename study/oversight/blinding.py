"""The record without what tells an arm: what is not listed here as harmless is left out.

Times are cut to the day: how long the sound of a session took to be made, between
the report before it and its first second, differs between kinds of sound. What
the music was perceived to express describes it, and is left out, as are guesses
of the arm, hashes of what was planned or played, and how a sound was made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from study.canonical import plain
from study.erasable import as_erased
from study.events import (
    DeviationRecorded,
    Event,
    History,
    PlaybackLogged,
    PlayerEntryKind,
    QuestionnaireSubmitted,
    ReportCorrected,
    SelfReportMissed,
    SelfReportSubmitted,
    SessionRendered,
)
from study.instruments import Perspective
from study.protocol import StudyProtocol

WITHHELD = "withheld: it could tell an arm"

#: Kind to the fields of its payload that tell no arm; None for all of them.
HARMLESS: Mapping[str, frozenset[str] | None] = {
    "StudyInitialised": frozenset({"study_id", "software"}),
    "RehearsalStarted": None,
    "ServedInsecurely": None,
    "RecordFrozen": None,
    "ArmsUnblinded": None,
    "InterimLookTaken": frozenset({"look", "information", "boundary_z", "head_sha256", "reason"}),
    # The map tells which code of the file means which arm.
    "DataImported": frozenset({"file_name", "file_sha256", "rows", "participants", "assumed"}),
    "PayloadErased": None,
    "ParticipantEnrolled": None,
    # Codes of another system may be counted by arm, and may be known to whoever ran that study.
    "ParticipantImported": frozenset(),
    "ConsentGiven": None,
    "ConsentDeclined": None,
    "EligibilityAssessed": None,
    "SoundChecked": None,
    "InductionCompleted": None,
    "ParticipantAllocated": frozenset({"stratum"}),
    "SessionRendered": frozenset(),
    # The text may name the person's arm, and so its hash does.
    "DebriefRead": frozenset({"language"}),
    "VisitMissed": None,
    "ParticipationMoved": None,
    "ParticipantDiscontinued": None,
    "SelfReportSubmitted": None,
    "SelfReportMissed": None,
    "QuestionnaireSubmitted": None,
    "ReportCorrected": None,
    "PlaybackStarted": None,
    "PlaybackPaused": None,
    "PlaybackResumed": None,
    "PlaybackStopped": None,
    "PlaybackEnded": frozenset(),
    "PlaybackLogged": None,
    "AdverseEventReported": None,
    "DeviationRecorded": None,
    "SupportOffered": None,
    "SupportAnswered": None,
    "AlertAcknowledged": None,
    "StaffAdded": None,
    "StaffRoleChanged": None,
    "StaffRemoved": None,
    "StaffPasswordReset": None,
    "LinkIssued": frozenset({"expires_at"}),
    "LinkRevoked": frozenset({"reason"}),
    "ArmsSeen": frozenset({"staff_id"}),
    "ProtocolAmended": frozenset({"version", "protocol_sha256", "previous_sha256", "reason"}),
    "RecruitmentPaused": None,
    "RecruitmentResumed": None,
    "BackupTaken": None,
    "RestoredFromBackup": None,
    "SigningKeyMade": None,
    "CheckpointSigned": None,
    "ClockWentBack": frozenset({"previous_at", "back_s"}),
    "UnblindingRequested": None,
    "UnblindingApproved": None,
    "UnblindingDeclined": None,
    # Why somebody had to know is about the person; that the sentence names no arm is on whoever wrote it.
    "ArmRevealed": frozenset({"request_sequence", "is_emergency"}),
    "CodeBreakListMade": frozenset({"sha256", "participants"}),
    "KeyFileMade": None,
    "IdentitiesHandedOut": None,
    "IdentityNoted": None,
    "IdentityForgotten": None,
    "ConsentWithdrawn": None,
    "DataErased": None,
}

_LOGGED = frozenset(PlayerEntryKind) - {PlayerEntryKind.LOADED, PlayerEntryKind.ERROR, PlayerEntryKind.ENDED}


def sound_deviations(events: History) -> frozenset[int]:
    """Rows that say how a sound was made otherwise than planned: each stands just before its sound."""
    rendered = {(r.sequence, r.participant_id) for r in events if r.kind == SessionRendered.__name__}
    return frozenset(
        r.sequence
        for r in events
        if isinstance(r.event, DeviationRecorded) and (r.sequence + 1, r.participant_id) in rendered
    )


def perceived_instruments(protocol: StudyProtocol) -> frozenset[str]:
    """Instruments that ask what the music expresses, in any version of the protocol."""
    return frozenset(
        instrument.instrument_id
        for version in protocol.versions
        for instrument in version.instruments
        if instrument.perspective is not Perspective.FELT
    )


def record_rows(protocol: StudyProtocol, events: History, is_blinded: bool) -> Iterator[dict[str, Any]]:
    """The record, row by row, as plain JSON values; what somebody asked to have erased reads as erased.

    Args:
        events: the whole record, in order.
        is_blinded: leave out whatever could tell an arm.
    """
    events = as_erased(events)
    about_sound = sound_deviations(events) if is_blinded else frozenset()
    for recorded in events:
        row: dict[str, Any] = {
            "sequence": recorded.sequence,
            "at": f"{recorded.at:%Y-%m-%d}" if is_blinded else recorded.at.isoformat(timespec="microseconds"),
            "actor": recorded.actor,
            "kind": recorded.kind,
            "participant_id": recorded.participant_id,
            "session_id": recorded.session_id,
        }
        if recorded.event is None:
            row |= {"payload": None, "erased": True}
        elif not is_blinded:
            row["payload"] = plain(recorded.event)
        elif recorded.sequence in about_sound or _could_tell(protocol, recorded.event):
            row["payload"] = WITHHELD
        else:
            row["payload"] = _blinded(protocol, recorded.event) or WITHHELD
        yield row


def _could_tell(protocol: StudyProtocol, event: Event) -> bool:
    """Whether it is about what the music was perceived to express, or corrects a guess of the arm."""
    match event:
        case ReportCorrected(instrument_id=name, item=item):
            asked = any(version.questionnaire(name) is not None for version in protocol.versions)
            is_guess = asked and item not in _harmless_items(protocol, name)
            return is_guess or name in perceived_instruments(protocol)
        case SelfReportSubmitted(instrument_id=name) | SelfReportMissed(instrument_id=name):
            return name in perceived_instruments(protocol)
    return False


def _blinded(protocol: StudyProtocol, event: Event) -> dict[str, Any]:
    kept = HARMLESS.get(type(event).__name__, frozenset())
    payload = {name: value for name, value in plain(event).items() if kept is None or name in kept}
    if isinstance(event, QuestionnaireSubmitted):
        _without_guesses(protocol, event.questionnaire_id, payload)
    if isinstance(event, PlaybackLogged):
        payload["entries"] = [plain(entry) for entry in event.entries if _may_show(protocol)(entry.kind)]
    return payload


def _without_guesses(protocol: StudyProtocol, questionnaire_id: str, payload: dict[str, Any]) -> None:
    harmless = _harmless_items(protocol, questionnaire_id)
    payload["answers"] = {name: said for name, said in payload["answers"].items() if name in harmless}


def _harmless_items(protocol: StudyProtocol, questionnaire_id: str) -> set[str]:
    """A questionnaire's items, of every version, that no version asks a guess of the arm with."""
    asked = [version.questionnaire(questionnaire_id) for version in protocol.versions]
    items = [item for questionnaire in asked if questionnaire is not None for item in questionnaire.items]
    guesses = {item.item_id for item in items if item.measures == "arm_guess"}
    return {item.item_id for item in items} - guesses


def _may_show(protocol: StudyProtocol) -> Callable[[PlayerEntryKind], bool]:
    rated = {version.listening.rating_instrument_id for version in protocol.versions} - {None}
    is_felt = bool(rated) and not rated & perceived_instruments(protocol)
    shown = _LOGGED if is_felt else _LOGGED - {PlayerEntryKind.RATING}
    return lambda kind: kind in shown
