"""`isopath bank`: the sessions of a study that can be made before anybody comes."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from dashboards.cli.arguments import JsonOption, StudyArgument, opened, say
from dashboards.cli.placement import BatchOption, DeviceOption, ModelsOption, placement_of
from dashboards.cli.progress import bar
from study.bank import bank_plans
from study.path import PathKind
from study.protocol import StudyProtocol


def register(app: typer.Typer) -> None:
    """Join this command to the application."""
    app.command(epilog="Example: isopath bank calm-study --jobs 4")(bank)


def bank(
    folder: StudyArgument,
    jobs: Annotated[int, typer.Option(min=1, help="Processes [default: as many as cores].")] = os.cpu_count()
    or 1,
    device: DeviceOption = "cpu",
    batch_clips: BatchOption = None,
    models_dir: ModelsOption = None,
    json: JsonOption = False,
) -> None:
    """Make every arm's sessions for a grid of starting moods, before anybody comes.

    For studies whose protocol says delivery bank. Writes session.flac and
    manifest.json under STUDY/bank, each session whole or not at all. What is
    made already is kept; an interrupted run goes on.
    """
    study = opened(folder)
    plans = bank_plans(study)
    placement = placement_of(device, batch_clips, models_dir)

    # The synthesiser loads only for those who use it.
    from analysis.mer.judge import load_judge
    from generation.cohort import render_cohort

    with bar(f"making {len(plans)} session(s) ahead") as progress:
        manifests = render_cohort(plans, study.folder.bank, jobs, progress, placement, load_judge)
    made = [
        {
            "arm": plan.arm_id,
            "start": [plan.start.valence, plan.start.arousal],
            "file": str(study.folder.bank / m.participant_id / m.session_id / m.stim_file),
            "duration_s": m.duration_s,
            "audio_sha256": m.audio_sha256,
        }
        for plan, m in zip(plans, manifests, strict=True)
    ]
    counts = {arm.arm_id: sum(plan.arm_id == arm.arm_id for plan in plans) for arm in study.protocol.arms}
    lines = [f"{arm_id}: {_told(study.protocol, arm_id, count)}" for arm_id, count in counts.items()]
    say("\n".join([*lines, f"They are in {study.folder.bank}"]), json, {"sessions": made, "by_arm": counts})


def _told(protocol: StudyProtocol, arm_id: str, count: int) -> str:
    arm = protocol.arm(arm_id)
    if arm.path.kind is PathKind.SELF_SELECTED:
        return "none (everyone brings their own music, so that it is made when they are there)"
    if count > 1:
        return f"{count} sessions, one for each starting mood"
    return "1 session, for " + ("its fixed start" if arm.start is not None else "every start alike")
