"""A plan on the terminal: what it rests on, the power curve, the answer."""

from __future__ import annotations

from rich import box
from rich.console import Console
from rich.table import Table

from analysis.planning.plan import MOST_PEOPLE, Plan
from analysis.wording import number
from study.analysis_plan import Aim


def print_plan(found: Plan) -> None:
    """Everything a plan says, for people."""
    console = Console(markup=False, emoji=False, highlight=False)
    _print_question(console, found)
    _print_assumptions(console, found)
    _print_curve(console, found)
    _print_answer(console, found)


def _print_question(console: Console, found: Plan) -> None:
    plain = found.to_plain()
    aim = {
        Aim.SUPERIORITY: "that the arms differ",
        Aim.EQUIVALENCE: f"that the arms differ by less than {plain['margin']}",
        Aim.NON_INFERIORITY: f"that the first is worse by less than {plain['margin']}",
    }[found.protocol.analysis.primary_contrast.aim]
    console.print(
        f"{plain['study_id']}: {plain['endpoint_label'].lower()}, {plain['contrast']}; to show {aim}",
        style="bold",
    )
    console.print(
        f"Model {plain['model']}, alpha {plain['alpha']:g}, multiplicity {plain['multiplicity']};"
        f" {found.replicates} simulated studies for each number of people"
    )


def _print_assumptions(console: Console, found: Plan) -> None:
    table = Table(title="What it rests on", title_justify="left", box=box.SIMPLE_HEAD)
    for heading in ("figure", "value", "of what", "from"):
        table.add_column(heading)
    for one in found.assumptions.said:
        values = one.value if isinstance(one.value, tuple) else (one.value,)
        table.add_row(
            one.name.replace("_", " "), ", ".join(f"{value:.3g}" for value in values), one.unit, one.source
        )
    console.print(table)


def _print_curve(console: Console, found: Plan) -> None:
    table = Table(title="Power by number of people", title_justify="left", box=box.SIMPLE_HEAD)
    assured = any(point.assurance is not None for point in found.points)
    looks = found.protocol.analysis.interim is not None
    headings = ["people", "power ± error", "fitted", "formula", "95 % CI half width", "analysed"]
    if assured:
        headings.insert(2, "assurance ± error")
    if looks:
        headings.append("ended early")
    for heading in headings:
        table.add_column(heading, justify="right")
    for point in found.points:
        simulated = point.simulated
        cells = [
            str(simulated.people),
            f"{simulated.power:.3f} ± {simulated.error:.3f}",
            number(point.fitted, 3),
            number(point.closed_form, 3),
            number(simulated.half_width, 3),
            f"{simulated.analysed:.0f}",
        ]
        if assured:
            found_assured = point.assurance
            cells.insert(
                2,
                "–" if found_assured is None else f"{found_assured.power:.3f} ± {found_assured.error:.3f}",
            )
        if looks:
            cells.append(f"{simulated.stopped_early:.3f}")
        table.add_row(*cells, style="bold" if simulated.people == found.people else "")
    console.print(table)
    console.print("± is the Monte-Carlo standard error; the people are those allocated.")


def _print_answer(console: Console, found: Plan) -> None:
    closed, wanted = found.closed_form, found.assumptions.planning.power
    formula = "–" if closed.people is None else f"{closed.people:.1f}"
    console.print(f"By the formula: {formula} people ({closed.formula})")
    for entry in found.to_plain()["context"]:
        if entry["people_by_formula"] is not None:
            console.print(
                f"  context: {entry['finding']}: {entry['people_by_formula']:.0f} people by the formula"
            )
    if found.people is not None:
        error = "" if found.people_error is None else f" (± {found.people_error:.0f} by Monte Carlo)"
        console.print(f"Sample size: {found.people} people for power {wanted:g}{error}", style="bold")
    elif found.searched:
        console.print(f"No number of people up to {MOST_PEOPLE} was found for power {wanted:g}", style="bold")
    planned = next((p for p in found.points if p.simulated.people == found.protocol.sample_size), None)
    if planned is not None:
        power = planned.simulated
        console.print(f"The protocol plans {power.people}: power {power.power:.3f} ± {power.error:.3f}")
