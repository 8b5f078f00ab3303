"""The files about a composed session: its notes, its cues bar by bar, its picture."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dashboards.cli.arguments import software_version
from dashboards.cli.compose_files import Outputs
from generation.composer.audit.cue_sheet import cue_sheet, cue_sheet_csv, cue_sheet_json
from generation.composer.audit.midi import midi_of
from generation.composer.audit.novelty import novelty_of
from generation.composer.audit.novelty_picture import draw_novelty
from generation.composer.audit.piano_roll import piano_roll_bytes, write_piano_roll
from generation.composer.cues import CueCurves
from generation.composer.engine import ComposerEngine
from generation.composer.score import Score
from study.canonical import plain
from study.folder import write_whole
from study.session import SessionPlan

#: Characters in a line above the picture of the form, which is half as wide as the piano roll.
_TITLE_WIDTH = 84


def write_audit(
    folder: Path, outputs: Outputs, plan: SessionPlan, score: Score, curves: CueCurves
) -> dict[str, str]:
    """Write what is asked for into `folder`.

    Returns:
        What each file is, by kind: ``{"MIDI file": "out.mid"}``, as named beside the sound.

    Raises:
        StorageError: the disk takes no more.
    """
    about = about_session(plan)
    written: dict[str, str] = {}
    if outputs.midi:
        name = outputs.beside(".mid")
        write_whole(folder / name.name, midi_of(score, [f"{key}: {told}" for key, told in _lines(about)]))
        written["MIDI file"] = str(name)
    if outputs.cue_sheet:
        rows = cue_sheet(score, curves, plan.path)
        table, data = outputs.beside("-cues.csv"), outputs.beside("-cues.json")
        write_whole(folder / table.name, cue_sheet_csv(rows).encode())
        write_whole(folder / data.name, cue_sheet_json(rows, about).encode())
        written |= {"cue sheet": str(table), "cue sheet with all options": str(data)}
    if outputs.piano_roll:
        name = outputs.beside(".png")
        write_piano_roll(folder / name.name, score, curves, plan.path, _title(plan))
        written["piano roll"] = str(name)
    if outputs.form:
        name = outputs.beside("-form.png")
        figure = draw_novelty(score, novelty_of(score), textwrap.fill(_title(plan), _TITLE_WIDTH))
        write_whole(folder / name.name, piano_roll_bytes(figure))
        written["picture of the form"] = str(name)
    return written


def about_session(plan: SessionPlan) -> dict[str, Any]:
    """What whoever finds a file of the session should know of it."""
    points = [waypoint.affect for waypoint in plan.path.waypoints if waypoint.affect is not None]
    return {
        "software": software_version(),
        "engine": plan.engine.name,
        "engine_version": ComposerEngine.version,
        "options": plain(plan.engine.options),
        "seed": plan.seed,
        "duration_s": plan.duration_s,
        "start": [plan.start.valence, plan.start.arousal],
        "target": [plan.target.valence, plan.target.arousal],
        "waypoints": len(points),
        "plan_sha256": plan.sha256,
    }


def _lines(about: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [
        (key, told if isinstance(told, str) else json.dumps(told, sort_keys=True))
        for key, told in about.items()
    ]


def _title(plan: SessionPlan) -> str:
    ends = [f"({affect.valence:g}, {affect.arousal:g})" for affect in (plan.start, plan.target)]
    options = (f"{key} {json.dumps(plain(told))}" for key, told in plan.engine.options.items())
    return f"isopath compose: {' to '.join(ends)}, seed {plan.seed}, {', '.join(options)}".replace('"', "")
