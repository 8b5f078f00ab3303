"""`isopath playback`: what was heard of a session, where another player played it."""

from __future__ import annotations

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
from study.delivery import record_playback
from study.events import (
    PlaybackEnded,
    PlaybackEvent,
    PlaybackPaused,
    PlaybackResumed,
    PlaybackStarted,
    PlaybackStopped,
    StopReason,
)
from study.step import describe


class Played(StrEnum):
    """What the player did."""

    STARTED = "started"
    PAUSED = "paused"
    RESUMED = "resumed"
    STOPPED = "stopped"
    ENDED = "ended"


def register(app: typer.Typer) -> None:
    """Join this command to the application."""
    app.command(epilog="Example: isopath playback calm-study sub-1a2b3c4d ended 900")(playback)


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
    due = describe(study.due(participant_id))
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
