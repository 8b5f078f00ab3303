"""Commands about what a participant says and what befalls them."""

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
    pairs_of,
    say,
)
from dashboards.cli.passphrases import PassphraseFile, with_seed
from study import conduct, visits
from study.errors import ConductError, OutOfRange
from study.events import AdverseEventReported, EndReason
from study.founding import Study
from study.instruments import Perspective, ScoredResponse
from study.protocol import Phase
from study.self_reports import is_about_to_allocate, miss_report, submit_report
from study.step import GiveReport, describe


class Category(StrEnum):
    """Adverse-event categories of music-based interventions."""

    EMOTIONAL = "emotional"
    PHYSIOLOGICAL = "physiological"
    PHYSICAL = "physical"
    RELATIONAL = "relational"


class Severity(StrEnum):
    """How bad it was."""

    MILD = "mild"
    MODERATE = "moderate"
    SEVERE = "severe"


class Relatedness(StrEnum):
    """Whether the music is thought to have caused it."""

    UNRELATED = "unrelated"
    POSSIBLE = "possible"
    PROBABLE = "probable"


def register(app: typer.Typer) -> None:
    """Join this group's commands to the application."""
    app.command(
        "self-report",
        epilog="Example: isopath self-report calm-study sub-1a2b3c4d --phase pre --valence 0.2 --arousal 0.8",
    )(self_report)
    app.command(epilog="Example: isopath discontinue calm-study sub-1a2b3c4d --reason withdrew")(discontinue)
    app.command(
        "adverse-event",
        epilog="Example: isopath adverse-event calm-study sub-1a2b3c4d --category emotional "
        '--severity mild --relatedness possible --description "wept, wished to go on"',
    )(adverse_event)
    app.command(
        "miss-visit",
        epilog='Example: isopath miss-visit calm-study sub-1a2b3c4d ses-02 --why "on holiday"',
    )(miss_visit)
    app.command(
        epilog='Example: isopath deviation calm-study sub-1a2b3c4d "loudspeaker" --why "headphones broken"'
    )(deviation)


def self_report(
    folder: StudyArgument,
    participant_id: ParticipantArgument,
    phase: Annotated[Phase, typer.Option(help="When it was given.", show_default=False)],
    instrument: Annotated[
        str | None, typer.Option(help="The instrument's id [default: the one that is due].")
    ] = None,
    valence: Annotated[float | None, typer.Option(help="On the instrument's own scale.")] = None,
    arousal: Annotated[float | None, typer.Option(help="On the instrument's own scale.")] = None,
    item: Annotated[
        list[str] | None, typer.Option("--item", metavar="ITEM=VALUE", help="Any item, on its own scale.")
    ] = None,
    missed: Annotated[
        str | None, typer.Option(metavar="REASON", help="Nothing was answered; say why.")
    ] = None,
    passphrase_file: PassphraseFile = None,
    actor: ActorOption = None,
    json: JsonOption = False,
) -> None:
    """Record one answered instrument.

    Values are raw, as answered (Affective Slider 0 to 1, VAS 0 to 100, SAM and Affect
    Grid 1 to 9, STAI-6 items 1 to 4). A single missed item is simply left out. The
    last pre report of the first session allocates the participant; where the
    allocation seed is sealed, its passphrase is then asked for.
    """
    study = opened(folder)
    due = _due(study, participant_id, phase, instrument)
    if is_about_to_allocate(study, participant_id, due):
        study = with_seed(study, passphrase_file)
    if missed is not None:
        miss_report(study, actor_of(actor), participant_id, due, missed)
        felt, distress = None, False
    else:
        responses = _responses(valence, arousal, item or [])
        scored = submit_report(study, actor_of(actor), participant_id, due, responses)
        felt = scored.affect
        distress = _is_distress(study, scored)
    ahead = describe(study.due(participant_id))
    where = f" (valence {felt.valence:+.2f}, arousal {felt.arousal:+.2f})" if felt else ""
    alert = _support(study) if distress else ""
    say(
        f"Recorded {due.instrument_id} at {phase}{where}.{alert} Next: {ahead}.",
        json,
        {
            "participant_id": participant_id,
            "phase": phase,
            "affect": felt,
            "distress": distress,
            "next": ahead,
        },
    )


def _is_distress(study: Study, scored: ScoredResponse) -> bool:
    if scored.affect is None or scored.perspective is not Perspective.FELT:
        return False
    return study.protocol.safety.is_distress(scored.affect)


