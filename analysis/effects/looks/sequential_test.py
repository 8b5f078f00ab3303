"""The statistic of a look at the arms, and the last test of a protocol that plans looks before it.

The statistic is z of the primary contrast: the normal quantile of its p-value, so that small
samples and every model are held against one boundary (Jennison & Turnbull, 2000, Group Sequential
Methods, § 3.8). An aim of equivalence or non-inferiority enters by its own p-value.

With `obrien_fleming` and `pocock` the boundaries are those of the plan, whatever the information
was; with the spending functions each look spends alpha by the information actually reached, and
the last test has what the recorded looks left. A look that was planned and not taken spends nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from scipy import stats

from analysis.effects.equivalence import equivalence_rows
from analysis.effects.estimate import Effects
from analysis.effects.looks.group_sequential import FIXED, Boundary, boundaries, sequential_p
from analysis.result_row import ResultRow
from study.analysis_plan import Aim, Contrast, InterimSpec
from study.events import InterimLookTaken
from study.protocol import Design, StudyProtocol

_SMALLEST_P = 1e-300


@dataclass(frozen=True)
class SequentialTest:
    """The last test of a protocol with looks, given those on record.

    Args:
        plan: the looks and how alpha is spent.
        alpha: two-sided level of all looks together.
        taken: information and statistic of each look on record, in order.
        information: reached at the last test.
    """

    plan: InterimSpec
    alpha: float
    taken: tuple[tuple[float, float | None], ...]
    information: float

    @property
    def final_boundary(self) -> Boundary:
        """What the last test is held against."""
        return boundaries(self.plan.spending, self._information(), self.alpha)[-1]

    def p_value(self, p_value: float | None, *, looks_count: bool = True) -> float | None:
        """A p-value that honours the looks: at most alpha exactly where some look, or the last test, crossed.

        Args:
            p_value: of the last test, on the two-sided scale; None where it could not be made.
            looks_count: the looks were at this test's own contrast, so that crossing there counts.
        """
        z = [statistic if looks_count else None for statistic in self._statistics()]
        if p_value is None:
            found = sequential_p(self.plan.spending, self._information(), z)
            return found if found <= self.alpha else None
        z[-1] = z_of(p_value)
        return sequential_p(self.plan.spending, self._information(), z)

    def _information(self) -> tuple[float, ...]:
        if self.plan.spending in FIXED:
            return self.plan.looks
        reached = [information for information, _ in self.taken]
        return (*reached, max(self.information, reached[-1] + 1e-3 if reached else 1e-3))

    def _statistics(self) -> list[float | None]:
        found: list[float | None] = [statistic for _, statistic in self.taken]
        missing = len(self._information()) - len(found)
        return [*found, *([None] * missing)]


def sequential_test_of(
    protocol: StudyProtocol, primary: Effects, taken: Sequence[InterimLookTaken]
) -> SequentialTest | None:
    """The protocol's last test; None where it plans no looks."""
    plan = protocol.analysis.interim
    if plan is None:
        return None
    one_sided = protocol.analysis.primary_contrast.aim is not Aim.SUPERIORITY
    return SequentialTest(
        plan,
        protocol.analysis.alpha,
        tuple((look.information, _counted(look.statistic_z, one_sided)) for look in in_order(taken)),
        information_of(protocol, primary_row(protocol, primary)),
    )


def statistic_of(
    protocol: StudyProtocol, primary: Effects, row: ResultRow
) -> tuple[float | None, str | None]:
    """z of the primary contrast by its aim, or why there is none."""
    contrast: Contrast = protocol.analysis.primary_contrast
    if contrast.aim is Aim.SUPERIORITY:
        if row.p_value is None or row.estimate is None:
            return None, row.reason or "the contrast could not be estimated"
        return (z_of(row.p_value) if row.estimate >= 0 else -z_of(row.p_value)), None
    found = next(r for r in equivalence_rows(protocol, primary) if r.extra["is_primary"])
    if found.p_value is None:
        return None, found.reason
    if contrast.aim is Aim.NON_INFERIORITY:
        # Already one-sided: a one-sided p has no side left to choose.
        return float(stats.norm.isf(min(max(found.p_value, _SMALLEST_P), 1 - 1e-16))), None
    return z_of(found.p_value), None


def crosses(statistic: float, boundary: float, aim: Aim) -> bool:
    """Whether a statistic lies at or beyond its boundary, on either side or on that of a one-sided aim."""
    return (abs(statistic) if aim is Aim.SUPERIORITY else statistic) >= boundary


def information_of(protocol: StudyProtocol, row: ResultRow) -> float:
    """Share of the primary contrast's planned outcomes that there are.

    Counted are people whose outcome was given: neither those whose outcome was drawn, nor those of
    whom a model of several sessions knows earlier visits alone. Planned are the people of the sample
    size whom the allocation ratio puts into one of the contrast's arms.
    """
    groups = protocol.allocation.groups
    wanted = set(protocol.analysis.primary_contrast.arm_ids)
    share = sum(group.weight for group in groups if wanted & set(group.arm_ids)) / sum(
        group.weight for group in groups
    )
    given = row.n
    if protocol.design is Design.PARALLEL and "n_by_arm" in row.extra:
        given = sum(row.extra["n_by_arm"]) - sum(row.extra.get("n_imputed_by_arm", ()))
    return given / (protocol.sample_size * share)


def z_of(p_value: float) -> float:
    """The normal quantile of a two-sided p-value, from 0."""
    return float(stats.norm.isf(max(p_value, _SMALLEST_P) / 2))


def primary_row(protocol: StudyProtocol, primary: Effects) -> ResultRow:
    """The primary contrast's row."""
    wanted = protocol.analysis.primary_contrast.contrast_id
    return next(row for row in primary.contrasts if row.extra["contrast_id"] == wanted)


def in_order(taken: Sequence[InterimLookTaken]) -> list[InterimLookTaken]:
    """Looks by their number."""
    return sorted(taken, key=lambda look: look.look)


def _counted(statistic: float | None, one_sided: bool) -> float | None:
    """A statistic on the wrong side of a one-sided aim is no evidence at all."""
    return None if statistic is None else max(statistic, 0.0) if one_sided else statistic
