"""What one person felt in one session: the reports that tell no arm.

What the music was perceived to express describes the sound, and so the arm; it
is left out here, as are guesses of the arm.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from study.affect import Affect
from study.events import History, PlaybackLogged, PlayerEntryKind, QuestionnaireSubmitted, SelfReportSubmitted
from study.instruments import Perspective
from study.listening import listening_of
from study.protocol import Phase, StudyProtocol
from study.questionnaire import ItemKind
from study.versions import pinned


@dataclass(frozen=True)
class FeltReport:
    """One report of a feeling.

    Args:
        time_s: in session time: 0 before, the probe's onset, and where listening ended after.
        affect: None where an item was missed or the instrument has none.
    """

    at: datetime
    phase: Phase
    instrument_id: str
    time_s: float
    affect: Affect | None
    scores: tuple[tuple[str, float], ...]
    missed_items: tuple[str, ...]


@dataclass(frozen=True)
class FeltMoment:
    """A continuous rating while listening."""

    time_s: float
    affect: Affect


@dataclass(frozen=True)
class Answer:
    """One answered question of the study's own.

    Args:
        question, answer: in the study's first language; free text as it was written.
    """

    questionnaire_id: str
    question: str
    answer: str
    is_free_text: bool


def felt_reports(history: History, session_id: str) -> tuple[FeltReport, ...]:
    """The felt reports of one session, in order.

    Args:
        history: one participant's events, in order.
    """
    ended_s = listening_of(history, session_id).position_s
    return tuple(
        FeltReport(
            recorded.at,
            event.phase,
            event.instrument_id,
            {Phase.PROBE: event.probe_at_s or 0.0, Phase.POST: ended_s}.get(event.phase, 0.0),
            event.affect,
            tuple(event.scores.items()),
            event.missed_items,
        )
        for recorded in history
        if recorded.session_id == session_id
        and isinstance(event := recorded.event, SelfReportSubmitted)
        and event.perspective is Perspective.FELT
    )


def felt_moments(protocol: StudyProtocol, history: History, session_id: str) -> tuple[FeltMoment, ...]:
    """Continuous ratings of a felt instrument, in order; none where the protocol asks what is perceived."""
    protocol = pinned(protocol, history)
    rated = protocol.listening.rating_instrument_id
    if rated is None or protocol.instrument(rated).perspective is not Perspective.FELT:
        return ()
    return tuple(
        FeltMoment(entry.position_s, Affect(entry.values[0], entry.values[1]))
        for recorded in history
        if recorded.session_id == session_id and isinstance(recorded.event, PlaybackLogged)
        for entry in recorded.event.entries
        if entry.kind is PlayerEntryKind.RATING and len(entry.values) == 2
    )


def answers_of(
    protocol: StudyProtocol, history: History, session_id: str | None, with_guesses: bool = False
) -> Iterator[Answer]:
    """Answers to the study's own questionnaires.

    Args:
        with_guesses: whether guesses of the arm are among them: for who may know arms.
    """
    protocol = pinned(protocol, history)
    language = protocol.languages[0]
    for recorded in history:
        event = recorded.event
        if not isinstance(event, QuestionnaireSubmitted) or recorded.session_id != session_id:
            continue
        questionnaire = protocol.questionnaire(event.questionnaire_id)
        for item in questionnaire.items if questionnaire else ():
            if item.item_id not in event.answers or (item.measures == "arm_guess" and not with_guesses):
                continue
            said = event.answers[item.item_id]
            words = {option: text.get(language, option) for option, text in item.options}
            answer = words.get(str(said), f"{said:g}" if isinstance(said, float) else str(said))
            if item.kind is ItemKind.SCALE:
                answer = f"{answer} of {item.points}"
            question = item.text.get(language, item.item_id)
            yield Answer(event.questionnaire_id, question, answer, item.kind is ItemKind.TEXT)
