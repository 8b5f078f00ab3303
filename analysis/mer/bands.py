"""Bands around predictions, calibrated on rated music; where none is rated there are none.

Split conformal prediction (Vovk, Gammerman & Shafer 2005; Lei, G'Sell,
Rinaldo, Tibshirani & Wasserman 2018, JASA 113, 1094-1111): half the rated
tracks calibrate, and a band is ± the k-th smallest distance between rating and
prediction, k = ⌈(n + 1) × level⌉. The rating of one more track of the same
kind lies inside with a probability of `level` or more, whatever the predictor
is worth. The other half, which calibrated nothing, tells how often it did.

The unit is the track: prediction and rating are of the whole of it, and so is
the band. A predictor's spread does not scale it, since a spread says how
steady a prediction is, not how wrong.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from fractions import Fraction
from typing import Any

from analysis.mer.predictor import PredictorCard
from analysis.mer.ratings import RatedTrack
from study.canonical import plain
from study.errors import ModelError, OutOfRange

FORMAT = 1
LOWEST_LEVEL, HIGHEST_LEVEL = 0.5, 0.99
COVERAGE_REACH = 0.1
"""How far the interval of the held-out coverage may reach to either side before it says too little."""


@dataclass(frozen=True)
class AxisBand:
    """A band of one axis, and how often it held.

    Args:
        half_width: the band is the prediction ± this.
        coverage: share of the held-out tracks whose rating lay inside.
        ci_low, ci_high: Wilson's 95 % interval of it.
    """

    half_width: float
    coverage: float
    ci_low: float
    ci_high: float


@dataclass(frozen=True)
class PredictorBands:
    """The bands of one predictor, of one version and its very weights.

    Args:
        predictor, version: of the predictor.
        weights_sha256: file name to SHA-256 of every weight it used.
        n_calibrated, n_held_out: tracks in either half.
        valence, arousal: each axis by itself.
    """

    predictor: str
    version: str
    weights_sha256: Mapping[str, str]
    n_calibrated: int
    n_held_out: int
    valence: AxisBand
    arousal: AxisBand


@dataclass(frozen=True)
class Bands:
    """What one table of rated music calibrated.

    Args:
        level: probability that a band holds the rating of one more track.
        ratings_sha256: of the table.
        shortest_s, longest_s: the rated tracks' lengths.
        of: one for each predictor.
    """

    level: float
    ratings_sha256: str
    shortest_s: float
    longest_s: float
    of: tuple[PredictorBands, ...]

    def for_card(self, card: PredictorCard) -> PredictorBands | None:
        """The bands of a predictor; None where there are none for one of that name.

        Raises:
            ModelError: they are of another version or of other weights.
        """
        for one in self.of:
            if one.predictor != card.name:
                continue
            if (one.version, dict(one.weights_sha256)) != (card.version, dict(card.weights_sha256)):
                raise ModelError(
                    f"bands of {card.name}",
                    f"they are of version {one.version}; the one that hears is {card.version}"
                    + (" with other weights" if one.version == card.version else ""),
                    "calibrate them anew with isopath bands",
                )
            return one
        return None


def check_enough(n_tracks: int, level: float) -> None:
    """Refuse a level no sensible number of tracks would do for, and fewer tracks than it needs.

    Raises:
        OutOfRange: a level outside 0.5 to 0.99, or fewer tracks than `fewest_tracks`.
    """
    if not LOWEST_LEVEL <= level <= HIGHEST_LEVEL:
        raise OutOfRange("level", f"{level:g}", f"write {LOWEST_LEVEL:g} to {HIGHEST_LEVEL:g}, e.g. 0.9")
    needed = fewest_tracks(level)
    if n_tracks < needed:
        raise OutOfRange(
            "rated tracks",
            f"there are {n_tracks}, and bands of {level:g} need {needed}",
            "rate more tracks, or choose another level; without bands a prediction stands alone",
        )


def fewest_tracks(level: float) -> int:
    """How many rated tracks bands of that level need.

    Each half must be so many that the k-th smallest distance exists, and that Wilson's interval of a
    coverage equal to the level reaches no further than 0.1 to either side.
    """
    from statsmodels.stats.proportion import proportion_confint

    n = math.ceil(1 / (1 - Fraction(str(level)))) - 1
    while True:
        low, high = proportion_confint(level * n, n, method="wilson")
        if high - low <= 2 * COVERAGE_REACH:
            return 2 * n
        n += 1


def conformal_half_width(distances: Sequence[float], level: float) -> float:
    """The k-th smallest distance, k = ⌈(n + 1) × level⌉ (Lei et al. 2018, algorithm 2).

    Raises:
        OutOfRange: k is above n: too few tracks for any band of that level.
    """
    n = len(distances)
    # As decimals: 20 × 0.55 is 11, not a hair above it.
    k = math.ceil((n + 1) * Fraction(str(level)))
    if k > n:
        raise OutOfRange(
            "rated tracks",
            f"{n} cannot calibrate a band of {level:g}",
            "rate more tracks, or lower the level",
        )
    return sorted(distances)[k - 1]


def halves(paths: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Which tracks calibrate and which are held out: in the order of the SHA-256 of their paths."""
    shuffled = sorted(
        paths, key=lambda path: hashlib.sha256(path.encode("utf-8", "surrogateescape")).digest()
    )
    middle = (len(shuffled) + 1) // 2
    return tuple(shuffled[:middle]), tuple(shuffled[middle:])


