"""Sound files, heard by a predictor: the series, and its mean over rows of time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from analysis.mer.predictor import AffectPredictor, AffectSeries, StreamingPredictor
from generation.audio import read_blocks
from study.errors import AudioError

HeardSeconds = Callable[[float], None]
"""Called with the seconds of sound heard so far."""


@dataclass(frozen=True)
class HeardRow:
    """Mean predicted affect of the windows whose centre lies in [onset_s, onset_s + duration_s)."""

    onset_s: float
    duration_s: float
    valence_pred: float
    arousal_pred: float


@dataclass(frozen=True)
class HeardFile:
    """What a predictor says of one file."""

    path: Path
    duration_s: float
    series: AffectSeries

    @property
    def mean(self) -> HeardRow:
        """Over the whole file."""
        series = self.series
        return HeardRow(
            0.0, self.duration_s, float(series.valence_pred.mean()), float(series.arousal_pred.mean())
        )

    def rows(self, row_s: float) -> tuple[HeardRow, ...]:
        """One row each `row_s` seconds; a last row too short for a window's centre is left out."""
        found = []
        for number in range(int(np.ceil(self.duration_s / row_s))):
            onset_s, end_s = number * row_s, min((number + 1) * row_s, self.duration_s)
            mean = self.series.mean_over(onset_s, end_s)
            if mean is not None:
                found.append(HeardRow(onset_s, end_s - onset_s, *mean))
        return tuple(found)


def predict_file(predictor: AffectPredictor, path: Path, heard: HeardSeconds = lambda _: None) -> HeardFile:
    """Hear a whole file; one that can stream needs no more memory for hours than for minutes.

    Raises:
        AudioError: not a sound file, damaged, or shorter than one window; names the file.
    """
    sample_rate_hz, blocks = read_blocks(path)
    n_samples = 0

    def counted() -> Iterator[NDArray[np.float32]]:
        nonlocal n_samples
        for block in blocks:
            yield block
            n_samples += len(block)
            heard(n_samples / sample_rate_hz)

    try:
        if isinstance(predictor, StreamingPredictor):
            listener = predictor.listen(sample_rate_hz)
            for block in counted():
                listener.hear(block)
            series = listener.finish()
        else:
            series = predictor.predict(np.concatenate(list(counted())), sample_rate_hz)
    except AudioError as refusal:
        raise AudioError(str(path), refusal.problem, refusal.remedy) from refusal
    return HeardFile(path, n_samples / sample_rate_hz, series)
