"""The planned paths of a protocol's arms: a figure, and a small plot of characters."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from study.affect import Affect
from study.errors import StorageError
from study.folder import write_whole
from study.path import AffectPath, make_path
from study.protocol import StudyProtocol

FORMATS = (".png", ".svg", ".pdf")

_COLUMNS, _ROWS = 49, 21
_BARS = "▁▂▃▄▅▆▇█"
#: Okabe & Ito's colours, told apart by people with any colour vision.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")


@dataclass(frozen=True)
class PlannedArm:
    """One arm's path from an example start."""

    arm_id: str
    path: AffectPath


def example_start(protocol: StudyProtocol) -> Affect:
    """A start to draw from: the fixed one, else the point opposite the target.

    A target near the middle has no opposite worth drawing; then anxious (-0.6, 0.6).
    """
    if protocol.start is not None:
        return protocol.start
    target = protocol.target
    if math.hypot(target.valence, target.arousal) < 0.3:
        return Affect(-0.6, 0.6)
    return Affect(-target.valence, -target.arousal)


def planned_arms(protocol: StudyProtocol, start: Affect) -> list[PlannedArm]:
    """Every arm's path from `start`, or from the arm's own fixed start; seed 1 orders random ones."""
    return [
        PlannedArm(arm.arm_id, make_path(arm.path, arm.start or start, arm.target, seed=1))
        for arm in protocol.arms
    ]


def plot_characters(arms: Sequence[PlannedArm]) -> str:
    """The plane in characters: a letter for each arm, * where several meet."""
    plane = [[" "] * _COLUMNS for _ in range(_ROWS)]
    for row in plane:
        row[_COLUMNS // 2] = "│"
    plane[_ROWS // 2] = ["─"] * _COLUMNS
    plane[_ROWS // 2][_COLUMNS // 2] = "┼"
    taken: dict[tuple[int, int], str] = {}
    for letter, arm in zip(_letters(), arms, strict=False):
        for waypoint in arm.path.waypoints:
            if waypoint.affect is None:
                continue
            column = round((waypoint.affect.valence + 1) / 2 * (_COLUMNS - 1))
            row_index = round((1 - waypoint.affect.arousal) / 2 * (_ROWS - 1))
            here = (row_index, column)
            taken[here] = letter if taken.get(here, letter) == letter else "*"
    for (row_index, column), sign in taken.items():
        plane[row_index][column] = sign
    margin = " " * len("unpleasant ")
    lines = [margin + "".join(row) for row in plane]
    lines[_ROWS // 2] = "unpleasant " + "".join(plane[_ROWS // 2]) + " pleasant"
    lines = [margin + "activated".center(_COLUMNS), *lines, margin + "deactivated".center(_COLUMNS)]
    if "*" in taken.values():
        lines.append(margin + "* several arms")
    return "\n".join(line.rstrip() for line in lines)


def _letters() -> str:
    return "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def describe_over_time(arms: Sequence[PlannedArm], width: int = 24) -> list[tuple[str, str, str, str]]:
    """For each arm: letter, id, and valence and arousal over the session as bars."""
    rows = []
    for letter, arm in zip(_letters(), arms, strict=False):
        if arm.path.has_affect:
            times = (np.arange(width) + 0.5) / width * arm.path.duration_s
            points = arm.path.affect_at(times)
            rows.append((letter, arm.arm_id, _bars(points[:, 0]), _bars(points[:, 1])))
        else:
            rows.append((" ", arm.arm_id, "no planned mood", ""))
    return rows


def _bars(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> str:
    heights = np.rint((values + 1) / 2 * (len(_BARS) - 1)).astype(int)
    return "".join(_BARS[height] for height in heights)


def check_picture_name(path: Path) -> None:
    """Refuse a name that no picture can have.

    Raises:
        StorageError: its ending is not one of `FORMATS`, or its folder is not there.
    """
    if path.suffix.lower() not in FORMATS:
        raise StorageError(
            str(path), "is not the name of a picture", "write a name that ends in " + ", ".join(FORMATS)
        )
    if not path.absolute().parent.is_dir():
        raise StorageError(str(path), "its folder is not there", "make the folder, or name another")


def write_picture(protocol: StudyProtocol, start: Affect, path: Path) -> None:
    """Draw every arm's planned path on the circumplex and over time.

    Raises:
        StorageError: the picture cannot be written.
    """
    check_picture_name(path)
    from matplotlib.figure import Figure

    arms = planned_arms(protocol, start)
    figure = Figure(figsize=(10, 5), layout="constrained")
    grid = figure.add_gridspec(2, 2, width_ratios=[1.1, 1])
    plane = figure.add_subplot(grid[:, 0])
    axes = [figure.add_subplot(grid[0, 1]), figure.add_subplot(grid[1, 1])]
    plane.axhline(0, color="0.8", linewidth=0.8, zorder=0)
    plane.axvline(0, color="0.8", linewidth=0.8, zorder=0)
    for index, arm in enumerate(arms):
        colour = _COLOURS[index % len(_COLOURS)]
        if not arm.path.has_affect:
            plane.plot([], [], color=colour, linestyle=":", label=f"{arm.arm_id} (no planned mood)")
            continue
        middles = [w.onset_s + w.duration_s / 2 for w in arm.path.waypoints]
        points = arm.path.affect_at(np.array(middles))
        plane.plot(*points.T, "o-", color=colour, markersize=5, linewidth=1, alpha=0.8, label=arm.arm_id)
        times = np.linspace(0, arm.path.duration_s, 400)
        over_time = arm.path.affect_at(times)
        for axis, values in zip(axes, over_time.T, strict=True):
            axis.plot(times / 60, values, color=colour, linewidth=1.5)
    target = protocol.target
    plane.plot(
        start.valence, start.arousal, "s", color="0.2", markersize=10, fillstyle="none", label="example start"
    )
    plane.plot(
        target.valence, target.arousal, "*", color="0.2", markersize=14, fillstyle="none", label="target"
    )
    plane.set(xlim=(-1.05, 1.05), ylim=(-1.05, 1.05), xlabel="valence", ylabel="arousal", aspect="equal")
    plane.set_title(f"{protocol.study_id}: planned paths")
    plane.legend(loc="best", fontsize=8, framealpha=0.9)
    for axis, name in zip(axes, ("valence", "arousal"), strict=True):
        axis.set(ylim=(-1.05, 1.05), ylabel=name)
        axis.axhline(0, color="0.8", linewidth=0.8, zorder=0)
        for at_s in protocol.probes_at_s:
            axis.axvline(at_s / 60, color="0.6", linewidth=0.8, linestyle=":")
    axes[0].set_title("over the session (dotted: probes)")
    axes[1].set_xlabel("minutes")
    content = io.BytesIO()
    figure.savefig(content, format=path.suffix.lower()[1:], dpi=150)
    write_whole(path, content.getvalue())
