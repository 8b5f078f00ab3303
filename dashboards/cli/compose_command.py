"""`isopath compose`: hear a path without a study."""

from __future__ import annotations

import hashlib
import json
import math
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from dashboards.cli.engine_choice import check_engine
from dashboards.cli.placement import BatchOption, DeviceOption, ModelsOption, placement_of
from dashboards.cli.progress import bar
from study.affect import NAMED_STATES, Affect, named_state
from study.errors import OutOfRange, StorageError, UnknownName
from study.path import PathKind, PathSpec, make_path
from study.protocol import EngineSpec
from study.session import SessionPlan

LONGEST_MINUTES = 180.0
SHORTEST_S = 1.0
LOUDNESS_LUFS = -23.0
_LARGEST_SEED = 2**63 - 1
_MOST_STEPS = 10_000
_SUFFIXES = (".flac", ".wav")
COMPOSER = "composer"


def register(app: typer.Typer) -> None:
    """Join this command to the application."""
    app.command("compose")(compose)


def compose(
    start: Annotated[
        str, typer.Option("--from", help="where the music begins: valence,arousal or a named state")
    ] = "tense",
    target: Annotated[str, typer.Option("--to", help="where it leads")] = "calm",
    minutes: Annotated[float, typer.Option(help="length, up to 180")] = 15.0,
    out: Annotated[Path, typer.Option("--out", "-o", help="sound file to write, .flac or .wav")] = Path(
        "session.flac"
    ),
    seed: Annotated[int, typer.Option(help="another seed, another piece on the same path")] = 1,
    steps: Annotated[int, typer.Option(help="waypoints of the path, 2 or more")] = 30,
    engine: Annotated[str, typer.Option(help="composer, musicgen or another that is installed")] = COMPOSER,
    palette: Annotated[
        str | None, typer.Option(help="the composer's: chamber (the default), acoustic or ambient")
    ] = None,
    model: Annotated[
        str | None, typer.Option(metavar="NAME|FOLDER", help="the neural engine's model", show_default=False)
    ] = None,
    device: DeviceOption = "cpu",
    batch_clips: BatchOption = None,
    models_dir: ModelsOption = None,
    force: Annotated[bool, typer.Option("--force", help="replace the file if it is there")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print the result as JSON")] = False,
) -> None:
    """Compose music along a path through valence and arousal, without a study.

    Example:

        isopath compose --from -0.6,0.5 --to 0.6,-0.4 --minutes 15 -o out.flac

    A point is valence,arousal, each from -1 to 1 (unpleasant to pleasant, quiet
    to activated); or a named state: calm, relaxed, sad, anxious, tense, joyful, …

    The same path, seed and palette give the same samples.
    """
    plan = make_compose_plan(start, target, minutes, steps, seed, _spec(engine, palette, model))
    _check_output(out, force)

    # The engine is needed only once everything else is in order.
    from generation.audio import SAMPLE_RATE_HZ, master, write_audio
    from generation.registry import load_engine

    maker = load_engine(plan.engine, placement_of(device, batch_clips, models_dir))
    with bar("composing") as progress:
        audio = next(iter(maker.generate([plan], progress)))
        mastered = master(audio.samples, SAMPLE_RATE_HZ, plan.loudness_lufs)
        write_audio(out, mastered.samples, SAMPLE_RATE_HZ)
    result = {
        "file": str(out),
        "sha256": hashlib.sha256(out.read_bytes()).hexdigest(),
        "duration_s": len(mastered.samples) / SAMPLE_RATE_HZ,
        "loudness_lufs": mastered.loudness_lufs,
        "true_peak_dbtp": mastered.true_peak_dbtp,
        "engine": {"name": maker.name, "version": maker.version, **plan.engine.options},
        "seed": seed,
        "start": [plan.start.valence, plan.start.arousal],
        "target": [plan.target.valence, plan.target.arousal],
        "largest_step": plan.path.largest_step,
        "models": dict(audio.models),
        "licences": dict(audio.licences),
        "takes": len(audio.takes),
    }
    if as_json:
        sys.stdout.write(json.dumps(result, indent=2) + "\n")
        return
    sys.stdout.write(
        f"{out}: {result['duration_s']:.1f} s from {_point(plan.start)} to {_point(plan.target)}, "
        f"{mastered.loudness_lufs:.1f} LUFS, seed {seed}, {_made_by(plan.engine)}\n"
    )


def _spec(engine: str, palette: str | None, model: str | None) -> EngineSpec:
    if engine != COMPOSER and palette is not None:
        raise UnknownName("--palette", f"the engine {engine} has no palettes", "leave it out")
    options = {"palette": palette or "chamber"} if engine == COMPOSER else {}
    spec = EngineSpec(engine, options if model is None else {**options, "model": model})
    check_engine(spec, model)
    return spec


def make_compose_plan(
    start: str, target: str, minutes: float, steps: int, seed: int, engine: EngineSpec
) -> SessionPlan:
    """The plan of a session outside any study.

    Raises:
        OutOfRange: a point off the plane, a length, number of steps or seed outside its range.
        UnknownName: a state that does not exist.
    """
    first, last = _parse_point(start, "--from"), _parse_point(target, "--to")
    if not (math.isfinite(minutes) and SHORTEST_S / 60 <= minutes <= LONGEST_MINUTES):
        raise OutOfRange(
            "--minutes",
            f"{minutes:g} is not a length between 1 second and {LONGEST_MINUTES:g} minutes",
            "write for example 15",
        )
    if not 2 <= steps <= _MOST_STEPS:
        raise OutOfRange("--steps", f"{steps} is not in 2 to {_MOST_STEPS}", "write for example 30")
    if not 0 <= seed <= _LARGEST_SEED:
        raise OutOfRange("--seed", f"{seed} is not in 0 to {_LARGEST_SEED}", "write a whole number from 0")
    step_s = minutes * 60.0 / steps
    path = make_path(PathSpec(PathKind.ISO, steps, step_s), first, last, seed)
    return SessionPlan(
        participant_id="none",
        session_id="ses-01",
        arm_id="compose",
        path=path,
        start=first,
        target=last,
        clip_s=min(30.0, step_s),
        seed=seed,
        loudness_lufs=LOUDNESS_LUFS,
        engine=engine,
    )


def _parse_point(text: str, option: str) -> Affect:
    parts = text.split(",")
    if len(parts) == 1:
        try:
            return named_state(text.strip().lower())
        except UnknownName:
            raise UnknownName(
                option,
                f"{text!r} is neither a point nor a named state",
                "write valence,arousal such as -0.6,0.5, or one of " + ", ".join(NAMED_STATES),
            ) from None
    try:
        numbers = [float(part) for part in parts]
    except ValueError:
        numbers = []
    if len(numbers) != 2:
        raise OutOfRange(option, f"{text!r} is not a point", "write valence,arousal such as -0.6,0.5")
    try:
        return Affect(*numbers)
    except OutOfRange as refusal:
        raise OutOfRange(f"{option} {refusal.where}", refusal.problem, refusal.remedy) from None


def _check_output(out: Path, force: bool) -> None:
    """Refuse before the work, not after it."""
    if out.suffix.lower() not in _SUFFIXES:
        raise StorageError(str(out), "the name ends in neither .flac nor .wav", "write for example out.flac")
    if out.is_dir():
        raise StorageError(str(out), "this is a folder", "name a file in it")
    if out.exists() and not force:
        raise StorageError(str(out), "the file is there already", "name another one, or add --force")
    folder = out.parent
    if not folder.is_dir():
        raise StorageError(str(folder), "there is no such folder", "make it first, or name another one")
    if not os.access(folder, os.W_OK):
        raise StorageError(str(folder), "nothing can be written in this folder", "name another one")


def _made_by(spec: EngineSpec) -> str:
    return " ".join([f"engine {spec.name}", *(f"{name} {value}" for name, value in spec.options.items())])


def _point(affect: Affect) -> str:
    return f"({affect.valence:g}, {affect.arousal:g})"
