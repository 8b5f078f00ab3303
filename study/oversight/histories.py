"""The record, person by person."""

from __future__ import annotations

from study.events import History, RecordedEvent


def histories_of(events: History) -> dict[str, list[RecordedEvent]]:
    """Each participant's events, in order; participants in the order they were enrolled.

    Args:
        events: the whole record, in order.
    """
    people: dict[str, list[RecordedEvent]] = {}
    for recorded in events:
        if recorded.participant_id is not None:
            people.setdefault(recorded.participant_id, []).append(recorded)
    return people
