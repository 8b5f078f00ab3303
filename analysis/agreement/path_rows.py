"""Whether the sounds of an arm follow their plans, as rows: figures with intervals, and nulls with p-values.

Every figure is a function of sums over sessions, so that participants are drawn with all their sessions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.agreement.pair_statistics import percentile_interval
from analysis.agreement.path_following import AXES, SKILLS_OF, Course
from analysis.agreement.path_nulls import NO_DIRECTION, why_still
from analysis.agreement.path_sets import PathSet
from analysis.agreement.resampling import PARTICIPANT, REPLICATES, draw_weights
from analysis.arm_names import arm_name
from analysis.result_row import CIRCUMPLEX_UNIT, PURE_NUMBER, ResultRow, not_estimated
from study.protocol import StudyProtocol

Floats = NDArray[np.float64]

FIGURES: Mapping[str, str] = {
    "displacement": "Displacement, generated − planned",
    "mae": "Mean absolute error",
    "skill_plan_mean": "Skill over standing still at the plan's mean",
    "skill_own_mean": "Skill over standing still at its own mean",
    "skill_start": "Skill over standing still where the plan begins",
    "path_slope": "Slope of generated on planned within sessions (1: full response)",
    "path_r": "Correlation within sessions, raw (any shared drift raises it)",
    "path_r_detrended": "Correlation within sessions, detrended",
    "path_cosine": "Cosine between the moves planned and heard",
}
"""Statistic to label, in the order shown; the last has no axis."""

SOURCES: Mapping[str, str] = {
    "displacement": "mean of generated − planned",
    "mae": "mean of |generated − planned|",
    **dict.fromkeys(
        SKILLS_OF.values(), "1 − MAE / MAE of the reference, after Murphy (1988), Mon. Weather Rev. 116, 2417"
    ),
    "path_slope": "least squares within sessions, generated on planned",
    "path_r": "Bland & Altman (1995), BMJ 310, 446, within sessions",
    "path_r_detrended": "Bland & Altman (1995), BMJ 310, 446, after each session's straight line in time",
    "path_cosine": "mean over sessions; from the first third to the last (Bartlett, 1949, Biometrics 5, 207)",
}

SHARED = "single clips were shared between sounds, so sounds are not independent"

_IN_UNITS = frozenset({"displacement", "mae"})


def figure_rows(protocol: StudyProtocol, one: PathSet) -> Iterator[ResultRow]:
    """Rows ``path:<arm>:<predictor>:<axis>:<statistic>``, with bootstrap intervals.

    An interval draws participants with all their sessions, and sounds too where several heard the same.
    """
    method = _method(one)
    if one.empty is not None:
        extra = row_extra(one, AXES[0], "mae")
        label = row_label(one, FIGURES["mae"])
        yield not_estimated(row_id(one, AXES[0], "mae"), label, 0, method, one.empty, extra)
        return
    table = np.array([_moments(course) for course in one.courses])
    seen = _statistics(table.sum(axis=0)[:, None])
    draws: dict[str, list[Floats]] = {name: [] for name in seen}
    reason = SHARED if one.shares_single_clips else one.design.too_few
    if reason is None:
        for people, sounds in draw_weights(one.design, f"{protocol.sha256}/path:{one.arm}:{one.predictor}"):
            weights = people[one.design.person]
            if sounds is not None and one.design.clip is not None:
                weights = weights * sounds[one.design.clip]
            for name, values in _statistics(table.T @ weights).items():
                draws[name].append(values)
    for name, value in seen.items():
        axis, _, statistic = name.rpartition(":")
        extra = {**row_extra(one, axis or None, statistic), "source": SOURCES[statistic]}
        unit = CIRCUMPLEX_UNIT if statistic in _IN_UNITS else PURE_NUMBER
        where, label, n = (
            row_id(one, axis or None, statistic),
            row_label(one, FIGURES[statistic]),
            len(one.courses),
        )
        if not np.isfinite(value[0]):
            yield not_estimated(where, label, n, method, _why_not(statistic), extra, unit)
            continue
        low, high = (None, None) if reason else percentile_interval(np.concatenate(draws[name]))
        said = reason or ("the interval is not defined in too many resamples" if low is None else None)
        yield ResultRow(where, label, float(value[0]), low, high, None, n, method, said, extra, unit)


def row_id(one: PathSet, axis: str | None, statistic: str) -> str:
    """``path:<arm>:<predictor>:<axis>:<statistic>``; of a direction, which has no axis, ``both``."""
    return f"path:{one.arm}:{one.predictor}:{axis or 'both'}:{statistic}"


def row_label(one: PathSet, what: str) -> str:
    """What, of which arm, as which predictor hears it."""
    return f"{arm_name(one.arm)}, {one.predictor}: {what}"


def row_extra(one: PathSet, axis: str | None, statistic: str) -> dict[str, Any]:
    """What every row of a set says of itself."""
    return {
        "arm": one.arm,
        "predictor": one.predictor,
        "axis": axis,
        "statistic": statistic,
        "is_reporter": one.is_reporter,
        "took_part": one.took_part,
        "is_manipulation_check": one.shares_cues > 0,
        "n_participants": one.design.n_people,
        "n_sounds": len(one.distinct),
    }


def _method(one: PathSet) -> str:
    why = "everyone heard sound of their own" if one.design.unit == PARTICIPANT else "sounds were shared"
    return f"percentile bootstrap, {REPLICATES} draws, unit {_unit(one)} ({why}); n counts sessions"


def _unit(one: PathSet) -> str:
    return PARTICIPANT if one.design.unit == PARTICIPANT else f"{PARTICIPANT} × sound"


def _why_not(statistic: str) -> str:
    if statistic == "path_cosine":
        return NO_DIRECTION
    if statistic.startswith("skill"):
        return "standing still is never off the plan: there is nothing to improve on"
    return why_still(statistic == "path_r_detrended")


def _moments(course: Course) -> Floats:
    """What a session adds to every sum, shape [25]: see `_statistics`."""
    errors, cosine = course.errors, course.cosine
    has_direction = bool(np.isfinite(cosine))
    parts = [
        np.array([course.n, has_direction, cosine if has_direction else 0.0], dtype=float),
        course.displacement.sum(axis=0),
        *(course.n * errors[name] for name in ("generated", *SKILLS_OF)),
        course.moments(False).ravel(),
        course.moments(True).ravel(),
    ]
    return np.concatenate(parts)


def _statistics(sums: Floats) -> dict[str, Floats]:
    """Every statistic from sums over sessions.

    Args:
        sums: shape [25, n_draws]: clips, sessions with a direction, summed cosines; then, valence before
            arousal, displacement, absolute error of the sound and of the three that stand still, and the
            three moments, raw and detrended.

    Returns:
        ``<axis>:<statistic>`` (``path_cosine`` without axis) to shape [n_draws]; NaN where not defined.
    """
    n, directions, cosines = sums[:3]
    displacement, error = sums[3:5], sums[5:7]
    still = dict(zip(SKILLS_OF.values(), (sums[7:9], sums[9:11], sums[11:13]), strict=True))
    raw, rest = sums[13:19].reshape(3, 2, -1), sums[19:25].reshape(3, 2, -1)
    found: dict[str, Floats] = {}
    for number, axis in enumerate(AXES):
        found[f"{axis}:displacement"] = _over(displacement[number], n)
        found[f"{axis}:mae"] = _over(error[number], n)
        for name, reference in still.items():
            found[f"{axis}:{name}"] = 1 - _over(error[number], reference[number])
        found[f"{axis}:path_slope"] = _over(raw[2, number], raw[0, number])
        for name, moments in (("path_r", raw), ("path_r_detrended", rest)):
            found[f"{axis}:{name}"] = _over(
                moments[2, number], np.sqrt(moments[0, number] * moments[1, number])
            )
    return {**found, "path_cosine": _over(cosines, directions)}


def _over(above: Floats, below: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(below > 1e-12, above / below, np.nan))
