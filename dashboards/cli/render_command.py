"""`isopath render`: the sound of sessions that are due."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from dashboards.cli.arguments import ActorOption, JsonOption, StudyArgument, actor_of, opened, say
from dashboards.cli.engine_choice import EngineChoice
from dashboards.cli.placement import BatchOption, DeviceOption, ModelsOption, placement_of
from dashboards.cli.progress import bar
from study.bank import is_in_bank, session_from_bank
from study.delivery import plan_session, record_render
from study.errors import AudioError, ConductError, IsopathError
from study.events import ParticipantEnrolled
from study.founding import Study
from study.manifest import RenderManifest
from study.step import RenderSession

#: Said whatever the arms are: a coordinator must not learn from it whose session is composed.
_DEVIATIONS = "What was made otherwise than the protocol says is recorded as a deviation."


def register(app: typer.Typer) -> None:
    """Join this command to the application."""
    app.command(epilog="Example: isopath render calm-study --all")(render)


def render(
    folder: StudyArgument,
    participant: Annotated[
        list[str] | None, typer.Argument(metavar="[ID]...", help="Whose session.", show_default=False)
    ] = None,
    named: Annotated[
        list[str] | None,
        typer.Option("--participant", metavar="ID", help="The same; may be repeated.", show_default=False),
    ] = None,
    everyone: Annotated[bool, typer.Option("--all", help="Everyone whose session is due.")] = False,
    engine: Annotated[
        str | None,
        typer.Option(
            help="Makes the music [default: the protocol's]. Another than the protocol's is recorded as a "
            "deviation; it takes none of the protocol's options.",
            show_default=False,
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|FOLDER",
            help="The engine's model [default: the protocol's]. Another is recorded as a deviation.",
            show_default=False,
        ),
    ] = None,
    device: DeviceOption = "cpu",
    batch_clips: BatchOption = None,
    models_dir: ModelsOption = None,
    cluster: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="Render on a Ray cluster: its head's address, or local for this machine alone.",
            show_default=False,
        ),
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Processes [default: as many as cores].")] = os.cpu_count()
    or 1,
    hear: Annotated[
        bool,
        typer.Option(
            "--hear/--no-hear",
            help="Hear what was rendered with music emotion recognition; else isopath analyse does.",
        ),
    ] = True,
    actor: ActorOption = None,
    json: JsonOption = False,
) -> None:
    """Make the sound of sessions that are due, record it, and hear it.

    Writes session.flac and manifest.json under STUDY/sessions, each whole or not
    at all. What is rendered already is kept; an interrupted run goes on. An engine
    that works in batches fills them across participants. What the study's bank
    holds is taken from there. Predictions are kept under STUDY/predictions.
    """
    study = opened(folder)
    people = [*(participant or []), *(named or [])] or (_due_for_rendering(study) if everyone else [])
    if not people and not everyone:
        raise ConductError("render", "nobody is named", "name participants, or give --all")
    choice = EngineChoice(engine, model)
    choice.check(study.protocol)
    placement = placement_of(device, batch_clips, models_dir, is_elsewhere=cluster is not None)
    planned = [plan_session(study, participant_id) for participant_id in dict.fromkeys(people)]
    plans = [choice.applied(plan) for plan in planned]
    taken = {
        plan.participant_id: session_from_bank(study, plan.participant_id)[1]
        for before, plan in zip(planned, plans, strict=True)
        if plan == before and is_in_bank(study, plan)
    }
    missing = [plan for plan in plans if plan.participant_id not in taken]

    # The synthesiser loads only for those who use it.
    from analysis.mer.judge import load_judge
    from generation.cluster.rendering import render_on_cluster
    from generation.cohort import render_cohort

    # "session", not its arm: a coordinator sees this.
    with bar(f"rendering {len(plans)} session(s)") as progress:
        if cluster is not None:
            made = render_on_cluster(missing, study.folder.sessions, cluster, progress, placement, load_judge)
        else:
            made = render_cohort(missing, study.folder.sessions, jobs, progress, placement, load_judge)
    made_for = taken | {manifest.participant_id: manifest for manifest in made}
    manifests = [made_for[plan.participant_id] for plan in plans]
    for before, plan, manifest in zip(planned, plans, manifests, strict=True):
        record_render(study, actor_of(actor), plan, manifest, choice.deviation(before))
    rendered = [
        {
            "participant_id": m.participant_id,
            "session_id": m.session_id,
            "file": str(study.folder.sessions / m.participant_id / m.session_id / m.stim_file),
            "duration_s": m.duration_s,
            "audio_sha256": m.audio_sha256,
        }
        for m in manifests
    ]
    if hear and manifests:
        _hear(study, manifests)
    lines = [f"{r['participant_id']} {r['session_id']}: {r['file']}" for r in rendered]
    if rendered and (engine is not None or model is not None):
        lines.append(_DEVIATIONS)
    say("\n".join(lines) or "Nothing is due for rendering.", json, {"rendered": rendered})


def _hear(study: Study, manifests: Sequence[RenderManifest]) -> None:
    """Keep what the predictors hear; the sound is made and recorded, whatever becomes of this."""
    from dashboards.study_hearing import hear_study

    made = {(m.participant_id, m.session_id): m for m in manifests}
    try:
        # "sessions", with music or without: a coordinator sees this.
        with bar(f"hearing {len(made)} session(s)") as progress:
            hear_study(study, made, lambda done, of: progress(done / of))
    except AudioError:
        # Said here, it would tell that there is music in a session. The analysis hears it again, and says it.
        return
    except IsopathError as refusal:
        sys.stderr.write(f"note: nothing was heard: {refusal.problem}; {refusal.remedy}\n")


def _due_for_rendering(study: Study) -> list[str]:
    enrolled = [r.participant_id for r in study.record.events(kinds=[ParticipantEnrolled])]
    return [pid for pid in enrolled if pid and isinstance(study.due(pid), RenderSession)]
