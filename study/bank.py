"""Sessions made ahead of time, and the one that is nearest to a person's mood.

A bank holds nothing that could not be made anew: a participant's plan under
delivery ``bank`` starts at a mood of the grid and has the seed of that mood, so
that rendering it live gives the very same samples, only later.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

from study.affect import Affect
from study.delivery import plan_session, pre_affect
from study.errors import ConductError, StorageError
from study.folder import file_sha256, folder_made_whole, sweep, write_whole
from study.founding import Study
from study.manifest import RenderManifest
from study.protocol import Arm
from study.session import SessionPlan, is_bankable, make_bank_plan
from study.starting_moods import depends_on_start, rule_of_start, starting_moods

_MANIFEST = "manifest.json"
_FIXED = "the protocol's fixed start"


def bank_plans(study: Study) -> list[SessionPlan]:
    """Every session that can be made before its listeners are there, by arm.

    An arm whose path begins in the reported mood has one for each mood of the
    grid; an arm with a fixed start, or that plays the same whatever the start,
    has one. An arm of the participants' own music has none.

    Raises:
        ConductError: the protocol's delivery is live.
        RecordMismatch: a frozen sound file is not what it was.
    """
    points = study.protocol.bank_points
    if points is None:
        raise ConductError(
            study.protocol.study_id,
            "its sessions are made live, after each pre report",
            "nothing need be made ahead; a bank needs delivery bank in the protocol",
        )
    return [
        _made_ready(study, make_bank_plan(study.protocol, arm, start))
        for arm in study.protocol.arms
        if is_bankable(arm)
        for start in _starts(arm, points)
    ]


def _starts(arm: Arm, points: int) -> tuple[Affect, ...]:
    if arm.start is not None:
        return (arm.start,)
    return starting_moods(points) if depends_on_start(arm) else (arm.target,)


def _made_ready(study: Study, plan: SessionPlan) -> SessionPlan:
    return replace(plan, files=study.frozen_sounds(plan.files))


def session_from_bank(study: Study, participant_id: str) -> tuple[SessionPlan, RenderManifest, str]:
    """Give a participant the session that is due to them from the bank.

    Their session folder gets the sound, as a second name of the same file where
    the disk can, and a manifest of its own that says where it comes from. What
    is there already from the same plan is kept.

    Returns:
        The plan and manifest to be recorded, and the rule that chose the start.

    Raises:
        ConductError: rendering is not the participant's next step, or their arm is not in any bank.
        StorageError: the bank does not hold the session whole, or the disk will not have it.
    """
    plan = plan_session(study, participant_id)
    protocol = study.protocol_for(plan.participant_id)
    arm = protocol.arm(plan.arm_id)
    if protocol.bank_points is None or not is_bankable(arm):
        raise ConductError(
            f"{participant_id} {plan.session_id}",
            "is no session that a bank can hold",
            f"isopath render STUDY {participant_id}",
        )
    reported = pre_affect(protocol, study.record.participant(participant_id), plan.session_id)
    rule = rule_of_start(protocol, arm, reported) or _FIXED
    banked = _banked(study, plan)
    source = study.folder.bank / banked.participant_id / banked.session_id
    target = study.folder.sessions / plan.participant_id / plan.session_id
    sweep(target)
    if not target.exists():
        _copy(source, target, banked, plan, f"from the bank, made ahead: {rule}")
    return plan, _whole_session(target, plan), rule


def is_in_bank(study: Study, plan: SessionPlan) -> bool:
    """Whether the bank has been given this plan's session."""
    protocol = study.protocol_for(plan.participant_id)
    arm = protocol.arm(plan.arm_id)
    if protocol.bank_points is None or not is_bankable(arm):
        return False
    banked = _banked(study, plan)
    return (study.folder.bank / banked.participant_id / banked.session_id).is_dir()


def _banked(study: Study, plan: SessionPlan) -> SessionPlan:
    """The bank's plan of the sound that `plan` asks for."""
    protocol = study.protocol_for(plan.participant_id)
    arm = protocol.arm(plan.arm_id)
    start = plan.start if arm.start is not None or depends_on_start(arm) else arm.target
    return _made_ready(study, make_bank_plan(protocol, arm, start))


def _copy(source: Path, target: Path, banked: SessionPlan, plan: SessionPlan, note: str) -> None:
    if not source.is_dir():
        raise StorageError(
            str(source), "the bank does not hold this session yet", "make it with isopath bank STUDY"
        )
    made = _whole_session(source, banked)
    manifest = replace(
        made,
        participant_id=plan.participant_id,
        session_id=plan.session_id,
        plan_sha256=plan.sha256,
        notes=(*made.notes, note),
    )
    try:
        with folder_made_whole(target) as partial:
            _link(source / made.stim_file, partial / made.stim_file)
            write_whole(partial / _MANIFEST, manifest.to_json().encode())
    except OSError as problem:
        raise StorageError(
            str(target),
            f"cannot be written ({(problem.strerror or 'unknown reason').lower()})",
            "make room, or see that the folder can be written, and try again",
        ) from problem


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        # Another disk, or one without links.
        shutil.copyfile(source, target)
        with target.open("rb") as file:
            os.fsync(file.fileno())


def _whole_session(folder: Path, plan: SessionPlan) -> RenderManifest:
    remedy = "move the folder away and make it again"
    try:
        manifest = RenderManifest.from_json((folder / _MANIFEST).read_text(encoding="utf-8"))
        audio_sha256 = file_sha256(folder / manifest.stim_file)
    except (OSError, ValueError, TypeError, KeyError) as problem:
        raise StorageError(str(folder), "is not a whole rendered session", remedy) from problem
    if manifest.plan_sha256 != plan.sha256:
        raise StorageError(str(folder), "holds a session that was rendered from another plan", remedy)
    if manifest.audio_sha256 != audio_sha256:
        raise StorageError(str(folder), "holds a sound that its manifest does not describe", remedy)
    return manifest
