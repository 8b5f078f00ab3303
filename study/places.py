"""The places of a record: the next one, and every one worked out again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from study.allocation import AllocationSource, Place, Seeded, Taken, list_of, next_place, of_list, place_again
from study.errors import RecordBroken
from study.events import (
    History,
    ParticipantAllocated,
    ParticipantEnrolled,
    ParticipantImported,
    RecordedEvent,
)
from study.founding import Study
from study.protocol import AllocationMethod, AllocationSpec
from study.record import Reader


def allocate(study: Study, reader: Reader, history: History) -> ParticipantAllocated:
    """The next place, for a person who has none yet; to be appended in the same transaction.

    Raises:
        ConductError, RecordMismatch, StorageError: see `Study.allocation_source`.
    """
    enrolled = next(r.event for r in history if isinstance(r.event, ParticipantEnrolled))
    stratum, spec = dict(enrolled.stratum), study.protocol_of(history, reader).allocation
    rows = reader.events(kinds=[ParticipantAllocated])
    place = next_place(
        spec, study.allocation_source(reader), _taken(rows), stratum, _skipped(spec, rows, stratum)
    )
    return ParticipantAllocated(
        place.group_id,
        place.arm_ids,
        stratum,
        place.block,
        place.position,
        spec.method,
        place.probability,
        place.drawn,
    )


@dataclass(frozen=True)
class CheckedPlaces:
    """What came of working out every place again.

    Args:
        places: that are as the rule gives them.
        unknown: that nobody can work out any more, since a row before them was erased.
    """

    places: int
    unknown: int


def check_places(study: Study) -> CheckedPlaces:
    """Work out every place of the record again, from the seed or from what was drawn for it.

    Places that another system gave (imported people) are left alone.

    Raises:
        RecordBroken: names the row of the first place that the rule does not give; never an arm.
        ConductError, RecordMismatch, StorageError: see `Study.allocation_source`.
    """
    source, spec = study.allocation_source(), study.protocol.allocation
    imported = {r.participant_id for r in study.record.events(kinds=[ParticipantImported])}
    rows = [r for r in study.record.events(kinds=[ParticipantAllocated]) if r.participant_id not in imported]
    found = unknown = 0
    taken: list[Taken] = []
    for row in rows:
        given = row.event
        # Whatever was erased so far may have been a place of any list.
        has_gaps = unknown > 0
        if not isinstance(given, ParticipantAllocated) or (has_gaps and _rests_on_others(spec, source)):
            unknown += 1
        elif _is_as_drawn(spec, source, taken, given, has_gaps):
            found += 1
        else:
            raise RecordBroken(
                f"{study.folder.record} row {row.sequence}",
                "is a place that the allocation does not give",
                "find out who wrote this row, and restore the last backup in which it holds",
                row.sequence,
            )
        taken += _taken([row])
    return CheckedPlaces(found, unknown)


def _is_as_drawn(
    spec: AllocationSpec,
    source: AllocationSource,
    taken: Sequence[Taken],
    given: ParticipantAllocated,
    has_gaps: bool,
) -> bool:
    seed = source if isinstance(source, Seeded) else None
    if (given.drawn is None) != (seed is not None) or given.method != spec.method:
        return False
    recorded = Place(
        given.group_id, given.arm_ids, given.block, given.position, given.probability, given.drawn
    )
    again = place_again(spec, seed, taken, given.stratum, recorded)
    if again is None or not _follows(spec, taken, given, has_gaps):
        return False
    # Places of before probabilities were noted hold none.
    if given.probability is None or has_gaps:
        again = replace(again, probability=given.probability)
    return again == recorded


def _follows(
    spec: AllocationSpec, taken: Sequence[Taken], given: ParticipantAllocated, has_gaps: bool
) -> bool:
    """Whether no place of the list was given twice, and none passed over but for an erased row."""
    here = of_list(spec, taken, given.stratum)
    at, last = (given.block, given.position), (here[-1].block, here[-1].position) if here else (0, -1)
    return at in ((last[0], last[1] + 1), (last[0] + 1, 0)) or (has_gaps and at > last)


def _rests_on_others(spec: AllocationSpec, source: AllocationSource) -> bool:
    """Whether a place follows from the groups given before it, and not from its own number alone."""
    if spec.method is AllocationMethod.PERMUTED_BLOCKS:
        return not isinstance(source, Seeded)
    return spec.method is not AllocationMethod.SIMPLE


def _taken(rows: Sequence[RecordedEvent]) -> list[Taken]:
    return [
        Taken(r.event.group_id, dict(r.event.stratum), r.event.block, r.event.position)
        for r in rows
        if isinstance(r.event, ParticipantAllocated)
    ]


def _skipped(spec: AllocationSpec, rows: Sequence[RecordedEvent], stratum: dict[str, str]) -> int:
    """How many erased rows stand after the list's last known place.

    Each may have been a place of this list, and no place is given twice.
    """
    mine, count = list_of(spec, stratum), 0
    for row in reversed(rows):
        if not isinstance(row.event, ParticipantAllocated):
            count += 1
        elif list_of(spec, row.event.stratum) == mine:
            break
    return count
