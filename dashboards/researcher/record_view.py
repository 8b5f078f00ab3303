"""The record as pages read it: whole, as it is now, and kept only for as long as its head stands.

Many pages ask every few seconds. What was read stays in memory by the head's
hash; when the record has grown, only the new rows are read. Nothing is kept
that the record does not say.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from study.chain import Head
from study.erasable import as_erased
from study.events import ConsentWithdrawn, PayloadErased, RecordedEvent
from study.founding import Study
from study.oversight import Alert, ParticipantStatus, QualityRow, status_of
from study.oversight.alerts import in_order, overdue_alerts, raised_alerts
from study.oversight.histories import histories_of
from study.oversight.quality import quality_of

_STATUS_STANDS_S = 30
"""What depends on the time of day is looked at again this often, also where nothing was recorded."""


@dataclass(frozen=True)
class _People:
    """What was worked out of each person's history, by the row it reached and the moment it was asked."""

    statuses: dict[str, tuple[int, int, ParticipantStatus]] = field(default_factory=dict)
    overdue: dict[str, tuple[int, int, tuple[Alert, ...]]] = field(default_factory=dict)
    quality: dict[str, tuple[int, tuple[QualityRow, ...]]] = field(default_factory=dict)


@dataclass(frozen=True)
class RecordView:
    """The record at one head.

    Args:
        events: all of them, in order.
        histories: participant to their events.
    """

    study: Study
    head: Head
    events: list[RecordedEvent]
    histories: Mapping[str, Sequence[RecordedEvent]]
    _people: _People = field(default_factory=_People, compare=False)
    _alerts: dict[int, tuple[Alert, ...]] = field(default_factory=dict, compare=False)

    def statuses(self, now: datetime) -> list[ParticipantStatus]:
        """Where everybody is, in the order of enrolment."""
        return [self.status(participant_id, now) for participant_id in self.histories]

    def status(self, participant_id: str, now: datetime) -> ParticipantStatus:
        """Where one participant is."""
        history = self.histories[participant_id]
        last, moment = history[-1].sequence, _moment(now)
        kept = self._people.statuses.get(participant_id)
        if kept is not None and kept[0] == last and (kept[1] == moment or kept[2].outcome is not None):
            return kept[2]
        found = status_of(self.study.protocol, history, now)
        self._people.statuses[participant_id] = (last, moment, found)
        return found

    def alerts(self, now: datetime) -> tuple[Alert, ...]:
        """Every alert, newest first."""
        moment = _moment(now)
        if moment not in self._alerts:
            overdue = [alert for who in self.histories for alert in self._overdue(who, now)]
            raised = raised_alerts(self.study.protocol, self.events)
            self._alerts.clear()
            self._alerts[moment] = in_order([*raised, *overdue], self.events)
        return self._alerts[moment]

    def _overdue(self, participant_id: str, now: datetime) -> tuple[Alert, ...]:
        # Nobody who has finished is waited for.
        if self.status(participant_id, now).outcome is not None:
            return ()
        history = self.histories[participant_id]
        last, moment = history[-1].sequence, _moment(now)
        kept = self._people.overdue.get(participant_id)
        if kept is None or kept[:2] != (last, moment):
            found = tuple(overdue_alerts(self.study.protocol, participant_id, history, now))
            kept = self._people.overdue[participant_id] = (last, moment, found)
        return kept[2]

    def quality(self) -> tuple[QualityRow, ...]:
        """What was noticed about every session."""
        return tuple(row for participant_id in self.histories for row in self._quality_of(participant_id))

    def _quality_of(self, participant_id: str) -> tuple[QualityRow, ...]:
        history = self.histories[participant_id]
        kept = self._people.quality.get(participant_id)
        if kept is None or kept[0] != history[-1].sequence:
            rows = tuple(quality_of(self.study.protocol, participant_id, history))
            kept = self._people.quality[participant_id] = (history[-1].sequence, rows)
        return kept[1]


def _moment(now: datetime) -> int:
    return int(now.timestamp()) // _STATUS_STANDS_S


class _Kept:
    views: Mapping[Path, RecordView] = {}
    lock = threading.Lock()


def record_view(study: Study) -> RecordView:
    """The record as it is now."""
    with _Kept.lock:
        found = _renewed(study, _Kept.views.get(study.folder.root))
        _Kept.views = {study.folder.root: found}
        return found


def _renewed(study: Study, kept: RecordView | None) -> RecordView:
    head = study.record.head()
    is_known = kept is not None and kept.study.record is study.record
    if kept is not None and is_known and kept.head == head:
        return kept
    study.catch_up()
    if kept is not None and is_known:
        added = _up_to(head, study.record.events(after=max(kept.head.sequence - 1, 0)))
        # The last row known must still be what it was: a record put back from a backup is read anew.
        is_grown = bool(kept.events) and added[:1] == kept.events[-1:]
        # What is erased, or is to be, changes rows that were read before.
        is_less = any(isinstance(recorded.event, (ConsentWithdrawn, PayloadErased)) for recorded in added[1:])
        if is_grown and not is_less:
            return _grown(kept, head, added[1:])
    events = as_erased(_up_to(head, study.record.events()), but_calls=True)
    return RecordView(study, head, events, histories_of(events))


def _grown(kept: RecordView, head: Head, new: Sequence[RecordedEvent]) -> RecordView:
    histories = dict(kept.histories)
    for participant_id, rows in histories_of(new).items():
        histories[participant_id] = [*histories.get(participant_id, ()), *rows]
    return RecordView(kept.study, head, [*kept.events, *new], histories, kept._people)


def _up_to(head: Head, events: list[RecordedEvent]) -> list[RecordedEvent]:
    # Somebody may have written between the look at the head and at the rows.
    return [recorded for recorded in events if recorded.sequence <= head.sequence]
