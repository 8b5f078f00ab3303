"""`isopath compose`: hear a path without a study."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from dashboards.cli.compose_engine import COMPOSER, DEFAULT_RATE_HZ, EngineRequest
from dashboards.cli.compose_files import Outputs
from dashboards.cli.compose_path import PathRequest
from dashboards.cli.placement import BatchOption, DeviceOption, ModelsOption, placement_of
from dashboards.cli.progress import bars
from generation.composer.palettes import DEFAULT_PALETTE, PALETTES
from study.affect import Affect
from study.errors import OutOfRange
from study.path import AffectPath
from study.protocol import EngineSpec
from study.session import SessionPlan

LOUDNESS_LUFS = -23.0
DEFAULT_OUT = Path("session.flac")
_LARGEST_SEED = 2**63 - 1
_LONGEST_CLIP_S = 30.0


def register(app: typer.Typer) -> None:
    """Join this command to the application."""
    app.command("compose")(compose)


def compose(
    start: Annotated[
        str | None,
        typer.Option(
            "--from", help="where the music begins: valence,arousal or a named state [default: tense]"
        ),
    ] = None,
    target: Annotated[str | None, typer.Option("--to", help="where it leads [default: calm]")] = None,
    via: Annotated[
        list[str] | None, typer.Option("--via", help="a point on the way; several in their order")
    ] = None,
    path: Annotated[
        Path | None,
        typer.Option("--path", help="CSV with onset_s,valence,arousal instead: a waypoint a row"),
    ] = None,
    minutes: Annotated[float | None, typer.Option(help="length, up to 180 [default: 15]")] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="sound file to write, .flac or .wav [default: session.flac]"),
    ] = None,
    seed: Annotated[int, typer.Option(help="another seed, another piece on the same path")] = 1,
    steps: Annotated[int | None, typer.Option(help="waypoints of the path, 2 or more [default: 30]")] = None,
    engine: Annotated[str, typer.Option(help="composer, musicgen or another that is installed")] = COMPOSER,
    palette: Annotated[
        str | None,
        typer.Option(help=f"the composer's: {', '.join(PALETTES)} [default: {DEFAULT_PALETTE}]"),
    ] = None,
    cue_weights: Annotated[
        str | None,
        typer.Option("--cue-weights", metavar="CUE=WEIGHT,…", help="0 holds a cue, 1 lets it move: tempo=0"),
    ] = None,
    rate: Annotated[int, typer.Option(metavar="HZ", help="32000, 44100 or 48000")] = DEFAULT_RATE_HZ,
    bank: Annotated[
        str | None,
        typer.Option(help="who plays: auto, sampled (recordings) or synthetic [default: auto]"),
    ] = None,
    play: Annotated[
        bool,
        typer.Option("--play", help="play it while it is made; writes a file only where --out names one"),
    ] = False,
    stems: Annotated[
        bool, typer.Option("--stems", help="write a sound file for each part: OUT-melody.flac, …")
    ] = False,
    midi: Annotated[bool, typer.Option("--midi", help="write the notes, too: OUT.mid")] = False,
    cue_sheet: Annotated[
        bool, typer.Option("--cue-sheet", help="write cues and chords bar by bar: OUT-cues.csv and .json")
    ] = False,
    piano_roll: Annotated[
        bool, typer.Option("--piano-roll", help="draw notes, sections, path and cues: OUT.png")
    ] = False,
    form: Annotated[
        bool, typer.Option("--form", help="draw which bars are alike, and where new begins: OUT-form.png")
    ] = False,
    model: Annotated[
        str | None, typer.Option(metavar="NAME|FOLDER", help="the neural engine's model", show_default=False)
    ] = None,
    device: DeviceOption = "cpu",
    batch_clips: BatchOption = None,
    models_dir: ModelsOption = None,
    force: Annotated[bool, typer.Option("--force", help="replace files that are there")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print the result as JSON")] = False,
) -> None:
    """Compose music along a path through valence and arousal, without a study.

    Example:

        isopath compose --from -0.6,0.5 --to 0.6,-0.4 --minutes 15 -o out.flac

    A point is valence,arousal, each from -1 to 1 (unpleasant to pleasant, quiet
    to activated); or a named state: calm, relaxed, sad, anxious, tense, joyful, …

    The same path, seed, palette and weights give the same samples.
    """
    given = {
        "--stems": stems,
        "--midi": midi,
        "--cue-sheet": cue_sheet,
        "--piano-roll": piano_roll,
        "--form": form,
        "--play": play,
    }
    request = EngineRequest(engine, palette, cue_weights, bank, model, rate)
    spec = request.spec([option for option, is_given in given.items() if is_given])
    plan = make_compose_plan(PathRequest(start, target, via or (), path, minutes, steps).path(), seed, spec)
    outputs = None
    wanted = Outputs(out or DEFAULT_OUT, stems, midi, cue_sheet, piano_roll, form)
    if out is not None or not play or wanted.needs_notes:
        outputs = wanted
        outputs.check(force)

    # The engine is needed only once everything else is in order.
    from dashboards.cli.compose_sound import make_files
    from dashboards.cli.player import open_player

    placement = placement_of(device, batch_clips, models_dir)
    player = open_player(rate) if play else None
    with bars("composing", *(["playing"] if play else [])) as progress:
        result = make_files(plan, placement, rate, outputs, player, *progress)
    if as_json:
        sys.stdout.write(json.dumps(result, indent=2) + "\n")
        return
    sys.stdout.write(_told(plan, result))


def make_compose_plan(path: AffectPath, seed: int, engine: EngineSpec) -> SessionPlan:
    """The plan of a session outside any study.

    Raises:
        OutOfRange: a seed outside its range.
    """
    if not 0 <= seed <= _LARGEST_SEED:
        raise OutOfRange("--seed", f"{seed} is not in 0 to {_LARGEST_SEED}", "write a whole number from 0")
    first, last = path.waypoints[0], path.waypoints[-1]
    is_even = len({round(waypoint.duration_s, 6) for waypoint in path.waypoints}) == 1
    return SessionPlan(
        participant_id="none",
        session_id="ses-01",
        arm_id="compose",
        path=path,
        start=first.affect or Affect(0.0, 0.0),
        target=last.affect or Affect(0.0, 0.0),
        clip_s=min(_LONGEST_CLIP_S, first.duration_s if is_even else path.duration_s),
        seed=seed,
        loudness_lufs=LOUDNESS_LUFS,
        engine=engine,
    )


def _told(plan: SessionPlan, result: Mapping[str, Any]) -> str:
    loudness = result["loudness_lufs"]
    facts = [
        f"{result['duration_s']:.1f} s from {_point(plan.start)} to {_point(plan.target)}",
        *([] if loudness is None else [f"{loudness:.1f} LUFS"]),
        f"seed {plan.seed}",
        _made_by(plan.engine),
    ]
    lines = [
        f"{result['file'] or 'played'}: {', '.join(facts)}",
        *(f"{name}: {what}" for what, name in result["beside"].items()),
    ]
    return "\n".join(lines) + "\n"


def _made_by(spec: EngineSpec) -> str:
    told = [f"engine {spec.name}"]
    for name, value in spec.options.items():
        shown = (
            " ".join(f"{cue}={weight:g}" for cue, weight in value.items())
            if isinstance(value, dict)
            else value
        )
        told.append(f"{name} {shown}")
    return " ".join(told)


def _point(affect: Affect) -> str:
    return f"({affect.valence:g}, {affect.arousal:g})"
