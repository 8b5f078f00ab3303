"""Whether one sound follows its plan: what was planned and what is heard, clip by clip.

Displacement and error say how far off the plan the sound is, correlation and direction whether it moves
as planned. Two courses that merely drift the same way correlate, so each correlation stands beside the one
that is left when both lose their straight line in time; a plan that is itself a straight line leaves
nothing there, and the sound can then be told from mere drift by the plans of other sessions alone
(`analysis.agreement.path_nulls`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from analysis.agreement.trajectories import FEWEST_REPORTS

Floats = NDArray[np.float64]

AXES = ("valence", "arousal")
FEWEST_CLIPS = FEWEST_REPORTS[False]
"""Of a session: below this it tells nothing of a course."""

SKILLS_OF: Mapping[str, str] = {
    "plan_mean": "skill_plan_mean",
    "own_mean": "skill_own_mean",
    "start": "skill_start",
}
"""What stands still (`Course.errors`) to the skill of a sound over it."""

SMALLEST_DISPLACEMENT = 0.1
"""Of a plan, in circumplex units: one that moves less has no direction to speak of."""

LEAST_BEND = 0.01
"""Share of a plan's variance that its straight line in time must leave; with less, it is that line."""

_STILL = 1e-12
_ROUNDING = 1e-10


@dataclass(frozen=True)
class Course:
    """One sound's clips in order: planned, and generated as a predictor hears it.

    Args:
        time_s: shape [n], middle of each clip in the session.
        planned, generated: shape [n, 2], valence and arousal.
    """

    time_s: Floats
    planned: Floats
    generated: Floats

    @property
    def n(self) -> int:
        """Clips."""
        return len(self.time_s)

    @property
    def displacement(self) -> Floats:
        """Generated − planned of each clip, shape [n, 2]."""
        return np.asarray(self.generated - self.planned)

    @cached_property
    def errors(self) -> dict[str, Floats]:
        """Mean absolute error per axis, shape [2]: of the sound, and of three that stand still.

        ``plan_mean`` stays at the mean of the plan, ``own_mean`` at the mean of what is heard (it shares
        the sound's bias, so that movement alone is compared), ``start`` where the plan begins.
        """
        still = {
            "plan_mean": self.planned.mean(axis=0),
            "own_mean": self.generated.mean(axis=0),
            "start": self.planned[0],
        }
        found = {"generated": np.abs(self.displacement).mean(axis=0)}
        return found | {name: np.abs(point - self.planned).mean(axis=0) for name, point in still.items()}

    def rest(self, detrend: bool) -> tuple[Floats, Floats]:
        """Planned and generated without their means, shape [n, 2] each.

        With `detrend`, without their straight lines in time too. What does not vary is zero throughout.
        """
        return self._rests[int(detrend)]

    @cached_property
    def _rests(self) -> tuple[tuple[Floats, Floats], ...]:
        return self._rest(False), self._rest(True)

    def _rest(self, detrend: bool) -> tuple[Floats, Floats]:
        planned, generated = _centred(self.planned), _centred(self.generated)
        if detrend:
            t = _centred(self.time_s[:, None])
            spread = max(float((t**2).sum()), _STILL)
            whole = (planned**2).sum(axis=0), (generated**2).sum(axis=0)
            planned = planned - t * (t * planned).sum(axis=0) / spread
            generated = generated - t * (t * generated).sum(axis=0) / spread
            planned = planned * ((planned**2).sum(axis=0) > LEAST_BEND * whole[0])
            # What is left of a straight line is rounding, not variation.
            generated = generated * ((generated**2).sum(axis=0) > _ROUNDING * whole[1])
        return (
            planned * ((planned**2).sum(axis=0) > _STILL),
            generated * ((generated**2).sum(axis=0) > _STILL),
        )

    def moments(self, detrend: bool) -> Floats:
        """Sums of squares and products of `rest`, shape [3, 2]: planned², generated², planned·generated.

        All zero where clips are too few, or the plan does not vary: such a session tells nothing.
        """
        return self._moments[int(detrend)]

    @cached_property
    def _moments(self) -> tuple[Floats, ...]:
        return self._sums(False), self._sums(True)

    def _sums(self, detrend: bool) -> Floats:
        if self.n < FEWEST_REPORTS[detrend]:
            return np.zeros((3, 2))
        planned, generated = self.rest(detrend)
        sums = np.array(
            [(planned**2).sum(axis=0), (generated**2).sum(axis=0), (planned * generated).sum(axis=0)]
        )
        return np.asarray(sums * (sums[0] > 0))

    def r(self, detrend: bool) -> Floats:
        """Correlation of planned and generated over the clips, shape [2]; NaN where it is not defined."""
        spp, sgg, spg = self.moments(detrend)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(np.where((spp > 0) & (sgg > 0), spg / np.sqrt(spp * sgg), np.nan))

    @property
    def slope(self) -> Floats:
        """Least squares, generated on planned, shape [2]: 1 is a full response; NaN where no plan moves."""
        spp, _, spg = self.moments(False)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(np.where(spp > 0, spg / spp, np.nan))

    @cached_property
    def planned_move(self) -> Floats:
        """From the first third of clips to the last, as planned, shape [2]: see `move`."""
        return move(self.planned)

    @property
    def generated_move(self) -> Floats:
        """The same as heard."""
        return move(self.generated)

    @cached_property
    def cosine(self) -> float:
        """Cosine of the angle between the moves planned and heard; NaN where the plan has no direction."""
        return float(cosines(self.generated_move[None], self.planned_move)[0])


def move(points: Floats) -> Floats:
    """From the mean of the first third of points to that of the last, over the last axis but one.

    Thirds, not the slope of a line: a path that dwells at its ends is met in full, no course in between
    is assumed, and of a straight line with independent errors the precision is 8/9 that of least squares
    (Bartlett, 1949, Biometrics 5, 207-212). Planned and generated are measured alike; for a straight plan
    the move has the direction from start to target.

    Args:
        points: shape [..., n, 2].

    Returns:
        Shape [..., 2].
    """
    third = max(1, points.shape[-2] // 3)
    return np.asarray(points[..., -third:, :].mean(axis=-2) - points[..., :third, :].mean(axis=-2))


def cosines(moves: Floats, planned: Floats) -> Floats:
    """Cosine of the angle between each move, shape [k, 2], and the planned one, shape [2].

    Returns:
        Shape [k]: 1 in the planned direction, 0 across it and for a sound that does not move, −1 against
        it; NaN where the plan moves less than `SMALLEST_DISPLACEMENT`.
    """
    length = float(np.hypot(*planned))
    if length < SMALLEST_DISPLACEMENT:
        return np.full(len(moves), np.nan)
    lengths = np.hypot(moves[:, 0], moves[:, 1])
    return np.asarray(moves @ planned / np.maximum(lengths, _STILL) / length)


def skill(error: float, reference: float) -> float:
    """1 − error / error of the reference: 1 is perfect, 0 no better, below 0 worse; NaN where it never errs.

    Source: Murphy (1988), Mon. Weather Rev. 116, 2417-2424, there for squared errors.
    """
    return 1 - error / reference if reference > _STILL else float("nan")


def _centred(values: Floats) -> Floats:
    return np.asarray(values - values.mean(axis=0))
