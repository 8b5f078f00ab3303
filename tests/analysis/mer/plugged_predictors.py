"""Predictors as another package brings them, with answers that can be worked out by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from analysis.mer.predictor import AffectSeries, PredictorCard

WINDOW_S = 1.0


class Level:
    """Streams; a second is a window, whose arousal is its largest sample; half of them are foreign."""

    card = PredictorCard(
        "level", "1", {"none": "0" * 64}, {}, ("It hears the level alone.",), domain="whispers"
    )

    def listen(self, sample_rate_hz: int) -> LevelListener:
        return LevelListener(sample_rate_hz)

    def predict(self, samples: NDArray[np.float32], sample_rate_hz: int) -> AffectSeries:
        listener = self.listen(sample_rate_hz)
        listener.hear(samples)
        return listener.finish()


class LevelListener:
    def __init__(self, sample_rate_hz: int) -> None:
        self._rate_hz = sample_rate_hz
        self._waiting: NDArray[np.float32] = np.zeros(0, dtype=np.float32)
        self._levels: list[float] = []

    def hear(self, block: NDArray[np.float32]) -> None:
        waiting = np.concatenate([self._waiting, np.abs(block).max(axis=1)])
        while len(waiting) >= self._rate_hz:
            self._levels.append(float(waiting[: self._rate_hz].max()))
            waiting = waiting[self._rate_hz :]
        self._waiting = waiting

    def finish(self) -> AffectSeries:
        arousal = np.array(self._levels)
        n = len(arousal)
        onset_s = np.arange(n, dtype=np.float64)
        distance = np.where(onset_s % 2 == 0, 0.5, 1.5)
        return AffectSeries(onset_s, WINDOW_S, np.zeros(n), arousal, Level.card, domain_distance=distance)


class Whole:
    """Cannot stream: one window as long as the sound, pleasant at half scale."""

    card = PredictorCard("whole", "1", {}, {}, ("It hears nothing.",))

    def predict(self, samples: NDArray[np.float32], sample_rate_hz: int) -> AffectSeries:
        length_s = len(samples) / sample_rate_hz
        return AffectSeries(np.zeros(1), length_s, np.array([0.5]), np.array([-0.5]), self.card)


class Faulty(Whole):
    """Fails on sound of its own kind: full scale in the first sample."""

    card = PredictorCard("faulty", "1", {}, {}, ())

    def predict(self, samples: NDArray[np.float32], sample_rate_hz: int) -> AffectSeries:
        if samples[0, 0] > 0.9:
            raise ZeroDivisionError("loud")
        return super().predict(samples, sample_rate_hz)


class NotANumber(Whole):
    """Says NaN."""

    card = PredictorCard("nan", "1", {}, {}, ())

    def predict(self, samples: NDArray[np.float32], sample_rate_hz: int) -> AffectSeries:
        return AffectSeries(np.zeros(1), 1.0, np.array([np.nan]), np.array([0.0]), self.card)


def install(folder: Path) -> None:
    """Declare them in a folder as an installed package does; the folder goes onto the import path."""
    package = folder / "plugged-1.dist-info"
    package.mkdir(parents=True)
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: plugged\nVersion: 1\n")
    names = {"level": "Level", "whole": "Whole", "faulty": "Faulty", "nan": "NotANumber"}
    lines = [f"{name} = {__name__}:{kind}\n" for name, kind in names.items()]
    (package / "entry_points.txt").write_text("[isopath.predictors]\n" + "".join(lines))
