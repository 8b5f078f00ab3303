"""The blinding indices of James and of Bang, with Wald intervals.

Sources: James, Bloch, Lee, Kraemer & Fuller (1996), Statistics in Medicine 15, 1421-1434; Bang, Ni & Davis
(2004), Controlled Clinical Trials 25, 143-156.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from analysis.result_row import CI_LEVEL, NotEstimable

Floats = NDArray[np.float64]

WRONG_WEIGHT = 0.5
"""James et al.'s weight of a wrong guess; a right one has 0, and not knowing has 1."""


@dataclass(frozen=True)
class Index:
    """An index with its standard error and two-sided limits."""

    estimate: float
    se: float
    ci_low: float
    ci_high: float


def bang_index(right: int, wrong: int, unknown: int, arms: int = 2) -> Index:
    """How far one arm's people guessed better than by chance.

    1: all guessed right; 0: as by chance, or nobody knew; −1: all guessed wrong. With more than two arms a
    wrong guess counts for one in so many arms less one, so that chance is 0 there too; with two it is
    Bang's own.

    Args:
        right, wrong, unknown: people of the arm by their guess.
        arms: that could be guessed.

    Raises:
        NotEstimable: nobody answered.
    """
    n = right + wrong + unknown
    if n == 0:
        raise NotEstimable("nobody of this arm answered")
    per_wrong = 1 / max(arms - 1, 1)
    p_right, p_wrong = right / n, wrong / n
    estimate = p_right - per_wrong * p_wrong
    # Of a multinomial; with two arms Bang et al.'s formula (5).
    variance = (p_right + per_wrong**2 * p_wrong - estimate**2) / n
    return _with_limits(estimate, variance)


def james_index(guesses: NDArray[np.int64], unknown: NDArray[np.int64]) -> Index:
    """How blind all arms together were.

    1: nobody knew; 0.5: as by chance; 0: all guessed right. It is 1 − q + q² S / (2 T), James et al.'s
    {1 + P_DK + (1 − P_DK) K_D} / 2 written out, with q the share that guessed, S the weighted disagreement of
    guess and arm, and T what it would be if guesses had nothing to do with arms. Its variance is that of
    the delta method on the cells' multinomial, as theirs is.

    Args:
        guesses: people, shape [arms guessed, arms], the same arms in the same order.
        unknown: people who did not know, shape [arms].

    Raises:
        NotEstimable: nobody answered, or guesses and arms do not vary.
    """
    n = int(guesses.sum() + unknown.sum())
    if n == 0:
        raise NotEstimable("nobody answered")
    if not guesses.any():
        return _with_limits(1.0, 0.0)
    p = guesses / n
    weights = WRONG_WEIGHT * (1 - np.eye(len(p)))
    of_guess, of_arm = p.sum(axis=1), p.sum(axis=0)
    q, observed = float(p.sum()), float((weights * p).sum())
    expected = float(of_guess @ weights @ of_arm)
    if expected == 0:
        raise NotEstimable("all guessed the same, and all were in that arm")
    slope = (weights @ of_arm)[:, None] + (of_guess @ weights)[None, :]
    gradient = -1 + q * observed / expected + q**2 / 2 * (weights * expected - observed * slope) / expected**2
    variance = (float((p * gradient**2).sum()) - float((p * gradient).sum()) ** 2) / n
    return _with_limits(1 - q + q**2 * observed / (2 * expected), variance)


def _with_limits(estimate: float, variance: float) -> Index:
    se = float(np.sqrt(max(variance, 0.0)))
    half = float(stats.norm.ppf(0.5 + CI_LEVEL / 2)) * se
    return Index(estimate, se, estimate - half, estimate + half)
