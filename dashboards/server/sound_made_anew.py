"""The sound of a session that was rendered at another server, which this one must play.

It is made again from the same plan, beside the sessions, and takes its place only if it is the
recorded sound to the last byte. Otherwise nobody hears it: the deviation is recorded, once, and
staff are told.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace

from dashboards.server.render_worker import Order, Refused, RenderWorker
from generation.engine import Placement
from study.delivery import plan_of
from study.events import DeviationRecorded, History, SessionRendered
from study.founding import Study
from study.record import Draft
from study.step import AnswerSupport, Listen

_ASIDE = ".made-anew"
_REMEDY = "copy the session's folder from the server that rendered it"


def make_anew(
    study: Study,
    worker: RenderWorker,
    participant_id: str,
    placement: Placement | None,
    progress: Callable[[float], None],
) -> bool:
    """Make the missing sound of whoever is about to listen; whether it is there now.

    Raises:
        ConductError, StorageError: the plan or the disk does not allow it.
        WorkerDied: see `RenderWorker.render`.
    """
    history = study.record.participant(participant_id)
    step = study.due(participant_id)
    if not isinstance(step, (Listen, AnswerSupport)):
        return True
    rendered = _rendered(history, step.session_id)
    if rendered is None:
        return False
    plan = plan_of(study.protocol_of(history), history, int(step.session_id.removeprefix("ses-")))
    plan = replace(plan, files=study.frozen_sounds(plan.files))
    if plan.sha256 != rendered.plan_sha256:
        # A person's own music is at the server they brought it to.
        _note(study, history, participant_id, step.session_id, "its plan needs what only that server has")
        return False
    aside = study.folder.sessions.with_name(_ASIDE)
    aside.mkdir(exist_ok=True)
    made = worker.render(Order(plan, aside, placement), progress)
    if isinstance(made, Refused):
        return False
    there = aside / participant_id / step.session_id
    try:
        if made.audio_sha256 != rendered.audio_sha256:
            _note(study, history, participant_id, step.session_id, "what was made is not the recorded sound")
            return False
        place = study.folder.sessions / participant_id / step.session_id
        place.parent.mkdir(parents=True, exist_ok=True)
        if not place.exists():
            there.rename(place)
    finally:
        shutil.rmtree(aside / participant_id, ignore_errors=True)
    return True


def _rendered(history: History, session_id: str) -> SessionRendered | None:
    done = [r.event for r in history if r.session_id == session_id and isinstance(r.event, SessionRendered)]
    return done[-1] if done else None


def _note(study: Study, history: History, participant_id: str, session_id: str, problem: str) -> None:
    said = f"the sound of {session_id} could not be rendered anew: {problem}"
    if not any(isinstance(r.event, DeviationRecorded) and r.event.description == said for r in history):
        told = Draft(DeviationRecorded(said, _REMEDY), participant_id, session_id)
        study.act("server", participant_id, lambda *_: [told])
