"""Commands about a protocol file: check, show, new."""

from __future__ import annotations

import json
import math
import sys
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from analysis.guidelines.schedule import clock, make_schedule
from dashboards.checked_protocol import load_checked_protocol
from dashboards.cli.protocol_interview import Interview, Question
from dashboards.cli.protocol_picture import (
    check_picture_name,
    describe_over_time,
    example_start,
    planned_arms,
    plot_characters,
    write_picture,
)
from study.affect import Affect
from study.errors import IsopathError, ProtocolErrors, StorageError, UnknownName
from study.folder import write_whole
from study.path import PathKind, largest_step_of
from study.protocol import AllocationMethod, AllocationSpec, StudyProtocol
from study.protocol_file import load_protocol, parse_protocol


def register(app: typer.Typer) -> None:
    """Join this group's commands to the application."""
    app.command()(check)
    app.command()(show)
    app.command()(new)


def check(
    paths: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Protocol files.", show_default=False)
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object for programs.")] = False,
) -> None:
    """Check protocol files and print every problem with its remedy.

    Exit code 0 if all are valid, else 2.

    Example: `isopath check protocols/examples/iso_vs_target_only.json`
    """
    verdicts = [_verdict(path) for path in paths]
    if as_json:
        typer.echo(json.dumps({"valid": all(v["valid"] for v in verdicts), "files": verdicts}, indent=2))
    else:
        for verdict in verdicts:
            if verdict["valid"]:
                typer.echo(f"{verdict['file']}: valid ({verdict['summary']})")
            for problem in verdict["problems"]:
                typer.echo(problem["message"], err=True)
    if not all(verdict["valid"] for verdict in verdicts):
        raise typer.Exit(2)


def _verdict(path: Path) -> dict[str, Any]:
    verdict: dict[str, Any] = {"file": str(path), "valid": False, "problems": []}
    try:
        protocol = load_checked_protocol(path)
    except ProtocolErrors as refused:
        verdict["problems"] = [
            {"path": p.json_path, "problem": p.problem, "remedy": p.remedy, "message": str(p)}
            for p in refused.problems
        ]
    except IsopathError as refused:
        verdict["problems"] = [
            {"path": "", "problem": refused.problem, "remedy": refused.remedy, "message": str(refused)}
        ]
    else:
        verdict |= {
            "valid": True,
            "study_id": protocol.study_id,
            "version": protocol.version,
            "sha256": protocol.sha256,
            "summary": _summary(protocol),
        }
    return verdict


def _summary(protocol: StudyProtocol) -> str:
    sessions = "1 session" if protocol.session_count == 1 else f"{protocol.session_count} sessions"
    return (
        f"{protocol.design}, {len(protocol.arms)} arms, {protocol.sample_size} people,"
        f" {sessions} of {clock(protocol.duration_s)} min"
    )


def show(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="A protocol file.", show_default=False)],
    picture: Annotated[
        Path | None, typer.Option(help="Also draw the arms' paths into this .png, .svg or .pdf.")
    ] = None,
    start: Annotated[
        str | None, typer.Option("--from", help="Draw from this mood: valence,arousal such as -0.6,0.5.")
    ] = None,
) -> None:
    """Show a protocol: its arms, its schedule, and the arms' paths.

    Example: `isopath show protocols/examples/crossover_2x2.json --picture paths.png`
    """
    protocol = load_protocol(path)
    drawn_from = example_start(protocol) if start is None else parse_point(start)
    if picture is not None:
        check_picture_name(picture)
    console = Console(markup=False, emoji=False, highlight=False)
    console.print(f"{protocol.title}\n", style="bold")
    console.print(f"{protocol.study_id}, version {protocol.version}: {_summary(protocol)}")
    console.print(f"SHA-256 {protocol.sha256}\n")
    console.print(_arms_table(protocol))
    _print_schedule(console, protocol)
    _print_numbers(console, protocol, drawn_from)
    _print_paths(console, protocol, drawn_from)
    if picture is not None:
        write_picture(protocol, drawn_from, picture)
        console.print(f"\nThe picture is in {picture}")


