"""Enrolment against the plan: in time, by site and by stratum."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate

from study.events import (
    ConsentDeclined,
    ConsentGiven,
    EligibilityAssessed,
    History,
    ParticipantAllocated,
    ParticipantDiscontinued,
    ParticipantEnrolled,
)
from study.protocol import StudyProtocol

PACE_DAYS = 28
"""The present pace is counted over this many days."""


@dataclass(frozen=True)
class LevelCount:
    """People of one level of a stratification factor."""

    factor: str
    level: str
    enrolled: int
    allocated: int


@dataclass(frozen=True)
class DayCount:
    """How many there were in all at the end of a day (UTC)."""

    day: date
    enrolled: int
    allocated: int


@dataclass(frozen=True)
class Enrolment:
    """How far enrolment is.

    Args:
        planned: people the protocol wants allocated.
        left: people whose part ended before its planned end.
        days: from the first enrolment to today, one a day.
        levels: every level of every factor, in the protocol's order.
        expected_end: when the plan would be reached at the pace of the last 28 days; None where
            nobody was allocated in them, or the plan is reached.
    """

    planned: int
    enrolled: int
    consented: int
    declined: int
    not_eligible: int
    allocated: int
    left: int
    days: tuple[DayCount, ...]
    levels: tuple[LevelCount, ...]
    expected_end: date | None


def enrolment_of(protocol: StudyProtocol, events: History, now: datetime) -> Enrolment:
    """Count who was enrolled and allocated, and when.

    Args:
        events: the whole record, in order.
        now: UTC.
    """
    kinds = Counter(recorded.kind for recorded in events)
    enrolled_on = _days_of(events, ParticipantEnrolled)
    allocated_on = _days_of(events, ParticipantAllocated)
    allocated = sum(allocated_on.values())
    return Enrolment(
        planned=protocol.sample_size,
        enrolled=kinds[ParticipantEnrolled.__name__],
        consented=kinds[ConsentGiven.__name__],
        declined=kinds[ConsentDeclined.__name__],
        not_eligible=sum(isinstance(r.event, EligibilityAssessed) and not r.event.eligible for r in events),
        allocated=allocated,
        left=kinds[ParticipantDiscontinued.__name__],
        days=_cumulated(enrolled_on, allocated_on, now.astimezone(UTC).date()),
        levels=_levels(protocol, events),
        expected_end=_expected_end(protocol.sample_size - allocated, allocated_on, now),
    )


def _days_of(events: History, kind: type) -> Counter[date]:
    return Counter(r.at.astimezone(UTC).date() for r in events if r.kind == kind.__name__)


def _cumulated(enrolled: Counter[date], allocated: Counter[date], today: date) -> tuple[DayCount, ...]:
    if not enrolled:
        return ()
    first = min(enrolled)
    days = [first + timedelta(days=n) for n in range((max(today, *enrolled, first) - first).days + 1)]
    sums = zip(
        days,
        accumulate(enrolled[day] for day in days),
        accumulate(allocated[day] for day in days),
        strict=True,
    )
    return tuple(DayCount(*row) for row in sums)


def _levels(protocol: StudyProtocol, events: History) -> tuple[LevelCount, ...]:
    stratum_of = {
        r.participant_id: r.event.stratum for r in events if isinstance(r.event, ParticipantEnrolled)
    }
    allocated = {r.participant_id for r in events if r.kind == ParticipantAllocated.__name__}
    return tuple(
        LevelCount(
            factor.factor,
            level,
            sum(stratum.get(factor.factor) == level for stratum in stratum_of.values()),
            sum(
                stratum.get(factor.factor) == level
                for participant_id, stratum in stratum_of.items()
                if participant_id in allocated
            ),
        )
        for factor in protocol.allocation.strata
        for level in factor.levels
    )


def _expected_end(missing: int, allocated: Counter[date], now: datetime) -> date | None:
    today = now.astimezone(UTC).date()
    since = today - timedelta(days=PACE_DAYS)
    recently = sum(n for day, n in allocated.items() if since < day <= today)
    if missing <= 0 or not recently:
        return None
    days = min(PACE_DAYS, (today - min(allocated)).days + 1)
    wait = missing * days / recently
    return today + timedelta(days=int(wait) + (wait > int(wait))) if wait < 36_500 else None
