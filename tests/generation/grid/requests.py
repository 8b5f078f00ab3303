"""Small grids for tests."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from generation.clip_grid import ClipGrid
from generation.engine import AffectJudge, Placement
from generation.grid.make import make_grid
from generation.grid.request import GridRequest, GridTarget, Seeds, SystemSpec
from study.affect import Affect

TENSE, CALM = GridTarget("tense", Affect(-0.6, 0.6)), GridTarget("calm", Affect(0.6, -0.6))
COMPOSER = SystemSpec("composer", "rule-based composer", "composer")
PULSELESS = replace(COMPOSER, name="no-tempo", title="no tempo", options={"cue_weights": {"tempo": 0}})


def request_of(*systems: SystemSpec, **changes: Any) -> GridRequest:
    """Two targets, a clip of three seconds each."""
    asked = GridRequest("small", systems or (COMPOSER,), (TENSE, CALM), Seeds(1), 3.0)
    return replace(asked, **changes)


def no_judge(name: str) -> AffectJudge:
    raise AssertionError(f"nobody asked for the judge {name}")


def made(request: GridRequest, folder: Path) -> ClipGrid:
    return make_grid(request, folder, no_judge, Placement(), lambda _: None)


def hashes(grid: ClipGrid) -> dict[str, str]:
    return {clip.stim_file: clip.sha256 for clip in grid.clips}
