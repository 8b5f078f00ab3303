"""`isopath interim`: one planned look at the arms before the end, for a data-monitoring committee."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from dashboards.cli.arguments import ActorOption, JsonOption, StudyArgument, actor_of, opened, say
from study.analysis_plan import Aim
from study.errors import ConductError
from study.events import InterimLookTaken
from study.founding import Study
from study.interim import WHERE, looks_taken, require_look, take_look
from study.rendered import read_manifests

if TYPE_CHECKING:
    from analysis.effects.looks.interim import Look


def register(app: typer.Typer) -> None:
    """Join this command to the application."""
    app.command(epilog='Example: isopath interim calm-study --look 1 --reason "meeting of the committee"')(
        interim
    )


def interim(
    folder: StudyArgument,
    look: Annotated[int, typer.Option(help="Which of the protocol's looks, from 1.", show_default=False)],
    reason: Annotated[str, typer.Option(help="Why, in a few words.", show_default=False)],
    actor: ActorOption = None,
    json: JsonOption = False,
) -> None:
    """Take one planned look at the arms before the end.

    Compares the arms as allocated on the primary contrast alone, records the look, and prints its
    statistic and its boundary. For whoever is meant to know, and nobody who meets participants.
    """
    study = opened(folder)
    require_look(study, study.record, look)
    head = study.record.verify()
    found = _compared(study, look)
    taken = InterimLookTaken(
        look, found.information, found.statistic_z, found.boundary_z, found.crossed, head.sha256, reason
    )
    take_look(study, actor_of(actor), taken)
    say(
        "\n".join(_sentences(study, found, head.sha256)),
        json,
        {
            "look": found.look,
            "information": found.information,
            "statistic_z": found.statistic_z,
            "boundary_z": found.boundary_z,
            "nominal_p": found.nominal_p,
            "crossed": found.crossed,
            "reason": found.reason,
            "head_sha256": head.sha256,
        },
    )


def _compared(study: Study, look: int) -> Look:
    """The primary contrast with the arms as allocated; neither shown nor written anywhere."""
    # Statistics load only for those who use them.
    from analysis.chosen_model import estimate_endpoint
    from analysis.effects.endpoint import outcomes_of, visits_of
    from analysis.effects.intercurrent import apply_strategies
    from analysis.effects.looks.interim import look_at
    from analysis.result_row import NotEstimable
    from analysis.tables.build import build_tables

    protocol = study.protocol
    tables = build_tables(protocol, study.record.events(), read_manifests(study), {})
    applied = apply_strategies(protocol, tables, outcomes_of(protocol, tables))
    visits = apply_strategies(protocol, tables, visits_of(protocol, tables)).outcomes
    primary = estimate_endpoint(
        protocol, applied.outcomes, visits, protocol.analysis.endpoint, applied.not_estimable
    )
    try:
        return look_at(protocol, primary, looks_taken(study.record), look)
    except NotEstimable as problem:
        raise ConductError(WHERE, str(problem), "look when there are more outcomes") from problem


def _sentences(study: Study, found: Look, head: str) -> list[str]:
    analysis = study.protocol.analysis
    plan, sign = analysis.interim, "±" if analysis.primary_contrast.aim is Aim.SUPERIORITY else ""
    count = len(plan.looks) if plan else found.look
    statistic = (
        f"z {found.statistic_z:.3f}" if found.statistic_z is not None else f"z not estimable ({found.reason})"
    )
    verdict = "crossed" if found.crossed else "not crossed"
    return [
        f"Look {found.look} of {count}, at {found.information:.3f} of the planned information",
        f"{statistic}; boundary {sign}{found.boundary_z:.3f}: {verdict}",
        f"On record, with the record's head {head}",
    ]