def parse_point(text: str) -> Affect:
    """A point written as ``valence,arousal``.

    Raises:
        UnknownName: it is not two numbers.
        OutOfRange: a number lies outside [-1, 1].
    """
    try:
        valence, arousal = (float(part) for part in text.split(","))
    except ValueError:
        raise UnknownName(
            "--from", f"{text!r} is not a point", "write valence,arousal such as -0.6,0.5"
        ) from None
    return Affect(valence, arousal)


def _arms_table(protocol: StudyProtocol) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    for heading in ("id", "plays", "for people", "engine"):
        table.add_column(heading)
    for arm in protocol.arms:
        kind = arm.path.kind
        table.add_row(arm.arm_id, kind.value, arm.label, arm.engine.name if kind.is_composed else "")
    return table


def _print_schedule(console: Console, protocol: StudyProtocol) -> None:
    schedule = make_schedule(protocol)
    console.print("\nSchedule of enrolment, interventions and assessments", style="bold")
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("", overflow="fold", min_width=len(" Interventions"))
    for column in schedule.columns:
        table.add_column(column, justify="center", overflow="fold")
    for heading, rows in schedule.sections:
        table.add_row(heading.upper())
        for name, marks in rows:
            table.add_row(" " + name, *marks)
        table.add_row()
    console.print(table)
    for note in schedule.notes:
        console.print(note)


def _allocated_by(spec: AllocationSpec) -> str:
    """The method in words."""
    levels = {factor.factor: len(factor.levels) for factor in spec.strata}
    is_minimised = spec.method is AllocationMethod.MINIMISATION
    kept = [count for factor, count in levels.items() if not is_minimised or factor in spec.list_factors]
    lists = f"{math.prod(kept)} list(s)"
    match spec.method:
        case AllocationMethod.PERMUTED_BLOCKS:
            sizes = ", ".join(str(size) for size in spec.block_sizes)
            return f"{lists}, blocks of {sizes}, random size"
        case AllocationMethod.MINIMISATION:
            factors = ", ".join(factor for factor in levels if factor not in spec.list_factors)
            measure = spec.imbalance.replace("_", " ")
            return f"{lists}, minimisation of {factors} by {measure} with probability {spec.probability:g}"
        case AllocationMethod.BIASED_COIN:
            return f"{lists}, biased coin of {spec.probability or 2 / 3:.3g}"
        case AllocationMethod.SIMPLE:
            return f"{lists}, simple randomisation"


def _print_numbers(console: Console, protocol: StudyProtocol, start: Affect) -> None:
    primary = next(c for c in protocol.analysis.contrasts if c.is_primary)
    ratio = ":".join(str(group.weight) for group in protocol.allocation.groups)
    groups = ", ".join(group.group_id for group in protocol.allocation.groups)
    console.print(
        f"\nSession: {clock(protocol.duration_s)} min, clips of {protocol.clip_s:g} s,"
        f" {protocol.safety.loudness_lufs:g} LUFS in every arm"
    )
    for line in _shapes(protocol, start):
        console.print(line)
    if protocol.bank_points is not None:
        points = protocol.bank_points
        console.print(
            f"Delivery: from a bank of {points} × {points} starting moods, the nearest for each person"
        )
    for rule in protocol.safety.stop_rules:
        people = "1 person" if rule.at_least == 1 else f"{rule.at_least} people"
        share = f", at least {rule.of_share:.0%} of its listeners" if rule.of_share else ""
        what = rule.counts.replace("_", " ")
        console.print(f"Stop rule {rule.rule_id}: {people} of one arm with {what}{share}")
    console.print(f"Allocation: {ratio} ({groups}), {_allocated_by(protocol.allocation)}")
    console.print(
        f"Analysis: {protocol.analysis.endpoint} of {protocol.analysis.instrument_id},"
        f" {primary.arm_ids[0]} minus {primary.arm_ids[1]},"
        f" multiplicity {protocol.analysis.multiplicity}, alpha {protocol.analysis.alpha:g}"
    )


