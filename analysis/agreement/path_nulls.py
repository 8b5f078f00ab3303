"""What a sound that does not follow its plan would look like: three nulls, each for another question.

- *shuffled* keeps a sound's clips, not their order: is the order in time the plan's at all? Any drift along
  the plan beats it.
- *reversed* keeps the order of neighbours and the size of any drift: does the sound move, or bend, the way
  planned? A drift that all sessions share beats it.
- *swapped* keeps every sound and every plan: does a sound follow its plan, or any? Only one that is nearer
  its own plan than another session's beats it.

Shuffling makes strangers of neighbours, so it takes a series with a memory for one that follows (in
simulation 15 to 26 % false positives at .05). Reversal keeps a series' own correlation in time whatever it
is, and its level with it (4 to 6 %); it needs several sessions. Circular shifts of what is left without
the lines, and phase randomisation, need series far longer than sessions have clips: shifts gave up to
14 %, so they are not used. Arrangements are drawn within sessions independently; plans are swapped among
the sounds of an arm. p is one-sided, since following has a direction: with every arrangement counted, the
share that follow at least as well as the one heard; with arrangements drawn, (1 + hits) / (1 + draws)
(Phipson & Smyth, 2010, Stat. Appl. Genet. Mol. Biol. 9, 39).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from analysis.agreement.path_following import Course, cosines, move
from analysis.agreement.resampling import generator
from analysis.result_row import NotEstimable

Floats = NDArray[np.float64]
Orders = NDArray[np.intp]

ARRANGEMENTS = 1999
"""Drawn where there are more; all of them where there are not."""

LEAST_P = 0.05
"""A test whose p cannot fall to this tells nothing, and gives none."""

_TIE = 1e-12


class Null(StrEnum):
    """What is arranged anew."""

    SHUFFLED = "shuffled"
    REVERSED = "reversed"
    SWAPPED = "swapped"


@dataclass(frozen=True)
class NullTest:
    """A statistic beside what it would be if nothing followed.

    Args:
        observed: of the sound as it is.
        arranged: shape [k], of each arrangement; the one that is heard is among them if `is_exact`.
        is_exact: whether these are all the arrangements there are.
        session_p: each session's own p in the order given; None where it has no part, or no p.
    """

    observed: float
    arranged: Floats
    is_exact: bool
    session_p: tuple[float | None, ...] = ()

    @property
    def p_value(self) -> float | None:
        """One-sided; None where too few arrangements are possible for `LEAST_P`."""
        return one_sided(self.observed, self.arranged, self.is_exact)

    @property
    def limits(self) -> tuple[float, float]:
        """Between which 95 % of the arrangements lie."""
        low, high = np.quantile(self.arranged, [0.025, 0.975])
        return float(low), float(high)


def one_sided(observed: float, arranged: Floats, is_exact: bool) -> float | None:
    """How many arrangements follow at least as well; None where that could not be as few as `LEAST_P`.

    Args:
        arranged: shape [k]; every arrangement, the one that is heard among them, if `is_exact`.
    """
    k = len(arranged)
    if 1 / (k if is_exact else 1 + k) > LEAST_P:
        return None
    hits = int((arranged >= observed - _TIE).sum())
    return hits / k if is_exact else (1 + hits) / (1 + k)


def orders_of(null: Null, n: int) -> Orders | None:
    """Every order of n things under a null, shape [k, n], their own first; None where there are too many."""
    own = np.arange(n)
    if null is Null.REVERSED:
        return np.stack([own, own[::-1]])
    if math.factorial(min(n, 20)) > ARRANGEMENTS:
        return None
    return np.array(list(itertools.permutations(range(n))), dtype=np.intp)


class Within:
    """The pooled correlation within sessions on one axis: Σ planned·generated / √(Σ planned² Σ generated²).

    Args:
        axis: 0 valence, 1 arousal.
        detrend: without each session's straight lines in time.

    Raises:
        NotEstimable: nothing varies, or every plan is a line.
    """

    def __init__(self, courses: Sequence[Course], axis: int, detrend: bool) -> None:
        self._axis, self._detrend = axis, detrend
        sums = sum((course.moments(detrend)[:, axis] for course in courses), np.zeros(3))
        self._scale = math.sqrt(sums[0] * sums[1])
        if self._scale <= _TIE:
            raise NotEstimable(why_still(detrend))

    def is_in(self, course: Course) -> bool:
        """Whether the session tells anything."""
        return bool(course.moments(self._detrend)[0, self._axis] > 0)

    def share(self, course: Course, orders: Orders) -> Floats:
        """What a session adds to the statistic in each order of its clips, shape [k]."""
        planned, generated = (values[:, self._axis] for values in course.rest(self._detrend))
        return np.asarray(generated[orders] @ planned / self._scale)


class Direction:
    """The mean over sessions of the cosine between the planned move and the one heard.

    Raises:
        NotEstimable: no plan has a direction.
    """

    def __init__(self, courses: Sequence[Course]) -> None:
        self._n = sum(self.is_in(course) for course in courses)
        if not self._n:
            raise NotEstimable(NO_DIRECTION)

    def is_in(self, course: Course) -> bool:
        """Whether the session's plan has a direction."""
        return bool(np.isfinite(course.cosine))

    def share(self, course: Course, orders: Orders) -> Floats:
        """What a session adds to the statistic in each order of its clips, shape [k]."""
        return cosines(move(course.generated[orders]), course.planned_move) / self._n


