"""Commands for what a participant does beside reports: sound check, support page, debriefing."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
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
from study.conduct import read_debrief
from study.errors import ConductError, OutOfRange
from study.founding import Study
from study.protocol import SoundCheck
from study.questionnaire import Text
from study.sound_check import record_sound_check, trial_answers
from study.step import AnswerSupport, CheckSound, describe
from study.steps import next_step, step_key
from study.support import answer_support, call_staff


class Feeling(StrEnum):
    """What a person says on the support page."""

    BETTER = "better"
    SAME = "same"
    WORSE = "worse"


def register(app: typer.Typer) -> None:
    """Join this group's commands to the application."""
    app.command("sound-check", epilog="Example: isopath sound-check calm-study sub-1a2b3c4d --volume 0.5")(
        sound_check
    )
    app.command(epilog="Example: isopath support calm-study sub-1a2b3c4d --feeling better --goes-on")(support)
    app.command(epilog="Example: isopath debrief calm-study sub-1a2b3c4d --language en")(debrief)


def sound_check(
    folder: StudyArgument,
    participant_id: ParticipantArgument,
    volume: Annotated[
        float | None, typer.Option(help="The player's own volume, 0 to 1 [default: the device sets it].")
    ] = None,
    responses: Annotated[
        str | None,
        typer.Option(metavar="N,N,…", help="The interval chosen in each trial, 1 to 3, in their order."),
    ] = None,
    sounds: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write the sounds to play into this folder.")
    ] = None,
    key: Annotated[bool, typer.Option("--key", help="Print the right intervals, for whoever tests.")] = False,
    actor: ActorOption = None,
    json: JsonOption = False,
) -> None:
    """Record one attempt at the sound check; with --sounds or --key, prepare it and record nothing.

    The sounds are level.wav, to set the loudness by, and one file for each trial: three
    intervals, of which one holds a tone (huggins) or is the quietest (antiphase).
    Another attempt has other trials.
    """
    study = opened(folder)
    due, answers = _due_check(study, participant_id)
    if sounds is not None or key:
        made = [] if sounds is None else _write_sounds(study.protocol.sound_check, answers, sounds, study)
        facts = {"sounds": made, "key": answers if key else None}
        told = ",".join(map(str, answers)) if key else f"Wrote {len(made)} sounds into {sounds}."
        say(told, json, facts)
        return
    checked = record_sound_check(
        study, actor_of(actor), participant_id, due.session_id, volume, _intervals(responses)
    )
    ahead = describe(study.due(participant_id))
    verdict = "passed" if checked.passed else "not passed"
    score = f" ({checked.correct} of {checked.trials})" if checked.trials else ""
    say(
        f"Sound check {verdict}{score}. Next: {ahead}.",
        json,
        {"participant_id": participant_id, "session_id": due.session_id, **vars(checked), "next": ahead},
    )


def _due_check(study: Study, participant_id: str) -> tuple[CheckSound, tuple[int, ...]]:
    history = study.record.participant(participant_id)
    step = next_step(study.protocol_of(history), history)
    if not isinstance(step, CheckSound):
        problem = "the sound check is not the next step"
        raise ConductError(participant_id, problem, f"next is: {describe(step)}")
    return step, trial_answers(study.protocol_of(history), participant_id, step_key(step, history))


def _intervals(responses: str | None) -> list[int]:
    given = [part.strip() for part in (responses or "").split(",") if part.strip()]
    strange = [part for part in given if not part.isdecimal()]
    if strange:
        raise OutOfRange("--responses", f"{strange[0]!r} is not an interval", "write e.g. --responses 1,3,2")
    return [int(part) for part in given]


def _write_sounds(check: SoundCheck | None, answers: Sequence[int], folder: Path, study: Study) -> list[str]:
    from generation.sound_check import as_wav, calibration_sound, trial_sound

    loudness_lufs = study.protocol.safety.loudness_lufs
    sounds = {"level.wav": as_wav(calibration_sound(loudness_lufs))}
    for trial, answer in enumerate(answers, start=1):
        test = (check.headphone_test if check is not None else None) or ""
        sounds[f"{trial}.wav"] = as_wav(trial_sound(test, answer, trial, loudness_lufs))
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in sounds.items():
        (folder / name).write_bytes(content)
    return [str(folder / name) for name in sounds]


def support(
    folder: StudyArgument,
    participant_id: ParticipantArgument,
    feeling: Annotated[Feeling | None, typer.Option(help="How the person is, if they said it.")] = None,
    wants_staff: Annotated[bool, typer.Option("--wants-staff", help="Somebody is asked to come.")] = False,
    goes_on: Annotated[
        bool | None, typer.Option("--goes-on/--stops", help="Whether the person goes on.", show_default=False)
    ] = None,
    call: Annotated[bool, typer.Option("--call", help="Record that the person calls for somebody.")] = False,
    session: Annotated[str, typer.Option(help="The session, for --call.")] = "ses-01",
    actor: ActorOption = None,
    json: JsonOption = False,
) -> None:
    """Record the answer to the support page, or a call; with neither, print the page's text.

    A person who stops ends the session's sound; the post report follows. Where there
    is no sound to end, their part in the study ends.
    """
    study = opened(folder)
    if call:
        call_staff(study, actor_of(actor), participant_id, session)
    elif goes_on is None:
        _say_text(study.protocol.safety.support_text, json)
        return
    else:
        due = study.due(participant_id)
        session = due.session_id if isinstance(due, AnswerSupport) else session
        said = str(feeling) if feeling else None
        answer_support(study, actor_of(actor), participant_id, session, said, wants_staff, goes_on)
    ahead = describe(study.due(participant_id))
    say(
        f"Recorded for {participant_id}. Next: {ahead}.",
        json,
        {"participant_id": participant_id, "called": call, "goes_on": goes_on, "next": ahead},
    )


def debrief(
    folder: StudyArgument,
    participant_id: ParticipantArgument,
    language: Annotated[str, typer.Option(help="The language of the text that was read.")] = "en",
    show: Annotated[bool, typer.Option("--show", help="Print the text and record nothing.")] = False,
    actor: ActorOption = None,
    json: JsonOption = False,
) -> None:
    """Record that the protocol's debriefing was read to its end."""
    study = opened(folder)
    if show and study.protocol.debrief is not None:
        _say_text(study.protocol.debrief.text, json)
        return
    read_debrief(study, actor_of(actor), participant_id, language)
    ahead = describe(study.due(participant_id))
    say(
        f"Recorded for {participant_id}. Next: {ahead}.",
        json,
        {"participant_id": participant_id, "language": language, "next": ahead},
    )


def _say_text(texts: Text, as_json: bool) -> None:
    say(texts.get("en") or next(iter(texts.values())), as_json, {"text": dict(texts)})
