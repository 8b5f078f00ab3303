"""What was planned, generated and played in one session: it is the arm, and looking at it is recorded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import streamlit as st

from analysis.figures.session import PathPoint
from analysis.mer.comparison import between
from analysis.mer.predictor import AffectSeries
from analysis.tables.pairing import NO_MUSIC
from analysis.wording import number
from dashboards.researcher import markup
from dashboards.researcher.felt_picture import felt_paths, session_pictures
from dashboards.researcher.gate import require_staff, still_may
from dashboards.researcher.session_following import say_parts, show_clips, show_following
from dashboards.server.serving import current
from dashboards.study_hearing import hear_study
from study.access.accounts import Staff
from study.access.arms_seen import note_arms_seen
from study.access.roles import Permission
from study.affect import Affect
from study.corrections import corrected
from study.delivery import plan_of
from study.errors import IsopathError
from study.events import History, SessionRendered
from study.manifest import RenderManifest
from study.oversight.felt import answers_of
from study.rendered import read_manifest
from study.session import SessionPlan


def show_what_was_played(staff: Staff, participant_id: str, session_id: str, history: History) -> None:
    """The arm, its planned path, what music emotion recognition hears in the sound, and the sound."""
    rendered = [
        r.event for r in history if r.session_id == session_id and isinstance(r.event, SessionRendered)
    ]
    markup.show(markup.heading("What was played", level=2))
    if not rendered:
        markup.show(markup.paragraph("The session's sound has not been made yet."))
        return
    is_wanted = st.toggle(
        "Show the arm, the planned and generated path, and the sound. This is recorded with your name.",
        key=f"told-{participant_id}-{session_id}",
    )
    if not is_wanted:
        return
    require_staff(Permission.SEE_ARMS)
    study = current().study
    try:
        note_arms_seen(study, staff, participant_id, session_id, "planned and generated path")
        plan = plan_of(study.protocol, history, int(session_id.removeprefix("ses-")))
        manifest = read_manifest(study, participant_id, session_id, rendered[-1])
        heard = _heard_by_machine(participant_id, session_id, plan, manifest)
    except IsopathError as refusal:
        markup.show(markup.notice(f"{refusal.problem}; {refusal.remedy}.", "bad", "Cannot be shown:"))
        return
    _show_plan(plan, rendered[-1], manifest)
    if still_may(staff, Permission.HEAR_SESSIONS):
        address = f"/api/staff/sound/{participant_id}/{session_id}"
        markup.show(f'<audio class="ip-audio" controls preload="none" src="{address}"></audio>')
        markup.show(markup.bullets([markup.Link(address, "Open the sound by itself")]))
    # The plan followed from what was reported then; what people felt is as it was corrected since.
    history = corrected(study.protocol, history)
    _show_paths(plan, manifest, heard, history)
    guesses = [
        (answer.question, answer.answer)
        for answer in answers_of(study.protocol, history, session_id, with_guesses=True)
    ]
    if guesses:
        markup.show(markup.table("All answers, guesses of the arm too", ("Question", "Answer"), guesses))


def _heard_by_machine(
    participant_id: str, session_id: str, plan: SessionPlan, manifest: RenderManifest
) -> Mapping[str, AffectSeries]:
    """What each predictor hears, the one that reports first; nothing without music."""
    study = current().study
    if plan.path.kind in NO_MUSIC:
        return {}
    key = (participant_id, session_id)
    with st.spinner("Listening with music emotion recognition; this takes up to a minute the first time."):
        return hear_study(study, {key: manifest}, lambda *_: None)[key]


def _show_plan(plan: SessionPlan, rendered: SessionRendered, manifest: RenderManifest) -> None:
    arm = current().study.protocol.arm(plan.arm_id)
    start = _where(plan.start)
    target = _where(plan.target)
    engine = " ".join(manifest.engine.values())
    rule = rendered.start_rule or "the reported mood itself"
    markup.show(
        markup.facts(
            (
                ("Arm", arm.label),
                ("Starts at", start),
                ("Start chosen by", rule),
                ("Leads to", target),
                ("Engine", engine),
            )
        )
    )


def _where(at: Affect) -> str:
    return f"valence {number(at.valence)}, arousal {number(at.arousal)}"


def _show_paths(
    plan: SessionPlan, manifest: RenderManifest, heard: Mapping[str, AffectSeries], history: History
) -> None:
    session_id = plan.session_id
    planned = tuple(
        PathPoint(w.onset_s + w.duration_s / 2, w.affect.valence, w.affect.arousal)
        for w in plan.path.waypoints
        if w.affect is not None
    )
    by_clip = [between(heard, clip.onset_s, clip.onset_s + clip.duration_s) for clip in manifest.clips]
    routes = {
        name: tuple(
            PathPoint(clip.onset_s + clip.duration_s / 2, by[name].valence_pred, by[name].arousal_pred)
            for clip, by in zip(manifest.clips, by_clip, strict=True)
            if name in by
        )
        for name in heard
    }
    reporter, *others = routes or ("",)
    paths = replace(
        felt_paths(current().study.protocol, history, session_id),
        planned=planned,
        generated=routes.get(reporter, ()),
        beside=tuple((name, routes[name]) for name in others),
        target=(plan.target.valence, plan.target.arousal),
    )
    markup.show(session_pictures(paths, current().study.rehearsal() is not None))
    if not heard:
        markup.show(markup.paragraph("Music emotion recognition is not asked about sound without music."))
    say_parts(manifest, heard)
    show_following(manifest, by_clip, heard)
    show_clips(manifest, by_clip, heard, history, session_id)
