"""A person on their way through the study."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class EndReason(StrEnum):
    """Why a person's part ended before its planned end."""

    WITHDREW = "withdrew"
    DROPPED_OUT = "dropped_out"
    LOST_TO_FOLLOW_UP = "lost_to_follow_up"
    STOPPED_FOR_SAFETY = "stopped_for_safety"


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
class SoundChecked:
    """One attempt at the sound check.

    Args:
        volume: what the player's own volume was set to, 0 to 1; None where the device sets it.
        headphone_test: ``huggins``, ``antiphase``, or None where there was none.
        correct, trials: of the headphone test; 0 of 0 without one.
        passed: whether the protocol's bar was reached.
        attempt: from 1, within one session.
    """

    volume: float | None
    headphone_test: str | None
    correct: int
    trials: int
    passed: bool
    attempt: int


@dataclass(frozen=True)
class InductionCompleted:
    """The protocol's induction was gone through before the `pre` report."""


@dataclass(frozen=True)
class ParticipantImported:
    """Consent, eligibility and allocation of this person took place elsewhere, in another system.

    Args:
        source_id: the person's id in the file that was imported.
    """

    source_id: str


@dataclass(frozen=True)
class ParticipantAllocated:
    """The next place of the stratum's list.

    Args:
        arm_ids: one per session.
        block, position: from 0; block 0 throughout where the method knows no blocks.
        method: as the protocol names it.
        probability: of this group for whoever knew the protocol and the places before, but no seed;
            None in a record of an earlier isopath.
        drawn: 32 bytes from the operating system that decided it, as hex; None where a seed did.
    """

    group_id: str
    arm_ids: tuple[str, ...]
    stratum: Mapping[str, str]
    block: int
    position: int
    method: str = "permuted_blocks"
    probability: float | None = None
    drawn: str | None = None


@dataclass(frozen=True)
class SessionRendered:
    """The session's sound exists, complete and hashed.

    Args:
        start_rule: how a start was chosen that is not the reported mood itself; None where it is.
    """

    arm_id: str
    plan_sha256: str
    manifest_sha256: str
    audio_sha256: str
    duration_s: float
    start_rule: str | None = None


@dataclass(frozen=True)
class DebriefRead:
    """The debriefing was shown and read to its end."""

    text_sha256: str
    language: str


@dataclass(frozen=True)
class VisitMissed:
    """A visit did not take place, and will not."""

    reason: str


@dataclass(frozen=True)
class ParticipationMoved:
    """The person went on in another tab or on another device; the earlier one was told."""

    tab_id: str


@dataclass(frozen=True)
class ParticipantDiscontinued:
    """A person's part ended before its planned end."""

    reason: EndReason
    note: str
