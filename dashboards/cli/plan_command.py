"""`isopath plan`: how many people a study needs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from dashboards.checked_protocol import load_checked_protocol
from dashboards.cli.arguments import JsonOption
from dashboards.cli.progress import counted_bar
from dashboards.cli.protocol_picture import check_picture_name


def register(app: typer.Typer) -> None:
    """Join this command to the application."""
    app.command("plan", epilog="Example: isopath plan my-study.json --picture power.png")(plan)


def plan(
    protocol: Annotated[Path, typer.Argument(metavar="FILE", help="A protocol file.", show_default=False)],
    people: Annotated[
        list[int] | None,
        typer.Option(
            "--people",
            metavar="N",
            help="Simulate this number of people instead of searching; may be repeated.",
            show_default=False,
        ),
    ] = None,
    power: Annotated[
        float | None, typer.Option(help="Wanted power [default: the protocol's, else 0.8].")
    ] = None,
    difference: Annotated[
        float | None,
        typer.Option(help="True difference of the primary contrast, in the endpoint's unit."),
    ] = None,
    replicates: Annotated[int, typer.Option(help="Simulated studies for each number of people.")] = 1000,
    picture: Annotated[
        Path | None, typer.Option(help="Also draw the power curve into this .png, .svg or .pdf.")
    ] = None,
    table: Annotated[Path | None, typer.Option(help="Also write the power curve as CSV.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Find the sample size by simulating the very protocol and its analysis.

    What it rests on is taken from the protocol's `analysis.planning`, else isopath's
    defaults; each figure is printed with where it is from. The same protocol always
    gives the same plan.
    """
    # Statistics load only for those who use them.
    from analysis.planning.plan import plan_study
    from dashboards.cli.plan_picture import write_curve, write_table
    from dashboards.cli.plan_printing import print_plan

    if picture is not None:
        check_picture_name(picture)
    checked = load_checked_protocol(protocol)
    with counted_bar() as told:
        found = plan_study(
            checked,
            tuple(people or ()),
            difference,
            power,
            replicates,
            progress=lambda what, share: told(what, round(share * 1000), 1000),
        )
    if picture is not None:
        write_curve(found, picture)
    if table is not None:
        write_table(found, table)
    if as_json:
        typer.echo(json.dumps(found.to_plain(), ensure_ascii=False))
        return
    print_plan(found)
    for what, path in (("curve", picture), ("table", table)):
        if path is not None:
            typer.echo(f"The {what} is in {path}")
