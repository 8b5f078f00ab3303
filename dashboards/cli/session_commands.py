"""Commands about a session's sound and what was heard of it: render, playback."""

from __future__ import annotations

import os
from enum import StrEnum
from typing import Annotated

import typer

from dashboards.cli.arguments import (
    ActorOption,
    JsonOption,
    ParticipantArgument,
    StudyArgument,
    actor_of,
    opened,
    say,
)
from dashboards.cli.progress import bar
from study.delivery import plan_session, record_playback, record_render
from study.errors import ConductError
from study.events import (
    ParticipantEnrolled,
    PlaybackEnded,
    PlaybackEvent,
    PlaybackPaused,
    PlaybackResumed,
    PlaybackStarted,
    PlaybackStopped,
    StopReason,
)
from study.founding import Study
from study.steps import RenderSession, describe, next_step


class Played(StrEnum):
    """What the player did."""

    STARTED = "started"
    PAUSED = "paused"
    RESUMED = "resumed"
    STOPPED = "stopped"
    ENDED = "ended"


def register(app: typer.Typer) -> None:
    """Join this group's commands to the application."""
    app.command(epilog="Example: isopath render calm-study --all")(render)
    app.command(epilog="Example: isopath playback calm-study sub-1a2b3c4d ended 900")(playback)


def render(
    folder: StudyArgument,
    participant: Annotated[
        list[str] | None, typer.Argument(metavar="[ID]...", help="Whose session.", show_default=False)
    ] = None,
    everyone: Annotated[bool, typer.Option("--all", help="Everyone whose session is due.")] = False,
    jobs: Annotated[int, typer.Option(min=1, help="Processes [default: as many as cores].")] = os.cpu_count()
    or 1,
    actor: ActorOption = None,
    json: JsonOption = False,
) -> None:
    """Make the sound of sessions that are due, and record it.

    Writes session.flac and manifest.json under STUDY/sessions, each whole or not
    at all. What is rendered already is kept; an interrupted run goes on.
    """
    # The synthesiser loads only for those who use it.
    from generation.cohort import render_cohort

    study = opened(folder)
    people = list(participant or []) or (_due_for_rendering(study) if everyone else [])
    if not people and not everyone:
        raise ConductError("render", "nobody is named", "name participants, or give --all")
    plans = [plan_session(study, participant_id) for participant_id in dict.fromkeys(people)]
    # "session", not its arm: a coordinator sees this.
    with bar(f"rendering {len(plans)} session(s)") as progress:
        manifests = render_cohort(plans, study.folder.sessions, jobs, progress)
    for plan, manifest in zip(plans, manifests, strict=True):
        record_render(study, actor_of(actor), plan, manifest)
    rendered = [
        {
            "participant_id": m.participant_id,
            "session_id": m.session_id,
            "file": str(study.folder.sessions / m.participant_id / m.session_id / m.stim_file),
            "duration_s": m.duration_s,
            "audio_sha256": m.audio_sha256,
        }
        for m in manifests
    ]
    lines = [f"{r['participant_id']} {r['session_id']}: {r['file']}" for r in rendered]
    say("\n".join(lines) or "Nothing is due for rendering.", json, {"rendered": rendered})


def _due_for_rendering(study: Study) -> list[str]:
    enrolled = [r.participant_id for r in study.record.events(kinds=[ParticipantEnrolled])]
    return [
        pid
        for pid in enrolled
        if pid and isinstance(next_step(study.protocol, study.record.participant(pid)), RenderSession)
    ]


def playback(
    folder: StudyArgument,
    participant_id: ParticipantArgument,
    event: Annotated[Played, typer.Argument(help="What the player did.", show_default=False)],
    position_s: Annotated[float, typer.Argument(help="Where in the session, in seconds.")] = 0.0,
    session: Annotated[str, typer.Option(help="The session.")] = "ses-01",
    reason: Annotated[StopReason, typer.Option(help="Why it was stopped.")] = StopReason.CHOSE_TO_STOP,
    actor: ActorOption = None,
    json: JsonOption = False,
) -> None:
    """Record what a player did, for sessions played outside isopath.

    Heard seconds follow from these events: started 0, paused 300, resumed 300, ended 900.
    """
    study = opened(folder)
    record_playback(study, actor_of(actor), participant_id, session, _event(event, position_s, reason))
    due = describe(next_step(study.protocol, study.record.participant(participant_id)))
    say(
        f"Recorded: {event} at {position_s:g} s. Next: {due}.",
        json,
        {"participant_id": participant_id, "event": event, "position_s": position_s, "next": due},
    )


def _event(event: Played, position_s: float, reason: StopReason) -> PlaybackEvent:
    match event:
        case Played.STARTED:
            return PlaybackStarted(position_s)
        case Played.PAUSED:
            return PlaybackPaused(position_s)
        case Played.RESUMED:
            return PlaybackResumed(position_s)
        case Played.STOPPED:
            return PlaybackStopped(position_s, reason)
        case Played.ENDED:
            return PlaybackEnded(position_s)
