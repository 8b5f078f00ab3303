"""How much worse the missing outcomes would have to be for the conclusion to tip.

A shift is added to every drawn outcome of the primary contrast's first arm,
and the completed data sets are analysed again (Rubin 1977, J. Am. Stat. Assoc.
72, 538-543; Ratitch, O'Kelly & Tosiello 2013, Pharm. Stat. 12, 337-347). The
draws are the same at every shift, so that only the shift differs.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from analysis.arm_names import arm_name
from analysis.effects.endpoint import ENDPOINTS
from analysis.effects.endpoint_rows import label_of
from analysis.missing.completed_fits import CompletedDesign
from analysis.missing.imputation import Imputed
from analysis.missing.rubin import Pooled
from analysis.result_row import NotEstimable
from study.analysis_plan import Aim, Contrast
from study.protocol import StudyProtocol

STEPS = 20
"""Shifts of equal distance between none and the largest."""

PRECISION = 0.001
"""Of the tipping point, in circumplex units."""


@dataclass(frozen=True)
class TippingPoint:
    """A scan over shifts.

    Args:
        tips_at: the smallest shift at which the conclusion no longer holds; None where it never
            tips, or where there is a reason.
        reason: why there was nothing to tip, in words.
        points: shift, pooled difference and whether it concludes, from no shift to the largest.
    """

    contrast: Contrast
    method: str
    tips_at: float | None
    reason: str | None
    points: tuple[tuple[float, Pooled, bool], ...] = ()

    def to_plain(self) -> dict[str, Any]:
        """As in the results' `missing_data`."""
        return {
            "contrast_id": self.contrast.contrast_id,
            "label": label_of(self.contrast),
            "method": self.method,
            "reason": self.reason,
            "tips_at": self.tips_at,
            "points": [
                {
                    "delta": delta,
                    "estimate": found.value,
                    "ci_low": found.ci_low,
                    "ci_high": found.ci_high,
                    "p_value": found.p_value,
                    "concluded": concluded,
                }
                for delta, found, concluded in self.points
            ],
        }


def find_tipping_point(protocol: StudyProtocol, imputed: Imputed) -> TippingPoint:
    """Scan shifts of the first arm's drawn outcomes to where the conclusion tips.

    The largest shift is as wide as the endpoint: beyond, no report could lie.

    Args:
        imputed: of the primary endpoint, missing at random.
    """
    contrast = protocol.analysis.primary_contrast
    arm, method = contrast.arm_ids[0], _method(protocol)
    shifted = imputed.post_is_drawn & np.array([person.arm == arm for person in imputed.people], dtype=bool)
    try:
        imputed.check_arms(contrast.arm_ids)
        design = imputed.design(protocol)
        if not shifted.any():
            design.fit(imputed.values).difference(*contrast.arm_ids)
            raise NotEstimable(f"no outcome of {arm_name(arm)} was drawn, so there is none to shift")
        scan = _Scan(protocol, contrast, imputed, design, shifted)
        return scan.run(method)
    except NotEstimable as problem:
        return TippingPoint(contrast, method, None, str(problem))


@dataclass(frozen=True)
class _Scan:
    protocol: StudyProtocol
    contrast: Contrast
    imputed: Imputed
    design: CompletedDesign
    shifted: np.ndarray[Any, np.dtype[np.bool_]]

    def at(self, delta: float) -> Pooled:
        values = self.imputed.values + delta * self.shifted
        return self.design.fit(values).difference(*self.contrast.arm_ids)

    def run(self, method: str) -> TippingPoint:
        unshifted = self.at(0.0)
        holds = concludes(self.protocol, self.contrast, unshifted, unshifted)
        largest = widest_shift(self.protocol, self.imputed) * self._direction(unshifted, holds)
        shifts = [float(delta) for delta in np.linspace(0, largest, STEPS + 1)]
        found = [unshifted, *(self.at(delta) for delta in shifts[1:])]
        points = tuple(
            (delta, one, concludes(self.protocol, self.contrast, one, unshifted))
            for delta, one in zip(shifts, found, strict=True)
        )
        if not holds:
            reason = "the conclusion is not reached without a shift, so there is none to tip"
            return TippingPoint(self.contrast, method, None, reason, points)
        for (before, _, _), (delta, _, concluded) in pairwise(points):
            if not concluded:
                tips_at = self._between(before, delta, unshifted)
                return TippingPoint(self.contrast, method, tips_at, None, points)
        return TippingPoint(self.contrast, method, None, None, points)

    def _between(self, holds_at: float, tips_at: float, unshifted: Pooled) -> float:
        while abs(tips_at - holds_at) > PRECISION:
            middle = (holds_at + tips_at) / 2
            if concludes(self.protocol, self.contrast, self.at(middle), unshifted):
                holds_at = middle
            else:
                tips_at = middle
        return tips_at

    def _direction(self, unshifted: Pooled, holds: bool) -> int:
        """The sign of the shift that hurts: against a difference that was shown, else against the arm."""
        sign = 1 if unshifted.value >= 0 else -1
        better = self.protocol.analysis.higher_is_better
        if self.contrast.aim is Aim.EQUIVALENCE:
            return sign
        if (self.contrast.aim is Aim.SUPERIORITY and holds) or better is None:
            return -sign
        return -1 if better else 1


def concludes(protocol: StudyProtocol, contrast: Contrast, found: Pooled, unshifted: Pooled) -> bool:
    """Whether a contrast reaches its aim.

    A difference the other way round is another conclusion than that of the `unshifted` data.
    """
    alpha, margin = protocol.analysis.alpha, contrast.margin
    if contrast.aim is Aim.SUPERIORITY or margin is None:
        return found.p_value < alpha and (found.value > 0) == (unshifted.value > 0)
    low, high = found.interval(1 - 2 * alpha)
    if contrast.aim is Aim.EQUIVALENCE:
        return -margin < low and high < margin
    return low > -margin if protocol.analysis.higher_is_better else high < margin


def widest_shift(protocol: StudyProtocol, imputed: Imputed) -> float:
    """How far apart two values of the endpoint can lie, in circumplex units."""
    endpoint, target = protocol.analysis.endpoint, protocol.target
    if endpoint in ("valence", "arousal"):
        return 2.0
    if endpoint == "distance":
        return float(np.hypot(1 + abs(target.valence), 1 + abs(target.arousal)))
    start = protocol.start
    at = imputed.pre[:, imputed.post_is_drawn] if start is None else np.array([start.valence, start.arousal])
    way = np.array([target.valence, target.arousal]) - at
    # The square's extent along a direction u is 2 (|u_v| + |u_a|).
    return float(np.max(2 * np.abs(way).sum(axis=-1) / np.linalg.norm(way, axis=-1)))


def _method(protocol: StudyProtocol) -> str:
    contrast, endpoint = protocol.analysis.primary_contrast, protocol.analysis.endpoint
    return (
        f"A shift is added to the drawn outcomes ({ENDPOINTS[endpoint].lower()}) of "
        f"{arm_name(contrast.arm_ids[0])}, and the "
        f"{protocol.analysis.missing.imputations} completed data sets are analysed as before; the conclusion "
        f"tips where {_tips(protocol, contrast)}"
    )


def _tips(protocol: StudyProtocol, contrast: Contrast) -> str:
    alpha, margin = protocol.analysis.alpha, contrast.margin
    if contrast.aim is Aim.SUPERIORITY:
        return f"p is {alpha:g} or more"
    return f"the {1 - 2 * alpha:.0%} interval reaches the margin of {margin:g}"
