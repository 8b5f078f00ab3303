"""What can happen in a study: past-tense, frozen events.

An event's class name is its `kind` in the record; `study/event_codec.py` says
how it is written and how old forms are read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from study.events.access import (
    ArmsSeen,
    LinkIssued,
    LinkRevoked,
    Role,
    StaffAdded,
    StaffPasswordReset,
    StaffRemoved,
    StaffRoleChanged,
)
from study.events.life import (
    ArmsUnblinded,
    BackupTaken,
    CheckpointSigned,
    ClockWentBack,
    DataImported,
    InterimLookTaken,
    PayloadErased,
    ProtocolAmended,
    RecordFrozen,
    RecruitmentPaused,
    RecruitmentResumed,
    RehearsalStarted,
    RestoredFromBackup,
    ServedInsecurely,
    SigningKeyMade,
    StudyInitialised,
)
from study.events.participation import (
    ConsentDeclined,
    ConsentGiven,
    DebriefRead,
    EligibilityAssessed,
    EndReason,
    InductionCompleted,
    ParticipantAllocated,
    ParticipantDiscontinued,
    ParticipantEnrolled,
    ParticipantImported,
    ParticipationMoved,
    SessionRendered,
    SoundChecked,
    VisitMissed,
)
from study.events.playback import (
    PlaybackEnded,
    PlaybackLogged,
    PlaybackPaused,
    PlaybackResumed,
    PlaybackStarted,
    PlaybackStopped,
    PlayerEntry,
    PlayerEntryKind,
    StopReason,
)
from study.events.privacy import (
    ConsentWithdrawn,
    DataErased,
    IdentitiesHandedOut,
    IdentityForgotten,
    IdentityNoted,
    KeyFileMade,
)
from study.events.reports import (
    Asked,
    QuestionnaireSubmitted,
    ReportCorrected,
    SelfReportMissed,
    SelfReportSubmitted,
)
from study.events.safety import (
    AdverseEventReported,
    AlertAcknowledged,
    DeviationRecorded,
    SupportAnswered,
    SupportCause,
    SupportOffered,
)
from study.events.unblinding import (
    ArmRevealed,
    CodeBreakListMade,
    UnblindingApproved,
    UnblindingDeclined,
    UnblindingRequested,
)

__all__ = [
    "AdverseEventReported",
    "AlertAcknowledged",
    "ArmRevealed",
    "ArmsSeen",
    "ArmsUnblinded",
    "Asked",
    "BackupTaken",
    "CheckpointSigned",
    "ClockWentBack",
    "CodeBreakListMade",
    "ConsentDeclined",
    "ConsentGiven",
    "ConsentWithdrawn",
    "DataErased",
    "DataImported",
    "DebriefRead",
    "DeviationRecorded",
    "EligibilityAssessed",
    "EndReason",
    "Event",
    "History",
    "IdentitiesHandedOut",
    "IdentityForgotten",
    "IdentityNoted",
    "InductionCompleted",
    "InterimLookTaken",
    "KeyFileMade",
    "LinkIssued",
    "LinkRevoked",
    "ParticipantAllocated",
    "ParticipantDiscontinued",
    "ParticipantEnrolled",
    "ParticipantImported",
    "ParticipationMoved",
    "PayloadErased",
    "PlaybackEnded",
    "PlaybackEvent",
    "PlaybackLogged",
    "PlaybackPaused",
    "PlaybackResumed",
    "PlaybackStarted",
    "PlaybackStopped",
    "PlayerEntry",
    "PlayerEntryKind",
    "ProtocolAmended",
    "QuestionnaireSubmitted",
    "RecordFrozen",
    "RecordedEvent",
    "RecruitmentPaused",
    "RecruitmentResumed",
    "RehearsalStarted",
    "ReportCorrected",
    "RestoredFromBackup",
    "Role",
    "SelfReportMissed",
    "SelfReportSubmitted",
    "ServedInsecurely",
    "SessionRendered",
    "SigningKeyMade",
    "SoundChecked",
    "StaffAdded",
    "StaffPasswordReset",
    "StaffRemoved",
    "StaffRoleChanged",
    "StopReason",
    "StudyInitialised",
    "SupportAnswered",
    "SupportCause",
    "SupportOffered",
    "UnblindingApproved",
    "UnblindingDeclined",
    "UnblindingRequested",
    "VisitMissed",
]

Event = (
    StudyInitialised
    | RehearsalStarted
    | ServedInsecurely
    | RecordFrozen
    | ArmsUnblinded
    | InterimLookTaken
    | DataImported
    | PayloadErased
    | ParticipantEnrolled
    | ParticipantImported
    | ConsentGiven
    | ConsentDeclined
    | EligibilityAssessed
    | SoundChecked
    | InductionCompleted
    | ParticipantAllocated
    | SessionRendered
    | DebriefRead
    | VisitMissed
    | ParticipationMoved
    | ParticipantDiscontinued
    | SelfReportSubmitted
    | SelfReportMissed
    | QuestionnaireSubmitted
    | ReportCorrected
    | PlaybackStarted
    | PlaybackPaused
    | PlaybackResumed
    | PlaybackStopped
    | PlaybackEnded
    | PlaybackLogged
    | AdverseEventReported
    | DeviationRecorded
    | SupportOffered
    | SupportAnswered
    | AlertAcknowledged
    | StaffAdded
    | StaffRoleChanged
    | StaffRemoved
    | StaffPasswordReset
    | LinkIssued
    | LinkRevoked
    | ArmsSeen
    | UnblindingRequested
    | UnblindingApproved
    | UnblindingDeclined
    | ArmRevealed
    | CodeBreakListMade
    | KeyFileMade
    | IdentitiesHandedOut
    | IdentityNoted
    | IdentityForgotten
    | ConsentWithdrawn
    | DataErased
    | ProtocolAmended
    | RecruitmentPaused
    | RecruitmentResumed
    | BackupTaken
    | RestoredFromBackup
    | SigningKeyMade
    | CheckpointSigned
    | ClockWentBack
)

PlaybackEvent = PlaybackStarted | PlaybackPaused | PlaybackResumed | PlaybackStopped | PlaybackEnded


@dataclass(frozen=True)
class RecordedEvent:
    """An event as the record holds it.

    Args:
        sequence: row number from 1, without gaps.
        at: UTC.
        actor: who did it, e.g. ``coordinator:anna``, ``participant``, ``rehearsal``.
        event: None where the payload was erased.
    """

    sequence: int
    at: datetime
    actor: str
    kind: str
    protocol_sha256: str
    participant_id: str | None
    session_id: str | None
    event: Event | None


History = Sequence[RecordedEvent]
