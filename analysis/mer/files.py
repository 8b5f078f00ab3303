"""Sound heard by several predictors from one decoding: their series, and rows of time side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from analysis.mer.comparison import HeardRow, rows_of, whole_of
from analysis.mer.predictor import AffectPredictor, AffectSeries, StreamingPredictor
from analysis.mer.sound import Levels, checked_mono, without_silence
from generation.sound_file import read_blocks
from study.errors import AudioError

HeardSeconds = Callable[[float], None]
"""Called with the seconds of sound heard so far."""

_BLOCK_S = 10.0
_OFFSET = 0.001
"""Means below are no offset: music's own, over ten seconds, are some ten times smaller."""


@dataclass(frozen=True)
class HeardFile:
    """What the predictors say of one file.

    Args:
        path: of the file.
        duration_s: of the sound.
        series: predictor's name to its series, in the order asked; silent windows are left out of all alike.
        n_silent: predictor's name to how many of its windows were left out.
        sample_rate_hz: of the file; under 16 kHz, what the predictors listen for is partly missing.
        offset: constant that was taken off the samples, the largest of the channels'; 0 where there was none.
    """

    path: Path
    duration_s: float
    series: Mapping[str, AffectSeries]
    n_silent: Mapping[str, int]
    sample_rate_hz: int
    offset: float = 0.0

    @cached_property
    def whole(self) -> HeardRow:
        """Over the whole file."""
        return whole_of(self.series, self.duration_s)

    def rows(self, row_s: float) -> tuple[HeardRow, ...]:
        """One row each `row_s` seconds; see `analysis.mer.comparison.rows_of`."""
        return rows_of(self.series, self.duration_s, row_s)


def hear_file(
    predictors: Sequence[AffectPredictor],
    path: Path,
    heard: HeardSeconds = lambda _: None,
    until_s: float | None = None,
) -> HeardFile:
    """Hear a file, decoded once for all predictors.

    Of those that can stream, none needs more memory for hours than for minutes.

    Args:
        predictors: each with a name of its own.
        path: of the sound file.
        heard: told the seconds heard so far.
        until_s: what comes later is not heard (nor looked at for damage); None hears all.

    Raises:
        AudioError: not a sound file, damaged, silent, or shorter than one window; names the file.
    """
    sample_rate_hz, blocks = read_blocks(path, _BLOCK_S)
    left = None if until_s is None else round(until_s * sample_rate_hz)
    hearing = _Hearing(predictors, sample_rate_hz)
    try:
        for block in blocks:
            some = block if left is None else block[:left]
            hearing.hear(some)
            heard(hearing.heard_s)
            if left is not None:
                left -= len(some)
                if left <= 0:
                    break
        found = hearing.finish()
    except AudioError as refusal:
        raise AudioError(str(path), refusal.problem, refusal.remedy) from refusal
    return HeardFile(path, hearing.heard_s, found, hearing.n_silent, sample_rate_hz, hearing.offset)


def hear_samples(
    predictors: Sequence[AffectPredictor], samples: NDArray[np.float32], sample_rate_hz: int
) -> dict[str, AffectSeries]:
    """What the predictors say of a sound in memory, by name, in the order asked; silent windows left out.

    Args:
        predictors: each with a name of its own.
        samples: float32, shape [n_samples, n_channels], full scale 1.
        sample_rate_hz: of the samples.

    Raises:
        AudioError: silent, shorter than one window, NaN, or not on a full scale of 1.
    """
    hearing = _Hearing(predictors, sample_rate_hz)
    step = round(_BLOCK_S * sample_rate_hz)
    for first in range(0, len(samples), step):
        hearing.hear(samples[first : first + step])
    return hearing.finish()


class _Hearing:
    """Several predictors at one sound, block by block.

    A constant offset is no sound, but musicnn takes it for bass: what the first
    block shows of one is taken off them all. More than two channels are folded
    to one here, since not every predictor knows which is which.
    """

    def __init__(self, predictors: Sequence[AffectPredictor], sample_rate_hz: int) -> None:
        self.n_silent: dict[str, int] = {}
        self._rate_hz = sample_rate_hz
        self._n_samples = 0
        self._levels = Levels(sample_rate_hz)
        self._predictors = predictors
        self._listeners = {
            one.card.name: one.listen(sample_rate_hz)
            for one in predictors
            if isinstance(one, StreamingPredictor)
        }
        self._keeps_sound = len(self._listeners) < len(predictors)
        self._kept: list[NDArray[np.float32]] = []
        self._offsets: NDArray[np.float32] | None = None

    @property
    def offset(self) -> float:
        offsets = self._offsets
        return 0.0 if offsets is None else float(offsets[np.abs(offsets).argmax()])

    @property
    def heard_s(self) -> float:
        return self._n_samples / self._rate_hz

    def hear(self, block: NDArray[np.float32]) -> None:
        mono = checked_mono(block)
        if not len(mono):
            return
        self._levels.hear(block)
        if block.shape[1] > 2:
            block = mono[:, None]
        if self._offsets is None:
            means = block.mean(axis=0, dtype=np.float64)
            self._offsets = np.where(np.abs(means) > _OFFSET, means, 0.0).astype(np.float32)
        if self._offsets.any():
            block = block - self._offsets
        for listener in self._listeners.values():
            listener.hear(block)
        if self._keeps_sound:
            self._kept.append(block)
        self._n_samples += len(block)

    def finish(self) -> dict[str, AffectSeries]:
        self._levels.check_sounds()
        found = {}
        for name, series in self._series():
            _check_values(series)
            found[name] = without_silence(series, self._levels)
            self.n_silent[name] = len(series.onset_s) - len(found[name].onset_s)
        return found

    def _series(self) -> Iterable[tuple[str, AffectSeries]]:
        samples = np.concatenate(self._kept) if self._keeps_sound else np.zeros((0, 1), dtype=np.float32)
        self._kept.clear()
        for one in self._predictors:
            listener = self._listeners.get(one.card.name)
            series = one.predict(samples, self._rate_hz) if listener is None else listener.finish()
            yield one.card.name, series


def _check_values(series: AffectSeries) -> None:
    """Refuse what no predictor may say.

    Raises:
        AudioError: no window at all, or a prediction that is no number in [-1, 1].
    """
    affect = np.concatenate([series.valence_pred, series.arousal_pred])
    # Said the other way round, NaN would pass.
    if not (np.abs(affect) <= 1.0).all() or not len(affect):
        raise AudioError(
            "sound",
            f"{series.card.name} {series.card.version} gave no prediction that is a number from -1 to 1",
            "report this with the file to whoever made the predictor",
        )
