"""Whether the sounds of an arm follow their plans: what is seen beside what not following would look like."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from analysis.agreement.path_following import AXES, SKILLS_OF, Course, skill
from analysis.agreement.path_nulls import ARRANGEMENTS, Direction, Null, NullTest, Within, arrange, swap
from analysis.agreement.path_rows import SHARED, row_extra, row_id, row_label
from analysis.agreement.path_sets import PathSet
from analysis.result_row import CIRCUMPLEX_UNIT, PURE_NUMBER, NotEstimable, ResultRow, finite, not_estimated
from study.protocol import StudyProtocol

TESTS: Mapping[tuple[str, Null], str] = {
    ("path_r", Null.SHUFFLED): "Correlation, raw; null: the clips in any order",
    ("path_r", Null.REVERSED): "Correlation, raw; null: the sound backwards",
    ("path_r_detrended", Null.REVERSED): "Correlation, detrended; null: the sound backwards",
    ("own_plan", Null.SWAPPED): "Nearer its own plan than others'; null: plans swapped",
    ("path_cosine", Null.SHUFFLED): "Cosine of the moves; null: the clips in any order",
    ("path_cosine", Null.REVERSED): "Cosine of the moves; null: the sound backwards",
}
"""Statistic and null to label, in the order shown."""

NO_CLAIM = (
    "this predictor, or one that hears with the same, chose among the candidates of the clips: its own "
    "figures are no evidence"
)
NO_CLAIM_TRAINED = (
    "this predictor, or one that hears with the same, helped to train what made the clips: its own "
    "figures are no evidence"
)

_BINS = 40


def null_rows(protocol: StudyProtocol, one: PathSet) -> tuple[list[ResultRow], list[dict[str, Any]]]:
    """Rows ``path:<arm>:<predictor>:<axis>:<statistic>:<null>``, and every session's own figures.

    A row's estimate is the statistic as heard, its p-value one-sided, and `null_mean`, `null_low` and
    `null_high` say what arrangements give that follow nothing. Each sound counts once, however many heard
    it. `points` holds the arrangements as counts between edges, for figures.
    """
    courses = [one.courses[place] for place in one.distinct]
    rows: list[ResultRow] = []
    session_p: dict[str, tuple[float | None, ...]] = {}
    for statistic, null in TESTS if courses else ():
        for number, axis in enumerate(AXES if statistic != "path_cosine" else (None,)):
            seed = f"{protocol.sha256}/{row_id(one, axis, statistic)}:{null}"
            try:
                found = _test(courses, statistic, null, number, seed)
            except NotEstimable as reason:
                rows.append(_row(one, axis, statistic, null, str(reason)))
                continue
            rows.append(_row(one, axis, statistic, null, found))
            if null is Null.SHUFFLED:
                session_p[axis or "both"] = found.session_p
    place_of = {one.sounds[place]: number for number, place in enumerate(one.distinct)}
    points = [
        _point(one, course, {axis: p[place_of[sound]] for axis, p in session_p.items()})
        for course, sound in zip(one.courses, one.sounds, strict=True)
    ]
    return rows, points


def _test(courses: list[Course], statistic: str, null: Null, axis: int, seed: str) -> NullTest:
    if null is Null.SWAPPED:
        return swap(courses, axis, seed)
    of = (
        Direction(courses)
        if statistic == "path_cosine"
        else Within(courses, axis, statistic == "path_r_detrended")
    )
    return arrange(courses, null, of, seed)


def _row(one: PathSet, axis: str | None, statistic: str, null: Null, found: NullTest | str) -> ResultRow:
    where = f"{row_id(one, axis, statistic)}:{null}"
    label, n = row_label(one, TESTS[statistic, null]), len(one.distinct)
    unit = CIRCUMPLEX_UNIT if statistic == "own_plan" else PURE_NUMBER
    extra = {**row_extra(one, axis, statistic), "null": str(null)}
    if isinstance(found, str):
        return not_estimated(where, label, n, _method(null, None), found, extra, unit)
    low, high = found.limits
    counts, edges = np.histogram(np.append(found.arranged, found.observed), bins=_BINS)
    counts[np.clip(np.searchsorted(edges, found.observed, side="right") - 1, 0, _BINS - 1)] -= 1
    extra |= {
        "null_mean": float(found.arranged.mean()),
        "null_low": low,
        "null_high": high,
        "arrangements": len(found.arranged),
        "is_exact": found.is_exact,
        "points": {"edges": edges.tolist(), "counts": counts.tolist()},
    }
    p, reason = found.p_value, None
    if one.took_part:
        p, reason = None, NO_CLAIM_TRAINED if one.trained else NO_CLAIM
    elif one.shares_single_clips:
        p, reason = None, SHARED
    elif p is None:
        reason = f"{len(found.arranged)} arrangement(s) of {n} sound(s): p could not fall to .05"
    return ResultRow(
        where, label, found.observed, None, None, p, n, _method(null, found), reason, extra, unit
    )


def _method(null: Null, found: NullTest | None) -> str:
    if found is None:
        how = f"up to {ARRANGEMENTS} arrangements"
    elif found.is_exact:
        how = f"all {len(found.arranged)} arrangements"
    else:
        how = f"{len(found.arranged)} arrangements drawn"
    rule = "hits / all" if found is not None and found.is_exact else "(1 + hits) / (1 + draws)"
    what = "plans among sessions" if null is Null.SWAPPED else "clips within sessions"
    return f"one-sided permutation of {what}, {how}, p = {rule} (Phipson & Smyth 2010); n counts sounds"


def _point(one: PathSet, course: Course, p_shuffled: Mapping[str, float | None]) -> dict[str, Any]:
    """One session's figures, valence before arousal; null where one is not defined."""
    errors, has_claim = course.errors, not one.took_part
    return {
        "arm": one.arm,
        "predictor": one.predictor,
        "clips": course.n,
        "displacement": course.displacement.mean(axis=0).tolist(),
        "mae": errors["generated"].tolist(),
        **{
            name: [
                finite(skill(float(e), float(r)))
                for e, r in zip(errors["generated"], errors[still], strict=True)
            ]
            for still, name in SKILLS_OF.items()
        },
        "path_slope": [finite(value) for value in course.slope],
        "path_r": [finite(value) for value in course.r(False)],
        "path_r_detrended": [finite(value) for value in course.r(True)],
        "path_cosine": finite(course.cosine),
        "p_shuffled": [p_shuffled.get(axis) if has_claim else None for axis in AXES],
        "planned_move": course.planned_move.tolist(),
        "generated_move": course.generated_move.tolist(),
    }
