"""What each kind of step puts on its page, beside what every page has."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

from dashboards.participant.instrument_view import instrument_data, questionnaire_data
from dashboards.participant.markdown import safe_html
from dashboards.texts.catalogue import words
from generation.session_folder import SOUND
from study.errors import ConductError
from study.events import ConsentWithdrawn, History, ParticipantAllocated, SessionRendered, SoundChecked
from study.founding import Study
from study.protocol import StudyProtocol
from study.step import (
    AnswerEligibility,
    AnswerSupport,
    CheckSound,
    Finished,
    GiveConsent,
    GiveReport,
    GoThroughInduction,
    Listen,
    ReadDebrief,
    RenderSession,
    Step,
)
from study.support import has_sound_to_end, pending_cause
from study.visits import opening_of

_OUTCOMES_WITH_WORDS = frozenset(
    {"completed", "declined", "not_eligible", "sound_check_failed", "withdrew", "stopped_for_safety"}
)


def kind_of(protocol: StudyProtocol, history: History, step: Step, now: datetime) -> str:
    """The kind of page a due step is shown on."""
    if opening_of(protocol, history, step, now) is not None:
        return "early"
    match step:
        case GiveConsent():
            return "consent"
        case AnswerEligibility():
            return "eligibility"
        case CheckSound():
            return "sound_check"
        case GoThroughInduction():
            return "induction"
        case GiveReport(instrument_id=instrument_id):
            return "instrument" if protocol.questionnaire(instrument_id) is None else "questionnaire"
        case RenderSession():
            return "waiting"
        case Listen():
            return "player"
        case AnswerSupport():
            return "support"
        case ReadDebrief():
            return "debrief"
        case Finished():
            return "finished"


def step_data(
    study: Study, history: History, participant_id: str, step: Step, key: str, language: str, now: datetime
) -> dict[str, Any]:
    """The ``data`` of a view.

    Args:
        key: of the step, from `study.steps.step_key`.
    """
    protocol = study.protocol_of(history)
    opens_at = opening_of(protocol, history, step, now)
    if opens_at is not None:
        return {"opens_at": opens_at.isoformat()}
    match step:
        case GiveConsent():
            text = protocol.consent_text[language]
            return {
                "html": safe_html(text),
                "text_sha256": hashlib.sha256(text.encode()).hexdigest(),
                "version": protocol.consent_version,
                "languages": list(protocol.languages),
            }
        case AnswerEligibility():
            asked = [{"id": q.question_id, "text": q.text[language]} for q in protocol.eligibility]
            return {"questions": asked}
        case CheckSound(session_id=session_id):
            return _sound_check(protocol, history, session_id)
        case GoThroughInduction():
            text = protocol.induction_text[language] if protocol.induction_text is not None else ""
            return {"html": safe_html(text)}
        case GiveReport():
            return _report(study, step, participant_id, key, language)
        case RenderSession(session_id=session_id):
            return {"session_id": session_id}
        case Listen():
            return _player(study, history, participant_id, step, language)
        case AnswerSupport(session_id=session_id):
            return _support(study, history, session_id, language)
        case ReadDebrief():
            return _debrief(protocol, history, language)
        case Finished(outcome=outcome):
            return _finished(protocol, history, outcome, language)


def _sound_check(protocol: StudyProtocol, history: History, session_id: str) -> dict[str, Any]:
    check = protocol.sound_check
    if check is None:
        raise ConductError(session_id, "has no sound check", "reload the page")
    attempt = 1 + sum(r.session_id == session_id and r.kind == SoundChecked.__name__ for r in history)
    trials = 0 if check.headphone_test is None else check.trials
    return {
        "test": check.headphone_test,
        "trials": trials,
        "attempt": attempt,
        "attempts": check.attempts,
        # The attempt is only there so that no browser plays an earlier attempt's sound again.
        "sounds": [f"/api/me/sound-check/{n}.wav?attempt={attempt}" for n in range(1, trials + 1)],
        "level_url": "/api/me/sound-check/level.wav",
        "volume": _volume(history, session_id),
    }


def _volume(history: History, session_id: str) -> float | None:
    found = [
        r.event.volume for r in history if r.session_id == session_id and isinstance(r.event, SoundChecked)
    ]
    return found[-1] if found else None


def _report(study: Study, report: GiveReport, participant_id: str, key: str, language: str) -> dict[str, Any]:
    protocol = study.protocol_for(participant_id)
    questionnaire = protocol.questionnaire(report.instrument_id)
    if questionnaire is not None:
        return questionnaire_data(questionnaire, language)
    item_words = words(language, ("instrument", "item"), study.folder.root / "texts")
    return instrument_data(protocol, report, participant_id, key, item_words)


def _player(
    study: Study, history: History, participant_id: str, step: Listen, language: str
) -> dict[str, Any]:
    protocol = study.protocol_of(history)
    rendered = next(
        r.event
        for r in reversed(history)
        if r.session_id == step.session_id and isinstance(r.event, SessionRendered)
    )
    rating = None
    if protocol.listening.rating_instrument_id is not None:
        instrument = protocol.instrument(protocol.listening.rating_instrument_id)
        asked = words(language, ("player",), study.folder.root / "texts")
        rating = {
            "instrument_kind": instrument.kind,
            "perspective": str(instrument.perspective),
            "question": asked[f"player.rating.{instrument.perspective}"],
        }
    return {
        "session_id": step.session_id,
        # Only its own person's browser may send a log that it remembers.
        "log_key": _log_key(protocol, history[0].participant_id, step.session_id),
        "sound_url": f"/api/me/sound/{step.session_id}",
        "sha256": rendered.audio_sha256,
        "bytes": (study.folder.sessions / participant_id / step.session_id / SOUND).stat().st_size,
        "duration_s": rendered.duration_s,
        "position_s": step.position_s,
        "until_s": step.until_s,
        "until": "probe" if step.until_s in protocol.probes_at_s else "end",
        "has_visual": protocol.listening.has_visual,
        "volume": _volume(history, step.session_id),
        "rating": rating,
        "support_html": safe_html(protocol.safety.support_text[language]),
    }


def _log_key(protocol: StudyProtocol, participant_id: str | None, session_id: str) -> str:
    text = f"{protocol.sha256}/{participant_id}/{session_id}"
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _support(study: Study, history: History, session_id: str, language: str) -> dict[str, Any]:
    return {
        "cause": str(pending_cause(history, session_id) or "called"),
        "html": safe_html(study.protocol_of(history).safety.support_text[language]),
        "may_go_on": True,
        # What "stop" ends: the music where some is left to hear, else the person's part.
        "ends": "music" if has_sound_to_end(history, session_id) else "study",
    }


def _debrief(protocol: StudyProtocol, history: History, language: str) -> dict[str, Any]:
    if protocol.debrief is None:
        raise ConductError("debrief", "this study has none", "reload the page")
    labels: list[str] = []
    if protocol.debrief.tells_arm:
        allocated = [r.event for r in history if isinstance(r.event, ParticipantAllocated)]
        labels = [protocol.arm(arm_id).told_in(language) for event in allocated for arm_id in event.arm_ids]
    html = safe_html(protocol.debrief.text[language])
    return {"html": html, "arm_label": "; ".join(dict.fromkeys(labels)) or None}


def _finished(protocol: StudyProtocol, history: History, outcome: str, language: str) -> dict[str, Any]:
    support = protocol.safety.support_text[language] if outcome == "stopped_for_safety" else ""
    is_erased = any(isinstance(r.event, ConsentWithdrawn) and not r.event.keeps_data for r in history)
    return {
        "outcome": outcome,
        "said_as": "withdrew_erase" if is_erased else outcome if outcome in _OUTCOMES_WITH_WORDS else "ended",
        "html": safe_html(support),
        "contacts_html": safe_html(contacts_of(protocol)),
    }


def contacts_of(protocol: StudyProtocol) -> str:
    """Markdown of whom a person may ask; names and addresses, never roles in another language."""
    lines = []
    for contact in protocol.contacts:
        reach = [f"<{contact.email}>"] if contact.email else []
        reach += [contact.phone] if contact.phone else []
        lines.append(f"- {contact.name}" + (": " + ", ".join(reach) if reach else ""))
    return "\n".join(lines)
