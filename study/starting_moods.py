"""Where a path starts: in the reported mood, at a fixed point, or at the nearest mood that a bank holds."""

from __future__ import annotations

from study.affect import Affect
from study.path import PathKind
from study.protocol import Arm, StudyProtocol


def starting_moods(points: int) -> tuple[Affect, ...]:
    """A grid over the whole plane, its corners included, in rows of rising arousal.

    Args:
        points: along each axis, from 2.

    Returns:
        points² moods, evenly spaced.
    """
    last = points - 1
    # Mirrored numbers, so that a mood in the middle is equally far from both sides.
    axis = [(2 * i - last) / last for i in range(points)]
    return tuple(Affect(valence, arousal) for arousal in axis for valence in axis)


def path_start(protocol: StudyProtocol, arm: Arm, reported: Affect | None) -> Affect | None:
    """Where an arm's path starts for a person.

    Args:
        reported: the `pre` report; None before it is given.

    Returns:
        The arm's fixed start; else, with a bank, the mood of its grid that is
        nearest by Euclidean distance (of several, the first in the grid's order);
        else the report itself.
    """
    if arm.start is not None or reported is None or protocol.bank_points is None:
        return arm.start or reported
    return min(starting_moods(protocol.bank_points), key=reported.distance_to)


def rule_of_start(protocol: StudyProtocol, arm: Arm, reported: Affect | None) -> str | None:
    """How the start was chosen, in words; None where it is the report itself or fixed."""
    start = path_start(protocol, arm, reported)
    if arm.start is not None or protocol.bank_points is None or start is None or reported is None:
        return None
    points = protocol.bank_points
    return (
        f"nearest of {points} × {points} starting moods: {_point(start)} for a report of {_point(reported)}"
    )


def depends_on_start(arm: Arm) -> bool:
    """Whether what an arm plays differs with the start of its path."""
    held_start = arm.path.kind is PathKind.CONSTANT and arm.path.hold is None
    return arm.path.kind.is_directed or held_start


def _point(mood: Affect) -> str:
    return f"({mood.valence:.4g}, {mood.arousal:.4g})"
