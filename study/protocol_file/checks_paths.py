"""Checks of paths: do the steps fill the session, and can the arm be played as written?"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath, PureWindowsPath

from study.path import PathKind
from study.plugins import ENGINES, installed_names
from study.protocol_file.arms import arm_field, fixed_start, target_of
from study.protocol_file.draft import Part, run_checks
from study.protocol_file.text import Finding, did_you_mean, plain_number, shown

_STEPWISE = (PathKind.ISO, PathKind.REVERSE)

_TIME = frozenset({"kind", "steps", "step_s"})
_SHAPE = _TIME | {"start", "target", "dwell_start_steps", "dwell_end_steps"}

#: What each kind of path makes use of; anything else would be read by nobody.
_FIELDS: Mapping[PathKind, frozenset[str]] = {
    PathKind.ISO: _SHAPE,
    PathKind.REVERSE: _SHAPE,
    PathKind.RANDOM_ORDER: _SHAPE,
    PathKind.TARGET_ONLY: _TIME | {"target"},
    PathKind.CONSTANT: _TIME | {"start", "hold"},
    PathKind.SELF_SELECTED: _TIME,
    PathKind.FILES: _TIME | {"files"},
    PathKind.SPEECH: _TIME | {"files"},
    PathKind.NOISE: _TIME,
    PathKind.SILENCE: _TIME,
}


def check_paths(draft: Part) -> Iterator[Finding]:
    """What is wrong with the study's path and with each arm's."""
    resolved = (_steps_fill_the_session, _clips_fill_a_step, _dwells_fit, _has_a_direction, _steps_are_small)
    yield from run_checks(resolved, draft, None)
    for arm in draft["arms"].readable_parts():
        yield from run_checks(
            (_fields_are_used, _files_are_named, _engine_is_used, _engine_is_installed), arm
        )
        yield from run_checks(resolved, draft, arm)


def _kind(arm: Part | None) -> PathKind:
    # The study's own path is the iso path along which the endpoint is measured.
    return PathKind.ISO if arm is None else PathKind(arm["path"]["kind"].text)


def _own(arm: Part | None) -> Part | None:
    return None if arm is None else arm["path"]


def _first_written(names: tuple[str, ...], study_path: Part, own: Part | None) -> Part:
    """The arm's field among `names`, else the study's first, to point at."""
    for name in names:
        if own is not None and own.get(name) is not None:
            return own[name]
    return study_path[names[0]]


def _steps_fill_the_session(top: Part, arm: Part | None) -> Iterator[Finding]:
    path, own = top["path"], _own(arm)
    steps, step_s = arm_field("steps", path, own).whole, arm_field("step_s", path, own).number
    duration_s = top["session"]["duration_s"].number
    if math.isclose(steps * step_s, duration_s, rel_tol=0, abs_tol=1e-6):
        return
    ways = [f"duration_s {plain_number(steps * step_s)}"]
    if math.isclose(duration_s / steps, round(duration_s / steps, 3)):
        ways.insert(0, f"step_s {plain_number(round(duration_s / steps, 3))}")
    if math.isclose(duration_s / step_s, round(duration_s / step_s)):
        ways.insert(0, f"steps {round(duration_s / step_s)}")
    yield _first_written(("steps", "step_s"), path, own).finding(
        f"{steps} steps of {plain_number(step_s)} s last {plain_number(steps * step_s)} s,"
        f" and the session lasts {plain_number(duration_s)} s",
        "write " + ", or ".join(ways),
    )


def _clips_fill_a_step(top: Part, arm: Part | None) -> Iterator[Finding]:
    step_s = arm_field("step_s", top["path"], _own(arm))
    clip_s = top["session"]["clip_s"]
    clips = step_s.number / clip_s.number
    if clips < 1 - 1e-9 or not math.isclose(clips, round(clips), abs_tol=1e-9):
        yield clip_s.finding(
            f"clips of {plain_number(clip_s.number)} s do not fill a step of {plain_number(step_s.number)} s",
            f"write {plain_number(step_s.number)} or a whole part of it",
        )


def _dwells_fit(top: Part, arm: Part | None) -> Iterator[Finding]:
    path, own, kind = top["path"], _own(arm), _kind(arm)
    steps, first, last = _layout(path, own)
    place = _first_written(("steps", "dwell_start_steps", "dwell_end_steps"), path, own)
    if not kind.is_directed:
        return
    if steps == 1:
        yield place.finding("a path of 1 step goes nowhere", "write 2 steps or more, with a shorter step_s")
    elif first + last > steps:
        yield place.finding(
            f"{first} dwell steps at the start and {last} at the end do not fit {steps} steps",
            f"write {first + last} steps or more, or fewer dwell steps",
        )


def _layout(path: Part, own: Part | None) -> tuple[int, int, int]:
    steps, first, last = (
        arm_field(name, path, own).whole for name in ("steps", "dwell_start_steps", "dwell_end_steps")
    )
    return steps, max(first, 1), max(last, 1)


def _has_a_direction(top: Part, arm: Part | None) -> Iterator[Finding]:
    path, own = top["path"], _own(arm)
    start, target = fixed_start(path, own), target_of(path, own)
    if _kind(arm).is_directed and start is not None and start.distance_to(target) < 1e-6:
        yield arm_field("start", path, own).finding(
            "the start is the target, so that there is no way to go and no progress to measure",
            'write another start or target, or "pre"',
        )


def _steps_are_small(top: Part, arm: Part | None) -> Iterator[Finding]:
    path, own = top["path"], _own(arm)
    limit = path.get("max_step")
    steps, first, last = _layout(path, own)
    moves = steps - first - last + 1
    if limit is None or arm is None or _kind(arm) not in _STEPWISE or moves < 1:
        return
    start, target = fixed_start(path, own), target_of(path, own)
    if start is None:
        # The corner of the plane that lies farthest from the target.
        way = math.hypot(1 + abs(target.valence), 1 + abs(target.arousal))
        whose = "someone who starts in the far corner of the plane"
    else:
        way, whose = start.distance_to(target), "everybody"
    if way / moves <= limit.number + 1e-9:
        return
    needed = math.ceil(way / limit.number - 1e-9) + first + last - 1
    # A little above, so that the number that is written passes.
    enough = math.ceil(way / moves * 10_000) / 10_000
    names = ("steps", "start", "target", "dwell_start_steps", "dwell_end_steps")
    overrides = any(own is not None and own.get(name) is not None for name in names)
    place = _first_written(names, path, own) if overrides else limit
    yield place.finding(
        f"with {steps} steps, {whose} would move {plain_number(enough)} at a time,"
        f" more than max_step {plain_number(limit.number)}",
        f"write {needed} steps or more (with a shorter step_s), or max_step {plain_number(enough)} or more",
    )


def _fields_are_used(arm: Part) -> Iterator[Finding]:
    kind = _kind(arm)
    for name in arm["path"].json:
        known = any(name in fields for fields in _FIELDS.values())
        if known and name not in _FIELDS[kind] and name != "files":
            yield Finding((*arm.path, "path", name), f"does nothing in an arm of kind {kind}", "delete it")
    if kind is PathKind.CONSTANT and arm["path"].get("hold") and arm["path"].get("start"):
        yield arm["path"]["start"].finding("does nothing where hold is given", "delete start or hold")


def _files_are_named(arm: Part) -> Iterator[Finding]:
    kind, files = _kind(arm), arm["path"].get("files")
    if files is None:
        if kind.needs_files:
            yield Finding(
                (*arm.path, "path", "files"),
                f"is missing, and an arm of kind {kind} plays files",
                'write a list of sound files such as ["sounds/talk.flac"]',
            )
        return
    if not kind.needs_files:
        yield files.finding(
            f"does nothing in an arm of kind {kind}",
            "delete it, or write kind files or speech",
        )
    for file in files.readable_parts():
        if not stays_beside(file.text):
            yield file.finding(
                "does not lie in the protocol's folder or below it",
                "copy the file there and write its name with /, such as sounds/talk.flac",
            )


def stays_beside(name: str) -> bool:
    """Whether a file name is relative, portable and stays below the protocol's folder."""
    outside = PurePosixPath(name).is_absolute() or PureWindowsPath(name).drive or "\\" in name
    return not outside and ".." not in PurePosixPath(name).parts


def _engine_is_used(arm: Part) -> Iterator[Finding]:
    engine = arm.get("engine")
    if engine is not None and not _kind(arm).is_composed:
        yield engine.finding(f"nothing is composed in an arm of kind {_kind(arm)}", "delete it")


def _engine_is_installed(arm: Part) -> Iterator[Finding]:
    engine = arm.get("engine")
    names = installed_names(ENGINES)
    if engine is not None and engine["name"].text not in names:
        name = engine["name"]
        yield name.finding(
            f"{shown(name.text)} is not an engine that is installed here",
            did_you_mean(name.text, names) + "write one of " + ", ".join(names),
        )
