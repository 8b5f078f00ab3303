"""What a participant's page shows: one JSON-ready view of the step that is due.

Computed from protocol and record alone, so a reload, a crash or another device
shows the same. Nothing here tells an arm, an engine, a target or a plan, except
the debriefing of a protocol that says so.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from dashboards.participant.instrument_view import instrument_data, questionnaire_data
from dashboards.participant.markdown import safe_html
from dashboards.participant.progress import progress_of
from dashboards.texts.catalogue import REFERENCE, direction, words
from generation.session_folder import SOUND
from study.errors import ConductError, IsopathError
from study.events import (
    ConsentGiven,
    History,
    ParticipantAllocated,
    ParticipantEnrolled,
    SessionRendered,
    SoundChecked,
)
from study.founding import Study
from study.protocol import Phase, StudyProtocol
from study.session import session_id_of
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
from study.steps import next_step, step_key
from study.support import has_sound_to_end, pending_cause
from study.visits import opening_of

_OUTCOMES_WITH_WORDS = frozenset(
    {"completed", "declined", "not_eligible", "sound_check_failed", "withdrew", "stopped_for_safety"}
)


def step_view(study: Study, participant_id: str, language: str, now: datetime) -> dict[str, Any]:
    """The view of one participant's due step.

    Args:
        language: one of the protocol's, see `language_of`.
        now: decides whether a visit is open.

    Raises:
        UnknownName: nobody of that id is enrolled.
        ConductError: the language has no whole catalogue.
    """
    history = study.record.participant(participant_id)
    step = next_step(study.protocol, history)
    key = step_key(step, history)
    opens_at = opening_of(study.protocol, history, step, now)
    if opens_at is not None:
        kind, data = "early", {"opens_at": opens_at.isoformat()}
    else:
        kind, data = _shown(study, history, participant_id, step, key, language)
    view = _frame(study, language, kind)
    view.update(
        key=key,
        session_id=_session_of_a_call(study.protocol, step),
        progress=progress_of(study.protocol, history, step),
        can_withdraw=not isinstance(step, Finished | GiveConsent),
        simulated=_is_simulated(history),
        data=data,
    )
    return view


def _session_of_a_call(protocol: StudyProtocol, step: Step) -> str | None:
    """The session that a call for help is recorded with; None where nobody can be called."""
    if isinstance(step, Finished | GiveConsent):
        return None
    is_after = isinstance(step, ReadDebrief) or (
        isinstance(step, GiveReport) and step.phase is Phase.FOLLOW_UP
    )
    within: str | None = getattr(step, "session_id", None)
    return within or session_id_of(protocol.session_count if is_after else 1)


def closed_view(study: Study, language: str) -> dict[str, Any]:
    """The view for a browser without an open link."""
    view = _frame(study, language, "closed")
    view["data"] = {"html": safe_html(_contacts(study.protocol))}
    return view


def trouble_view(study: Study, language: str) -> dict[str, Any]:
    """The view where no other can be made: it needs nothing but words, in English if need be."""
    groups = ("page", "elsewhere")
    try:
        spoken = words(language, groups, study.folder.root / "texts")
    except IsopathError:
        language, spoken = REFERENCE, words(REFERENCE, groups)
    return {**_page("trouble", language, study.protocol.title), "words": spoken}


def language_of(protocol: StudyProtocol, history: History, chosen: Sequence[str | None] = ()) -> str:
    """The language of a person's pages.

    Args:
        history: the person's events; empty where nobody is known.
        chosen: what was asked for, most telling first (a choice on the page, a browser's wish).
            After consent the first alone counts, since consent was given in a language.
    """
    consented = next((r.event.language for r in history if isinstance(r.event, ConsentGiven)), None)
    wishes = [*chosen[:1], consented] if consented is not None else list(chosen)
    for wish in wishes:
        if wish is None:
            continue
        for offered in (wish, wish.split("-", maxsplit=1)[0]):
            if offered in protocol.languages:
                return offered
    return protocol.languages[0]


def _frame(study: Study, language: str, kind: str) -> dict[str, Any]:
    own_texts = study.folder.root / "texts"
    groups = {"page", "elsewhere", kind, *_MORE_WORDS.get(kind, ())}
    languages = [
        {
            "code": code,
            "name": words(code, ("language",), own_texts)["language.name"],
            "direction": direction(code),
        }
        for code in study.protocol.languages
    ]
    page = _page(kind, language, study.protocol.title)
    return {**page, "words": words(language, groups, own_texts), "languages": languages}


def _page(kind: str, language: str, study_title: str) -> dict[str, Any]:
    return {
        "kind": kind,
        "key": kind,
        "language": language,
        "direction": direction(language),
        "languages": [],
        "study_title": study_title,
        "words": {},
        "session_id": None,
        "progress": {"done": 0, "of": 0},
        "can_withdraw": False,
        "simulated": False,
        "data": {},
    }


_MORE_WORDS = {"instrument": ("item",), "player": ("item", "instrument")}


def _shown(
    study: Study, history: History, participant_id: str, step: Step, key: str, language: str
) -> tuple[str, dict[str, Any]]:
    protocol = study.protocol
    match step:
        case GiveConsent():
            text = protocol.consent_text[language]
            return "consent", {
                "html": safe_html(text),
                "text_sha256": hashlib.sha256(text.encode()).hexdigest(),
                "version": protocol.consent_version,
                "languages": list(protocol.languages),
            }
        case AnswerEligibility():
            asked = [{"id": q.question_id, "text": q.text[language]} for q in protocol.eligibility]
            return "eligibility", {"questions": asked}
        case CheckSound(session_id=session_id):
            return "sound_check", _sound_check(protocol, history, session_id)
        case GoThroughInduction():
            text = protocol.induction_text[language] if protocol.induction_text is not None else ""
            return "induction", {"html": safe_html(text)}
        case GiveReport():
            return _report(study, step, participant_id, key, language)
        case RenderSession(session_id=session_id):
            return "waiting", {"session_id": session_id}
        case Listen():
            return "player", _player(study, history, participant_id, step, language)
        case AnswerSupport(session_id=session_id):
            return "support", _support(study, history, session_id, language)
        case ReadDebrief():
            return "debrief", _debrief(protocol, history, language)
        case Finished(outcome=outcome):
            return "finished", _finished(protocol, outcome, language)


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


def _report(
    study: Study, report: GiveReport, participant_id: str, key: str, language: str
) -> tuple[str, dict[str, Any]]:
    questionnaire = study.protocol.questionnaire(report.instrument_id)
    if questionnaire is not None:
        return "questionnaire", questionnaire_data(questionnaire, language)
    item_words = words(language, ("instrument", "item"), study.folder.root / "texts")
    return "instrument", instrument_data(study.protocol, report, participant_id, key, item_words)


def _player(
    study: Study, history: History, participant_id: str, step: Listen, language: str
) -> dict[str, Any]:
    protocol = study.protocol
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
        "html": safe_html(study.protocol.safety.support_text[language]),
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


def _finished(protocol: StudyProtocol, outcome: str, language: str) -> dict[str, Any]:
    support = protocol.safety.support_text[language] if outcome == "stopped_for_safety" else ""
    return {
        "outcome": outcome,
        "said_as": outcome if outcome in _OUTCOMES_WITH_WORDS else "ended",
        "html": safe_html(support),
        "contacts_html": safe_html(_contacts(protocol)),
    }


def _contacts(protocol: StudyProtocol) -> str:
    """Markdown of whom a person may ask; names and addresses, never roles in another language."""
    lines = []
    for contact in protocol.contacts:
        reach = [f"<{contact.email}>"] if contact.email else []
        reach += [contact.phone] if contact.phone else []
        lines.append(f"- {contact.name}" + (": " + ", ".join(reach) if reach else ""))
    return "\n".join(lines)


def _is_simulated(history: History) -> bool:
    return any(isinstance(r.event, ParticipantEnrolled) and r.event.simulated for r in history)
