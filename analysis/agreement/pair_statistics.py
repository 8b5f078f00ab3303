"""Agreement statistics of paired measurements, for a sample and its bootstrap draws at once.

Sources beside each name of `STATISTICS`. Every statistic of a comparison comes from the same draws.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from analysis.agreement.concordance import LIMITS_MULTIPLIER
from analysis.agreement.group_sums import GroupSums
from analysis.agreement.repeated_concordance import Occasions
from analysis.agreement.repeated_limits import total_sd
from analysis.agreement.resampling import Resampling, draw_weights
from analysis.agreement.trajectories import Trajectories
from analysis.result_row import CI_LEVEL

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

NEAR = 0.25
"""On the target, for a clip: within this distance of the plan on an axis."""

STATISTICS: Mapping[str, str] = {
    "ccc": "Lin (1989), Biometrics 45, 255-268",
    "ccc_repeated": "King, Chinchilli & Carrasco (2007), Stat. Med. 26, 3095-3113",
    "icc_a1": "McGraw & Wong (1996), Psychol. Methods 1, 30-46",
    "icc_ak": "McGraw & Wong (1996), Psychol. Methods 1, 30-46",
    "bias": "Bland & Altman (2007), J. Biopharm. Stat. 17, 571-582",
    "limit_low": "Bland & Altman (2007), J. Biopharm. Stat. 17, 571-582",
    "limit_high": "Bland & Altman (2007), J. Biopharm. Stat. 17, 571-582",
    "mae": "mean of |first − second|",
    "slope": "least squares, first on second",
    "intercept": "least squares, first on second",
    "r": "Pearson, over all pairs",
    "within": "share of pairs no further apart than the distance named",
    "within_r": "Bland & Altman (1995), BMJ 310, 446",
    "within_r_detrended": "Bland & Altman (1995), BMJ 310, 446, after each session's straight line in time",
}
"""Statistic to its source, in the order shown."""

_LARGEST_ARRAY = 500_000
"""Draws × groups handled at once; each of ten moments of them takes 4 MB."""


@dataclass(frozen=True)
class Pairs:
    """Two measurements of the same things.

    Args:
        x, y: shape [n], in the same unit; nothing missing.
        design: what is drawn.
        occasions: the same pairs by occasion; None where occasions mean nothing.
        trajectories: the same pairs session by session; None likewise.
    """

    x: Floats
    y: Floats
    design: Resampling
    occasions: Occasions | None = None
    trajectories: Trajectories | None = None

    @property
    def widest(self) -> int:
        """Groups that stand side by side in the widest array of one draw."""
        found = [self.design.n_people, self.design.n_clips or 0]
        if self.occasions is not None:
            found += [len(group) for group in self.occasions.members]
        if self.trajectories is not None:
            found.append(self.trajectories.sums.n_groups)
        return max(found)

    @cached_property
    def by_person(self) -> GroupSums:
        """Moments by person: number, x, y, x², y², xy, |x − y|, |x − y| ≤ `NEAR`."""
        x, y, gap = self.x, self.y, np.abs(self.x - self.y)
        near = (gap <= NEAR + 1e-12).astype(float)
        moments = (np.ones_like(x), x, y, x**2, y**2, x * y, gap, near)
        return GroupSums(self.design.person, self.design.clip, moments)


@dataclass(frozen=True)
class Bootstrapped:
    """A statistic with its percentile interval; limits are None where none can be given."""

    estimate: float
    ci_low: float | None
    ci_high: float | None


def pair_statistics(pairs: Pairs, people: Floats, clips: Floats | None) -> dict[str, Floats]:
    """Every statistic there is enough information for, x against y.

    Bias is x − y; the calibration line predicts x from y (slope 1 and intercept 0 are perfect
    calibration). In `icc_a1` and `icc_ak` every pair is a target rated by two raters. `ccc_repeated`
    needs occasions, `within_r` and `within_r_detrended` trajectories.

    Args:
        people: shape [n_people, n_draws], how often each participant counts.
        clips: shape [n_clips, n_draws], how often each clip counts; None where clips are not drawn.

    Returns:
        Statistic to shape [n_draws]; NaN where it is not defined.
    """
    sums = pairs.by_person.weighted(clips)
    spread = sums[1] - sums[2], sums[3] + sums[4] - 2 * sums[5]
    with np.errstate(divide="ignore", invalid="ignore"):
        n, x, y, x2, y2, xy, gap, near = ((people * moment).sum(axis=0) for moment in sums)
        mean_x, mean_y = x / n, y / n
        sxx, syy, sxy = x2 / n - mean_x**2, y2 / n - mean_y**2, xy / n - mean_x * mean_y
        bias = mean_x - mean_y
        varied = np.minimum(sxx, syy) > 1e-15
        slope = np.where(syy > 1e-15, sxy / syy, np.nan)
        sd = total_sd(sums[0], *spread, people)
        single, average = absolute_agreement(n, sxx, syy, sxy, bias)
        found = {
            "ccc": np.where(varied, 2 * sxy / (sxx + syy + bias**2), np.nan),
            "icc_a1": np.where(varied, single, np.nan),
            "icc_ak": np.where(varied, average, np.nan),
            "bias": bias,
            "limit_low": bias - LIMITS_MULTIPLIER * sd,
            "limit_high": bias + LIMITS_MULTIPLIER * sd,
            "mae": gap / n,
            "slope": slope,
            "intercept": mean_x - slope * mean_y,
            "r": np.where(varied, sxy / np.sqrt(sxx * syy), np.nan),
            "within": near / n,
        }
    if pairs.occasions is not None:
        found["ccc_repeated"] = pairs.occasions.concordance(people, clips)
    if pairs.trajectories is not None:
        found["within_r"], found["within_r_detrended"] = pairs.trajectories.r(people, clips)
    return found


def absolute_agreement(
    n: Floats, sxx: Floats, syy: Floats, sxy: Floats, bias: Floats
) -> tuple[Floats, Floats]:
    """ICC(A,1) and ICC(A,2) of two raters, from moments with divisor n (McGraw & Wong, 1996, table 4)."""
    between = 2 * n / (n - 1) * (sxx + syy + 2 * sxy) / 4
    error = n / (n - 1) * (sxx + syy - 2 * sxy) / 2
    raters = n * bias**2 / 2
    single = (between - error) / (between + error + 2 / n * (raters - error))
    average = (between - error) / (between + (raters - error) / n)
    return single, average


def bootstrap_pairs(pairs: Pairs, seed_text: str) -> dict[str, Bootstrapped]:
    """Every statistic with its 95 % percentile interval over the design's unit.

    Args:
        seed_text: fixes the draws.
    """
    once = pair_statistics(pairs, np.ones((pairs.design.n_people, 1)), None)
    if pairs.design.too_few is not None:
        return {name: Bootstrapped(float(value[0]), None, None) for name, value in once.items()}
    size = max(1, _LARGEST_ARRAY // pairs.widest)
    chunks = []
    for people, clips in draw_weights(pairs.design, seed_text):
        for start in range(0, people.shape[1], size):
            draws = slice(start, start + size)
            chunks.append(
                pair_statistics(pairs, people[:, draws], None if clips is None else clips[:, draws])
            )
    return {
        name: Bootstrapped(float(value[0]), *percentile_interval(np.concatenate([c[name] for c in chunks])))
        for name, value in once.items()
    }


def percentile_interval(draws: Floats) -> tuple[float | None, float | None]:
    """95 % percentile limits; None where more than one draw in twenty is not defined."""
    defined = draws[np.isfinite(draws)]
    if len(defined) < 0.95 * len(draws):
        return None, None
    low, high = np.quantile(defined, [0.5 - CI_LEVEL / 2, 0.5 + CI_LEVEL / 2])
    return float(low), float(high)
