"""What speaks for and against the data: one row a session, and what concerns the study as a whole."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from study.events import (
    Asked,
    DeviationRecorded,
    History,
    ParticipationMoved,
    QuestionnaireSubmitted,
    RecordedEvent,
    SelfReportMissed,
    SelfReportSubmitted,
    ServedInsecurely,
    SoundChecked,
)
from study.listening import listening_of
from study.oversight.completeness import session_ids_of
from study.oversight.histories import histories_of
from study.oversight.reasons import heard_share, is_verified
from study.protocol import StudyProtocol
from study.versions import pinned

TOO_FAST_S = 1.0
"""An answer given sooner after its question was shown was hardly read."""


@dataclass(frozen=True)
class QualityRow:
    """What was noticed about one session, or about a person's answers outside sessions.

    Args:
        session_id: None for what belongs to no session: baseline, follow-up, questionnaires.
        heard_share: of the session's sound, 0 to 1; None before there is one.
        muted_s, hidden_s: seconds of sound with the player muted, and with the page out of view.
        longest_gap_s: longest silence by the clock between two stretches of sound, but for a probe's.
        untouched_items: sliders left in the middle and confirmed there.
        fast_answers: reports answered within a second of being shown.
        missed_items, missed_reports: left out, and not given at all.
        moves: how often the person went on in another tab or on another device.
        sound_check: ``passed``, ``failed``, or None where none was made.
        sound_verified: the browser checked the sound's hash; None where no browser loaded it.
    """

    participant_id: str
    session_id: str | None
    heard_s: float
    heard_share: float | None
    pauses: int
    stalls: int
    muted_s: float
    hidden_s: float
    longest_gap_s: float
    untouched_items: int
    fast_answers: int
    missed_items: int
    missed_reports: int
    outside_window: bool
    moves: int
    sound_check: str | None
    sound_verified: bool | None


@dataclass(frozen=True)
class InsecureServing:
    """The app was reachable without encryption from here on."""

    at: datetime
    host: str


def quality_rows(protocol: StudyProtocol, events: History) -> tuple[QualityRow, ...]:
    """A row for each session that was begun, and one for a person's answers outside them.

    Args:
        events: the whole record, in order.
    """
    return tuple(
        row
        for participant_id, history in histories_of(events).items()
        for row in quality_of(protocol, participant_id, history)
    )


def quality_of(protocol: StudyProtocol, participant_id: str, history: History) -> Iterator[QualityRow]:
    """The rows of one participant, see `quality_rows`."""
    protocol = pinned(protocol, history)
    for session_id in (*session_ids_of(protocol), None):
        here = [recorded for recorded in history if recorded.session_id == session_id]
        answered = [r for r in here if _is_answer(r) or isinstance(r.event, ParticipationMoved)]
        if here and (session_id is not None or answered):
            yield _row(participant_id, session_id, here)


def insecure_servings(events: History) -> tuple[InsecureServing, ...]:
    """Each time the app was started without TLS beyond its own machine."""
    return tuple(
        InsecureServing(recorded.at, recorded.event.host)
        for recorded in events
        if isinstance(recorded.event, ServedInsecurely)
    )


def _row(participant_id: str, session_id: str | None, here: list[RecordedEvent]) -> QualityRow:
    listening = listening_of(here, session_id or "")
    checks = [r.event.passed for r in here if isinstance(r.event, SoundChecked)]
    asked = list(_asked(here))
    return QualityRow(
        participant_id=participant_id,
        session_id=session_id,
        heard_s=listening.heard_s,
        heard_share=heard_share(here, listening),
        pauses=listening.pauses,
        stalls=listening.stalls,
        muted_s=listening.muted_s,
        hidden_s=listening.hidden_s,
        longest_gap_s=listening.longest_gap_s,
        untouched_items=sum(len(one.untouched_items) for one in asked),
        fast_answers=sum(
            one.response_time_s is not None and one.response_time_s < TOO_FAST_S for one in asked
        ),
        missed_items=sum(
            len(r.event.missed_items)
            for r in here
            if isinstance(r.event, (SelfReportSubmitted, QuestionnaireSubmitted))
        ),
        missed_reports=sum(isinstance(r.event, SelfReportMissed) for r in here),
        outside_window=any(
            isinstance(r.event, DeviationRecorded) and "outside its window" in r.event.reason for r in here
        ),
        moves=sum(isinstance(r.event, ParticipationMoved) for r in here),
        sound_check=None if not checks else "passed" if any(checks) else "failed",
        sound_verified=is_verified(here),
    )


def _is_answer(recorded: RecordedEvent) -> bool:
    return isinstance(recorded.event, (SelfReportSubmitted, SelfReportMissed, QuestionnaireSubmitted))


def _asked(here: list[RecordedEvent]) -> Iterator[Asked]:
    for recorded in here:
        if isinstance(recorded.event, (SelfReportSubmitted, QuestionnaireSubmitted)) and recorded.event.asked:
            yield recorded.event.asked
