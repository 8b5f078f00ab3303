"""Harm, help and departures from the protocol."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from study.affect import Affect


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


class SupportCause(StrEnum):
    """Why the support page was shown."""

    STOPPED = "stopped"
    DISTRESS = "distress"
    CALLED = "called"


@dataclass(frozen=True)
class SupportOffered:
    """The support page became due: the person stopped, reported distress, or called for help.

    Args:
        felt: the report that was distress; None otherwise.
    """

    cause: SupportCause
    felt: Affect | None = None


@dataclass(frozen=True)
class SupportAnswered:
    """The support page was answered.

    Args:
        feeling: ``better``, ``same``, ``worse``, or None where the person did not say.
        wants_staff: somebody is asked to come.
        goes_on: the music may go on; else the session's sound ends here.
    """

    feeling: str | None
    wants_staff: bool
    goes_on: bool


@dataclass(frozen=True)
class AlertAcknowledged:
    """Staff saw an alert.

    Args:
        alert_sequence: the row that raised it.
        alert_kind: which of the alerts that row raised; None for all of them.
    """

    alert_sequence: int
    note: str
    alert_kind: str | None = None
