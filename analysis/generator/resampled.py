"""Targets drawn anew, each with all its clips, and the intervals that come of it.

The clips of one target share what is easy or hard about it, so targets are what is drawn and seeds of one
target stay together. Scores of the same targets meet the same draws, so that differences between systems
are paired.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from analysis.agreement.resampling import FEWEST_UNITS, generator
from analysis.result_row import CI_LEVEL

Floats = NDArray[np.float64]

LEAST_DEFINED = 0.95
"""No interval where fewer of the draws have a value."""

_ALIKE = 1e-9


@dataclass(frozen=True)
class TargetDraws:
    """How often each target counts.

    Args:
        target_ids: in the order of `weights`.
        weights: shape [n_targets, n_draws].
    """

    target_ids: tuple[str, ...]
    weights: Floats

    def __len__(self) -> int:
        return len(self.target_ids)

    @property
    def itself(self) -> Floats:
        """The sample: every target once, shape [n_targets, 1]."""
        return np.ones((len(self), 1))


def draw_targets(target_ids: Iterable[str], n_bootstrap: int, seed: int) -> TargetDraws:
    """Draws that are a function of the set of targets and the seed alone.

    Args:
        target_ids: in any order, as often as they come.
        n_bootstrap: draws.
        seed: fixes them.
    """
    ids = tuple(sorted(set(target_ids)))
    if not ids:
        return TargetDraws((), np.zeros((0, n_bootstrap)))
    rng = generator(f"{seed}/" + "\n".join(ids))
    counts = rng.multinomial(len(ids), np.full(len(ids), 1.0 / len(ids)), size=n_bootstrap)
    return TargetDraws(ids, np.ascontiguousarray(counts.T, dtype=float))


def expanded_levels(n: int, level: float = CI_LEVEL) -> tuple[float, float]:
    """Quantiles of the draws that are the limits of an expanded percentile interval.

    Of few units the plain percentile interval is too narrow, as if a mean's were x̄ ∓ z σ̂ and not
    x̄ ∓ t s; these levels make up for both: Φ(t(p, n − 1) √(n / (n − 1))).
    Source: Hesterberg (2014), What Teachers Should Know about the Bootstrap, arXiv:1411.5279; the same as
    `ExpandProbs` of his R package `resample`.
    """
    low = float(stats.norm.cdf(stats.t.ppf((1 - level) / 2, n - 1) * math.sqrt(n / (n - 1))))
    return low, 1.0 - low


def interval(draws: Floats, n_targets: int) -> tuple[float | None, float | None, str | None]:
    """95 % expanded percentile limits.

    Args:
        draws: shape [n_draws]; NaN where a draw has no value.
        n_targets: that were drawn.

    Returns:
        Both limits and None; or None twice and the reason: fewer than five targets, more than one draw in
        twenty without a value, or all draws alike. (Of five targets without a hit, no draw has one: that is
        no interval from 0 to 0.)
    """
    if n_targets < FEWEST_UNITS:
        return None, None, f"{n_targets} target(s): an interval needs {FEWEST_UNITS} or more"
    defined = draws[np.isfinite(draws)]
    if not len(defined) or len(defined) < LEAST_DEFINED * len(draws):
        return None, None, "the interval is not defined in too many resamples"
    if float(np.ptp(defined)) < _ALIKE:
        return None, None, "it is the same in every resample, which says nothing of other targets"
    low, high = np.quantile(defined, expanded_levels(n_targets))
    return float(low), float(high), None
