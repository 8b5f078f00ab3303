"""The use cases of a session: its plan, its sound, and what was heard of it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

from study.affect import Affect
from study.errors import ConductError
from study.events import (
    DeviationRecorded,
    History,
    ParticipantAllocated,
    PlaybackEnded,
    PlaybackEvent,
    PlaybackPaused,
    PlaybackResumed,
    PlaybackStarted,
    PlaybackStopped,
    QuestionnaireSubmitted,
    SelfReportSubmitted,
    SessionRendered,
)
from study.founding import Study
from study.listening import Listening, listening_of
from study.manifest import RenderManifest
from study.path import PathKind
from study.probes import answered_probe, passed_probes
from study.protocol import Phase, StudyProtocol
from study.record import Draft, Reader
from study.session import Allocation, SessionPlan, make_session_plan, session_id_of
from study.starting_moods import rule_of_start
from study.step import Finished, RenderSession, describe
from study.steps import next_step, require_step
from study.versions import pinned

_END_TOLERANCE_S = 1.0
_PROBE_GRACE_S = 5.0


def plan_session(study: Study, participant_id: str) -> SessionPlan:
    """The plan of the session that is due to be rendered, from the record alone.

    Raises:
        UnknownName: nobody of that id is enrolled.
        ConductError: rendering is not the participant's next step.
    """
    history = study.record.participant(participant_id)
    protocol = study.protocol_of(history)
    step = next_step(protocol, history)
    if not isinstance(step, RenderSession):
        raise ConductError(participant_id, "rendering is not the next step", f"next is: {describe(step)}")
    plan = plan_of(protocol, history, step.session_number)
    if plan.path.kind is PathKind.SELF_SELECTED:
        return replace(plan, files=_own_music(study, participant_id))
    return replace(plan, files=study.frozen_sounds(plan.files))


def plan_of(protocol: StudyProtocol, history: History, session_number: int) -> SessionPlan:
    """The plan of one session of an allocated participant, as it was or will be rendered.

    Args:
        history: the participant's events, in order.

    Raises:
        ConductError: the participant has no place in the allocation.
    """
    protocol = pinned(protocol, history)
    for recorded in history:
        if isinstance(recorded.event, ParticipantAllocated) and recorded.participant_id:
            place = recorded.event
            allocation = Allocation(
                recorded.participant_id,
                place.group_id,
                place.arm_ids,
                place.stratum,
                place.block,
                place.position,
            )
            session_id = session_id_of(session_number)
            start = pre_affect(protocol, history, session_id)
            palette = chosen_palette(protocol, history, session_id)
            return make_session_plan(protocol, allocation, session_number, start, palette)
    raise ConductError("allocation", "there is none yet", "it follows the pre report")


def record_render(
    study: Study,
    actor: str,
    plan: SessionPlan,
    manifest: RenderManifest,
    deviation: DeviationRecorded | None = None,
    start_rule: str | None = None,
) -> None:
    """Record that the session's sound exists.

    Args:
        plan: as it was rendered.
        deviation: how it differs from what the protocol says; recorded in the same
            transaction, so that neither is ever there without the other.
        start_rule: how a start was chosen that is not the reported mood itself; left out,
            as the protocol says (`study.starting_moods`).

    Raises:
        ConductError: it was made from another plan, or rendering is not the next step.
    """
    if manifest.plan_sha256 != plan.sha256:
        raise ConductError(
            f"{plan.participant_id} {plan.session_id}",
            "the sound on disk was made from another plan",
            "move that session's folder away and render again",
        )
    rendered = SessionRendered(
        plan.arm_id,
        plan.sha256,
        hashlib.sha256(manifest.to_json().encode()).hexdigest(),
        manifest.audio_sha256,
        manifest.duration_s,
    )
    protocol = study.protocol_for(plan.participant_id)
    arm = protocol.arm(plan.arm_id)
    step = RenderSession(plan.session_id, int(plan.session_id.removeprefix("ses-")))

    def decide(_: Reader, history: History) -> Sequence[Draft]:
        require_step(protocol, history, plan.participant_id, step, "rendering")
        reported = pre_affect(protocol, history, plan.session_id)
        rule = start_rule or rule_of_start(protocol, arm, reported)
        done = replace(rendered, start_rule=rule)
        events = (done,) if deviation is None else (deviation, done)
        return [Draft(event, plan.participant_id, plan.session_id) for event in events]

    study.act(actor, plan.participant_id, decide)


def record_playback(
    study: Study, actor: str, participant_id: str, session_id: str, event: PlaybackEvent
) -> None:
    """Record what the player did. Probes that listening passed by are recorded as missed.

    Raises:
        ConductError: the event does not follow from what was played so far.
    """

    def decide(_: Reader, history: History) -> Sequence[Draft]:
        rendered = [
            r.event for r in history if r.session_id == session_id and isinstance(r.event, SessionRendered)
        ]
        protocol = study.protocol_of(history)
        step = next_step(protocol, history)
        if not rendered or isinstance(step, Finished):
            raise ConductError(participant_id, "listening is not the next step", f"next is: {describe(step)}")
        listening = listening_of(history, session_id)
        _check_follows(participant_id, listening, event, rendered[-1].duration_s)
        given = [p for r in history if r.session_id == session_id and (p := answered_probe(r.event))]
        missed = passed_probes(protocol, given, event.position_s)
        return [Draft(e, participant_id, session_id) for e in (*missed, event)]

    study.act(actor, participant_id, decide)


def _own_music(study: Study, participant_id: str) -> tuple[str, ...]:
    # Simulated participants own no music: they share what the rehearsal is given.
    whose = participant_id if study.rehearsal() is None else "rehearsal"
    folder = study.folder.own_music(whose)
    files = sorted(path for path in folder.glob("*") if path.is_file()) if folder.is_dir() else []
    if not files:
        raise ConductError(
            participant_id,
            "this participant's own music is not there",
            f"put their sound files into {folder}, named in the order they are to be played",
        )
    return tuple(str(path.relative_to(study.folder.root)) for path in files)


def pre_affect(protocol: StudyProtocol, history: History, session_id: str) -> Affect | None:
    """The session's `pre` report on the endpoint's instrument; None before it is given."""
    protocol = pinned(protocol, history)
    for recorded in reversed(history):
        event = recorded.event
        if (
            isinstance(event, SelfReportSubmitted)
            and event.phase is Phase.PRE
            and recorded.session_id == session_id
            and event.instrument_id == protocol.analysis.instrument_id
        ):
            return event.affect
    return None


def chosen_palette(protocol: StudyProtocol, history: History, session_id: str) -> str | None:
    """The palette that the person chose last before listening: at the session's `pre`, else at baseline."""
    protocol = pinned(protocol, history)
    asked = protocol.palette_items
    for recorded in reversed(history):
        event = recorded.event
        if (
            not isinstance(event, QuestionnaireSubmitted)
            or event.phase not in (Phase.BASELINE, Phase.PRE)
            or recorded.session_id not in (None, session_id)
        ):
            continue
        for questionnaire_id, item in asked:
            if event.questionnaire_id == questionnaire_id and item.item_id in event.answers:
                return str(event.answers[item.item_id])
    return None


