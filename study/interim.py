"""Looks at the arms before the end: each planned, in order, once, and on record before it is shown.

The record says that a look was taken, by whom and at which row; no event says anything of a
single participant's arm, and nobody but whoever took the look is told what it found.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from study.errors import ConductError, OutOfRange
from study.events import InterimLookTaken
from study.founding import Study
from study.frozen import HoldsEvents, is_frozen
from study.record import Draft, Reader

WHERE = "the interim look"


def looks_taken(record: HoldsEvents) -> tuple[InterimLookTaken, ...]:
    """Looks on record, in order."""
    events = (recorded.event for recorded in record.events(kinds=[InterimLookTaken]))
    return tuple(event for event in events if isinstance(event, InterimLookTaken))


def require_look(study: Study, record: HoldsEvents, look: int) -> None:
    """Refuse a look that is not the next one planned; call it before anything is compared.

    Args:
        look: from 1.

    Raises:
        ConductError: the protocol plans no looks or not this one, it is the last (the analysis at the
            end), it or an earlier one stands in its way, or the record is frozen.
    """
    plan = study.protocol.analysis.interim
    if plan is None:
        raise ConductError(WHERE, "the protocol plans none", "analyse at the end, with isopath analyse")
    if is_frozen(record):
        raise ConductError(WHERE, "the record is frozen", "unblind it, and run isopath analyse")
    last = len(plan.looks)
    if look == last:
        remedy = "freeze and unblind the record, and run isopath analyse"
        raise ConductError(WHERE, f"look {look} is the last: the analysis at the end", remedy)
    if not 1 <= look < last:
        planned = "look 1" if last == 2 else f"looks 1 to {last - 1}"
        raise ConductError(WHERE, f"the protocol plans no look {look}", f"it plans {planned} before the end")
    taken = {event.look for event in looks_taken(record)}
    if look in taken:
        raise ConductError(
            WHERE, f"look {look} was taken already", "a look is taken once; wait for the next, or for the end"
        )
    if look - 1 not in taken and look > 1:
        raise ConductError(WHERE, f"look {look - 1} was not taken yet", f"take look {look - 1} first")


def take_look(study: Study, actor: str, taken: InterimLookTaken) -> None:
    """Record a look; what it found may be shown afterwards and not before.

    Raises:
        ConductError: see `require_look`; or there is no more information than at the look before, or as
            much as was planned for the end.
        OutOfRange: no reason is given.
    """
    if not taken.reason.strip():
        raise OutOfRange("reason", "is empty", "say why, in a few words")

    def decide(reader: Reader) -> Sequence[Draft]:
        require_look(study, reader, taken.look)
        before = max((event.information for event in looks_taken(reader)), default=0.0)
        if taken.information <= before:
            problem = (
                "no outcomes were gathered since the look before" if before else "there are no outcomes yet"
            )
            raise ConductError(WHERE, problem, "look when there are more")
        if taken.information >= 1:
            problem = "all planned outcomes are there"
            raise ConductError(WHERE, problem, "freeze and unblind the record, and run isopath analyse")
        return [Draft(replace(taken, reason=taken.reason.strip()))]

    study.record.append(actor, decide)
