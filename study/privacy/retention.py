"""Until when the study's data are kept, and what is due to go.

The data themselves are kept for the protocol's `retention_years` from the
freeze; who somebody is, for `identities_months` from the end of that person's
part; and what somebody asked to have erased goes within a month (GDPR, Art.
5(1)(e), 12(3); ICH E6(R3), C.1.1 for what must be kept).
"""

from __future__ import annotations

import calendar
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime

from study.erasable import erasures_due
from study.events import DataErased, History, RecordFrozen
from study.founding import Study
from study.oversight.alerts import ERASED_WITHIN
from study.oversight.completeness import session_ids_of, signs_of
from study.oversight.histories import histories_of
from study.privacy.identities import is_noted_here
from study.protocol import StudyProtocol
from study.step import Finished
from study.steps import next_step
from study.versions import pinned


@dataclass(frozen=True)
class Deadline:
    """What of one person has to go, and by when.

    Args:
        by: the last day (UTC) on which it may be there.
        is_overdue: that day is over.
    """

    participant_id: str
    by: date
    is_overdue: bool


@dataclass(frozen=True)
class Retention:
    """Until when what is kept.

    Args:
        retention_years, identities_months, contact: as the protocol says, or None.
        frozen_on: when the years begin to count; None before the freeze.
        data_until: the day (UTC) until which the data must be kept; None where that is not known yet.
        is_past: that day is over: the data are due to be destroyed.
        identities: people whom a key file names and whose part is over, soonest first.
        erasures: people who asked to be erased and are not yet, soonest first.
        backups_holding: erased participant to the backups that still hold them.
    """

    retention_years: int | None
    identities_months: int | None
    contact: str | None
    frozen_on: date | None
    data_until: date | None
    is_past: bool
    identities: tuple[Deadline, ...]
    erasures: tuple[Deadline, ...]
    backups_holding: Mapping[str, tuple[str, ...]]

    @property
    def is_overdue(self) -> bool:
        """Whether anything should have gone already."""
        return self.is_past or any(one.is_overdue for one in (*self.identities, *self.erasures))


def retention_of(protocol: StudyProtocol, events: History, now: datetime) -> Retention:
    """Work out every deadline.

    Args:
        events: the whole record, in order.
        now: UTC.
    """
    spec, today, histories = protocol.privacy, now.astimezone(UTC).date(), histories_of(events)
    frozen, until = _frozen_on(events), data_until(protocol, events)
    months = None if spec is None else spec.identities_months
    named = [] if months is None else _identities(protocol, histories, months, today)
    erasures = [
        Deadline(who, (at + ERASED_WITHIN).date(), (at + ERASED_WITHIN).date() < today)
        for who, at in erasures_due(events).items()
    ]
    return Retention(
        retention_years=None if spec is None else spec.retention_years,
        identities_months=months,
        contact=None if spec is None else spec.contact,
        frozen_on=frozen,
        data_until=until,
        is_past=until is not None and until < today,
        identities=tuple(sorted(named, key=lambda one: (one.by, one.participant_id))),
        erasures=tuple(sorted(erasures, key=lambda one: (one.by, one.participant_id))),
        backups_holding=_backups_holding(histories),
    )


def data_until(protocol: StudyProtocol, events: History) -> date | None:
    """The day (UTC) until which the data are kept; None before the freeze, or where no protocol says.

    Args:
        events: the whole record, in order.
    """
    frozen = _frozen_on(events)
    if protocol.privacy is None or frozen is None:
        return None
    return months_later(frozen, 12 * protocol.privacy.retention_years)


def retention_now(study: Study) -> Retention:
    """Every deadline of a study as its record is now."""
    return retention_of(study.protocol, study.record.events(), study.record.clock())


def months_later(day: date, months: int) -> date:
    """The same day of a later month, or that month's last where it is shorter."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def _frozen_on(events: History) -> date | None:
    return next((r.at.astimezone(UTC).date() for r in events if isinstance(r.event, RecordFrozen)), None)


def _identities(
    protocol: StudyProtocol, histories: Mapping[str, History], months: int, today: date
) -> list[Deadline]:
    found = []
    for who, history in histories.items():
        if is_noted_here(history) and isinstance(next_step(pinned(protocol, history), history), Finished):
            by = months_later(_last_seen(protocol, history).astimezone(UTC).date(), months)
            found.append(Deadline(who, by, by < today))
    return found


def _last_seen(protocol: StudyProtocol, history: History) -> datetime:
    """When the person last gave or did something; else when they were enrolled."""
    ids = session_ids_of(protocol)
    seen = [r.at for session_id in ids for r in signs_of(history, session_id)]
    seen += [r.at for r in history if r.kind in _THEIR_OWN]
    return max([history[0].at, *seen])


_THEIR_OWN = frozenset(
    {
        "SelfReportSubmitted",
        "QuestionnaireSubmitted",
        "DebriefRead",
        "ParticipantDiscontinued",
        "ConsentWithdrawn",
    }
)


def _backups_holding(histories: Mapping[str, History]) -> dict[str, tuple[str, ...]]:
    stones = {
        who: [r.event for r in history if isinstance(r.event, DataErased)]
        for who, history in histories.items()
    }
    return {
        who: told[-1].backups_holding for who, told in stones.items() if told and told[-1].backups_holding
    }
