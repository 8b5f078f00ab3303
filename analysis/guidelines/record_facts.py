"""What the record tells of the trial itself, for its checklists: dates, hashes, how places were drawn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from study.errors import RecordError
from study.events import (
    AdverseEventReported,
    ArmsUnblinded,
    DeviationRecorded,
    ParticipantAllocated,
    ParticipantDiscontinued,
    ParticipantEnrolled,
    ParticipantImported,
    RecordedEvent,
    RecordFrozen,
    StudyInitialised,
)


@dataclass(frozen=True)
class RecordFacts:
    """The trial as its record tells it; nothing here tells an arm.

    Args:
        rows: of the record; `head_sha256` is the hash of the last.
        begun_at, first_enrolled_at, last_enrolled_at, last_data_at, frozen_at, unblinded_at: UTC; None
            where it has not happened.
        analysis_sha256: of the analysis block, as the freeze noted it; None before.
        allocation_seed_sha256: empty where places were drawn at their moment.
        allocation_source: see `study.allocation_seed.SeedForm`.
        allocation_methods: method to places given by it.
        ended_early: reason to people.
        imported: people who were allocated in another system.
    """

    rows: int
    head_sha256: str
    software: str
    begun_at: datetime
    first_enrolled_at: datetime | None
    last_enrolled_at: datetime | None
    last_data_at: datetime | None
    frozen_at: datetime | None
    freeze_reason: str
    frozen_head_sha256: str | None
    analysis_sha256: str | None
    unblinded_at: datetime | None
    allocation_seed_sha256: str
    allocation_source: str
    allocation_methods: dict[str, int]
    ended_early: dict[str, int]
    adverse_events: int
    deviations: int
    imported: int


def record_facts(events: Sequence[RecordedEvent], head_sha256: str) -> RecordFacts:
    """Read them from the whole record, in order.

    Raises:
        RecordError: it does not begin with a study.
    """
    begun = events[0].event if events else None
    if not isinstance(begun, StudyInitialised):
        raise RecordError("the record", "does not begin with the study", "restore the last backup")
    enrolled = [row.at for row in events if row.kind == ParticipantEnrolled.__name__]
    of_people = [row.at for row in events if row.participant_id is not None]
    frozen = [row for row in events if isinstance(row.event, RecordFrozen)]
    unblinded = [row.at for row in events if isinstance(row.event, ArmsUnblinded)]
    freeze = frozen[0].event if frozen else None
    methods = Counter(row.event.method for row in events if isinstance(row.event, ParticipantAllocated))
    ended = Counter(str(row.event.reason) for row in events if isinstance(row.event, ParticipantDiscontinued))
    return RecordFacts(
        rows=events[-1].sequence,
        head_sha256=head_sha256,
        software=begun.software,
        begun_at=events[0].at,
        first_enrolled_at=min(enrolled, default=None),
        last_enrolled_at=max(enrolled, default=None),
        last_data_at=max(of_people, default=None),
        frozen_at=frozen[0].at if frozen else None,
        freeze_reason=freeze.reason if isinstance(freeze, RecordFrozen) else "",
        frozen_head_sha256=freeze.head_sha256 if isinstance(freeze, RecordFrozen) else None,
        analysis_sha256=freeze.analysis_sha256 if isinstance(freeze, RecordFrozen) else None,
        unblinded_at=unblinded[0] if unblinded else None,
        allocation_seed_sha256=begun.allocation_seed_sha256,
        allocation_source=str(begun.allocation_source),
        allocation_methods=dict(sorted(methods.items())),
        ended_early=dict(sorted(ended.items())),
        adverse_events=sum(row.kind == AdverseEventReported.__name__ for row in events),
        imported=sum(row.kind == ParticipantImported.__name__ for row in events),
        deviations=sum(row.kind == DeviationRecorded.__name__ for row in events),
    )
