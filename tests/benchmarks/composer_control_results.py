"""How each measure follows the plane, beside what was asked of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from tests.benchmarks.composer_control_clips import HeardClip
from tests.benchmarks.composer_control_plan import AXES, ControlPlan, CueBar

POOLED = "all"
"""Stands where a palette's name does: every palette's clips together."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Follows:
    """How one measure follows both axes.

    Args:
        rho: axis to Spearman's rho over single clips.
        reach: axis to the mean at its highest value less the mean at its lowest, in the measure's unit.
    """

    rho: Mapping[str, float]
    reach: Mapping[str, float]


@dataclass(frozen=True)
class Verdict:
    """One measure in one group of clips, beside its bar.

    Args:
        follows: as measured.
        meets: whether it follows its axis as much as was asked (None without a bar).
        keeps_off: whether it follows the other axis no more than was allowed (None without a bar).
    """

    follows: Follows
    meets: bool | None
    keeps_off: bool | None


@dataclass(frozen=True)
class Results:
    """All that is told of a run.

    Args:
        verdicts: measure to group (a palette, or `POOLED`) to verdict.
        by_seed: measure to seed to (palette to) rho with valence and arousal.
        predictors: predictor to group to its own two axes, each with how it follows the intended ones.
        hearing: measure to its rho with the same thing counted in the score.
        cells: measure to its mean over palettes and seeds, shape [n_grid, n_grid], arousal by valence.
    """

    verdicts: Mapping[str, Mapping[str, Verdict]]
    by_seed: Mapping[str, Mapping[int, Mapping[str, Mapping[str, float]]]]
    predictors: Mapping[str, Mapping[str, Mapping[str, Follows]]]
    hearing: Mapping[str, float]
    cells: Mapping[str, Floats]


def results_of(plan: ControlPlan, heard: Sequence[HeardClip]) -> Results:
    """Everything that is told of these clips, in whatever order they came."""
    ordered = sorted(heard, key=lambda one: one.clip.name)
    groups = _groups(ordered)
    seeds = sorted({one.clip.seed for one in ordered})
    return Results(
        verdicts={
            name: {
                group: _verdict(plan, name, follows_of(ones, _measure(name)))
                for group, ones in groups.items()
            }
            for name in plan.measures
        },
        by_seed={
            name: {
                seed: {
                    group: follows_of([one for one in ones if one.clip.seed == seed], _measure(name)).rho
                    for group, ones in groups.items()
                }
                for seed in seeds
            }
            for name in plan.measures
        },
        predictors={
            name: {
                group: {axis: follows_of(ones, _predicted(name, place)) for place, axis in enumerate(AXES)}
                for group, ones in groups.items()
            }
            for name in (ordered[0].predicted if ordered else {})
        },
        hearing={name: _hearing(name, ordered) for name in (ordered[0].written if ordered else {})},
        cells={name: cells_of(plan, ordered, _measure(name)) for name in plan.measures},
    )


def follows_of(heard: Sequence[HeardClip], value_of: Callable[[HeardClip], float]) -> Follows:
    """Rho and reach of one value along both axes."""
    values = np.array([value_of(one) for one in heard])
    places = {
        "valence": np.array([one.clip.valence for one in heard]),
        "arousal": np.array([one.clip.arousal for one in heard]),
    }
    return Follows(
        rho={axis: rank_correlation(values, place) for axis, place in places.items()},
        reach={
            axis: float(values[place == place.max()].mean() - values[place == place.min()].mean())
            for axis, place in places.items()
        },
    )


def rank_correlation(one: Floats, other: Floats) -> float:
    """Spearman's rho; 0 where either never changes, for what stands still follows nothing."""
    if np.ptp(one) == 0.0 or np.ptp(other) == 0.0:
        return 0.0
    return float(spearmanr(one, other).statistic)


def cells_of(plan: ControlPlan, heard: Sequence[HeardClip], value_of: Callable[[HeardClip], float]) -> Floats:
    """Mean of each place, shape [n_grid, n_grid]: rows arousal, columns valence, both rising."""
    sums = np.zeros((len(plan.grid), len(plan.grid)))
    counts = np.zeros_like(sums)
    for one in heard:
        at = plan.grid.index(one.clip.arousal), plan.grid.index(one.clip.valence)
        sums[at] += value_of(one)
        counts[at] += 1
    return np.asarray(sums / np.maximum(counts, 1))


def _groups(heard: Sequence[HeardClip]) -> dict[str, list[HeardClip]]:
    groups = {POOLED: list(heard)}
    for palette in sorted({one.clip.palette for one in heard}):
        groups[palette] = [one for one in heard if one.clip.palette == palette]
    return groups


def _measure(name: str) -> Callable[[HeardClip], float]:
    return lambda one: one.measures[name]


def _predicted(name: str, place: int) -> Callable[[HeardClip], float]:
    return lambda one: one.predicted[name][place]


def _hearing(name: str, heard: Sequence[HeardClip]) -> float:
    heard_as, written = (np.array([told[name] for told in pair]) for pair in _both(heard))
    return rank_correlation(heard_as, written)


def _both(heard: Sequence[HeardClip]) -> tuple[list[Mapping[str, float]], list[Mapping[str, float]]]:
    return [one.measures for one in heard], [one.written for one in heard]


def _verdict(plan: ControlPlan, name: str, follows: Follows) -> Verdict:
    bar: CueBar | None = plan.bars.get(name)
    if bar is None:
        return Verdict(follows, None, None)
    if bar.axis is None:
        return Verdict(follows, all(sign * follows.rho[axis] > 0.0 for axis, sign in bar.signs.items()), None)
    other = next(axis for axis in AXES if axis != bar.axis)
    return Verdict(
        follows,
        follows.rho[bar.axis] >= bar.at_least,
        abs(follows.rho[other]) <= plan.cross_talk_at_most,
    )
