"""The power curve of a plan, as a picture and as a table."""

from __future__ import annotations

import csv
import io
import math
from pathlib import Path

import numpy as np

from analysis.planning.plan import Plan, Point
from dashboards.cli.protocol_picture import check_picture_name
from study.folder import write_whole

COLUMNS = (
    "people",
    "replicates",
    "power",
    "power_error",
    "fitted_power",
    "closed_form_power",
    "assurance",
    "assurance_error",
    "ci_half_width",
    "analysed",
    "not_estimable",
    "stopped_early",
)

_BLUE, _VERMILION, _INK = "#0072B2", "#D55E00", "#1b1b1b"
_Z = 1.96


def table_rows(plan: Plan) -> list[dict[str, float | int | None]]:
    """One row for each number of people simulated; keys are `COLUMNS`."""
    return [_row(point) for point in plan.points]


def write_table(plan: Plan, path: Path) -> None:
    """The power curve as CSV.

    Raises:
        StorageError: it cannot be written.
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(table_rows(plan))
    write_whole(path, text.getvalue().encode())


def write_curve(plan: Plan, path: Path) -> None:
    """Power against people: simulated, fitted, and by the formula.

    Raises:
        StorageError: the name is no picture's, or it cannot be written.
    """
    check_picture_name(path)
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.6), layout="constrained")
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    wanted = plan.assumptions.planning.power
    people = np.array([point.simulated.people for point in plan.points], dtype=float)
    low, high = people.min() * 0.85, people.max() * 1.08
    grid = np.linspace(low, high, 200)
    axes.axhline(wanted, color="0.6", linewidth=0.9, linestyle=":", zorder=0)
    axes.annotate(
        f"wanted: {wanted:g}",
        (low, wanted),
        xytext=(2, 3),
        textcoords="offset points",
        fontsize=8,
        color="0.3",
    )
    axes.plot(
        grid,
        [plan.closed_form.power_at(n) for n in grid],
        color=_INK,
        linestyle=(0, (5, 3)),
        linewidth=1.2,
        label="by the formula",
    )
    curve = plan.curve
    if curve is not None:
        axes.plot(
            grid,
            [curve.power(n) for n in grid],
            color=_BLUE,
            linewidth=1.8,
            label="fitted to the simulations",
        )
    power = [point.simulated.power for point in plan.points]
    axes.errorbar(
        people,
        power,
        yerr=[_Z * point.simulated.error for point in plan.points],
        fmt="o",
        color=_BLUE,
        markersize=5,
        capsize=3,
        linewidth=1,
        label="simulated, 95 % Monte-Carlo interval",
    )
    assured = [(p.simulated.people, p.assurance) for p in plan.points if p.assurance is not None]
    if assured:
        axes.errorbar(
            [number for number, _ in assured],
            [found.power for _, found in assured],
            yerr=[_Z * found.error for _, found in assured],
            fmt="s",
            color=_VERMILION,
            markerfacecolor="white",
            markersize=5,
            capsize=3,
            linewidth=1,
            label="assurance: the difference itself uncertain",
        )
    if plan.people is not None:
        axes.axvline(plan.people, color="0.6", linewidth=0.9, linestyle=":", zorder=0)
        axes.annotate(
            f"{plan.people} people",
            (plan.people, 0.02),
            xytext=(4, 0),
            textcoords="offset points",
            fontsize=9,
            color=_INK,
        )
    axes.set(
        xlim=(low, high),
        ylim=(0, 1.02),
        xlabel="people allocated",
        ylabel="chance to show it (power)",
        title=f"{plan.protocol.study_id}: a true difference of {plan.assumptions.difference:.3g}",
    )
    axes.title.set_fontsize(10)
    axes.legend(loc="lower right", fontsize=8, frameon=False, bbox_to_anchor=(1.0, 0.06))
    content = io.BytesIO()
    figure.savefig(content, format=path.suffix.lower()[1:], dpi=150)
    write_whole(path, content.getvalue())


def _row(point: Point) -> dict[str, float | int | None]:
    found, assured = point.simulated, point.assurance
    values: tuple[float | int | None, ...] = (
        found.people,
        found.replicates,
        found.power,
        found.error,
        point.fitted,
        point.closed_form if math.isfinite(point.closed_form) else None,
        None if assured is None else assured.power,
        None if assured is None else assured.error,
        found.half_width,
        found.analysed,
        found.not_estimable,
        found.stopped_early,
    )
    return {
        name: round(value, 6) if isinstance(value, float) else value
        for name, value in zip(COLUMNS, values, strict=True)
    }
