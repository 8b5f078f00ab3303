"""What is said of a system by one predictor: every score, its meaning, its unit and its source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from analysis.result_row import CIRCUMPLEX_UNIT, PURE_NUMBER

AXES = ("valence", "arousal")


@dataclass(frozen=True)
class Measure:
    """One score.

    Args:
        measure_id: its name in JSON.
        title: for tables.
        axis: ``valence``, ``arousal``, or None for the plane.
        unit: of its value.
        best: its value where every clip lands on its target; None where none is best.
        source: of the formula.
        higher: whether more is better; None where neither direction is.
    """

    measure_id: str
    title: str
    axis: str | None
    unit: str
    best: float | None
    source: str
    higher: bool | None


def _of_axis(axis: str) -> tuple[Measure, ...]:
    unit = CIRCUMPLEX_UNIT
    line = "least squares, achieved on target"
    return (
        Measure(f"{axis}_r", "r", axis, PURE_NUMBER, 1.0, "Pearson, target and achieved, over clips", True),
        Measure(
            f"{axis}_ccc",
            "CCC",
            axis,
            PURE_NUMBER,
            1.0,
            "Lin (1989), Biometrics 45, 255-268, moments with divisor n, over clips",
            True,
        ),
        Measure(f"{axis}_mae", "MAE", axis, unit, 0.0, "mean of |achieved − target| over clips", False),
        Measure(
            f"{axis}_slope",
            "slope",
            axis,
            PURE_NUMBER,
            1.0,
            f"{line}; 1: full response, 0: the same whatever was asked",
            None,
        ),
        Measure(
            f"{axis}_intercept",
            "intercept",
            axis,
            unit,
            0.0,
            f"{line}; what is achieved where 0 was asked",
            None,
        ),
    )


DISTANCE = Measure(
    "distance",
    "distance",
    None,
    CIRCUMPLEX_UNIT,
    0.0,
    "mean Euclidean distance in the plane between achieved and target, over clips",
    False,
)

MEASURES: tuple[Measure, ...] = (
    DISTANCE,
    *(measure for axis in AXES for measure in _of_axis(axis)),
    Measure(
        "quadrant",
        "quadrant",
        None,
        PURE_NUMBER,
        1.0,
        "share of clips in their target's quadrant; targets on an axis (0) are left out, and what is "
        "achieved on an axis is in no quadrant",
        True,
    ),
    Measure(
        "axes_r",
        "r of V and A",
        None,
        PURE_NUMBER,
        None,
        "Pearson, achieved valence and achieved arousal, over clips",
        None,
    ),
    Measure(
        "corner_distance",
        "V−A+ distance",
        None,
        CIRCUMPLEX_UNIT,
        0.0,
        "as distance, over targets with valence < 0 and arousal > 0",
        False,
    ),
    Measure(
        "corner_share",
        "V−A+ share",
        None,
        PURE_NUMBER,
        1.0,
        "share of the clips for targets with valence < 0 and arousal > 0 that land there",
        True,
    ),
)

MEASURE: Mapping[str, Measure] = MappingProxyType({measure.measure_id: measure for measure in MEASURES})
"""By `Measure.measure_id`."""
