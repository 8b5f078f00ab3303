"""An arm's path as the file gives it: the study's path, and what the arm says otherwise."""

from __future__ import annotations

from study.affect import Affect
from study.path import PathKind, PathSpec
from study.protocol_file.draft import Part


def arm_field(name: str, study_path: Part, arm_path: Part | None) -> Part:
    """A field of the arm's path, or the study's where the arm is silent.

    Raises:
        Unreadable: it is missing or was refused.
    """
    own = arm_path.get(name) if arm_path is not None else None
    return own if own is not None else study_path[name]


def path_spec(arm_path: Part, study_path: Part) -> PathSpec:
    """The resolved shape of an arm.

    Raises:
        OutOfRange: the dwells do not fit the steps.
        Unreadable: a field is missing or was refused.
    """
    kind, hold = PathKind(arm_path["kind"].text), arm_path.get("hold")
    # The study's dwells mean nothing to a path that does not move, and need not fit its steps.
    first, last = (
        arm_field(name, study_path, arm_path).whole if kind.is_directed else 1
        for name in ("dwell_start_steps", "dwell_end_steps")
    )
    return PathSpec(
        kind=kind,
        steps=arm_field("steps", study_path, arm_path).whole,
        step_s=arm_field("step_s", study_path, arm_path).number,
        dwell_start_steps=first,
        dwell_end_steps=last,
        hold=hold.affect if hold is not None else None,
    )


def fixed_start(study_path: Part, arm_path: Part | None = None) -> Affect | None:
    """The start of everybody's path, or None where the `pre` report gives it."""
    start = arm_field("start", study_path, arm_path)
    return None if start.is_text else start.affect


def target_of(study_path: Part, arm_path: Part | None = None) -> Affect:
    """Where the path leads."""
    return arm_field("target", study_path, arm_path).affect
