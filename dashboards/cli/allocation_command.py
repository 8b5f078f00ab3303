"""`isopath allocation-list`: what a study's list looks like, from a test seed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from dashboards.checked_protocol import load_checked_protocol
from dashboards.cli.arguments import JsonOption, say
from study.allocation import ExamplePlace, example_list
from study.errors import ConductError
from study.folder import StudyFolder


def register(app: typer.Typer) -> None:
    """Join this command to the application."""
    app.command("allocation-list", epilog="Example: isopath allocation-list calm-study --test")(
        allocation_list
    )


def allocation_list(
    plan: Annotated[
        Path, typer.Argument(metavar="STUDY", help="A study folder or a protocol file.", show_default=False)
    ],
    test: Annotated[bool, typer.Option("--test", help="An example, from a test seed.")] = False,
    people: Annotated[
        int,
        typer.Option(min=1, max=2000, help="Places of each list; under minimisation, people who arrive."),
    ] = 12,
    json: JsonOption = False,
) -> None:
    """Print an example of the protocol's allocation list, for trying things out.

    It comes from a test seed that anybody can work out, and says nothing about the live
    list. The live list is printed by no command: what has been allocated can be sealed
    for emergencies (isopath code-break), what is to come nobody needs to know.
    """
    if not test:
        raise ConductError(
            "allocation-list",
            "the live list is shown to nobody",
            "add --test for an example, or see isopath code-break for people already allocated",
        )
    file = StudyFolder(plan).protocol if plan.is_dir() else plan
    places = example_list(load_checked_protocol(file), people)
    if json:
        say("", True, {"test": True, "places": [_facts(one) for one in places]})
        return
    _print(places)


def _facts(one: ExamplePlace) -> dict[str, object]:
    place = one.place
    return {
        "number": one.number,
        "stratum": dict(one.stratum),
        "group": place.group_id,
        "block": place.block,
        "position": place.position,
        "probability": place.probability,
    }


def _print(places: list[ExamplePlace]) -> None:
    factors = list(places[0].stratum)
    columns = [*factors, "number", "block", "position", "group", "probability"]
    table = Table(*columns, box=None, pad_edge=False)
    for one in places:
        place = one.place
        table.add_row(
            *one.stratum.values(),
            str(one.number),
            str(place.block + 1),
            str(place.position + 1),
            place.group_id,
            f"{place.probability:.3f}",
        )
    console = Console()
    console.print("TEST LIST: an example, from a test seed. The live list is another.", style="bold")
    console.print(table)
