"""Paths through the valence-arousal plane, as pure functions.

The iso principle meets a person at their present mood and moves in small steps
toward the target (Altshuler, 1948; Starcke, Mayr & von Georgi, 2021, IJERPH
18:12486). Every comparator is made from the same spec, so that it lasts as
long and, where it has music, draws on the same waypoints.
"""

from __future__ import annotations

import itertools
import math
import random
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from study.affect import Affect
from study.errors import OutOfRange


class PathKind(StrEnum):
    """What an arm plays."""

    ISO = "iso"
    TARGET_ONLY = "target_only"
    REVERSE = "reverse"
    RANDOM_ORDER = "random_order"
    CONSTANT = "constant"
    SELF_SELECTED = "self_selected"
    FILES = "files"
    SPEECH = "speech"
    NOISE = "noise"
    SILENCE = "silence"

    @property
    def is_composed(self) -> bool:
        """Whether an engine makes music from waypoints (else the sound is given or has no affect)."""
        return self in _COMPOSED

    @property
    def is_directed(self) -> bool:
        """Whether its waypoints lead from a start to a target, in whatever order."""
        return self in (PathKind.ISO, PathKind.REVERSE, PathKind.RANDOM_ORDER)

    @property
    def needs_files(self) -> bool:
        """Whether the protocol names the sound files; self-selected ones each participant brings."""
        return self in (PathKind.FILES, PathKind.SPEECH)


_COMPOSED = frozenset(
    {PathKind.ISO, PathKind.TARGET_ONLY, PathKind.REVERSE, PathKind.RANDOM_ORDER, PathKind.CONSTANT}
)


@dataclass(frozen=True)
class PathSpec:
    """The shape of a path, before anybody's mood is known.

    Args:
        kind: what is played.
        steps: number of waypoints, at least 1.
        step_s: seconds each waypoint is held.
        dwell_start_steps: steps that stay at the start before moving.
        dwell_end_steps: steps that stay at the target at the end.
        hold: the point of a `constant` path; None holds the start.

    Raises:
        OutOfRange: no step, a step without duration, or dwells that leave no
            step to move in.
    """

    kind: PathKind
    steps: int
    step_s: float
    dwell_start_steps: int = 1
    dwell_end_steps: int = 1
    hold: Affect | None = None

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise OutOfRange("steps", f"{self.steps} is below 1", "write 1 or more")
        if not (self.step_s > 0 and math.isfinite(self.step_s)):
            raise OutOfRange("step_s", f"{self.step_s:g} is not a time above 0", "write seconds above 0")
        if min(self.dwell_start_steps, self.dwell_end_steps) < 0:
            raise OutOfRange("dwell", "a dwell is below 0", "write 0 or more steps")
        if self.steps > 1 and max(self.dwell_start_steps, 1) + max(self.dwell_end_steps, 1) > self.steps:
            raise OutOfRange(
                "dwell",
                f"{self.dwell_start_steps} + {self.dwell_end_steps} dwell steps"
                f" do not fit {self.steps} steps",
                "write fewer dwell steps or more steps",
            )

    @property
    def duration_s(self) -> float:
        """steps × step_s."""
        return self.steps * self.step_s


@dataclass(frozen=True)
class Waypoint:
    """One point of a path, held for a while.

    Args:
        onset_s: seconds from the first audible sample of the session.
        duration_s: seconds the point is held.
        affect: where on the circumplex; None where the sound has no planned affect.
    """

    onset_s: float
    duration_s: float
    affect: Affect | None


@dataclass(frozen=True)
class AffectPath:
    """A participant's path: contiguous waypoints from 0 to `duration_s`.

    Args:
        kind: what is played.
        waypoints: in time order, without gaps.
    """

    kind: PathKind
    waypoints: tuple[Waypoint, ...]

    @property
    def duration_s(self) -> float:
        """The end of the last waypoint."""
        last = self.waypoints[-1]
        return last.onset_s + last.duration_s

    @property
    def has_affect(self) -> bool:
        """Whether every waypoint states a planned affect."""
        return all(waypoint.affect is not None for waypoint in self.waypoints)

    @property
    def largest_step(self) -> float:
        """The greatest distance between neighbouring waypoints; 0 without affect."""
        points = [w.affect for w in self.waypoints if w.affect is not None]
        return max((a.distance_to(b) for a, b in itertools.pairwise(points)), default=0.0)

    def affect_at(self, times_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """The continuous path: linear between waypoint centres, held at both ends.

        Args:
            times_s: shape [n], seconds from the session's start.

        Returns:
            Shape [n, 2]: valence, arousal, each in [-1, 1].

        Raises:
            OutOfRange: the path has no planned affect.
        """
        if not self.has_affect:
            raise OutOfRange("path", f"a {self.kind} path has no planned affect", "ask has_affect first")
        centres = np.array([w.onset_s + w.duration_s / 2 for w in self.waypoints])
        points = np.array(
            [(w.affect.valence, w.affect.arousal) for w in self.waypoints if w.affect is not None]
        )
        return np.stack([np.interp(times_s, centres, points[:, axis]) for axis in (0, 1)], axis=1)


def make_path(spec: PathSpec, start: Affect, target: Affect, seed: int) -> AffectPath:
    """The path of one session.

    Args:
        spec: the arm's shape.
        start: the mood the path meets, usually the `pre` report.
        target: where it leads.
        seed: decides the order of a `random_order` path, and nothing else.

    Returns:
        `spec.steps` waypoints. Iso: `dwell_start_steps` at the start, then
        equal moves, then `dwell_end_steps` at the target. Reverse and
        random_order hold the same waypoints in another order.
    """
    iso = _iso_points(spec, start, target)
    points: list[Affect] | list[None]
    match spec.kind:
        case PathKind.ISO:
            points = iso
        case PathKind.REVERSE:
            points = iso[::-1]
        case PathKind.RANDOM_ORDER:
            points = _shuffled(iso, seed)
        case PathKind.TARGET_ONLY:
            points = [target] * spec.steps
        case PathKind.CONSTANT:
            points = [spec.hold if spec.hold is not None else start] * spec.steps
        case _:
            points = [None] * spec.steps
    return AffectPath(
        spec.kind,
        tuple(Waypoint(i * spec.step_s, spec.step_s, point) for i, point in enumerate(points)),
    )


def largest_step_of(spec: PathSpec, start: Affect, target: Affect) -> float:
    """The largest step an iso path of this shape takes from `start` to `target`."""
    return make_path(replace(spec, kind=PathKind.ISO), start, target, seed=0).largest_step


def _shuffled(points: list[Affect], seed: int) -> list[Affect]:
    # Python promises the same random() for a seed in every version; of sample() it does not.
    draw = random.Random(seed).random
    return [point for _, point in sorted(((draw(), point) for point in points), key=lambda pair: pair[0])]


def _iso_points(spec: PathSpec, start: Affect, target: Affect) -> list[Affect]:
    if spec.steps == 1:
        return [target]
    first = max(spec.dwell_start_steps, 1)
    last = max(spec.dwell_end_steps, 1)
    moves = spec.steps - first - last + 1
    between = [start.toward(target, k / moves) for k in range(1, moves)] if moves > 1 else []
    return [start] * first + between + [target] * (spec.steps - first - len(between))
