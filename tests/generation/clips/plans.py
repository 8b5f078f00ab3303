"""Plans for sessions of clips."""

from __future__ import annotations

from study.affect import Affect
from study.path import PathKind, PathSpec, make_path
from study.session import SessionPlan


def plan_of(
    duration_s: float = 20.0,
    session: int = 1,
    clip_s: float = 30.0,
    kind: PathKind = PathKind.ISO,
    steps: int = 4,
) -> SessionPlan:
    """A session from anxious to calm."""
    start, target = Affect(-0.6, 0.6), Affect(0.6, -0.6)
    path = make_path(PathSpec(kind, steps, duration_s / steps), start, target, session)
    return SessionPlan("sub-01", f"ses-{session:02d}", "iso", path, start, target, clip_s, session, -23.0)


def quiet(_: float) -> None:
    """Progress nobody watches."""
