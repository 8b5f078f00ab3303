"""The composed corpus: music of the rule-based composer over the whole plane, its places known by design.

No clip is composed for a place near a target of the evaluation: what a model makes there it was not shown.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from generation.audio import SAMPLE_RATE_HZ, write_audio
from generation.composer.engine import ComposerEngine
from generation.composer.palettes import PALETTES
from generation.conditioning import load_prompts
from generation.training.tracks import Split
from study.affect import Affect
from study.path import AffectPath, PathKind, Waypoint
from study.protocol import EngineSpec
from study.session import SessionPlan

HELD_OUT = 0.12
"""Radius of the disc round every target of the evaluation in which nothing is composed."""

GAIN = 0.5
"""One gain for all clips, -6 dB: raw sound peaks up to 1.3. Loudness is one of the composer's cues, so clips
are not levelled."""

PROMPTS = "plain"
LICENCE = "Apache-2.0 (composer), with its bank's own licence"
FOLDER = "composed"


@dataclass(frozen=True)
class ComposedClip:
    """One clip of the corpus.

    Args:
        number: from 0; seed and palette follow from it.
        affect: what it is composed to express.
    """

    number: int
    affect: Affect

    @property
    def path(self) -> str:
        """Relative to the corpora's folder."""
        return f"{FOLDER}/c{self.number:05d}.flac"

    @property
    def split(self) -> Split:
        """A tenth each for validation and test: places are drawn at random, so the order is."""
        return {3: Split.VALIDATION, 7: Split.TEST}.get(self.number % 10, Split.TRAIN)

    @property
    def palette(self) -> str:
        """The palettes in turn, one further every ten clips, so that each is in each split."""
        return sorted(PALETTES)[(self.number + self.number // 10) % len(PALETTES)]

    @property
    def kind(self) -> str:
        """Words for a text encoder that say nothing of its place."""
        return f"{self.palette} instrumental music"


def composed_clips(count: int, targets: Sequence[Affect], seed: int = 1) -> tuple[ComposedClip, ...]:
    """Places drawn evenly from the plane, none within `HELD_OUT` of a target.

    Of another count the first clips are the same.
    """
    rng = np.random.default_rng(seed)
    held_out = np.array([[target.valence, target.arousal] for target in targets])
    clips: list[ComposedClip] = []
    while len(clips) < count:
        place = rng.uniform(-1.0, 1.0, 2)
        if np.hypot(*(held_out - place).T).min() > HELD_OUT:
            # As the table writes them, so that nobody knows a place better than the table.
            valence, arousal = (round(float(value), 4) for value in place)
            clips.append(ComposedClip(len(clips), Affect(valence, arousal)))
    return tuple(clips)


def compose_all(
    clips: Sequence[ComposedClip], duration_s: float, root: Path, jobs: int, advance: Callable[[], None]
) -> None:
    """Compose every clip that is not there yet."""
    (root / FOLDER).mkdir(parents=True, exist_ok=True)
    waiting = [clip for clip in clips if not (root / clip.path).is_file()]
    for _ in range(len(clips) - len(waiting)):
        advance()
    with ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn"), _one_thread) as pool:
        for future in as_completed(pool.submit(compose, clip, duration_s, root) for clip in waiting):
            future.result()
            advance()


def compose(clip: ComposedClip, duration_s: float, root: Path) -> None:
    """One clip, as the engine gives it, under the one gain."""
    path = AffectPath(PathKind.CONSTANT, (Waypoint(0.0, duration_s, clip.affect),))
    plan = SessionPlan(
        participant_id="none",
        session_id="ses-01",
        arm_id="corpus",
        path=path,
        start=clip.affect,
        target=clip.affect,
        clip_s=duration_s,
        seed=1000 + clip.number,
        loudness_lufs=-23.0,
        engine=EngineSpec("composer", {"palette": clip.palette}),
    )
    (sound,) = ComposerEngine(palette=clip.palette).generate([plan], lambda _: None)
    write_audio(root / clip.path, sound.samples * np.float32(GAIN), SAMPLE_RATE_HZ)


def composed_rows(clips: Sequence[ComposedClip]) -> list[dict[str, str]]:
    """The rows of the corpus's table."""
    words = load_prompts(PROMPTS)
    return [
        {
            "path": clip.path,
            "valence": f"{clip.affect.valence:.4f}",
            "arousal": f"{clip.affect.arousal:.4f}",
            "prompt": words.prompt(clip.affect),
            "split": clip.split.value,
            "licence": LICENCE,
        }
        for clip in clips
    ]


def _one_thread() -> None:
    os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"
