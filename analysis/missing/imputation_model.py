"""The regression that an arm's missing reports are drawn from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.effects.endpoint import Outcome
from analysis.missing.regression_draws import RegressionDraws, draw_regressions
from analysis.result_row import NotEstimable
from study.affect import Affect

Floats = NDArray[np.float64]

ROUNDS = 30
"""Of Gibbs sampling before the draws that are kept; each imputation has a chain of its own."""


@dataclass(frozen=True)
class ArmRegression:
    """Draws of one arm's regression of the report after listening.

    Args:
        arm: whose.
        levels: stratification factor to the levels that gave an outcome, in column order.
        axes: of the report before listening, those that vary: 0 valence, 1 arousal.
        draws: coefficients in the order constant, levels but the first, axes.
        drawn_pre: person of this arm to their drawn report before listening, shape [draws, 2].
    """

    arm: str
    levels: Mapping[str, tuple[str, ...]]
    axes: tuple[int, ...]
    draws: RegressionDraws
    drawn_pre: Mapping[str, Floats]

    def check(self, person: Outcome) -> None:
        """Raise NotEstimable where nobody of the person's stratum gave an outcome in this arm."""
        for factor, seen in self.levels.items():
            if person.stratum[factor] not in seen:
                raise NotEstimable(
                    f"nobody with the same {factor.replace('_', ' ')} has the outcome in arm {self.arm}"
                )

    def simulate(self, people: Sequence[Outcome], pre: Floats, rng: np.random.Generator) -> Floats:
        """Reports after listening, shape [draws, n, 2].

        Args:
            pre: reports before listening, shape [1 or draws, n, 2].
        """
        return self.draws.simulate(_design(_constant_and_levels(people, self.levels), pre, self.axes), rng)


def regress_within_arm(
    rng: np.random.Generator, arm: str, people: Sequence[Outcome], draws: int
) -> ArmRegression:
    """Draw the regression of an arm.

    Args:
        people: of the arm, whose stratum is known; with and without reports.

    Raises:
        NotEstimable: too few outcomes to impute from, or covariates that repeat each other.
    """
    refusal = f"arm {arm}"
    donors = [person for person in people if person.post is not None]
    known = [person for person in donors if person.pre is not None]
    if not known:
        raise NotEstimable(f"nobody in arm {arm} has the outcome, so there is nothing to impute from")
    factors = tuple(known[0].stratum)
    levels = {factor: tuple(sorted({str(p.stratum[factor]) for p in known})) for factor in factors}
    at = points([person.pre for person in known])
    axes = tuple(axis for axis in (0, 1) if np.ptp(at[:, axis]) > 1e-10)
    usable = [p for p in people if all(p.stratum[factor] in levels[factor] for factor in factors)]
    if all(person.pre is not None for person in usable):
        design = _design(_constant_and_levels(known, levels), at, axes)
        values = points([person.post for person in known])
        return ArmRegression(arm, levels, axes, draw_regressions(rng, design, values, draws, refusal), {})
    return _with_missing_pre(rng, arm, usable, levels, axes, draws)


def _with_missing_pre(
    rng: np.random.Generator,
    arm: str,
    people: Sequence[Outcome],
    levels: Mapping[str, tuple[str, ...]],
    axes: tuple[int, ...],
    draws: int,
) -> ArmRegression:
    """Gibbs sampling: regressions given the reports before listening, these given the regressions."""
    refusal = f"arm {arm}, whose reports before listening are partly missing"
    columns = _constant_and_levels(people, levels)
    pre, post = points([p.pre for p in people]), points([p.post for p in people])
    absent, donor = np.isnan(pre[:, 0]), ~np.isnan(post[:, 0])
    # The regressions must stand without the drawn reports: those add no information.
    draw_regressions(rng, columns[~absent], pre[~absent], draws, refusal)
    given = donor & ~absent
    later = draw_regressions(rng, _design(columns[given], pre[given], axes), post[given], draws, refusal)
    completed = np.repeat(np.where(absent[:, None], pre[~absent].mean(axis=0), pre)[None], draws, axis=0)
    for _ in range(ROUNDS):
        first = draw_regressions(rng, columns, completed, draws, refusal)
        completed[:, absent] = _draw_pre(rng, first, later, columns[absent], post[absent], axes)
        later = draw_regressions(
            rng, _design(columns[donor], completed[:, donor], axes), post[donor], draws, refusal
        )
    drawn = {
        person.participant_id: completed[:, index]
        for index, person in enumerate(people)
        if person.pre is None
    }
    return ArmRegression(arm, levels, axes, later, drawn)


def _draw_pre(
    rng: np.random.Generator,
    first: RegressionDraws,
    later: RegressionDraws,
    columns: Floats,
    post: Floats,
    axes: tuple[int, ...],
) -> Floats:
    """Reports before listening given those after, where there are any; shape [draws, n, 2].

    The normal density of `pre` times that of `post` given `pre`, as a function of `pre`.
    """
    drawn = first.simulate(columns, rng)
    told = ~np.isnan(post[:, 0])
    if not told.any():
        return drawn
    q = columns.shape[1]
    slopes = np.zeros((len(drawn), 2, 2))
    slopes[:, list(axes)] = later.coefficients[:, q:]
    covariance = first.root @ np.swapaxes(first.root, -1, -2)
    residual = later.root @ np.swapaxes(later.root, -1, -2)
    # Kriging: the draw is moved by what its own simulated `post` differs from the one given.
    implied = columns[told] @ later.coefficients[:, :q] + drawn[:, told] @ slopes
    noise = rng.standard_normal(implied.shape) @ np.swapaxes(later.root, -1, -2)
    across = covariance @ slopes
    gain = np.linalg.pinv(np.swapaxes(slopes, -1, -2) @ across + residual) @ np.swapaxes(across, -1, -2)
    drawn[:, told] += (post[told] - implied - noise) @ gain
    return drawn


def _constant_and_levels(people: Sequence[Outcome], levels: Mapping[str, tuple[str, ...]]) -> Floats:
    columns = [np.ones(len(people))]
    for factor, seen in levels.items():
        columns += [np.array([p.stratum[factor] == level for p in people], dtype=float) for level in seen[1:]]
    return np.column_stack(columns)


def _design(columns: Floats, pre: Floats, axes: tuple[int, ...]) -> Floats:
    chosen = pre[..., list(axes)]
    shared = np.broadcast_to(columns, (*chosen.shape[:-2], *columns.shape))
    return np.concatenate([shared, chosen], axis=-1)


def points(reports: Sequence[Affect | None]) -> Floats:
    """Valence and arousal of reports, shape [n, 2]; NaN where there is none."""
    return np.array([(np.nan, np.nan) if r is None else (r.valence, r.arousal) for r in reports]).reshape(
        -1, 2
    )
