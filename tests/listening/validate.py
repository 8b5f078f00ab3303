"""Hear music that nobody here made, and sounds of one knob, and write docs/mer.md: `make validate-mer`.

Fetches Debian packages of game music (`apt-get download`: no root, nothing is installed), hears the middle
three minutes of every track of tests/listening/tracks.csv with every predictor, hears controlled and
composed sounds, and writes docs/mer.json, docs/mer.md and docs/figures/mer-*.svg. What was fetched and heard
is kept under build/listening: an interrupted run goes on where it was. Where packages cannot be had, the
figures on game music stay as they were, and the program says so.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from analysis.mer.combined import NAME as COMBINED
from analysis.mer.predictor import PredictorCard
from analysis.mer.registry import EMBEDDED
from study.folder import write_whole
from tests.listening import composed, one_knob
from tests.listening.card import as_json, write_card
from tests.listening.cue_slopes import cue_slopes, tag_places
from tests.listening.discrimination import half_figures, label_counts, track_rows
from tests.listening.foreign import foreign_figures
from tests.listening.hearing import HeardSound, combined_card, hear_all, predictors_here
from tests.listening.made_sounds import Sound
from tests.listening.packages import Package, have_all, listed
from tests.listening.tracks import HALVES, LabelledTrack, TrackSound, load_tracks, speech_of

ROOT = Path(__file__).parents[2]
SPEECH_PACKAGE = "hedgewars-data"
SOFTWARE = ("isopath", "numpy", "scipy", "onnxruntime", "soundfile")
OF_GAME_MUSIC = ("labels", "halves", "tracks", "foreign")
"""Sections that need the packages."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Fetch, hear, count, write."""
    asked = _asked(arguments)
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    out = Console(stderr=True)
    asked.docs.mkdir(parents=True, exist_ok=True)
    predictors, not_compared = predictors_here()
    if not_compared:
        out.print(f"skipped: Essentia's emomusic head, for comparison ({not_compared})")
    roots, reasons = _packages(asked.kept / "packages", asked.debs, out)
    with _bar(out) as bar:
        made = _hear([*one_knob.sounds(), *composed.sounds()], asked, bar, "controlled and composed sounds")
        music = {} if reasons else _music(roots, asked, bar)
    cards = {one.card.name: one.card for one in predictors}
    cards = {**cards, COMBINED: combined_card()}
    content: dict[str, Any] = {
        "made_with": {"python": platform.python_version(), **{name: version(name) for name in SOFTWARE}},
        "predictors": {name: asdict(card) for name, card in _in_order(cards).items()},
        "not_compared": not_compared,
        **_made_figures(made, list(_in_order(cards))),
        "cue_slopes": cue_slopes(),
        "tag_places": tag_places(),
    }
    if reasons:
        kept = _kept_figures(asked.docs / "mer.json", content)
        for package, reason in reasons.items():
            out.print(f"skipped: {package}: {reason}")
        out.print("skipped: areas, correlations and foreign shares on game music are not made anew")
        if kept is None:
            out.print(
                "skipped: docs/mer.md stays as it is: its figures on game music are of other predictors"
            )
            return
        content = {**kept, **content, "predictors": {**kept["predictors"], **content["predictors"]}}
    else:
        content |= _music_figures(music, made, roots, asked.half, list(_in_order(cards)))
    write_whole(asked.docs / "mer.json", as_json(content).encode())
    write_card(asked.docs)
    out.print(str(asked.docs / "mer.md"))
    if asked.json:
        sys.stdout.write(json.dumps(content, ensure_ascii=False) + "\n")


def _in_order(cards: Mapping[str, PredictorCard]) -> dict[str, PredictorCard]:
    """Embedded first, then their combination, then what is compared with."""
    first = [*EMBEDDED, COMBINED]
    return {name: cards[name] for name in (*first, *(other for other in cards if other not in first))}


