"""What a reader must know of people who took back their consent, and of how long data are kept."""

from __future__ import annotations

from collections.abc import Sequence

from study.events import ConsentWithdrawn, RecordedEvent, RecordFrozen
from study.privacy.retention import data_until
from study.protocol import StudyProtocol


def privacy_notes(protocol: StudyProtocol, events: Sequence[RecordedEvent]) -> list[str]:
    """Sentences on who withdrew, what may be used, and until when the data are kept.

    Args:
        events: the whole record, in order.
    """
    return [*_withdrawals(events), *_retention(protocol, events)]


def _retention(protocol: StudyProtocol, events: Sequence[RecordedEvent]) -> list[str]:
    if protocol.privacy is None:
        return []
    years, until = protocol.privacy.retention_years, data_until(protocol, events)
    if until is None:
        return [f"The data are kept for {years} years from the freeze."]
    return [f"The data are kept until {until.isoformat()}, {years} years from the freeze."]


def _withdrawals(events: Sequence[RecordedEvent]) -> list[str]:
    frozen = next((r.sequence for r in events if isinstance(r.event, RecordFrozen)), None)
    keep: set[str | None] = set()
    erase: set[str | None] = set()
    late: set[str | None] = set()
    for recorded in events:
        if isinstance(recorded.event, ConsentWithdrawn):
            (keep if recorded.event.keeps_data else erase).add(recorded.participant_id)
            if not recorded.event.keeps_data and frozen is not None and recorded.sequence > frozen:
                late.add(recorded.participant_id)
    notes = []
    if keep - erase:
        notes.append(f"{len(keep - erase)} withdrew consent and let what they had given be used.")
    if erase:
        notes.append(
            f"{len(erase)} withdrew consent and asked for their data to be erased: nothing they gave is "
            "used here, reports of harm apart."
        )
    if late:
        notes.append(
            f"{len(late)} of these did so after the record was frozen: an analysis made before then used "
            "data that are not here any more."
        )
    return notes
