"""Predictors side by side over rows of time, never averaged, and how far they are apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.mer.predictor import AffectSeries


@dataclass(frozen=True)
class HeardMean:
    """What one predictor says of a stretch of time: means over its windows there.

    Args:
        valence_pred, arousal_pred: in [-1, 1].
        valence_spread, arousal_spread: of a window, as the predictor's card defines it.
        foreign_share: share of the windows outside the card's reference music; None where it cannot tell.
        n_windows: how many windows there are.
    """

    valence_pred: float
    arousal_pred: float
    valence_spread: float
    arousal_spread: float
    foreign_share: float | None
    n_windows: int


@dataclass(frozen=True)
class HeardRow:
    """A stretch of a sound as each predictor hears it.

    Args:
        onset_s, duration_s: where it lies in the sound.
        by: predictor's name to its means; one without a window here is missing.
        valence_disagreement, arousal_disagreement: largest minus smallest of the predictors' means;
            None where fewer than two speak.
    """

    onset_s: float
    duration_s: float
    by: Mapping[str, HeardMean]
    valence_disagreement: float | None
    arousal_disagreement: float | None


def disagreement(values: Sequence[float]) -> float | None:
    """Largest minus smallest; None for fewer than two."""
    return max(values) - min(values) if len(values) > 1 else None


def whole_of(series: Mapping[str, AffectSeries], duration_s: float) -> HeardRow:
    """All windows of a sound of `duration_s` as one row."""
    everything = {name: _mean(one, np.ones(len(one.onset_s), dtype=bool)) for name, one in series.items()}
    return _row(0.0, duration_s, everything)


def rows_of(series: Mapping[str, AffectSeries], duration_s: float, row_s: float) -> tuple[HeardRow, ...]:
    """One row each `row_s` seconds, the last perhaps shorter; one in which nobody has a window is left out.

    A window counts in the row that holds its centre; one longer than the row,
    in every row of which it covers half or more.
    """
    found = []
    for number in range(int(np.ceil(duration_s / row_s))):
        onset_s, end_s = number * row_s, min((number + 1) * row_s, duration_s)
        by = between(series, onset_s, end_s)
        if by:
            found.append(_row(onset_s, end_s - onset_s, by))
    return tuple(found)


def between(series: Mapping[str, AffectSeries], start_s: float, end_s: float) -> dict[str, HeardMean]:
    """What each predictor says of [start_s, end_s), by name; windows count as in `rows_of`."""
    found = {}
    for name, one in series.items():
        inside = _windows_in(one, start_s, end_s)
        if inside.any():
            found[name] = _mean(one, inside)
    return found


def _windows_in(series: AffectSeries, start_s: float, end_s: float) -> NDArray[np.bool_]:
    onset_s, length_s = series.onset_s, end_s - start_s
    if series.window_s <= length_s:
        centre_s = onset_s + series.window_s / 2
        return np.asarray((centre_s >= start_s) & (centre_s < end_s))
    covered_s = np.minimum(onset_s + series.window_s, end_s) - np.maximum(onset_s, start_s)
    return np.asarray(covered_s >= length_s / 2)


def _mean(series: AffectSeries, inside: NDArray[np.bool_]) -> HeardMean:
    spread = series.spread[inside].mean(axis=0)
    is_foreign = series.is_foreign
    return HeardMean(
        float(series.valence_pred[inside].mean()),
        float(series.arousal_pred[inside].mean()),
        float(spread[0]),
        float(spread[1]),
        None if is_foreign is None else float(is_foreign[inside].mean()),
        int(inside.sum()),
    )


def _row(onset_s: float, duration_s: float, by: Mapping[str, HeardMean]) -> HeardRow:
    return HeardRow(
        onset_s,
        duration_s,
        by,
        disagreement([mean.valence_pred for mean in by.values()]),
        disagreement([mean.arousal_pred for mean in by.values()]),
    )
