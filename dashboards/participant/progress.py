"""How far a person is within today's visit, in steps."""

from __future__ import annotations

from study.events import History
from study.protocol import Phase, StudyProtocol
from study.session import session_id_of
from study.step import AnswerSupport, CheckSound, Finished, GiveReport, ReadDebrief, Step
from study.steps import step_key


def progress_of(protocol: StudyProtocol, history: History, step: Step) -> dict[str, int]:
    """``done`` steps ``of`` all that belong to the visit of this step.

    The first visit goes from consent to the last report of session 1; a later
    one is its session; follow-up reports are one more. The support page is no
    step of the way and counts none.
    """
    if isinstance(step, AnswerSupport):
        return {"done": 0, "of": 0}
    names = _names_of_visit(protocol, _visit(protocol, step))
    if isinstance(step, Finished):
        return {"done": len(names), "of": len(names)}
    name = _name(step, history)
    listening = [i for i, known in enumerate(names) if known.startswith("listening/")]
    otherwise = listening[-1] if listening else len(names) - 1
    return {"done": names.index(name) if name in names else otherwise, "of": len(names)}


def _visit(protocol: StudyProtocol, step: Step) -> int:
    session_id = getattr(step, "session_id", None)
    for number in range(1, protocol.session_count + 1):
        if session_id == session_id_of(number):
            return number
    if isinstance(step, ReadDebrief):
        return protocol.session_count + (1 if _waits_for_follow_up(protocol) else 0)
    is_follow_up = isinstance(step, GiveReport) and step.phase is Phase.FOLLOW_UP
    return protocol.session_count + 1 if is_follow_up or isinstance(step, Finished) else 1


def _waits_for_follow_up(protocol: StudyProtocol) -> bool:
    has_follow_up = bool(protocol.assessments_at(Phase.FOLLOW_UP))
    return protocol.debrief is not None and protocol.debrief.after_follow_up and has_follow_up


def _names_of_visit(protocol: StudyProtocol, visit: int) -> list[str]:
    """Step keys in order; a sound check without its attempt, the last stretch of listening as ``end``."""
    if visit > protocol.session_count:
        reports = _reports(protocol, Phase.FOLLOW_UP, "study")
        return [*reports, "debrief"] if _waits_for_follow_up(protocol) else reports
    session_id = session_id_of(visit)
    names = [] if visit > 1 else ["consent", *(["eligibility"] if protocol.eligibility else [])]
    if protocol.sound_check is not None:
        names.append(f"sound-check/{session_id}")
    if visit == 1:
        names += _reports(protocol, Phase.BASELINE, "study")
    if protocol.induction_text is not None:
        names.append(f"induction/{session_id}")
    names += [*_reports(protocol, Phase.PRE, session_id), f"rendering/{session_id}"]
    for at_s in protocol.probes_at_s:
        names += [
            f"listening/{session_id}/{at_s:g}",
            *_reports(protocol, Phase.PROBE, session_id, at_s),
        ]
    names += [f"listening/{session_id}/end", *_reports(protocol, Phase.POST, session_id)]
    ends_it = visit == protocol.session_count and protocol.debrief is not None
    return [*names, "debrief"] if ends_it and not _waits_for_follow_up(protocol) else names


def _reports(protocol: StudyProtocol, phase: Phase, where: str, at_s: float | None = None) -> list[str]:
    named = [
        instrument_id
        for given in protocol.assessments_at(phase)
        if at_s is None or at_s in given.at_s
        for instrument_id in given.instrument_ids
    ]
    when = "" if at_s is None else f"@{at_s:g}"
    return [f"report/{where}/{phase}{when}/{name}/{n}" for n, name in enumerate(named, start=1)]


def _name(step: Step, history: History) -> str:
    match step:
        case CheckSound(session_id=session_id):
            return f"sound-check/{session_id}"
        case _:
            return step_key(step, history)
