"""The path that `isopath compose` follows: two points, more points, or a curve from a CSV file."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dashboards.cli.compose_table import LONGEST_MINUTES, MOST_WAYPOINTS, SHORTEST_S, read_waypoints
from study.affect import NAMED_STATES, Affect, named_state
from study.errors import IsopathError, OutOfRange, UnknownName, refuse
from study.path import AffectPath, PathKind, PathSpec, Waypoint, make_path

DEFAULT_START, DEFAULT_TARGET = "tense", "calm"
DEFAULT_MINUTES, DEFAULT_STEPS = 15.0, 30


@dataclass(frozen=True)
class PathRequest:
    """What the command line says of the path; None or empty where it says nothing.

    Args:
        start, target: a point ``valence,arousal`` or a named state.
        via: points between them, in order.
        file: a CSV file of waypoints, instead of points.
        minutes: length of the session.
        steps: waypoints of the path, those named by points included.
    """

    start: str | None = None
    target: str | None = None
    via: Sequence[str] = ()
    file: Path | None = None
    minutes: float | None = None
    steps: int | None = None

    def path(self) -> AffectPath:
        """The path asked for.

        Raises:
            IsopathError: everything that is wrong, all at once.
        """
        if self.file is None:
            return self._through_points()
        given = (("--from", self.start), ("--to", self.target), ("--via", self.via), ("--steps", self.steps))
        refuse(
            [
                OutOfRange(option, "the path comes from a file", "leave it out, or leave out --path")
                for option, value in given
                if value not in (None, (), [])
            ]
        )
        if self.minutes is not None:
            refuse(_wrong_length(self.minutes))
        return read_waypoints(self.file, None if self.minutes is None else 60.0 * self.minutes)

    def _through_points(self) -> AffectPath:
        minutes = DEFAULT_MINUTES if self.minutes is None else self.minutes
        named = [
            (self.start or DEFAULT_START, "--from"),
            *((text, "--via") for text in self.via),
            (self.target or DEFAULT_TARGET, "--to"),
        ]
        steps = max(DEFAULT_STEPS, len(named)) if self.steps is None else self.steps
        problems: list[IsopathError] = []
        points: list[Affect] = []
        for text, option in named:
            try:
                points.append(parse_point(text, option))
            except IsopathError as refusal:
                problems.append(refusal)
        problems += _wrong_length(minutes)
        if not len(named) <= steps <= MOST_WAYPOINTS:
            problems.append(
                OutOfRange(
                    "--steps", f"{steps} is not in {len(named)} to {MOST_WAYPOINTS}", "write for example 30"
                )
            )
        refuse(problems)
        step_s = minutes * 60.0 / steps
        if len(points) == 2:
            return make_path(PathSpec(PathKind.ISO, steps, step_s), points[0], points[1], seed=0)
        return AffectPath(
            PathKind.ISO,
            tuple(Waypoint(k * step_s, step_s, point) for k, point in enumerate(_points_on(points, steps))),
        )


def parse_point(text: str, option: str) -> Affect:
    """A point ``valence,arousal`` or a named state, as an option gives it.

    Raises:
        OutOfRange: a point off the plane, or no point at all.
        UnknownName: a state that does not exist.
    """
    parts = text.split(",")
    if len(parts) == 1:
        try:
            return named_state(text.strip().lower())
        except UnknownName:
            raise UnknownName(
                option,
                f"{text!r} is neither a point nor a named state",
                "write valence,arousal such as -0.6,0.5, or one of " + ", ".join(NAMED_STATES),
            ) from None
    try:
        numbers = [float(part) for part in parts]
    except ValueError:
        numbers = []
    if len(numbers) != 2:
        raise OutOfRange(option, f"{text!r} is not a point", "write valence,arousal such as -0.6,0.5")
    try:
        return Affect(*numbers)
    except OutOfRange as refusal:
        raise OutOfRange(f"{option} {refusal.where}", refusal.problem, refusal.remedy) from None


def _wrong_length(minutes: float) -> list[IsopathError]:
    if math.isfinite(minutes) and SHORTEST_S / 60 <= minutes <= LONGEST_MINUTES:
        return []
    problem = f"{minutes:g} is not a length between 1 second and {LONGEST_MINUTES:g} minutes"
    return [OutOfRange("--minutes", problem, "write for example 15")]


def _points_on(points: Sequence[Affect], steps: int) -> list[Affect]:
    """`steps` points along the line through `points`, each of them met, by moves as equal as that allows."""
    legs = list(itertools.pairwise(points))
    lengths = [start.distance_to(end) for start, end in legs]
    spare = steps - 1 - len(legs)
    whole = sum(lengths)
    shares = [spare * (length / whole if whole else 1.0 / len(legs)) for length in lengths]
    moves = [1 + int(round(share, 9)) for share in shares]
    # What is left goes to the legs that lack most, the first of equals first.
    lacking = sorted(range(len(legs)), key=lambda leg: (round(int(shares[leg]) - shares[leg], 9), leg))
    for leg in lacking[: steps - 1 - sum(moves)]:
        moves[leg] += 1
    return [points[0]] + [
        start.toward(end, k / count)
        for (start, end), count in zip(legs, moves, strict=True)
        for k in range(1, count + 1)
    ]
