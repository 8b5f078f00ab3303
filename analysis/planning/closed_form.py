"""Sample sizes from formulas, to stand beside the simulated ones.

Differences are normal with the standard error of the design, tested with a t
reference; power is exact (non-central t; for equivalence by integration over
the spread that is estimated, as Phillips 1990, J. Pharmacokin. Biopharm. 18,
137-144). Covariates that explain the share ρ² of the outcome save that share of
the people (Borm, Fransen & Lemmens 2007, J. Clin. Epidemiol. 60, 1234-1238).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from scipy.optimize import brentq

from study.analysis_plan import Aim, Contrast, PlanningSpec
from study.protocol import Design, StudyProtocol

_MOST_PEOPLE = 1e7
_NODES = 100


@dataclass(frozen=True)
class ClosedForm:
    """A formula for the number of people.

    Args:
        formula: in words, with its source.
        people: allocated in all, not rounded; None where no number suffices.
        power_at: power of that many people allocated.
    """

    formula: str
    people: float | None
    power_at: Callable[[float], float]


def superiority_power(difference: float, se: float, df: float, alpha: float) -> float:
    """Power of a two-sided t-test."""
    if not difference:
        return alpha
    reach = float(stats.t.isf(alpha / 2, df))
    shift = abs(difference) / se
    # Beyond this the far tail is nothing, and its computation is not stable.
    far = float(stats.nct.cdf(-reach, df, shift)) if shift < 5 else 0.0
    return float(stats.nct.sf(reach, df, shift)) + (far if math.isfinite(far) else 0.0)


def non_inferiority_power(difference: float, margin: float, se: float, df: float, alpha: float) -> float:
    """Power of a one-sided t-test against −margin.

    Args:
        difference: above 0 where the first arm is better.
        alpha: one-sided.
    """
    return float(stats.nct.sf(stats.t.isf(alpha, df), df, (difference + margin) / se))


def equivalence_power(difference: float, margin: float, se: float, df: float, alpha: float) -> float:
    """Power of two one-sided t-tests against ∓margin.

    Args:
        alpha: of each.
    """
    reach = float(stats.t.isf(alpha, df))
    # Over the estimated se, s = se √(χ²/df), both tests reject where |d| < margin − reach s.
    nodes, weights = _gauss_legendre()
    low, high = (math.sqrt(float(stats.chi2.ppf(p, df)) / df) for p in (1e-12, 1 - 1e-12))
    high = min(high, margin / (reach * se))
    if high <= low:
        return 0.0
    ratio = low + (nodes + 1) / 2 * (high - low)
    room = margin - reach * se * ratio
    inside = stats.norm.cdf((room - difference) / se) - stats.norm.cdf((-room - difference) / se)
    density = 2 * df * ratio * stats.chi2.pdf(df * ratio**2, df)
    return float((weights * inside * density).sum() * (high - low) / 2)


@cache
def _gauss_legendre() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    return nodes, weights


def people_for(power: float, power_at: Callable[[float], float], fewest: float) -> float | None:
    """The (not rounded) number of people with this power; None where none has it.

    Args:
        power_at: rises with the number of people.
        fewest: where it begins to be defined.
    """
    if power_at(_MOST_PEOPLE) < power:
        return None
    if power_at(fewest) >= power:
        return fewest
    return float(brentq(lambda n: power_at(n) - power, fewest, _MOST_PEOPLE, xtol=1e-6))


def closed_form_of(protocol: StudyProtocol, planning: PlanningSpec, difference: float) -> ClosedForm:
    """The formula of the primary contrast.

    Args:
        difference: of the primary contrast, in the endpoint's unit.
    """
    contrast = protocol.analysis.primary_contrast
    alpha = protocol.analysis.alpha
    words = []
    if protocol.analysis.multiplicity == "holm" and len(protocol.analysis.contrasts) > 1:
        alpha /= len(protocol.analysis.contrasts)
        words.append(f"alpha divided by {len(protocol.analysis.contrasts)} contrasts")
    share, explained, compared = _design(protocol, planning, contrast)
    fewest = 2.05 / compared
    sign = -1.0 if protocol.analysis.higher_is_better is False else 1.0
    margin = contrast.margin or 0.0

    def se_and_df(analysed: float) -> tuple[float, float]:
        return planning.sd * math.sqrt(share / analysed), analysed * compared - 2

    def power_of(analysed: float) -> float:
        se, df = se_and_df(analysed)
        match contrast.aim:
            case Aim.EQUIVALENCE:
                return equivalence_power(difference, margin, se, df, alpha)
            case Aim.NON_INFERIORITY:
                return non_inferiority_power(sign * difference, margin, se, df, alpha / 2)
            case _:
                return superiority_power(difference, se, df, alpha)

    saved = (1 - explained) / (1 - planning.drop_out)

    def power_at(people: float) -> float:
        analysed = people / saved
        return power_of(analysed) if analysed > fewest else 0.0

    test = {
        Aim.SUPERIORITY: "two-sided t-test",
        Aim.EQUIVALENCE: "two one-sided t-tests",
        Aim.NON_INFERIORITY: "one-sided t-test at half of alpha",
    }[contrast.aim]
    where = (
        "within persons, n − 2 degrees of freedom" if protocol.design is Design.CROSSOVER else "of two groups"
    )
    if explained:
        words.append(f"× (1 − ρ²) = {1 - explained:g} for adjustment (Borm et al. 2007)")
    if planning.drop_out:
        words.append(f"÷ {1 - planning.drop_out:g} for drop-out")
    if protocol.analysis.interim is not None:
        words.append("without interim looks")
    people = people_for(planning.power, power_at, saved * fewest * 1.001)
    return ClosedForm("; ".join([f"{test} {where}", *words]), people, power_at)


def _design(
    protocol: StudyProtocol, planning: PlanningSpec, contrast: Contrast
) -> tuple[float, float, float]:
    """Variance of the difference × people / sd², share that covariates explain, share of people compared."""
    covariates = protocol.analysis.covariates
    needed = {
        "valence": ("pre_valence",),
        "arousal": ("pre_arousal",),
    }.get(protocol.analysis.endpoint, ("pre_valence", "pre_arousal"))
    # How far anyone is from the target, whichever side of it, is not linear in where they began.
    adjusted = protocol.analysis.endpoint != "distance" and set(needed) <= set(covariates)
    explained = planning.correlation**2 if adjusted else 0.0
    if protocol.design is Design.CROSSOVER:
        return 2 * (1 - planning.correlation), explained, 1.0
    weights = {group.arm_ids[0]: group.weight for group in protocol.allocation.groups}
    total = sum(weights.values())
    share = sum(total / weights[arm] for arm in contrast.arm_ids)
    return share, explained, sum(weights[arm] for arm in contrast.arm_ids) / total
