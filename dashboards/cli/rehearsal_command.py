"""`isopath rehearse`: the whole study with simulated participants."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Annotated

import typer

from dashboards.cli.arguments import JsonOption, StudyArgument, opened, say
from dashboards.cli.progress import counted_bar
from study.errors import OutOfRange
from study.events import RehearsalStarted
from study.founding import Study
from study.manifest import RenderManifest
from study.rehearsal import begin_rehearsal, rehearse
from study.session import SessionPlan
from study.step import describe

DEFAULT_SESSION_S = 120.0


def register(app: typer.Typer) -> None:
    """Join this command to the application."""
    app.command(
        "rehearse", epilog="Example: isopath rehearse try-out --participants 40 --effect 0.5 --seed 1"
    )(rehearse_study)


def rehearse_study(
    folder: StudyArgument,
    participants: Annotated[int, typer.Option(help="How many to enrol.")] = 40,
    effect: Annotated[
        float, typer.Option(help="Planted effect of the primary contrast, in standard deviations.")
    ] = 0.5,
    agreement: Annotated[
        float, typer.Option(help="Planted concordance of probe reports with the planned path, 0 to 1.")
    ] = 0.6,
    seed: Annotated[int, typer.Option(help="Another seed, other participants.")] = 1,
    session_s: Annotated[
        float | None,
        typer.Option(
            help="Seconds of a session; shorter than planned is a time-lapse [default: 120 at most]."
        ),
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Processes [default: as many as cores].")] = os.cpu_count()
    or 1,
    json: JsonOption = False,
) -> None:
    """Run simulated participants through the whole study, by the same steps as people.

    The audio is composed for each of them. Some decline, drop out, stop early or miss
    items. The record is marked as a rehearsal for good: people can never be enrolled
    in it. Interrupted, it goes on when called again with the same settings.
    """
    study = opened(folder)
    planned_s = study.protocol.time_lapse_of_s or study.protocol.duration_s
    spec = RehearsalStarted(participants, effect, agreement, seed, _length_s(session_s, planned_s))
    outcomes = run_rehearsal(study, spec, jobs)
    counted = ", ".join(f"{number} {outcome}" for outcome, number in outcomes.items())
    lapse = f", {spec.session_s:g} s for the planned {planned_s:g} s" if spec.session_s < planned_s else ""
    say(
        f"SIMULATED: {participants} participants rehearsed ({counted}){lapse}.\n"
        f"Next: isopath analyse {folder}",
        json,
        {"simulated": True, "participants": participants, "outcomes": outcomes},
    )


def _length_s(asked_s: float | None, planned_s: float) -> float:
    if asked_s is None:
        return min(DEFAULT_SESSION_S, planned_s)
    if asked_s > planned_s:
        raise OutOfRange(
            "--session-s",
            f"{asked_s:g} is longer than the planned {planned_s:g} s",
            f"write {planned_s:g} or less",
        )
    return asked_s


def run_rehearsal(study: Study, spec: RehearsalStarted, jobs: int) -> dict[str, int]:
    """Rehearse with composed audio and bars; gives how many participants ended how."""
    from analysis.mer.judge import load_judge
    from generation.cohort import render_cohort

    study = begin_rehearsal(study, spec)
    with counted_bar() as told:

        def render(plans: Sequence[SessionPlan]) -> Mapping[tuple[str, str], RenderManifest]:
            def progress(share: float) -> None:
                told(f"rendering {len(plans)} sessions", round(share * 1000), 1000)

            manifests = render_cohort(plans, study.folder.sessions, jobs, progress, load_judge=load_judge)
            return {(m.participant_id, m.session_id): m for m in manifests}

        rehearse(study, spec, render, told)
    people = {r.participant_id for r in study.record.events() if r.participant_id}
    ends = Counter(describe(study.due(pid)) for pid in people)
    return {what.partition("(")[2].rstrip(")") or what: number for what, number in ends.most_common()}
