"""The clips: a place of the plane, held; composed, heard and kept on disk, one file a clip."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from analysis.mer.predictor import AffectPredictor
from analysis.mer.registry import load_predictor
from generation.audio import SAMPLE_RATE_HZ
from generation.composer.cues import CUE_NAMES
from generation.composer.engine import ComposerEngine
from generation.composer.score import Part, Score
from study.affect import Affect
from study.folder import write_whole
from study.path import AffectPath, PathKind, Waypoint
from study.protocol import EngineSpec
from study.session import SessionPlan
from tests.benchmarks.composer_control_measures import measure
from tests.benchmarks.composer_control_plan import REPOSITORY, ControlPlan

#: What a clip's figures depend on, besides the plan.
_CODE = (
    "generation/composer/**/*.py",
    "analysis/mer/**/*.py",
    "tests/benchmarks/composer_control_clips.py",
    "tests/benchmarks/composer_control_measures.py",
)


@dataclass(frozen=True)
class Clip:
    """One clip to be made.

    Args:
        cue: the only cue that moves, all others held neutral; "" where all move.
    """

    palette: str
    seed: int
    valence: float
    arousal: float
    cue: str = ""

    @property
    def name(self) -> str:
        """Of its file."""
        return f"{self.palette}-{self.seed}-{self.valence:+.1f}{self.arousal:+.1f}{self.cue}".replace(
            " ", "_"
        )


@dataclass(frozen=True)
class HeardClip:
    """What was heard of a clip.

    Args:
        measures: by the name of `composer_control_measures.UNITS`.
        predicted: predictor to (valence, arousal), mean over its windows.
        written: the same things in the score, to see how well the measures hear; no result rests on it.
    """

    clip: Clip
    measures: Mapping[str, float]
    predicted: Mapping[str, tuple[float, float]]
    written: Mapping[str, float]


def clips_of(
    plan: ControlPlan, palettes: Sequence[str], seeds: Sequence[int], cue_alone: str = ""
) -> list[Clip]:
    """The whole grid, for every palette and seed."""
    return [
        Clip(palette, seed, valence, arousal, cue_alone)
        for palette in palettes
        for seed in seeds
        for valence in plan.grid
        for arousal in plan.grid
    ]


def hear_all(
    plan: ControlPlan, clips: Sequence[Clip], predictors: Sequence[str], store: Path, processes: int
) -> Iterator[HeardClip]:
    """Every clip as it is done; what was heard before by the same code is read from `store`."""
    folder = store / _code_sha256(plan.sha256)[:16]
    folder.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(processes) as pool:
        waiting = [pool.submit(hear_clip, plan, clip, tuple(predictors), folder) for clip in clips]
        for done in as_completed(waiting):
            yield done.result()


def hear_clip(plan: ControlPlan, clip: Clip, predictors: tuple[str, ...], folder: Path) -> HeardClip:
    """Compose and hear one clip, or read what was heard of it."""
    kept = folder / f"{clip.name}.json"
    if kept.exists():
        told = json.loads(kept.read_text(encoding="utf-8"))
        if set(predictors) <= set(told["predicted"]):
            return HeardClip(clip, told["measures"], told["predicted"], told["written"])
    session = _session(plan, clip)
    engine = ComposerEngine.from_options(session.engine.options)
    sound = np.asarray(next(iter(engine.generate([session], _unheard))).samples)
    first, last = (round(moment_s * SAMPLE_RATE_HZ) for moment_s in plan.excerpt_s)
    excerpt = np.ascontiguousarray(sound[first:last])
    heard = HeardClip(
        clip=clip,
        measures=measure(excerpt, SAMPLE_RATE_HZ),
        predicted={name: _predicted(name, excerpt) for name in predictors},
        written=_written(engine.compose(session), plan.excerpt_s),
    )
    told = {
        "clip": asdict(clip),
        "measures": heard.measures,
        "predicted": heard.predicted,
        "written": heard.written,
    }
    write_whole(kept, json.dumps(told, indent=1).encode())
    return heard


def _session(plan: ControlPlan, clip: Clip) -> SessionPlan:
    place = Affect(clip.valence, clip.arousal)
    options: dict[str, object] = {"palette": clip.palette}
    if clip.cue:
        options["cue_weights"] = only(clip.cue)
    return SessionPlan(
        participant_id="sub-01",
        session_id="ses-01",
        arm_id="held",
        path=AffectPath(PathKind.ISO, (Waypoint(0.0, plan.session_s, place),)),
        start=place,
        target=place,
        clip_s=30.0,
        seed=clip.seed,
        loudness_lufs=-23.0,
        engine=EngineSpec("composer", options),
    )


def only(cue: str) -> dict[str, float]:
    """Weights that hold every cue but one."""
    return {name: float(name == cue) for name in CUE_NAMES}


def _unheard(share: float) -> None:
    """Nobody watches the progress of one clip."""


def _predicted(name: str, excerpt: NDArray[np.float32]) -> tuple[float, float]:
    series = _predictor(name).predict(excerpt, SAMPLE_RATE_HZ)
    return float(series.valence_pred.mean()), float(series.arousal_pred.mean())


@lru_cache(maxsize=4)
def _predictor(name: str) -> AffectPredictor:
    return load_predictor(name)


def _written(score: Score, excerpt_s: tuple[float, float]) -> dict[str, float]:
    first_s, last_s = excerpt_s
    notes = [note for note in score.notes if first_s <= note.onset_s < last_s]
    beats = [moment for moment in score.beat_times_s if first_s <= moment < last_s]
    melody = [note.key for note in notes if note.part is Part.MELODY]
    return {
        "note_rate": len(notes) / (last_s - first_s),
        "tempo": 60.0 * (len(beats) - 1) / (beats[-1] - beats[0]) if len(beats) > 1 else 0.0,
        "register": float(np.mean(melody)) if melody else 0.0,
    }


@lru_cache(maxsize=1)
def _code_sha256(plan_sha256: str) -> str:
    digest = hashlib.sha256(plan_sha256.encode())
    for pattern in _CODE:
        for path in sorted(REPOSITORY.glob(pattern)):
            digest.update(path.read_bytes())
    return digest.hexdigest()
