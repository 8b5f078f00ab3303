"""How well each predictor orders labelled music: areas, correlations, what else moves it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from tests.listening.comparator import NAME as COMPARED
from tests.listening.hearing import HeardSound
from tests.listening.intervals import correlation, spread_of
from tests.listening.roc import area_under, curve, difference_of_areas, within_clusters, without_each_cluster
from tests.listening.tracks import LABELS, LabelledTrack

AXES = ("valence", "arousal")


def half_figures(
    tracks: Sequence[LabelledTrack], heard: Mapping[str, HeardSound], predictors: Sequence[str]
) -> dict[str, Any]:
    """Every figure of one half, by predictor.

    Args:
        tracks: those of the half.
        heard: by `LabelledTrack.sound_id`.
    """
    found = {name: _figures(tracks, heard, name) for name in predictors}
    if COMPARED in predictors:
        for name in predictors:
            if name != COMPARED:
                found[name]["less_compared"] = _less_compared(tracks, heard, name)
    return found


def label_counts(tracks: Sequence[LabelledTrack]) -> list[dict[str, Any]]:
    """Tracks and labels by package and half."""
    rows = []
    for package in sorted({track.package for track in tracks}):
        of_package = [track for track in tracks if track.package == package]
        for half in sorted({track.half for track in of_package}):
            own = [track for track in of_package if track.half == half]
            counted = {
                label: sum(track.label(axis) == label for track in own)
                for axis in AXES
                for label in LABELS[axis]
            }
            rows.append({"package": package, "half": half, "tracks": len(own), **counted})
    return rows


def track_rows(
    tracks: Sequence[LabelledTrack], heard: Mapping[str, HeardSound], predictors: Sequence[str]
) -> list[dict[str, Any]]:
    """Each track with its labels and what was predicted of it."""
    rows = []
    for track in tracks:
        said = {}
        for name in predictors:
            mean = heard[track.sound_id].mean(name)
            if mean is not None:
                said[name] = [round(value, 4) for value in mean]
        rows.append(
            {
                "track": track.sound_id,
                "half": track.half,
                "arousal": track.arousal_label,
                "valence": track.valence_label,
                "predicted": said,
            }
        )
    return rows


def _figures(
    tracks: Sequence[LabelledTrack], heard: Mapping[str, HeardSound], predictor: str
) -> dict[str, Any]:
    means = {track.sound_id: heard[track.sound_id].mean(predictor) for track in tracks}
    told = [track for track in tracks if means[track.sound_id] is not None]
    values = np.array([means[track.sound_id] for track in told], dtype=np.float64)
    brightness = np.log2([heard[track.sound_id].centroid_hz for track in told])
    return {
        "n": len(told),
        "refused": len(tracks) - len(told),
        **{axis: _axis(told, values[:, place], axis) for place, axis in enumerate(AXES)},
        "v_a_correlation": correlation(values[:, 0], values[:, 1]),
        "centroid": {axis: correlation(values[:, place], brightness) for place, axis in enumerate(AXES)},
        "distribution": {axis: spread_of(values[:, place].tolist()) for place, axis in enumerate(AXES)},
        "foreign": foreign_shares([heard[track.sound_id] for track in told], predictor),
    }


def _axis(tracks: Sequence[LabelledTrack], predicted: np.ndarray[Any, Any], axis: str) -> dict[str, Any]:
    first, second = LABELS[axis]
    groups = []
    for label in (first, second):
        chosen = [place for place, track in enumerate(tracks) if track.label(axis) == label]
        groups.append((predicted[chosen], [tracks[place].package for place in chosen]))
    (high, high_packages), (low, low_packages) = groups
    arguments = (high, low, high_packages, low_packages)
    share, pairs = within_clusters(*arguments)
    false, true = curve(high, low)
    return {
        **asdict(area_under(*arguments)),
        "within_packages": {"estimate": share, "pairs": pairs},
        "without_package": without_each_cluster(*arguments),
        "curve": {"false": [round(x, 5) for x in false], "true": [round(x, 5) for x in true]},
    }


def _less_compared(
    tracks: Sequence[LabelledTrack], heard: Mapping[str, HeardSound], predictor: str
) -> dict[str, dict[str, float]]:
    """The areas less those of the predictor to compare with, on the tracks that both heard."""
    found = {}
    for place, axis in enumerate(AXES):
        values: list[list[list[float]]] = [[], []]
        for number, name in enumerate((predictor, COMPARED)):
            for label in LABELS[axis]:
                own = [heard[track.sound_id] for track in tracks if track.label(axis) == label]
                both = [sound for sound in own if predictor in sound.series and COMPARED in sound.series]
                means = [mean for sound in both if (mean := sound.mean(name)) is not None]
                values[number].append([mean[place] for mean in means])
        (first, second) = ((high, low) for high, low in values)
        names = ("estimate", "ci_low", "ci_high")
        found[axis] = dict(zip(names, difference_of_areas(first, second), strict=True))
    return found


def foreign_shares(sounds: Sequence[HeardSound], predictor: str) -> dict[str, Any] | None:
    """Share of windows beyond the edge, and the median distance; None where the predictor cannot tell."""
    distances = []
    for sound in sounds:
        series = sound.series.get(predictor)
        if series is not None and series.domain_distance is not None:
            distances.append(series.domain_distance)
    if not distances:
        return None
    together = np.concatenate(distances)
    return {
        "sounds": len(distances),
        "windows": len(together),
        "share": float((together > 1.0).mean()),
        "sounds_mostly_foreign": float(np.mean([(own > 1.0).mean() > 0.5 for own in distances])),
        "median_distance": float(np.median(together)),
        "histogram": _histogram(together),
    }


HISTOGRAM_EDGES = np.linspace(0.0, 4.0, 41)


def _histogram(distances: np.ndarray[Any, Any]) -> list[float]:
    """Share of windows in each tenth of the edge; what lies beyond the last counts in it."""
    counts, _ = np.histogram(np.minimum(distances, HISTOGRAM_EDGES[-1] - 1e-9), HISTOGRAM_EDGES)
    return [round(float(count) / len(distances), 5) for count in counts]
