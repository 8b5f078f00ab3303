"""`isopath answer`: one of the protocol's own questionnaires, typed in by staff."""

from __future__ import annotations

from collections.abc import Mapping
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
from study.errors import ConductError, OutOfRange
from study.founding import Study
from study.protocol import Phase
from study.questionnaire import Item, ItemKind, Questionnaire, Text
from study.self_reports import is_about_to_allocate, miss_report, submit_questionnaire
from study.step import GiveReport, describe


def register(app: typer.Typer) -> None:
    """Join this command to the application."""
    app.command(epilog="Example: isopath answer calm-study sub-1a2b3c4d --phase post --item preference=5")(
        answer
    )


def answer(
    folder: StudyArgument,
    participant_id: ParticipantArgument,
    phase: Annotated[Phase | None, typer.Option(help="When it was given [default: what is due].")] = None,
    item: Annotated[
        list[str] | None,
        typer.Option("--item", metavar="ITEM=ANSWER", help="A point of its scale, an option's id, or text."),
    ] = None,
    missed: Annotated[
        str | None, typer.Option(metavar="REASON", help="Nothing was answered; say why.")
    ] = None,
    passphrase_file: PassphraseFile = None,
    actor: ActorOption = None,
    json: JsonOption = False,
) -> None:
    """Record an answered questionnaire; without answers, print its questions.

    An item that was left blank is left out, and recorded as missed. Where the answers
    are the last before the allocation and its seed is sealed, the passphrase is asked for.
    """
    study = opened(folder)
    due, questionnaire = _due(study, participant_id, phase)
    if (item or missed is not None) and is_about_to_allocate(study, participant_id, due):
        study = with_seed(study, passphrase_file)
    if missed is not None:
        if item:
            raise OutOfRange("--missed", "is given beside answers", "give the answers, or --missed")
        miss_report(study, actor_of(actor), participant_id, due, missed)
        left_blank: tuple[str, ...] = tuple(i.item_id for i in questionnaire.items)
    elif item:
        answers = _answers(questionnaire, pairs_of(item, "--item"))
        given = submit_questionnaire(study, actor_of(actor), participant_id, due, answers)
        left_blank = given.missed_items
    else:
        _print_questions(questionnaire, json)
        return
    ahead = describe(study.due(participant_id))
    blank = f" Left blank: {', '.join(left_blank)}." if left_blank else ""
    say(
        f"Recorded {due.instrument_id} at {due.phase}.{blank} Next: {ahead}.",
        json,
        {
            "participant_id": participant_id,
            "questionnaire_id": due.instrument_id,
            "phase": due.phase,
            "missed_items": left_blank,
            "next": ahead,
        },
    )


def _due(study: Study, participant_id: str, phase: Phase | None) -> tuple[GiveReport, Questionnaire]:
    step = study.due(participant_id)
    if isinstance(step, GiveReport) and phase in (None, step.phase):
        questionnaire = study.protocol.questionnaire(step.instrument_id)
        if questionnaire is not None:
            return step, questionnaire
    wanted = "a questionnaire" if phase is None else f"a questionnaire at {phase}"
    raise ConductError(participant_id, f"{wanted} is not the next step", f"next is: {describe(step)}")


def _answers(questionnaire: Questionnaire, given: Mapping[str, str]) -> dict[str, str | float]:
    scales = {item.item_id for item in questionnaire.items if item.kind is ItemKind.SCALE}
    return {name: _number(name, text) if name in scales else text for name, text in given.items()}


def _number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        remedy = f"write a point of its scale, such as {name}=3"
        raise OutOfRange(f"--item {name}", f"{text!r} is not a number", remedy) from None


def _print_questions(questionnaire: Questionnaire, as_json: bool) -> None:
    lines = [f"{item.item_id}: {_words(item.text)} ({_choices(item)})" for item in questionnaire.items]
    say("\n".join(lines), as_json, {"questionnaire_id": questionnaire.questionnaire_id, "items": lines})


def _choices(item: Item) -> str:
    match item.kind:
        case ItemKind.SCALE:
            return f"1 = {_words(item.low or {})}, {item.points} = {_words(item.high or {})}"
        case ItemKind.CHOICE:
            return "; ".join(f"{option_id} = {_words(text)}" for option_id, text in item.options)
        case ItemKind.TEXT:
            return "in their own words"


def _words(text: Text) -> str:
    return text.get("en") or next(iter(text.values()), "")
