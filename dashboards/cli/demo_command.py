"""`isopath demo`: the whole of isopath on an example study, in a few minutes."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from dashboards.cli.arguments import opened, software_version
from dashboards.cli.progress import bar, counted_bar
from dashboards.cli.rehearsal_command import run_rehearsal
from protocols import example_path
from study.affect import Affect
from study.events import RehearsalStarted
from study.founding import Study, initialise_study
from study.manifest import RenderManifest
from study.protocol import StudyProtocol
from study.protocol_file import load_protocol
from study.session import Allocation, make_session_plan
from study.simulation import RESPONSE_SD

EXAMPLE = "iso_vs_target_only"
REHEARSAL = RehearsalStarted(participants=40, effect=0.8, agreement=0.6, seed=1, session_s=150.0)
ARRIVING = Affect(-0.6, 0.5)


def register(app: typer.Typer) -> None:
    """Join this command to the application."""
    app.command("demo", epilog="Example: isopath demo demo")(demo)


def demo(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where everything is written.")] = Path(
        "demo"
    ),
) -> None:
    """Check a protocol, rehearse its study, compose a 15-minute session, analyse, report, verify.

    Safe to run again: what is finished is kept. Participants are simulated, and
    everything made from them says so; the music is real.
    """
    from dashboards.cli.sentences import primary_sentence
    from dashboards.study_analysis import analyse_study, write_report

    begun = time.monotonic()
    out = Console()
    path = example_path(EXAMPLE)
    protocol = load_protocol(path)
    out.print(
        f"1. Protocol [bold]{protocol.study_id}[/bold] has no problems (isopath check).", highlight=False
    )
    study = _study(folder / "rehearsal", path)
    session_s, people = REHEARSAL.session_s, REHEARSAL.participants
    out.print(
        f"2. Rehearsing it: {people} simulated participants, {session_s:g}-second sessions.", highlight=False
    )
    run_rehearsal(study, REHEARSAL, os.cpu_count() or 1)
    study = opened(study.folder.root)
    out.print("3. Composing one session of the planned 15 minutes, from anxious to calm.")
    manifest = _full_session(protocol, folder / "sessions")
    out.print("4. Hearing every session with music emotion recognition, and estimating.")
    with counted_bar() as told:
        analyse_study(study, told)
    results = write_report(study)
    head = study.record.verify()
    sound = folder.resolve() / "sessions" / manifest.participant_id / manifest.session_id / manifest.stim_file
    out.print(
        f"5. The record's chain holds: {head.sequence} rows.\n\n"
        f"Listen to   {sound}\n"
        f"Open        {study.folder.report}\n"
        f"Numbers     {study.folder.results}\n"
        f"Record      {study.folder.record}\n\n"
        f"Found       {primary_sentence(results)}\n"
        f"            (planted: {REHEARSAL.effect * RESPONSE_SD:+.2f})\n"
        f"Took        {time.monotonic() - begun:.0f} s\n\n"
        "Next        isopath new my-study.json      write a protocol by answering eight questions\n"
        "            isopath init my-study --protocol my-study.json",
        highlight=False,
        soft_wrap=True,
    )


def _study(root: Path, protocol: Path) -> Study:
    if root.exists():
        return opened(root)
    return initialise_study(root, protocol, "demo", software_version())


def _full_session(protocol: StudyProtocol, out_dir: Path) -> RenderManifest:
    from generation.cohort import render_cohort

    iso = next(group for group in protocol.allocation.groups if "iso" in group.arm_ids)
    allocation = Allocation("sub-demo", iso.group_id, iso.arm_ids, {}, 0, 0)
    plan = make_session_plan(protocol, allocation, 1, ARRIVING)
    with bar(f"composing {plan.duration_s / 60:g} minutes") as progress:
        return render_cohort([plan], out_dir, 1, progress)[0]