def _support(study: Study) -> str:
    texts = study.protocol.safety.support_text
    text = texts.get("en") or next(iter(texts.values()))
    return f"\n\nDISTRESS, by the protocol's rule. Stop the music and read to them:\n\n{text}\n\n"


def _due(study: Study, participant_id: str, phase: Phase, instrument: str | None) -> GiveReport:
    step = study.due(participant_id)
    if not isinstance(step, GiveReport) or step.phase is not phase:
        raise ConductError(
            participant_id, f"the {phase} report is not the next step", f"next is: {describe(step)}"
        )
    if study.protocol.questionnaire(step.instrument_id) is not None:
        problem = f"{step.instrument_id} is a questionnaire, not an instrument"
        raise ConductError(participant_id, problem, "record it with isopath answer")
    if instrument not in (None, step.instrument_id):
        study.protocol.instrument(instrument or "")
        raise ConductError(participant_id, f"{instrument} is not due now", f"next is: {describe(step)}")
    return step


def _responses(valence: float | None, arousal: float | None, items: list[str]) -> dict[str, float]:
    found = {}
    for name, text in pairs_of(items, "--item").items():
        try:
            found[name] = float(text)
        except ValueError:
            raise OutOfRange(f"--item {name}", f"{text!r} is not a number", "write e.g. calm=2") from None
    for name, value in (("valence", valence), ("arousal", arousal)):
        if value is not None and name in found:
            raise OutOfRange(f"--{name}", "is given twice", "give it once")
        if value is not None:
            found[name] = value
    return found


def discontinue(
    folder: StudyArgument,
    participant_id: ParticipantArgument,
    reason: Annotated[EndReason, typer.Option(help="Why.", show_default=False)],
    note: Annotated[str, typer.Option(help="What the person said, if they wished to say it.")] = "",
    actor: ActorOption = None,
    json: JsonOption = False,
) -> None:
    """End a participant's part before its planned end.

    For somebody who withdraws use isopath withdraw: they are asked what may become of what they gave.
    """
    study = opened(folder)
    conduct.discontinue(study, actor_of(actor), participant_id, reason, note)
    say(
        f"{participant_id}'s part is over ({reason}).",
        json,
        {"participant_id": participant_id, "reason": reason},
    )


def adverse_event(
    folder: StudyArgument,
    participant_id: ParticipantArgument,
    category: Annotated[Category, typer.Option(show_default=False)],
    severity: Annotated[Severity, typer.Option(show_default=False)],
    relatedness: Annotated[Relatedness, typer.Option(show_default=False)],
    description: Annotated[str, typer.Option(help="What happened, without names.", show_default=False)],
    actor: ActorOption = None,
    json: JsonOption = False,
) -> None:
    """Record an adverse event, whatever step the participant is at."""
    study = opened(folder)
    event = AdverseEventReported(category, severity, relatedness, description)
    conduct.report_adverse_event(study, actor_of(actor), participant_id, event)
    say(f"Recorded for {participant_id}.", json, {"participant_id": participant_id, "category": category})


def deviation(
    folder: StudyArgument,
    participant_id: ParticipantArgument,
    description: Annotated[str, typer.Argument(help="What was done otherwise.", show_default=False)],
    why: Annotated[str, typer.Option(help="Why.", show_default=False)],
    actor: ActorOption = None,
    json: JsonOption = False,
) -> None:
    """Record that something was done otherwise than the protocol says."""
    study = opened(folder)
    conduct.record_deviation(study, actor_of(actor), participant_id, description, why)
    say(f"Recorded for {participant_id}.", json, {"participant_id": participant_id})


def miss_visit(
    folder: StudyArgument,
    participant_id: ParticipantArgument,
    session: Annotated[str, typer.Argument(help="The session, ses-02 and so on.", show_default=False)],
    why: Annotated[str, typer.Option(help="Why it will not take place.", show_default=False)],
    actor: ActorOption = None,
    json: JsonOption = False,
) -> None:
    """Record that a session did not take place and will not; the participant goes on behind it."""
    study = opened(folder)
    visits.miss_visit(study, actor_of(actor), participant_id, session, why)
    ahead = describe(study.due(participant_id))
    say(
        f"Recorded for {participant_id}: {session} was missed. Next: {ahead}.",
        json,
        {"participant_id": participant_id, "session_id": session, "next": ahead},
    )