def _shapes(protocol: StudyProtocol, start: Affect) -> list[str]:
    lines: dict[str, list[str]] = {}
    for arm in protocol.arms:
        shape, first = arm.path, arm.start or start
        line = f"{shape.steps} steps of {shape.step_s:g} s"
        if shape.kind in (PathKind.ISO, PathKind.REVERSE):
            step = largest_step_of(shape, first, arm.target)
            line += f", from {_point(first)} to {_point(arm.target)} the largest step is {step:.3f}"
        lines.setdefault(line, []).append(arm.arm_id)
    return [f"  {', '.join(arm_ids)}: {line}" for line, arm_ids in lines.items()]


def _point(point: Affect) -> str:
    return f"({point.valence:g}, {point.arousal:g})"


def _print_paths(console: Console, protocol: StudyProtocol, start: Affect) -> None:
    whose = "the study's fixed start" if start == protocol.start else "an example start"
    console.print(f"\nPlanned paths from {whose} {_point(start)}", style="bold")
    if protocol.start is None:
        console.print("In the study, each path starts at the participant's own pre report.")
    arms = planned_arms(protocol, start)
    console.print(plot_characters(arms) + "\n")
    table = Table(box=None)
    for heading in ("", "arm", "valence over the session", "arousal"):
        table.add_column(heading, no_wrap=True)
    for row in describe_over_time(arms):
        table.add_row(*row)
    console.print(table)


def new(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="The protocol to write.", show_default=False)],
    example: Annotated[
        str | None,
        typer.Option(help="Copy an example instead: crossover_2x2, iso_vs_target_only or three_arm_silence."),
    ] = None,
) -> None:
    """Write a new protocol from eight questions, or from an example.

    A file that is there already is never overwritten. Answers may come from a
    file: one a line, an empty line for the proposed answer.

    Example: `isopath new my_study.json`
    """
    if path.exists() or path.is_symlink():
        raise StorageError(str(path), "is there already", "name a new file, or move the old one away")
    if not path.absolute().parent.is_dir():
        raise StorageError(str(path), "its folder is not there", "make the folder, or name another")
    content = _example(example) if example is not None else _interviewed(path)
    protocol = parse_protocol(content, str(path))
    write_whole(path, content)
    typer.echo(f"\n{path}: written ({_summary(protocol)})")
    typer.echo(
        "Its consent, eligibility and support texts are drafts: have your ethics committee read them.\n"
        f"Next: isopath show {path}"
    )


def _example(name: str) -> bytes:
    examples = {
        item.name.removesuffix(".json"): item
        for item in (files("protocols") / "examples").iterdir()
        if item.name.endswith(".json")
    }
    if name not in examples:
        raise UnknownName(
            "--example", f"{name!r} is not an example", "write one of " + ", ".join(sorted(examples))
        )
    text = examples[name].read_text(encoding="utf-8")
    # The schema does not lie beside the copy.
    return text.replace('  "$schema": "../protocol.schema.json",\n', "").encode()


def _interviewed(path: Path) -> bytes:
    interview = Interview()
    typer.echo("Eight questions; press Enter for the answer in brackets. Nothing is written before the last.")
    while (question := interview.next_question) is not None:
        _ask(interview, question, path)
    return interview.protocol_bytes()


def _ask(interview: Interview, question: Question, path: Path) -> None:
    typer.echo(f"\n{interview.number}. {question.text}")
    while True:
        proposed = f" [{question.proposed}]" if question.proposed else ""
        typer.echo(f"  {question.hint}{proposed}: ", nl=False)
        try:
            line = sys.stdin.readline()
        except UnicodeDecodeError:
            raise StorageError("answer", "is not UTF-8 text", "type it in a UTF-8 terminal") from None
        if not line or not sys.stdin.isatty():
            typer.echo("")
        if not line:
            raise StorageError(
                str(path),
                f"the answers ended at question {interview.number}; nothing was written",
                "run the command again and answer all eight",
            )
        reason = interview.answer(line.strip() or question.proposed)
        if reason is None:
            return
        typer.echo(f"  {reason}")
