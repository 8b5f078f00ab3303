"""`isopath evaluate-generator`: what generators make of places on the plane, as predictors hear it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dashboards.cli.placement import BatchOption, DeviceOption, ModelsOption, placement_of
from dashboards.cli.progress import bar
from study.errors import AudioError, IsopathError, ModelError, OutOfRange, refuse

if TYPE_CHECKING:
    from analysis.generator.evaluation import Evaluation
    from analysis.mer.predictor import AffectPredictor
    from generation.clip_grid import ClipGrid
    from generation.grid.request import GridRequest
    from generation.grid.trained_run import TrainedRun

HEARD = "heard"
_CANDIDATES = 4


def register(app: typer.Typer) -> None:
    """Join this command to the application."""
    app.command("evaluate-generator")(evaluate_generator)


def evaluate_generator(
    out: Annotated[
        Path,
        typer.Option(
            "--out", "-o", help="Folder of the evaluation; named again, it goes on.", file_okay=False
        ),
    ],
    systems: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Systems of your own, as docs/evaluating.md shows them.", show_default=False
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(metavar="NAME|FOLDER", help="A model as it is: the base.", show_default=False),
    ] = None,
    trained: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="RUN", help="What isopath train made; may be given several times.", show_default=False
        ),
    ] = None,
    targets: Annotated[
        int | None, typer.Option(help="N for N × N places of the plane.", show_default="4")
    ] = None,
    seeds: Annotated[
        int | None, typer.Option(help="Clips for each place and system.", show_default="2")
    ] = None,
    clip_s: Annotated[
        float | None, typer.Option("--clip-s", help="Seconds of a clip, up to 30.", show_default="10")
    ] = None,
    predictors: Annotated[
        str | None,
        typer.Option(
            metavar="NAME,NAME", help="Who hears.", show_default="every predictor whose weights are here"
        ),
    ] = None,
    judge: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Best of N besides: the predictor that chooses.", show_default=False
        ),
    ] = None,
    candidates: Annotated[
        int | None, typer.Option(help="N of best of N.", show_default=str(_CANDIDATES))
    ] = None,
    ceiling: Annotated[
        bool, typer.Option(help="Hear the trainings' own validation music too: what can be heard at all.")
    ] = True,
    device: DeviceOption = "cpu",
    batch_clips: BatchOption = None,
    models_dir: ModelsOption = None,
    bootstrap: Annotated[int, typer.Option(min=100, help="Draws of targets, for intervals.")] = 2000,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")] = False,
) -> None:
    """Evaluate generators: a grid of targets × seeds × systems, heard by every predictor at hand.

    Each system makes the same places of the plane with the same seeds; each
    clip is heard by predictors that are never averaged. One that labelled a
    training, chose its checkpoint or chooses among candidates is marked there
    and carries no claim. Writes clips, a page, JSON, Markdown and figures into
    the folder, and the tables into the card of every training named.

    Example:

        isopath evaluate-generator --trained runs/emotion --out evaluation

    A system that cannot be made is named, and the others are evaluated.
    Stopped or killed, the command goes on where it was when it is run again.
    """
    # Networks and engines load only for those who use them.
    from analysis.generator.evaluation import evaluate
    from analysis.generator.heard import hear_grid
    from analysis.generator.page import write_page
    from analysis.mer.judge import load_judge
    from dashboards.cli.evaluate_printing import print_evaluation, summary_json
    from generation.grid.make import make_grid
    from generation.grid.trained_run import read_run

    request = _request(systems, model, trained or [], judge, candidates)
    request = _changed(request, targets, seeds, clip_s)
    for name in dict.fromkeys(system.options.get("judge") for system in request.systems):
        if name is not None:
            load_judge(name)
    listening, missing = _listeners(predictors)
    _check_length(request.clip_s, listening)
    placement = placement_of(device, batch_clips, models_dir)
    runs = [read_run(root) for root in dict.fromkeys(path.resolve() for path in trained or [])]
    with bar("making clips") as progress:
        grid = make_grid(request, out, load_judge, placement, progress)
    if ceiling:
        grid = _with_ceilings(out, grid, runs, request.clip_s)
    with bar("hearing them") as progress:
        heard = hear_grid(grid, out, listening, out / HEARD, progress)
    evaluation = evaluate(heard, bootstrap)
    files = write_page(evaluation, out)
    _fill_cards(runs, evaluation)
    if as_json:
        typer.echo(json.dumps(summary_json(evaluation, files), ensure_ascii=False, allow_nan=False))
    else:
        print_evaluation(evaluation, files, missing)


def _request(
    systems: Path | None,
    model: str | None,
    trained: Sequence[Path],
    judge: str | None,
    candidates: int | None,
) -> GridRequest:
    from generation.grid.request import GridRequest
    from generation.grid.request_file import read_request
    from generation.grid.systems import ONLY_THE_COMPOSER, Choosing, standard_systems

    if candidates is not None and judge is None:
        raise OutOfRange("--candidates", "are given, and no --judge to choose among them", "name a --judge")
    if systems is not None:
        given = {"--model": model, "--judge": judge}
        refuse(
            [
                OutOfRange(
                    option, "is given beside --systems", "write it into the file, or leave one of them out"
                )
                for option, value in given.items()
                if value is not None
            ]
        )
        return read_request(systems)
    choosing = None if judge is None else Choosing(judge, _CANDIDATES if candidates is None else candidates)
    found = standard_systems(model, trained, choosing)
    if len(found) == 1:
        typer.echo(ONLY_THE_COMPOSER, err=True)
    return GridRequest(" and ".join(path.resolve().name for path in trained) or model or "composer", found)


def _changed(
    request: GridRequest, targets: int | None, seeds: int | None, clip_s: float | None
) -> GridRequest:
    """The request with what the command line says otherwise."""
    from generation.grid.request import square

    changed = request if targets is None else replace(request, targets=square(targets))
    if seeds is not None:
        changed = replace(changed, seeds=replace(changed.seeds, count=seeds))
    return changed if clip_s is None else replace(changed, clip_s=clip_s)


def _listeners(named: str | None) -> tuple[tuple[AffectPredictor, ...], list[str]]:
    """Who hears, and the installed predictors whose weights are not here."""
    from analysis.mer.registry import EMBEDDED, load_predictor, load_predictors
    from study.plugins import PREDICTORS, installed_names

    if named is not None:
        return load_predictors([name.strip() for name in named.split(",") if name.strip()]), []
    found, missing = [], []
    for name in dict.fromkeys((*EMBEDDED, *installed_names(PREDICTORS))):
        try:
            found.append(load_predictor(name))
        except ModelError:
            missing.append(name)
    return tuple(found), missing


def _check_length(clip_s: float, predictors: Sequence[AffectPredictor]) -> None:
    """Refuse clips that a predictor would not hear, before they are made: noise of that length is tried."""
    import numpy as np

    from generation.audio import SAMPLE_RATE_HZ

    noise = np.random.default_rng(0).normal(0.0, 0.1, (round(clip_s * SAMPLE_RATE_HZ), 2)).astype(np.float32)
    refused: list[IsopathError] = []
    for one in predictors:
        try:
            one.predict(noise, SAMPLE_RATE_HZ)
        except AudioError as refusal:
            told = f"clips of {clip_s:g} s are too short for {one.card.name} ({refusal.problem})"
            refused.append(OutOfRange("--clip-s", told, "make them longer, or hear with others"))
    refuse(refused)


def _with_ceilings(folder: Path, grid: ClipGrid, runs: Sequence[TrainedRun], clip_s: float) -> ClipGrid:
    """The grid with the validation music of each training, once where several learned from the same."""
    from generation.grid.ceiling import add_ceiling, ceiling_from_run
    from generation.grid.trained_run import ceiling_names

    for run, name in zip(runs, ceiling_names(runs), strict=True):
        if any(system.name == name for system in grid.systems):
            continue
        found = None if name is None else ceiling_from_run(run, name, clip_s)
        if found is None:
            typer.echo(f"{run.root}: keeps no labelled validation music, so it gives no ceiling", err=True)
            continue
        try:
            grid = add_ceiling(
                folder,
                grid,
                found.name,
                found.title,
                found.cuts,
                found.took_part,
                found.licences,
                found.notes,
            )
        except AudioError as refusal:
            typer.echo(str(refusal), err=True)
            grid = replace(grid, faults=(*grid.faults, str(refusal)))
    return grid


def _fill_cards(runs: Sequence[TrainedRun], evaluation: Evaluation) -> None:
    """Put the tables into the trainings' cards; a card that has no place for them is named, and left."""
    from analysis.generator.markdown import render_markdown
    from generation.training.outcome.model_card import add_evaluation

    for run in runs:
        try:
            add_evaluation(run.made, render_markdown(evaluation, heading=3))
        except IsopathError as refusal:
            typer.echo(str(refusal), err=True)