def _check_follows(
    participant_id: str, listening: Listening, event: PlaybackEvent, duration_s: float
) -> None:
    started = listening.playing or bool(listening.intervals_s) or listening.pauses > 0
    match event:
        case PlaybackStarted():
            allowed = not started and not listening.finished
        case PlaybackResumed():
            allowed = started and not listening.playing and not listening.finished
        case PlaybackPaused():
            allowed = listening.playing
        case PlaybackStopped():
            allowed = not listening.finished
        case PlaybackEnded():
            allowed = listening.playing and event.position_s >= duration_s - _END_TOLERANCE_S
    did = type(event).__name__.removeprefix("Playback").lower()
    if not allowed:
        state = "finished" if listening.finished else "playing" if listening.playing else "not playing"
        now = f"it is {state} at {listening.position_s:g} s"
        raise ConductError(
            participant_id,
            f"playback {did} at {event.position_s:g} s does not follow: {now}",
            "send the player's events in order",
        )
    if not listening.position_s <= event.position_s <= duration_s + _END_TOLERANCE_S:
        bounds = f"{listening.position_s:g} to {duration_s:g} s"
        raise ConductError(
            participant_id,
            f"playback {did} at {event.position_s:g} s lies outside {bounds}",
            "there is no seeking: give the position of the sound",
        )
