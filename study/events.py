"""What can happen in a study: past-tense, frozen events.

An event's class name is its `kind` in the record; `study/event_codec.py` says
how it is written and how old forms are read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from study.affect import Affect
from study.instruments import Perspective
from study.protocol import Phase


class EndReason(StrEnum):
    """Why a person's part ended before its planned end."""

    WITHDREW = "withdrew"
    DROPPED_OUT = "dropped_out"
    LOST_TO_FOLLOW_UP = "lost_to_follow_up"
    STOPPED_FOR_SAFETY = "stopped_for_safety"


class StopReason(StrEnum):
    """Why the music was stopped before its end."""

    CHOSE_TO_STOP = "chose_to_stop"
    DISTRESS = "distress"
    TECHNICAL = "technical"


@dataclass(frozen=True)
class StudyInitialised:
    """The record begins.

    Args:
        protocol_text: the protocol file, byte for byte.
        sounds_sha256: sound file, as the protocol names it, to the SHA-256 of its frozen copy.
    """

    study_id: str
    protocol_text: str
    allocation_seed_sha256: str
    software: str
    sounds_sha256: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class RehearsalStarted:
    """From here on every participant of this record is simulated, and none may be a person."""

    participants: int
    effect: float
    agreement: float
    seed: int
    session_s: float


@dataclass(frozen=True)
class ParticipantEnrolled:
    """A person (or a simulated participant) was given an id; stratum: factor to level."""

    stratum: Mapping[str, str]
    simulated: bool


@dataclass(frozen=True)
class ConsentGiven:
    """Consent to exactly this text."""

    version: str
    text_sha256: str
    language: str


@dataclass(frozen=True)
class ConsentDeclined:
    """An ordinary end."""

    version: str


@dataclass(frozen=True)
class EligibilityAssessed:
    """Answers by question id, and the verdict that follows from the protocol."""

    answers: Mapping[str, bool]
    eligible: bool


@dataclass(frozen=True)
class InductionCompleted:
    """The protocol's induction was gone through before the `pre` report."""


@dataclass(frozen=True)
class SelfReportSubmitted:
    """One instrument, answered.

    Args:
        raw: item to raw value as given; missed items are absent.
        affect: in [-1, 1]; None where an item was missed or the instrument has none.
        probe_at_s: the probe's onset in session time, for phase `probe`.
    """

    phase: Phase
    instrument_id: str
    perspective: Perspective
    raw: Mapping[str, float]
    affect: Affect | None
    scores: Mapping[str, float]
    missed_items: tuple[str, ...]
    probe_at_s: float | None = None


@dataclass(frozen=True)
class SelfReportMissed:
    """An instrument that was due and not answered at all."""

    phase: Phase
    instrument_id: str
    reason: str
    probe_at_s: float | None = None


@dataclass(frozen=True)
class ParticipantAllocated:
    """The next place of the stratum's list; arm_ids: one per session."""

    group_id: str
    arm_ids: tuple[str, ...]
    stratum: Mapping[str, str]
    block: int
    position: int


@dataclass(frozen=True)
class SessionRendered:
    """The session's sound exists, complete and hashed."""

    arm_id: str
    plan_sha256: str
    manifest_sha256: str
    audio_sha256: str
    duration_s: float


@dataclass(frozen=True)
class PlaybackStarted:
    """Sound began at `position_s` of the session."""

    position_s: float


@dataclass(frozen=True)
class PlaybackPaused:
    """Sound paused at `position_s`."""

    position_s: float


@dataclass(frozen=True)
class PlaybackResumed:
    """Sound went on from `position_s`."""

    position_s: float


@dataclass(frozen=True)
class PlaybackStopped:
    """Listening ended before the session's end."""

    position_s: float
    reason: StopReason


@dataclass(frozen=True)
class PlaybackEnded:
    """The session's end was heard."""

    position_s: float


@dataclass(frozen=True)
class AdverseEventReported:
    """Category: emotional, physiological, physical or relational."""

    category: str
    severity: str
    relatedness: str
    description: str


@dataclass(frozen=True)
class DeviationRecorded:
    """Something was done otherwise than the protocol says, and why."""

    description: str
    reason: str


@dataclass(frozen=True)
class ParticipantDiscontinued:
    """A person's part ended before its planned end."""

    reason: EndReason
    note: str


@dataclass(frozen=True)
class PayloadErased:
    """The payload of an earlier row was erased; its place in the chain stands."""

    erased_sequence: int
    reason: str


Event = (
    StudyInitialised
    | RehearsalStarted
    | ParticipantEnrolled
    | ConsentGiven
    | ConsentDeclined
    | EligibilityAssessed
    | InductionCompleted
    | SelfReportSubmitted
    | SelfReportMissed
    | ParticipantAllocated
    | SessionRendered
    | PlaybackStarted
    | PlaybackPaused
    | PlaybackResumed
    | PlaybackStopped
    | PlaybackEnded
    | AdverseEventReported
    | DeviationRecorded
    | ParticipantDiscontinued
    | PayloadErased
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
