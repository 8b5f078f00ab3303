"""What a participant's page shows: one JSON-ready view of the step that is due.

Computed from protocol and record alone, so a reload, a crash or another device
shows the same. Nothing here tells an arm, an engine, a target or a plan, except
the debriefing of a protocol that says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from dashboards.participant.markdown import safe_html
from dashboards.participant.progress import progress_of
from dashboards.participant.sound_here import lacks_sound
from dashboards.participant.step_data import contacts_of, kind_of, step_data
from dashboards.texts.catalogue import REFERENCE, direction, words
from study.errors import IsopathError
from study.events import ConsentGiven, History, ParticipantEnrolled
from study.founding import Study
from study.protocol import Phase, StudyProtocol
from study.session import session_id_of
from study.step import Finished, GiveConsent, GiveReport, Listen, ReadDebrief, Step
from study.steps import next_step, step_key


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
    protocol = study.protocol_of(history)
    step = next_step(protocol, history)
    key = step_key(step, history)
    waits = _waits_for_sound(study, participant_id, step)
    kind = "waiting" if waits else kind_of(protocol, history, step, now)
    view = _frame(study, language, kind, protocol)
    view.update(
        key=key,
        session_id=_session_of_a_call(protocol, step),
        progress=progress_of(protocol, history, step),
        can_withdraw=not isinstance(step, Finished | GiveConsent),
        simulated=_is_simulated(history),
        data=waits or step_data(study, history, participant_id, step, key, language, now),
    )
    return view


def due_page(study: Study, participant_id: str, now: datetime) -> tuple[str, str]:
    """The kind and the key of the page that is due, without making it.

    Raises:
        UnknownName: nobody of that id is enrolled.
    """
    history = study.record.participant(participant_id)
    protocol = study.protocol_of(history)
    step = next_step(protocol, history)
    kind = (
        "waiting" if _waits_for_sound(study, participant_id, step) else kind_of(protocol, history, step, now)
    )
    return kind, step_key(step, history)


def _waits_for_sound(study: Study, participant_id: str, step: Step) -> dict[str, Any]:
    """The ``data`` of whoever waits because only another server has their sound; empty for everybody else."""
    if isinstance(step, Listen) and lacks_sound(study.folder, participant_id, step):
        return {"session_id": step.session_id}
    return {}


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
    view = _frame(study, language, "closed", study.protocol)
    view["data"] = {"html": safe_html(contacts_of(study.protocol))}
    return view


def trouble_view(study: Study, language: str) -> dict[str, Any]:
    """The view where no other can be made: it needs nothing but words, in English if need be."""
    groups = ("page", "elsewhere")
    try:
        spoken = words(language, groups, study.folder.root / "texts")
    except IsopathError:
        language, spoken = REFERENCE, words(REFERENCE, groups)
    return {**_page("trouble", language, study.protocol.public_title_in(language)), "words": spoken}


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


def _frame(study: Study, language: str, kind: str, protocol: StudyProtocol) -> dict[str, Any]:
    own_texts = study.folder.root / "texts"
    groups = {"page", "elsewhere", kind, *_MORE_WORDS.get(kind, ())}
    languages = [
        {
            "code": code,
            "name": words(code, ("language",), own_texts)["language.name"],
            "direction": direction(code),
        }
        for code in protocol.languages
    ]
    page = _page(kind, language, protocol.public_title_in(language))
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


def _is_simulated(history: History) -> bool:
    return any(isinstance(r.event, ParticipantEnrolled) and r.event.simulated for r in history)
