"""Fifty sessions, counted as a musician would count them.

    python -m tests.benchmarks.composer_musicality --sessions 50 --minutes 15
    python -m tests.benchmarks.composer_musicality --tuning

Every figure with its bar: voice-leading, melody, cadences, keys, textures, silence, ranges, likeness within a
cohort; with ``--sound`` also clicks, on the sound of some of them. Paths start at moods drawn over the plane
and lead to calm or to joy; palettes take turns. Seeds are 80001 and up: weights of the composer were chosen
while looking at 70001 to 70008 (``--tuning``), and at none of these.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from rich.progress import track

from generation.audio import SAMPLE_RATE_HZ
from generation.composer.engine import ComposerEngine
from generation.composer.palettes import PALETTES
from generation.composer.score import Score
from study.affect import Affect
from study.path import PathKind, PathSpec, make_path
from study.protocol import EngineSpec
from study.session import SessionPlan
from tests.benchmarks.composer_clicks import clicks, second_strikes
from tests.benchmarks.composer_measures import Counts, count, likeness

FIRST_SEED = 80_001
FIRST_TUNING_SEED = 70_001
_TUNING_SESSIONS = 8
_TARGETS = (Affect(0.6, -0.4), Affect(0.7, 0.5))


@dataclass(frozen=True)
class Figure:
    """One figure beside its bar.

    Args:
        bar: as words, "≤ 1 %".
        holds: whether the figure is on the right side of it.
    """

    name: str
    value: float
    bar: str
    holds: bool


def main(arguments: Sequence[str] | None = None) -> int:
    """Count, and print a line a figure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sessions", type=int, default=50, help="how many (50)")
    parser.add_argument("--tuning", action="store_true", help="the eight sessions that weights are chosen on")
    parser.add_argument("--minutes", type=float, default=15.0)
    parser.add_argument("--sound", type=int, default=0, help="how many sessions are also rendered (0)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given = parser.parse_args(arguments)
    sessions, first_seed = given.sessions, FIRST_SEED
    if given.tuning:
        sessions, first_seed = _TUNING_SESSIONS, FIRST_TUNING_SEED
    counts, found = Counts(), 0
    for number in track(range(sessions), "sessions", disable=given.json):
        plan = plan_of(number, given.minutes * 60.0, first_seed)
        engine = ComposerEngine.from_options(plan.engine.options)
        score = engine.compose(plan)
        times = np.linspace(0.0, plan.duration_s, 200)
        count(score, {"onset_s": times, "arousal": plan.path.affect_at(times)[:, 1]}, counts)
        if number < given.sound:
            found += _clicks_of(engine, plan, score)
    figures = figures_of(counts)
    if given.sound:
        figures.append(Figure("clicks", found, "0", found == 0))
    if given.json:
        cadences, forms = dict(counts.cadences), dict(counts.forms)
        told = [vars(figure) for figure in figures]
        print(json.dumps({"figures": told, "cadences": cadences, "forms": forms}, indent=1))
    else:
        for figure in figures:
            mark = "" if figure.holds else "   misses"
            print(f"{figure.name:34}{figure.value:10.3f}   {figure.bar}{mark}")
        print("cadences:", ", ".join(f"{name} {n}" for name, n in counts.cadences.most_common()))
        print("forms:", ", ".join(f"{form} {n}" for form, n in counts.forms.most_common(8)))
    return 0


def plan_of(number: int, duration_s: float, first_seed: int = FIRST_SEED) -> SessionPlan:
    """The plan of session `number`, from 0."""
    seed = first_seed + number
    rng = np.random.default_rng([first_seed, number])
    start = Affect(*(float(x) for x in rng.uniform(-0.9, 0.9, 2)))
    target = _TARGETS[number % len(_TARGETS)]
    palette = sorted(PALETTES)[number % len(PALETTES)]
    return SessionPlan(
        participant_id=f"sub-{number + 1:02d}",
        session_id="ses-01",
        arm_id="iso",
        path=make_path(PathSpec(PathKind.ISO, 30, duration_s / 30), start, target, seed),
        start=start,
        target=target,
        clip_s=duration_s / 30,
        seed=seed,
        loudness_lufs=-23.0,
        engine=EngineSpec("composer", {"palette": palette}),
    )


def figures_of(counts: Counts) -> list[Figure]:
    """The figures of the composer's card, each beside its bar."""
    n_intervals = max(sum(counts.intervals.values()), 1)
    steps = (counts.intervals[1] + counts.intervals[2]) / n_intervals
    parallels = counts.parallels / max(counts.pairs, 1)
    outer = counts.outer_parallels / max(counts.outer_moves, 1)
    motion = float(np.mean(counts.pad_motion)) if counts.pad_motion else 0.0
    resolved = counts.leaps_resolved / max(counts.leaps, 1)
    cadences = 1.0 - counts.cadences["none"] / max(counts.phrase_ends, 1)
    alike = max(likeness(counts.fingerprints), default=0.0)
    key_s, silence_s = counts.longest_key_s, counts.longest_silence_s
    return [
        Figure("parallels, pad and bass", parallels, "≤ .01", parallels <= 0.01),
        Figure("parallels, melody and bass", outer, "≤ .01", outer <= 0.01),
        Figure("pad motion (semitones)", motion, "≤ 1", motion <= 1.0),
        Figure("melodic steps", steps, ".55 to .75", 0.55 <= steps <= 0.75),
        Figure("melodic repeats", counts.intervals[0] / n_intervals, "none set", True),
        Figure("leaps resolved", resolved, "≥ .9", resolved >= 0.9),
        Figure("phrases that end in a cadence", cadences, "≥ .9", cadences >= 0.9),
        Figure("longest key (s), moderate arousal", key_s, "≤ 120", key_s <= 120),
        Figure("fewest textures in a session", counts.fewest_textures, "≥ 4", counts.fewest_textures >= 4),
        Figure("longest time without an onset (s)", silence_s, "≤ 4", silence_s <= 4),
        Figure("notes out of range", counts.out_of_range, "0", counts.out_of_range == 0),
        Figure("most alike two sessions", alike, "≤ .2", alike <= 0.2),
    ]


def _clicks_of(engine: ComposerEngine, plan: SessionPlan, score: Score) -> int:
    audio = next(iter(engine.generate([plan], lambda _share: None)))
    onsets_s = [note.onset_s for note in score.notes]
    known = second_strikes(score.notes)
    return len(clicks(np.asarray(audio.samples), onsets_s, SAMPLE_RATE_HZ, known))


if __name__ == "__main__":
    sys.exit(main())
