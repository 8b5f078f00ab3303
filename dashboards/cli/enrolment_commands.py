"""Commands from an empty folder to an eligible participant: init, enrol, consent, screen, induction."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dashboards.checked_protocol import load_checked_protocol
from dashboards.cli.arguments import (
    ActorOption,
    JsonOption,
    ParticipantArgument,
    StudyArgument,
    actor_of,
    opened,
    pairs_of,
    say,
    software_version,
)
from dashboards.cli.passphrases import PassphraseFile, passphrase_of
from study import conduct
from study.allocation_seed import SeedForm
from study.errors import OutOfRange
from study.founding import initialise_study
from study.step import describe

_YES_NO = {"yes": True, "no": False}
_ABOUT_THE_SEED = {
    SeedForm.SEED: "Keep allocation.seed where no one who enrols participants can read it.",
    SeedForm.SEALED_SEED: "allocation.seed.sealed needs its passphrase at every allocation: keep it well.",
    SeedForm.DRAWN: "There is no allocation seed: each place is drawn at its moment.",
}


def register(app: typer.Typer) -> None:
    """Join this group's commands to the application."""
    app.command(
        epilog="Example: isopath init calm-study --protocol protocols/examples/iso_vs_target_only.json"
    )(init)
    app.command(
        epilog="Example: isopath enrol calm-study --stratum site=north --stratum baseline_arousal=high"
    )(enrol)
    app.command(epilog="Example: isopath consent calm-study sub-1a2b3c4d --language en")(consent)
    app.command(
        epilog="Example: isopath screen calm-study sub-1a2b3c4d --answer adult=yes --answer epilepsy=no"
    )(screen)
    app.command(epilog="Example: isopath induction calm-study sub-1a2b3c4d")(induction)


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new folder.", show_default=False)],
    protocol: Annotated[
        Path, typer.Option("--protocol", metavar="FILE", help="The protocol file.", show_default=False)
    ],
    seal_allocation: Annotated[
        bool,
        typer.Option(
            "--seal-allocation", help="Seal the allocation seed by a passphrase, which allocating then needs."
        ),
    ] = False,
    draw: Annotated[
        bool, typer.Option("--draw", help="Keep no allocation seed: draw each place at its moment.")
    ] = False,
    store: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Keep the record in this empty PostgreSQL database, postgresql://user@host/database; the "
            "password comes from ISOPATH_STORE_PASSWORD or ~/.pgpass  [default: SQLite, in the folder]",
            show_default=False,
        ),
    ] = None,
    passphrase_file: PassphraseFile = None,
    actor: ActorOption = None,
    json: JsonOption = False,
) -> None:
    """Begin a study: freeze the protocol, seal the allocation seed, open the record.

    The folder is made whole or not at all. The protocol is copied byte for byte
    and its hash stands in every event from now on. Whoever loses the passphrase of a
    sealed seed allocates nobody any more.
    """
    load_checked_protocol(protocol)
    form, passphrase = _seed_form(seal_allocation, draw, passphrase_file)
    by, software = actor_of(actor), software_version()
    study = initialise_study(
        folder, protocol, by, software, seed_form=form, passphrase=passphrase, store=store
    )
    head = study.record.head()
    say(
        f"{folder} holds the study {study.protocol.study_id} (protocol {study.protocol.sha256[:12]}).\n"
        f"{_ABOUT_THE_SEED[form]}\n"
        f"Next: isopath enrol {folder}",
        json,
        {
            "study": str(folder),
            "study_id": study.protocol.study_id,
            "protocol_sha256": study.protocol.sha256,
            "allocation_source": form,
            "head_sha256": head.sha256,
        },
    )


def _seed_form(
    seal_allocation: bool, draw: bool, passphrase_file: Path | None
) -> tuple[SeedForm, str | None]:
    if seal_allocation and draw:
        raise OutOfRange("--draw", "keeps no seed that could be sealed", "give --seal-allocation or --draw")
    if seal_allocation:
        passphrase = passphrase_of(passphrase_file, "the allocation seed", is_new=True)
        return SeedForm.SEALED_SEED, passphrase
    if passphrase_file is not None:
        raise OutOfRange("--passphrase-file", "is given, and nothing is sealed", "add --seal-allocation")
    return SeedForm.DRAWN if draw else SeedForm.SEED, None


def enrol(
    folder: StudyArgument,
    stratum: Annotated[
        list[str] | None,
        typer.Option("--stratum", metavar="FACTOR=LEVEL", help="Once for every factor of the protocol."),
    ] = None,
    actor: ActorOption = None,
    json: JsonOption = False,
) -> None:
    """Give a new person an id. Nothing is allocated before consent and the pre report."""
    study = opened(folder)
    participant_id = conduct.enrol(study, actor_of(actor), pairs_of(stratum or [], "--stratum"))
    say(participant_id, json, {"participant_id": participant_id})


def consent(
    folder: StudyArgument,
    participant_id: ParticipantArgument,
    language: Annotated[str, typer.Option(help="The language of the text that was read.")] = "en",
    decline: Annotated[bool, typer.Option("--decline", help="The person chose not to take part.")] = False,
    actor: ActorOption = None,
    json: JsonOption = False,
) -> None:
    """Record consent to exactly the protocol's text, or that it was declined."""
    study = opened(folder)
    if decline:
        conduct.decline_consent(study, actor_of(actor), participant_id)
    else:
        conduct.give_consent(study, actor_of(actor), participant_id, language)
    _say_next(study.protocol.consent_version, folder, participant_id, json)


def screen(
    folder: StudyArgument,
    participant_id: ParticipantArgument,
    answer: Annotated[
        list[str] | None,
        typer.Option("--answer", metavar="QUESTION=yes|no", help="Once for every eligibility question."),
    ] = None,
    actor: ActorOption = None,
    json: JsonOption = False,
) -> None:
    """Record the answers to every eligibility question; without answers, print the questions."""
    study = opened(folder)
    if not answer:
        for question in study.protocol.eligibility:
            typer.echo(f"{question.question_id}: {next(iter(question.text.values()))}")
        return
    answers = {}
    for name, value in pairs_of(answer, "--answer").items():
        if value not in _YES_NO:
            raise OutOfRange(f"--answer {name}", f"{value!r} is not an answer", "write yes or no")
        answers[name] = _YES_NO[value]
    eligible = conduct.assess_eligibility(study, actor_of(actor), participant_id, answers)
    _say_next("eligible" if eligible else "not eligible", folder, participant_id, json)


def induction(
    folder: StudyArgument,
    participant_id: ParticipantArgument,
    session: Annotated[str, typer.Option(help="The session it belongs to.")] = "ses-01",
    actor: ActorOption = None,
    json: JsonOption = False,
) -> None:
    """Record that the protocol's mood induction was gone through."""
    study = opened(folder)
    conduct.complete_induction(study, actor_of(actor), participant_id, session)
    _say_next("induction completed", folder, participant_id, json)


def _say_next(done: str, folder: Path, participant_id: str, as_json: bool) -> None:
    study = opened(folder)
    due = describe(study.due(participant_id))
    say(
        f"Recorded for {participant_id}. Next: {due}.",
        as_json,
        {"participant_id": participant_id, "recorded": done, "next": due},
    )