def calibrated(
    tracks: Sequence[RatedTrack],
    predicted: Mapping[str, tuple[float, float]],
    card: PredictorCard,
    level: float,
) -> PredictorBands:
    """The bands of one predictor.

    Args:
        tracks: rated, each of a path of its own.
        predicted: path of every track to the predictor's valence and arousal of the whole of it.
        card: the predictor's.
        level: of each axis.

    Raises:
        OutOfRange: as `check_enough`.
    """
    check_enough(len(tracks), level)
    calibrating, held_out = halves([track.path for track in tracks])
    rated = {track.path: (track.valence, track.arousal) for track in tracks}

    def distances(paths: Sequence[str], axis: int) -> list[float]:
        return [abs(rated[path][axis] - predicted[path][axis]) for path in paths]

    axes = [_axis_band(distances(calibrating, axis), distances(held_out, axis), level) for axis in (0, 1)]
    return PredictorBands(
        card.name, card.version, dict(card.weights_sha256), len(calibrating), len(held_out), *axes
    )


def _axis_band(calibrating: Sequence[float], held_out: Sequence[float], level: float) -> AxisBand:
    from statsmodels.stats.proportion import proportion_confint

    half_width = conformal_half_width(calibrating, level)
    n_inside = sum(distance <= half_width for distance in held_out)
    low, high = proportion_confint(n_inside, len(held_out), method="wilson")
    return AxisBand(half_width, n_inside / len(held_out), float(low), float(high))


def written(bands: Bands) -> bytes:
    """The bands as a JSON file."""
    content = {"isopath_bands": FORMAT, **plain(bands)}
    return (json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()


def parse_bands(text: str, where: str) -> Bands:
    """Bands from what `written` wrote.

    Args:
        where: the file, for the refusal.

    Raises:
        ModelError: it is no such file, or one of another format.
    """
    try:
        content = json.loads(text)
        if content.pop("isopath_bands") != FORMAT:
            raise ValueError("another format")
        content["of"] = tuple(_predictor_bands(one) for one in content["of"])
        bands = Bands(**content)
        numbers = [bands.level] + [axis.half_width for one in bands.of for axis in (one.valence, one.arousal)]
        if not all(math.isfinite(number) and number >= 0 for number in numbers):
            raise ValueError("a band that is no width")
    except (ValueError, KeyError, TypeError, AttributeError) as problem:
        raise ModelError(where, "is not a file of bands", "make one with isopath bands") from problem
    return bands


def _predictor_bands(content: Mapping[str, Any]) -> PredictorBands:
    if set(content) != {field.name for field in fields(PredictorBands)}:
        raise ValueError("other fields")
    axes = {name: AxisBand(**content[name]) for name in ("valence", "arousal")}
    return PredictorBands(**{**content, **axes})
