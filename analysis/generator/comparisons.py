"""Systems against bases: paired differences of every score, over the same targets drawn anew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from analysis.generator.measures import MEASURES, Measure
from analysis.generator.resampled import draw_targets, interval
from analysis.generator.scores import Floats, Points, drawn_scores, rests_on, why_undefined


@dataclass(frozen=True)
class Difference:
    """A system's score less a base's, over the targets that both have.

    Args:
        measure: its `Measure.measure_id`.
        estimate: None where one of the two is not defined.
        ci_low, ci_high: 95 % limits; in each draw both systems have the same targets.
        n_targets: shared.
        n_clips: of the system; `n_clips_base`: of the base.
        reason: in words, where a number is missing.
    """

    measure: str
    estimate: float | None
    ci_low: float | None
    ci_high: float | None
    n_targets: int
    n_clips: int
    n_clips_base: int
    reason: str | None = None

    @property
    def excludes_zero(self) -> bool:
        """Whether there is an interval, and 0 is outside it."""
        if self.ci_low is None or self.ci_high is None:
            return False
        return self.ci_low > 0 or self.ci_high < 0


def compare(system: Points, base: Points, n_bootstrap: int, seed: int) -> Mapping[str, Difference]:
    """Every score of a system less that of a base.

    Targets of which one of the two has no clip are left out of both; `Difference.n_targets` says how many
    are left.

    Args:
        n_bootstrap, seed: as of `draw_targets`.

    Returns:
        `Measure.measure_id` to difference, in the order of `MEASURES`.
    """
    shared = frozenset(system.target_ids) & frozenset(base.target_ids)
    ours, theirs = system.among(shared), base.among(shared)
    if not shared:
        why = "no target of which both have a clip that could be heard"
        return MappingProxyType(
            {m.measure_id: Difference(m.measure_id, None, None, None, 0, 0, 0, why) for m in MEASURES}
        )
    draws = draw_targets(shared, n_bootstrap, seed)
    once = [drawn_scores(one, draws.target_ids, draws.itself) for one in (ours, theirs)]
    many = [drawn_scores(one, draws.target_ids, draws.weights) for one in (ours, theirs)]
    found = {}
    for measure in MEASURES:
        name = measure.measure_id
        values = [float(one[name][0]) for one in once]
        found[name] = _difference(measure, (ours, theirs), values, many[0][name] - many[1][name])
    return MappingProxyType(found)


def _difference(
    measure: Measure, points: tuple[Points, Points], values: list[float], drawn: Floats
) -> Difference:
    (n_targets, n_clips), (_, n_clips_base) = (rests_on(one, measure) for one in points)
    counts = (n_targets, n_clips, n_clips_base)
    for who, one, value in zip(("the system", "the base"), points, values, strict=True):
        if not np.isfinite(value):
            why = f"{who}: {why_undefined(one, measure)}"
            return Difference(measure.measure_id, None, None, None, *counts, why)
    low, high, reason = interval(drawn, n_targets)
    return Difference(measure.measure_id, values[0] - values[1], low, high, *counts, reason)