NO_DIRECTION = "no plan moves far enough to have a direction"


def why_still(detrend: bool) -> str:
    """Why there is no correlation within sessions."""
    if detrend:
        return "every plan is a straight line in time or stands still: nothing is left without it"
    return "what was planned or what was generated does not vary within any session"


def arrange(courses: Sequence[Course], null: Null, statistic: Within | Direction, seed_text: str) -> NullTest:
    """A statistic tested against other orders of the clips within each session.

    Args:
        null: `SHUFFLED` or `REVERSED`.
        seed_text: fixes what is drawn.
    """
    used = [course for course in courses if statistic.is_in(course)]
    sets = [orders_of(null, course.n) for course in used]
    possible = math.prod(
        min(len(orders), ARRANGEMENTS + 1) if orders is not None else math.inf for orders in sets
    )
    is_exact = possible <= ARRANGEMENTS
    rng, total, observed = generator(seed_text), np.zeros(1 if is_exact else ARRANGEMENTS), 0.0
    session_p: dict[int, float | None] = {}
    for course, whole in zip(used, sets, strict=True):
        orders = whole if is_exact and whole is not None else _drawn(rng, whole, course.n)
        added = statistic.share(course, orders)
        own = float(statistic.share(course, np.arange(course.n)[None])[0])
        observed += own
        session_p[id(course)] = one_sided(own, added, is_exact) if null is Null.SHUFFLED else None
        total = np.add.outer(total, added).ravel() if is_exact else total + added
    return NullTest(observed, total, is_exact, tuple(session_p.get(id(course)) for course in courses))


def swap(courses: Sequence[Course], axis: int, seed_text: str) -> NullTest:
    """How much nearer sounds are to their own plans than to other sessions', tested by swapping plans.

    The statistic is the mean over sounds of their mean absolute error against the others' plans minus that
    against their own. Sounds swap with those whose clips have the same times.

    Args:
        courses: of one arm, each sound once.
        axis: 0 valence, 1 arousal.
        seed_text: fixes what is drawn.

    Raises:
        NotEstimable: fewer than two sounds with the same times, or every plan is the same.
    """
    alike: dict[tuple[float, ...], list[Course]] = {}
    for course in courses:
        alike.setdefault(tuple(np.round(course.time_s, 3)), []).append(course)
    errors = [_errors(group, axis) for group in alike.values() if len(group) > 1]
    if not errors:
        raise NotEstimable("there are no two sounds whose plans could be swapped")
    if all(float(np.ptp(e, axis=1).max()) <= _TIE for e in errors):
        raise NotEstimable("every session has the same plan")
    n = sum(len(e) for e in errors)
    is_exact = math.prod(math.factorial(min(len(e), 20)) for e in errors) <= ARRANGEMENTS
    rng, others, own = generator(seed_text), 0.0, 0.0
    total: Floats = np.zeros(1 if is_exact else ARRANGEMENTS)
    for e in errors:
        size, rows = len(e), np.arange(len(e))
        orders = _drawn(rng, None, size) if not is_exact else orders_of(Null.SWAPPED, size)
        # An assignment's advantage is a constant less a multiple of the errors it chooses.
        factor = size / (size - 1)
        others += float(e.sum()) / (size - 1)
        own += float(np.trace(e)) * factor
        chosen = e[rows, orders].sum(axis=1) * factor
        total = np.add.outer(total, chosen).ravel() if is_exact else total + chosen
    return NullTest((others - own) / n, (others - total) / n, is_exact)


def _errors(group: Sequence[Course], axis: int) -> Floats:
    """Mean absolute error of each sound, by row, against each plan, by column."""
    planned = np.stack([course.planned[:, axis] for course in group])
    return np.array([np.abs(course.generated[:, axis] - planned).mean(axis=1) for course in group])


def _drawn(rng: np.random.Generator, orders: Orders | None, n: int) -> Orders:
    if orders is None:
        return rng.permuted(np.tile(np.arange(n), (ARRANGEMENTS, 1)), axis=1)
    return np.asarray(orders[rng.integers(0, len(orders), ARRANGEMENTS)])
