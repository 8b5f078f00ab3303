"""Records made row by row, and people walked to a point, for tests of what staff are told."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from study.affect import Affect
from study.cohort import SimulatedClock
from study.delivery import record_playback
from study.events import (
    Event,
    ParticipantAllocated,
    ParticipantEnrolled,
    PlaybackEnded,
    PlaybackLogged,
    PlaybackPaused,
    PlaybackResumed,
    PlaybackStarted,
    PlayerEntry,
    PlayerEntryKind,
    RecordedEvent,
    SessionRendered,
    SupportCause,
    SupportOffered,
)
from study.founding import Study, initialise_study
from study.protocol import StopRule, StudyProtocol
from study.protocol_file import load_protocol
from study.record import Draft
from study.self_reports import miss_report
from study.step import GiveReport, Listen
from tests.study import walking
from tests.study.conftest import ONE_SESSION

SESSION = "ses-01"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


EXAMPLE = load_protocol(ONE_SESSION)


def with_rules(*rules: StopRule) -> StudyProtocol:
    return replace(EXAMPLE, safety=replace(EXAMPLE.safety, stop_rules=rules))


def row(
    sequence: int, event: Event, who: str | None, session_id: str | None, at: datetime = NOW
) -> RecordedEvent:
    return RecordedEvent(sequence, at, "test", type(event).__name__, "ab" * 32, who, session_id, event)


def allocation(arm: str) -> ParticipantAllocated:
    return ParticipantAllocated(arm, (arm,), {}, 0, 0)


def trial(
    people: dict[str, int], distressed: dict[str, int], first: int = 0, sequence: int = 0
) -> list[RecordedEvent]:
    """People of each arm begin to listen; then some of them are in distress."""
    rows: list[RecordedEvent] = []
    harmed: list[str] = []

    def add(event: Event, who: str, session_id: str | None) -> None:
        rows.append(row(sequence + len(rows) + 1, event, who, session_id))

    for arm, n in people.items():
        for i in range(n):
            who = f"sub-{first}"
            first += 1
            add(allocation(arm), who, None)
            add(PlaybackStarted(0.0), who, SESSION)
            if i < distressed.get(arm, 0):
                harmed.append(who)
    for who in harmed:
        add(SupportOffered(SupportCause.DISTRESS, Affect(-0.9, 0.9)), who, SESSION)
    return rows


def heard_until(stop_s: float) -> list[RecordedEvent]:
    """Somebody who listened to a session of 900 s up to a point, and then was not seen again."""
    events: Sequence[tuple[Event, str | None]] = (
        (ParticipantEnrolled({}, False), None),
        (SessionRendered("iso", "0" * 64, "0" * 64, "0" * 64, 900.0), SESSION),
        (PlaybackStarted(0.0), SESSION),
        (PlaybackEnded(stop_s), SESSION),
    )
    return [row(i, event, "sub-0", session) for i, (event, session) in enumerate(events, start=1)]


def player_log(*lines: tuple[PlayerEntryKind, int, float, str | None]) -> PlaybackLogged:
    return PlaybackLogged(
        "player",
        tuple(
            PlayerEntry(i, kind, at_ms, position_s, (), detail)
            for i, (kind, at_ms, position_s, detail) in enumerate(lines)
        ),
    )


def append(study: Study, person: str | None, *events: Event, session_id: str | None = SESSION) -> None:
    study.record.append("test", lambda _: [Draft(event, person, session_id) for event in events])


def walk_through(study: Study, person: str, miss: tuple[str, str] | None = None) -> None:
    """Listen to the end and answer what is asked of the session, but for what is to be missed.

    Args:
        person: due for listening.
        miss: instrument and phase.
    """
    event: type[PlaybackStarted | PlaybackResumed] = PlaybackStarted
    while True:
        match walking.due(study, person):
            case Listen(position_s=position_s, until_s=until_s):
                record_playback(study, "test", person, SESSION, event(position_s))
                event = PlaybackResumed
                is_end = until_s == study.protocol.duration_s
                record_playback(
                    study,
                    "test",
                    person,
                    SESSION,
                    PlaybackEnded(until_s) if is_end else PlaybackPaused(until_s),
                )
            case GiveReport(session_id="ses-01") as report:
                if miss == (report.instrument_id, str(report.phase)):
                    miss_report(study, "test", person, report, "not answered")
                else:
                    walking.answer(study, person)
            case _:
                return


def two_sessions(folder: Path, clock: SimulatedClock) -> Study:
    """The example with a second session 7 to 14 days after the first."""
    content = json.loads(ONE_SESSION.read_text())
    content["session"] |= {"count": 2, "windows": [{"session": 2, "from_day": 7, "to_day": 14}]}
    path = folder / "two.json"
    path.write_text(json.dumps(content))
    return initialise_study(folder / "two", path, "test", "isopath test", clock)
