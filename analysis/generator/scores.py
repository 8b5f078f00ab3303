"""How near a system's clips come to what was asked, as one predictor hears them.

Every score is a function of sums over targets, so that the sample and all its resamples are one small matrix
product; Pearson, CCC, MAE and the line are those of `analysis.agreement.pair_statistics`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from analysis.agreement.pair_statistics import Pairs, pair_statistics
from analysis.agreement.resampling import Resampling
from analysis.generator.heard import HeardClip
from analysis.generator.measures import AXES, MEASURES, Measure
from analysis.generator.resampled import TargetDraws, interval

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

_AXIS_STATISTICS = ("r", "ccc", "mae", "slope", "intercept")


@dataclass(frozen=True)
class Score:
    """One score with its interval, or why there is none.

    Args:
        measure: its `Measure.measure_id`.
        estimate: over all clips; None where it is not defined.
        ci_low, ci_high: 95 % limits, targets drawn; None where none can be given.
        n_targets, n_clips: that it rests on; of quadrants and of the corner, those that count there.
        reason: in words, where a number is missing.
    """

    measure: str
    estimate: float | None
    ci_low: float | None
    ci_high: float | None
    n_targets: int
    n_clips: int
    reason: str | None = None


@dataclass(frozen=True)
class Points:
    """Clips as points: where they were to be, and where one predictor hears them.

    Args:
        target, achieved: shape [n_clips, 2], valence and arousal.
        target_ids: of each clip.
    """

    target: Floats
    achieved: Floats
    target_ids: tuple[str, ...]

    @classmethod
    def heard_by(cls, predictor: str, clips: Sequence[HeardClip]) -> Points:
        """The clips as a predictor hears them; those it did not hear are not there."""
        mine = [(one.clip, one.by[predictor]) for one in clips if predictor in one.by]
        return cls(
            np.array([[c.target.valence, c.target.arousal] for c, _ in mine], dtype=float).reshape(-1, 2),
            np.array([[m.valence_pred, m.arousal_pred] for _, m in mine], dtype=float).reshape(-1, 2),
            tuple(clip.target_id for clip, _ in mine),
        )

    def among(self, target_ids: frozenset[str]) -> Points:
        """Those of certain targets."""
        kept = np.array([one in target_ids for one in self.target_ids], dtype=bool)
        ids = tuple(one for one in self.target_ids if one in target_ids)
        return Points(self.target[kept], self.achieved[kept], ids)

    @cached_property
    def distances(self) -> Floats:
        """Shape [n_clips], Euclidean, in the plane."""
        return np.asarray(np.hypot(*(self.achieved - self.target).T))

    @cached_property
    def off_axes(self) -> NDArray[np.bool_]:
        """Shape [n_clips]: whether the target lies in a quadrant."""
        return np.asarray((self.target != 0).all(axis=1))

    @cached_property
    def in_quadrant(self) -> NDArray[np.bool_]:
        """Shape [n_clips]: whether the clip is heard in its target's quadrant."""
        return np.asarray(self.off_axes & (np.sign(self.achieved) == np.sign(self.target)).all(axis=1))

    @cached_property
    def in_corner(self) -> NDArray[np.bool_]:
        """Shape [n_clips]: whether the target has valence < 0 and arousal > 0."""
        return np.asarray((self.target[:, 0] < 0) & (self.target[:, 1] > 0))

    def counted(self, measure: Measure) -> NDArray[np.bool_]:
        """Shape [n_clips]: which clips a measure is of."""
        if measure.measure_id == "quadrant":
            return self.off_axes
        if measure.measure_id.startswith("corner"):
            return self.in_corner
        return np.ones(len(self.target_ids), dtype=bool)


