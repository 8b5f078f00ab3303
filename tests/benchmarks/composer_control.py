"""Does the composer do what it is told? Every cue measured on sound, over a grid of the plane.

    python -m tests.benchmarks.composer_control                        all palettes, all tuning seeds
    python -m tests.benchmarks.composer_control --seeds 1 --palette chamber
    python -m tests.benchmarks.composer_control --only tempo           one cue moves, all others are held
    python -m tests.benchmarks.composer_control --report               the reporting run, once

Bars, seeds and measures stand in composer_control_plan.json. Without ``--report`` the tuning seeds are heard
and nothing is written but the clips' figures (in --store, so that a run that was broken off goes on) and,
with --figures, pictures. The reporting run needs a committed tree, and the plan of the earlier report if
there was one; it writes docs/composer-control.md, .json and figures.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import matplotlib as mpl
from rich.console import Console
from rich.progress import track

from generation.composer.cues import CUE_NAMES
from generation.composer.engine import ComposerEngine
from generation.composer.palettes import PALETTES
from study.errors import IsopathError
from tests.benchmarks.composer_control_clips import HeardClip, clips_of, hear_all
from tests.benchmarks.composer_control_figures import draw_plane, draw_seeds, write_figure
from tests.benchmarks.composer_control_page import (
    as_json,
    misses,
    page,
    predictor_table,
    seed_table,
    verdict_table,
)
from tests.benchmarks.composer_control_plan import REPOSITORY, ControlPlan, check_ready_to_report, load_plan
from tests.benchmarks.composer_control_results import Results, results_of

_DOCS = REPOSITORY / "docs"
_STORE = REPOSITORY / "build" / "composer-control"


def main(arguments: Sequence[str] | None = None) -> int:
    """Hear the clips, tell the figures."""
    given = _given(arguments)
    plan = load_plan()
    try:
        return _report(plan, given) if given.report else _tune(plan, given)
    except IsopathError as refusal:
        sys.stderr.write(f"{refusal}\n")
        return 2


def _tune(plan: ControlPlan, given: argparse.Namespace) -> int:
    seeds = plan.tuning_seeds[: given.seeds] if given.seeds else plan.tuning_seeds
    heard = _heard(plan, given, given.palette or sorted(PALETTES), seeds, given.only)
    results = results_of(plan, heard)
    lines = [*verdict_table(plan, results), "", *seed_table(plan, results), "", *predictor_table(results)]
    print("\n".join([*lines, "", *misses(plan, results)]))
    print("rho with the score:", {name: round(rho, 2) for name, rho in results.hearing.items()})
    if given.figures:
        given.figures.mkdir(parents=True, exist_ok=True)
        _write_figures(plan, results, given.figures, ".png")
    return 0


def _report(plan: ControlPlan, given: argparse.Namespace) -> int:
    commit = check_ready_to_report(plan, _DOCS / "composer-control.json")
    palettes = sorted(PALETTES)
    heard = _heard(plan, given, palettes, plan.reporting_seeds, "")
    results = results_of(plan, heard)
    told = {
        "commit": commit,
        "composer": ComposerEngine.version,
        "seeds": list(plan.reporting_seeds),
        "palettes": palettes,
        "clips": len(heard),
    }
    whole = as_json(plan, results, told)
    whole["heard"] = [_clip_json(one) for one in sorted(heard, key=lambda one: one.clip.name)]
    _write_figures(plan, results, _DOCS / "figures", ".svg")
    (_DOCS / "composer-control.json").write_text(_compact(whole), encoding="utf-8")
    (_DOCS / "composer-control.md").write_text(page(plan, results, told), encoding="utf-8")
    print("\n".join([*verdict_table(plan, results), "", *misses(plan, results)]))
    return 0


def _heard(
    plan: ControlPlan, given: argparse.Namespace, palettes: Sequence[str], seeds: Sequence[int], only: str
) -> list[HeardClip]:
    clips = clips_of(plan, palettes, seeds, only)
    predictors = [name for name in given.predictors.split(",") if name]
    console = Console(stderr=True)
    hearing = hear_all(plan, clips, predictors, given.store, given.processes)
    return list(track(hearing, "clips", total=len(clips), console=console))


def _write_figures(plan: ControlPlan, results: Results, folder: Path, ending: str) -> None:
    with mpl.rc_context({"font.size": 9}):
        write_figure(draw_plane(plan, results), folder / f"composer-control-plane{ending}")
        write_figure(draw_seeds(plan, results), folder / f"composer-control-seeds{ending}")


def _clip_json(one: HeardClip) -> dict[str, object]:
    measures = {name: round(value, 4) for name, value in one.measures.items()}
    predicted = {name: [round(value, 3) for value in pair] for name, pair in one.predicted.items()}
    place = {"palette": one.clip.palette, "seed": one.clip.seed, "v": one.clip.valence, "a": one.clip.arousal}
    return {**place, **measures, **predicted}


def _compact(whole: dict[str, object]) -> str:
    """Indented, a clip a line."""
    clips = whole.pop("heard")
    assert isinstance(clips, list)
    head = json.dumps(whole, indent=1, ensure_ascii=False).removesuffix("\n}")
    lines = ",\n  ".join(json.dumps(clip) for clip in clips)
    return f'{head},\n "heard": [\n  {lines}\n ]\n}}\n'


def _given(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--tuning", action="store_true", help="hear tuning seeds (what happens unasked)")
    which.add_argument("--report", action="store_true", help="hear the reporting seeds and write the report")
    parser.add_argument("--seeds", type=int, default=0, help="how many of the tuning seeds (all)")
    parser.add_argument("--palette", action="append", choices=sorted(PALETTES), help="may be repeated (all)")
    parser.add_argument("--only", choices=CUE_NAMES, default="", help="the one cue that moves")
    parser.add_argument("--predictors", default="", help="musicnn,cues (none; with --report both)")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--store", type=Path, default=_STORE, help="where the clips' figures are kept")
    parser.add_argument("--figures", type=Path, help="folder for pictures of a tuning run")
    given = parser.parse_args(arguments)
    if given.report:
        if given.seeds or given.palette or given.only:
            parser.error("--report hears everything: leave out --seeds, --palette and --only")
        given.predictors = given.predictors or ",".join(load_plan().predictors)
    return given


if __name__ == "__main__":
    sys.exit(main())