def _packages(folder: Path, debs: Path | None, out: Console) -> tuple[dict[str, Path], dict[str, str]]:
    packages = listed()
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:.0f} of {task.total} MB"),
    )
    with Progress(*columns, TimeElapsedColumn(), console=out) as bar:
        task = bar.add_task("packages", total=sum(package.size_mb for package in packages))
        done: dict[str, int] = {}

        def advance(name: str, megabytes: int) -> None:
            done[name] = megabytes
            bar.update(task, completed=sum(done.values()), description=name)

        return have_all(packages, folder, debs, advance)


def _bar(out: Console) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=out)


def _hear(
    sounds: Sequence[Sound], asked: argparse.Namespace, bar: Progress, title: str
) -> dict[str, HeardSound]:
    task = bar.add_task(title, total=len(sounds))
    return hear_all(sounds, asked.kept / "heard", asked.jobs, lambda: bar.advance(task))


def _music(roots: Mapping[str, Path], asked: argparse.Namespace, bar: Progress) -> dict[str, HeardSound]:
    tracks = _tracks(asked.half)
    sounds: list[Sound] = [TrackSound(track.sound_id, roots[track.package] / track.path) for track in tracks]
    sounds += speech_of(roots[SPEECH_PACKAGE])
    return _hear(sounds, asked, bar, "game music")


def _tracks(half: str) -> list[LabelledTrack]:
    return [track for track in load_tracks() if half in ("both", track.half)]


def _made_figures(made: Mapping[str, HeardSound], predictors: Sequence[str]) -> dict[str, Any]:
    return {
        "one_knob": one_knob.effects(made, predictors),
        "composed_grid": composed.grid_figures(made, predictors),
        "seams": composed.seam_figures(made, predictors),
        "pauses": composed.pause_figures(made, predictors),
        "heard_anew": one_knob.predictions(made, EMBEDDED),
    }


def _music_figures(
    music: Mapping[str, HeardSound],
    made: Mapping[str, HeardSound],
    roots: Mapping[str, Path],
    half: str,
    predictors: Sequence[str],
) -> dict[str, Any]:
    tracks = _tracks(half)
    by_half = {name: [track for track in tracks if track.half == name] for name in HALVES}
    groups = {f"game music, {name} half": [t.sound_id for t in own] for name, own in by_half.items() if own}
    groups["speech"] = [sound.sound_id for sound in speech_of(roots[SPEECH_PACKAGE])]
    embedded = [name for name in predictors if name in (*EMBEDDED, COMBINED)]
    return {
        "labels": label_counts(load_tracks()),
        "halves": {name: half_figures(own, music, predictors) for name, own in by_half.items() if own},
        "tracks": track_rows(tracks, music, embedded),
        "foreign": foreign_figures({**made, **music}, groups, predictors),
    }


def _kept_figures(path: Path, content: Mapping[str, Any]) -> dict[str, Any] | None:
    """The sections on game music of an earlier run, if they are of these predictors."""
    try:
        before = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    now = json.loads(json.dumps(content["predictors"]))
    if any(before.get("predictors", {}).get(name) != now[name] for name in EMBEDDED):
        return None
    return {name: before[name] for name in ("predictors", *OF_GAME_MUSIC) if name in before}


def _epilogue(packages: Sequence[Package]) -> str:
    rows = "\n".join(f"  {p.name:24} {p.version:26} {p.size_mb:6} MB" for p in packages)
    whole = sum(package.size_mb for package in packages)
    return f"packages (Debian 12, main):\n{rows}\n  {'together':51} {whole:6} MB"


def _asked(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="make validate-mer",
        description=__doc__,
        epilog=_epilogue(listed()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--debs", type=Path, help="a folder that holds the .deb files already")
    parser.add_argument("--half", choices=("both", "calibrate"), default="both", help="which tracks")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes")
    parser.add_argument("--kept", type=Path, default=ROOT / "build" / "listening", help="the cache")
    parser.add_argument("--docs", type=Path, default=ROOT / "docs", help="where the card is written")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON, too")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