def drawn_scores(points: Points, target_ids: Sequence[str], weights: Floats) -> dict[str, Floats]:
    """Every score in every draw of targets.

    Args:
        points: one or more clips.
        target_ids: rows of `weights`; every clip's target is among them.
        weights: shape [n_targets, n_draws], how often each target counts.

    Returns:
        `Measure.measure_id` to shape [n_draws]; NaN where it is not defined.
    """
    row = {one: place for place, one in enumerate(target_ids)}
    index = np.array([row[one] for one in points.target_ids], dtype=np.intp)
    # Targets without a clip do not count: their rows leave, and those that stay are numbered anew.
    present, index = np.unique(index, return_inverse=True)
    weights = weights[present]
    design = Resampling("target", index.astype(np.intp), None)
    found: dict[str, Floats] = {}
    for place, axis in enumerate(AXES):
        pairs = Pairs(points.achieved[:, place], points.target[:, place], design)
        statistics = pair_statistics(pairs, weights, None)
        found |= {f"{axis}_{name}": statistics[name] for name in _AXIS_STATISTICS}
    between = Pairs(points.achieved[:, 0], points.achieved[:, 1], design)
    found["axes_r"] = pair_statistics(between, weights, None)["r"]

    def mean(values: Floats, of: NDArray[np.bool_]) -> Floats:
        counts = np.bincount(index, of.astype(float)) @ weights
        sums = np.bincount(index, np.where(of, values, 0.0)) @ weights
        return np.asarray(np.where(counts > 0, sums / np.where(counts > 0, counts, 1.0), np.nan))

    all_clips = np.ones(len(index), dtype=bool)
    found["distance"] = mean(points.distances, all_clips)
    found["quadrant"] = mean(points.in_quadrant.astype(float), points.off_axes)
    found["corner_distance"] = mean(points.distances, points.in_corner)
    found["corner_share"] = mean(points.in_quadrant.astype(float), points.in_corner)
    return found


def score_points(points: Points, draws: TargetDraws) -> Mapping[str, Score]:
    """Every score of some clips, with its interval.

    Args:
        points: any number of clips, none included.
        draws: of their targets.

    Returns:
        `Measure.measure_id` to score, in the order of `MEASURES`.
    """
    if not points.target_ids:
        none = "no clip could be heard"
        return MappingProxyType(
            {m.measure_id: Score(m.measure_id, None, None, None, 0, 0, none) for m in MEASURES}
        )
    once = drawn_scores(points, draws.target_ids, draws.itself)
    many = drawn_scores(points, draws.target_ids, draws.weights)
    return MappingProxyType(
        {m.measure_id: _score(m, points, float(once[m.measure_id][0]), many[m.measure_id]) for m in MEASURES}
    )


def _score(measure: Measure, points: Points, value: float, drawn: Floats) -> Score:
    n_targets, n_clips = rests_on(points, measure)
    name = measure.measure_id
    if not np.isfinite(value):
        return Score(name, None, None, None, n_targets, n_clips, why_undefined(points, measure))
    low, high, reason = interval(drawn, n_targets)
    return Score(name, value, low, high, n_targets, n_clips, reason)


def rests_on(points: Points, measure: Measure) -> tuple[int, int]:
    """Targets and clips that a measure is of."""
    counted = points.counted(measure)
    ids = {one for one, counts in zip(points.target_ids, counted, strict=True) if counts}
    return len(ids), int(counted.sum())


def why_undefined(points: Points, measure: Measure) -> str:
    """In words, where a score has no value."""
    if not points.target_ids:
        return "no clip could be heard"
    if measure.measure_id.startswith("corner"):
        return "no target with valence < 0 and arousal > 0"
    if measure.measure_id == "quadrant":
        return "every target lies on an axis"
    if measure.measure_id == "axes_r":
        return "what is heard does not vary on one of the axes"
    place = AXES.index(measure.axis or AXES[0])
    if len(np.unique(points.target[:, place])) < 2:
        return f"one target {measure.axis} only: nothing to follow"
    return f"the {measure.axis} heard is the same in every clip"
