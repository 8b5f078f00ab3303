"""Where each participant is: stage by stage, and what is due."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from study.events import (
    ConsentGiven,
    DebriefRead,
    EligibilityAssessed,
    History,
    LinkIssued,
    LinkRevoked,
    ParticipantEnrolled,
    ParticipantImported,
)
from study.oversight.completeness import Completeness, Verdict, completeness_of, session_ids_of
from study.protocol import Phase, StudyProtocol
from study.step import Finished, GiveReport, describe
from study.steps import next_step
from study.versions import pinned


class StageState(StrEnum):
    """How far one stage of a person's way is."""

    DONE = "done"
    DUE = "due"
    AHEAD = "ahead"
    MISSED = "missed"
    ENDED = "ended"


@dataclass(frozen=True)
class Stage:
    """One stage of a person's way: consent, eligibility, baseline, a session, follow-up, debriefing."""

    name: str
    state: StageState


@dataclass(frozen=True)
class ParticipantStatus:
    """Where one participant is.

    Args:
        due: what is due, in words; for who has finished, how it ended.
        outcome: None while the person's part goes on.
        stages: in the order people meet them.
        sessions: session to verdict.
        last_at: when anything was last recorded.
        has_link: a personal link is open.
    """

    participant_id: str
    enrolled_at: datetime
    stratum: Mapping[str, str]
    is_simulated: bool
    due: str
    outcome: str | None
    stages: tuple[Stage, ...]
    sessions: Mapping[str, Completeness]
    last_at: datetime
    has_link: bool


def status_of(protocol: StudyProtocol, history: History, now: datetime) -> ParticipantStatus:
    """Where one participant is.

    Args:
        history: the participant's events, in order, from the enrolment.
        now: UTC.
    """
    protocol = pinned(protocol, history)
    enrolled = next((r.event for r in history if isinstance(r.event, ParticipantEnrolled)), None)
    step = next_step(protocol, history)
    sessions = {
        session_id: completeness_of(protocol, history, session_id, now)
        for session_id in session_ids_of(protocol)
    }
    return ParticipantStatus(
        participant_id=history[0].participant_id or "",
        enrolled_at=history[0].at,
        stratum=enrolled.stratum if enrolled else {},
        is_simulated=enrolled.simulated if enrolled else False,
        due=describe(step),
        outcome=step.outcome if isinstance(step, Finished) else None,
        stages=_stages(protocol, history, step, sessions),
        sessions=sessions,
        last_at=history[-1].at,
        has_link=_has_link(history, now),
    )


def _stages(
    protocol: StudyProtocol,
    history: History,
    step: object,
    sessions: Mapping[str, Completeness],
) -> tuple[Stage, ...]:
    kinds = {recorded.kind for recorded in history}
    due = _stage_of(step)
    # Both took place where the person took part, or there would be nothing to import.
    elsewhere = ParticipantImported.__name__ in kinds
    done = {
        "consent": elsewhere or ConsentGiven.__name__ in kinds,
        "eligibility": elsewhere or EligibilityAssessed.__name__ in kinds,
    }
    done["debriefing"] = DebriefRead.__name__ in kinds
    for phase, name in ((Phase.BASELINE, "baseline"), (Phase.FOLLOW_UP, "follow-up")):
        given = sum(getattr(r.event, "phase", None) is phase for r in history)
        wanted = sum(len(a.instrument_ids) for a in protocol.assessments_at(phase))
        done[name] = given >= wanted
    stages = []
    for name in _names(protocol):
        if name == due:
            state = StageState.DUE
        elif name in sessions:
            state = _session_state(sessions[name].verdict)
        elif done[name]:
            state = StageState.DONE
        else:
            state = StageState.AHEAD
        if state is StageState.AHEAD and isinstance(step, Finished) and step.outcome != "completed":
            state = StageState.ENDED
        stages.append(Stage(name, state))
    return tuple(stages)


def _names(protocol: StudyProtocol) -> list[str]:
    names = ["consent"]
    if protocol.eligibility:
        names.append("eligibility")
    if protocol.assessments_at(Phase.BASELINE):
        names.append("baseline")
    names.extend(session_ids_of(protocol))
    last = ["follow-up"] if protocol.assessments_at(Phase.FOLLOW_UP) else []
    if protocol.debrief is not None:
        last.insert(len(last) if protocol.debrief.after_follow_up else 0, "debriefing")
    return [*names, *last]


def _stage_of(step: object) -> str | None:
    session_id = getattr(step, "session_id", None)
    if isinstance(session_id, str):
        return session_id
    if isinstance(step, GiveReport):
        return "baseline" if step.phase is Phase.BASELINE else "follow-up"
    return {"GiveConsent": "consent", "AnswerEligibility": "eligibility", "ReadDebrief": "debriefing"}.get(
        type(step).__name__
    )


def _session_state(verdict: Verdict) -> StageState:
    match verdict:
        case Verdict.NOT_BEGUN:
            return StageState.AHEAD
        case Verdict.UNDER_WAY:
            return StageState.DUE
        case Verdict.MISSED:
            return StageState.MISSED
        case Verdict.LOST:
            return StageState.ENDED
    return StageState.DONE


def _has_link(history: History, now: datetime) -> bool:
    revoked = {r.event.token_sha256 for r in history if isinstance(r.event, LinkRevoked)}
    return any(
        r.event.token_sha256 not in revoked
        and (r.event.expires_at is None or now < datetime.fromisoformat(r.event.expires_at))
        for r in history
        if isinstance(r.event, LinkIssued)
    )
