"""Session plans for the composer's tests."""

from __future__ import annotations

from study.affect import Affect
from study.path import AffectPath, PathKind, Waypoint
from study.session import SessionPlan

Point = tuple[float, float]


def make_plan(points: list[Point], duration_s: float, seed: int = 1) -> SessionPlan:
    """A plan through `points`, each held equally long."""
    step_s = duration_s / len(points)
    waypoints = tuple(Waypoint(k * step_s, step_s, Affect(*point)) for k, point in enumerate(points))
    return SessionPlan(
        participant_id="sub-01",
        session_id="ses-01",
        arm_id="iso",
        path=AffectPath(PathKind.ISO, waypoints),
        start=Affect(*points[0]),
        target=Affect(*points[-1]),
        clip_s=min(step_s, 30.0),
        seed=seed,
        loudness_lufs=-23.0,
    )
