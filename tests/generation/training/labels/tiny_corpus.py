"""A corpus of a few short sounds that are loud in some windows and soft in others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

from generation.training.crops import Crop, windows
from generation.training.recipe import ConditioningRecipe, DataRecipe, LabelRecipe, Recipe
from generation.training.tracks import Corpus, Split, Track
from study.errors import AudioError

RATE_HZ = 8_000
WINDOW_S = 2.0


class LevelJudge:
    """Hears arousal as level: samples of a constant c in [0, 1] as 2c - 1. It refuses silence.

    Args:
        dies_after: raises KeyboardInterrupt instead of hearing so many windows.
    """

    name = "level"

    def __init__(self, version: str = "1", dies_after: int | None = None) -> None:
        self.version = version
        self.n_heard = 0
        self._dies_after = dies_after

    def judge(self, samples: NDArray[np.float32], sample_rate_hz: int) -> tuple[float, float]:
        """Valence 0, arousal by level."""
        if self.n_heard == self._dies_after:
            raise KeyboardInterrupt
        self.n_heard += 1
        level = float(np.abs(samples).mean())
        if level == 0.0:
            raise AudioError("clip", "there is nothing to hear in it", "use another")
        return 0.0, 2.0 * level - 1.0


def sound(path: Path, levels: Sequence[float], beyond_s: float = 0.0) -> Path:
    """A WAV of windows of constant level, `WINDOW_S` each, and `beyond_s` of silence after them."""
    pieces = [np.full(round(WINDOW_S * RATE_HZ), level) for level in levels]
    samples = np.concatenate([*pieces, np.zeros(round(beyond_s * RATE_HZ))])
    soundfile.write(path, samples, RATE_HZ, subtype="FLOAT")
    return path


def track(path: Path, **fields: Any) -> Track:
    """A training track named as its file."""
    return replace(Track(path.stem, path, Split.TRAIN), **fields)


def corpus(*tracks: Track) -> Corpus:
    """These tracks."""
    return Corpus("tiny", Path(), tracks, (), {}, {})


def crops_of(tracks: Sequence[Track], duration_s: float) -> tuple[Crop, ...]:
    """Windows of `WINDOW_S`, one after another."""
    return tuple(
        crop
        for one in tracks
        for crop in windows(one.track_id, one.split, duration_s, WINDOW_S, WINDOW_S, WINDOW_S)
    )


def recipe(labels: LabelRecipe, **conditioning: Any) -> Recipe:
    """A recipe with these labels."""
    told = replace(ConditioningRecipe(), **conditioning)
    return Recipe("tiny", "tiny", DataRecipe("table", "tracks.csv"), labels, conditioning=told)


def quiet(_share: float) -> None:
    """Report nothing."""
