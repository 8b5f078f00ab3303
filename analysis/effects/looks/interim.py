"""Looks at the arms before the end: the plan, what was recorded, and what is left for the last test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from scipy import stats

from analysis.effects.estimate import Effects
from analysis.effects.looks.group_sequential import FIXED, Boundary, boundaries
from analysis.effects.looks.sequential_test import (
    crosses,
    in_order,
    information_of,
    primary_row,
    sequential_test_of,
    statistic_of,
)
from analysis.result_row import NotEstimable, ResultRow
from study.analysis_plan import InterimSpec
from study.events import InterimLookTaken
from study.protocol import StudyProtocol


@dataclass(frozen=True)
class Look:
    """The arms compared once, as a look is recorded.

    Args:
        look: from 1.
        information: share of the planned outcomes of the primary contrast there were.
        statistic_z: None where the contrast could not be estimated.
        boundary_z: two-sided.
        nominal_p: of the boundary.
        crossed: whether the statistic lies at or beyond the boundary.
        reason: why there is no statistic; None where there is.
    """

    look: int
    information: float
    statistic_z: float | None
    boundary_z: float
    nominal_p: float
    crossed: bool
    reason: str | None = None


def look_at(protocol: StudyProtocol, primary: Effects, taken: Sequence[InterimLookTaken], look: int) -> Look:
    """What one look before the last finds.

    Args:
        primary: effects on the protocol's endpoint, with the arms as allocated.
        taken: looks on record before this one.
        look: its number, from 1; the protocol plans it, and it is not the last.

    Raises:
        NotEstimable: no more information than at the look before, or none at all.
    """
    plan = protocol.analysis.interim
    if plan is None:
        raise NotEstimable("the protocol plans no looks")
    row = primary_row(protocol, primary)
    information = information_of(protocol, row)
    before = max((one.information for one in taken), default=0.0)
    if information <= before:
        raise NotEstimable(
            "no outcomes were gathered since the look before" if before else "there are no outcomes yet"
        )
    boundary = _boundary(plan, protocol.analysis.alpha, taken, look, information)
    statistic, reason = statistic_of(protocol, primary, row)
    crossed = statistic is not None and crosses(statistic, boundary.z, protocol.analysis.primary_contrast.aim)
    return Look(look, information, statistic, boundary.z, boundary.nominal_p, crossed, reason)


def without_statistics(taken: Sequence[InterimLookTaken]) -> tuple[InterimLookTaken, ...]:
    """Looks as those may see them who must not know how the arms compare."""
    return tuple(replace(look, statistic_z=None, crossed=False) for look in taken)


def interim_of(
    protocol: StudyProtocol,
    primary: Effects,
    taken: Sequence[InterimLookTaken],
    is_blinded: bool = False,
) -> dict[str, Any] | None:
    """The plan of looks with what was found at each; None where the protocol plans none.

    Args:
        taken: looks on record; without their statistics where `is_blinded`.
        is_blinded: arms were dealt anew, so that the last test says nothing and is not shown.
    """
    plan, sequential = protocol.analysis.interim, sequential_test_of(protocol, primary, taken)
    if plan is None or sequential is None:
        return None
    alpha = protocol.analysis.alpha
    row = primary_row(protocol, primary)
    statistic, _ = (None, None) if is_blinded else statistic_of(protocol, primary, row)
    recorded = {look.look: look for look in taken}
    planned = boundaries(plan.spending, plan.looks, alpha)
    final, count = sequential.final_boundary, len(plan.looks)
    reached = _taken_boundaries(plan, alpha, taken)
    looks = []
    for number, boundary in enumerate(planned, start=1):
        entry, was = _planned_entry(number, boundary), recorded.get(number)
        if was is not None and number < count:
            entry |= _taken_entry(was, reached.get(number, boundary), is_blinded)
        if number == count:
            entry |= {
                "boundary_z": final.z,
                "nominal_p": final.nominal_p,
                "alpha_spent": final.alpha_spent,
                "taken": not is_blinded and statistic is not None,
                "taken_information": sequential.information,
                "statistic_z": statistic,
                "crossed": None
                if statistic is None
                else crosses(statistic, final.z, protocol.analysis.primary_contrast.aim),
            }
        looks.append(entry)
    return {
        "spending": plan.spending,
        "alpha": alpha,
        "note": _note(plan, taken, is_blinded),
        "final_nominal_alpha": final.nominal_p,
        "repeated_ci": None if is_blinded else _repeated_interval(row, final.nominal_p),
        "looks": looks,
    }


def _boundary(
    plan: InterimSpec, alpha: float, taken: Sequence[InterimLookTaken], look: int, information: float
) -> Boundary:
    if plan.spending in FIXED:
        return boundaries(plan.spending, plan.looks, alpha)[look - 1]
    before = [one.information for one in in_order(taken) if one.look < look]
    return boundaries(plan.spending, (*before, information), alpha, is_final=False)[-1]


def _taken_boundaries(
    plan: InterimSpec, alpha: float, taken: Sequence[InterimLookTaken]
) -> dict[int, Boundary]:
    """By look: the boundary at the information it had."""
    ordered = in_order(taken)
    if not ordered or plan.spending in FIXED:
        return {}
    found = boundaries(plan.spending, [one.information for one in ordered], alpha, is_final=False)
    return {one.look: boundary for one, boundary in zip(ordered, found, strict=True)}


def _planned_entry(number: int, boundary: Boundary) -> dict[str, Any]:
    return {
        "look": number,
        "information": boundary.information,
        "boundary_z": boundary.z,
        "alpha_spent": boundary.alpha_spent,
        "nominal_p": boundary.nominal_p,
        "taken": False,
        "taken_information": None,
        "statistic_z": None,
        "crossed": None,
    }


def _taken_entry(look: InterimLookTaken, boundary: Boundary, is_blinded: bool) -> dict[str, Any]:
    is_known = look.statistic_z is not None and not is_blinded
    return {
        "boundary_z": look.boundary_z,
        "alpha_spent": boundary.alpha_spent,
        "nominal_p": 2 * float(stats.norm.sf(look.boundary_z)),
        "taken": True,
        "taken_information": look.information,
        "statistic_z": look.statistic_z if is_known else None,
        "crossed": look.crossed if is_known else None,
    }


def _repeated_interval(row: ResultRow, nominal_alpha: float) -> list[float] | None:
    """Limits that hold at all looks together (Jennison & Turnbull, 1989, J. R. Stat. Soc. B 51, 305-361)."""
    se, df = row.extra.get("se"), row.extra.get("df")
    if row.estimate is None or se is None:
        return None
    reference = stats.norm() if df is None else stats.t(float(df))
    half = float(reference.isf(nominal_alpha / 2)) * float(se)
    return [row.estimate - half, row.estimate + half]


def _note(plan: InterimSpec, taken: Sequence[InterimLookTaken], is_blinded: bool) -> str:
    planned = len(plan.looks) - 1
    said = [f"{len(taken)} of {planned} planned look{'s' if planned > 1 else ''} before the last on record."]
    crossed = [look.look for look in in_order(taken) if look.crossed]
    if crossed and not is_blinded:
        said.append(f"The boundary was crossed at look {crossed[0]}: the decision rests on that look.")
    if is_blinded and taken:
        said.append("What the looks found is withheld until the record is unblinded.")
    if plan.spending in FIXED:
        said.append("Boundaries are those of the planned looks, whether or not each was taken.")
    else:
        said.append("The last boundary follows from the looks taken and the information each had.")
    said.append(
        "Estimates and their 95 % intervals are not adjusted for the looks; the repeated interval is."
    )
    return " ".join(said)
