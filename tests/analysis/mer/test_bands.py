"""Bands hold what they promise, come only from enough rated music, and belong to one predictor's weights."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import binomtest

from analysis.mer.bands import (
    Bands,
    calibrated,
    conformal_half_width,
    fewest_tracks,
    halves,
    parse_bands,
    written,
)
from analysis.mer.predictor import PredictorCard
from analysis.mer.ratings import RatedTrack
from study.errors import ModelError, OutOfRange

CARD = PredictorCard("hand", "1.2", {"weights.npz": "a" * 64}, {}, ())


@pytest.mark.parametrize(
    ("n", "level", "k"),
    # k = ⌈(n + 1) × level⌉ by hand; 20 × 0.55 is 11.000000000000002 in floating point.
    [(9, 0.9, 9), (10, 0.9, 10), (19, 0.9, 18), (19, 0.95, 19), (39, 0.9, 36), (9, 0.8, 8), (19, 0.55, 11)],
)
def test_the_half_width_is_the_kth_smallest_distance(n: int, level: float, k: int) -> None:
    distances = list(range(n, 0, -1))

    assert conformal_half_width(distances, level) == k


@pytest.mark.parametrize(("n", "level"), [(8, 0.9), (18, 0.95), (0, 0.5), (3, 0.8)])
def test_too_few_distances_have_no_such_quantile(n: int, level: float) -> None:
    with pytest.raises(OutOfRange, match="cannot calibrate"):
        conformal_half_width([0.1] * n, level)


def test_the_fewest_tracks_are_those_of_the_bars_in_the_docstring() -> None:
    # Wilson (1927): half-width z/(1 + z²/n) √(p(1 − p)/n + z²/4n²); the smallest n with .1 or less.
    def reach(n: int, p: float, z: float = 1.959964) -> float:
        return z / (1 + z**2 / n) * math.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))

    for level in (0.5, 0.8, 0.9, 0.95):
        half = fewest_tracks(level) // 2
        assert reach(half, level) <= 0.1 < reach(half - 1, level)
    # At 99 % it is the quantile that asks for more: 99 distances.
    assert fewest_tracks(0.99) == 198


def exact_coverage(half_width: float) -> float:
    """Of a standard normal error."""
    return math.erf(half_width / math.sqrt(2))


def test_coverage_is_at_least_the_level_on_average_and_as_exact_as_the_theorem() -> None:
    # Lei et al. (2018), theorem 2.2: mean coverage k / (n + 1), between the level and the level + 1/(n + 1);
    # over calibration sets it is Beta(k, n + 1 − k) (Vovk 2012).
    rng = np.random.default_rng(11)
    n, level, n_runs = 37, 0.9, 4000
    k = math.ceil((n + 1) * level)

    found = [
        exact_coverage(conformal_half_width(np.abs(rng.standard_normal(n)).tolist(), level))
        for _ in range(n_runs)
    ]

    a, b = k, n + 1 - k
    mean, sd = a / (a + b), math.sqrt(a * b / ((a + b) ** 2 * (a + b + 1)))
    assert level <= mean <= level + 1 / (n + 1)
    assert np.mean(found) == pytest.approx(mean, abs=4 * sd / math.sqrt(n_runs))
    assert np.std(found) == pytest.approx(sd, rel=0.05)


def tracks_of(ratings: NDArray[np.float64]) -> list[RatedTrack]:
    return [
        RatedTrack(f"{n:03d}.flac", Path(f"{n:03d}.flac"), v, a) for n, (v, a) in enumerate(ratings.tolist())
    ]


def test_half_the_tracks_calibrate_and_the_others_tell_how_it_went() -> None:
    tracks = tracks_of(np.zeros((80, 2)))
    calibrating, held_out = halves([track.path for track in tracks])
    # Off by .1, .2, .3 or .4 where a track calibrates; by .5 or not at all where it is held out.
    off = {path: 0.1 * (1 + number % 4) for number, path in enumerate(calibrating)}
    off |= {path: 0.5 if number < 10 else 0.0 for number, path in enumerate(held_out)}
    predicted = {path: (distance, 0.0) for path, distance in off.items()}

    bands = calibrated(tracks, predicted, CARD, 0.9)

    # k = ⌈41 × .9⌉ = 37 of 40 distances, the largest ten of which are .4.
    assert bands.valence.half_width == pytest.approx(0.4)
    assert (bands.n_calibrated, bands.n_held_out) == (40, 40)
    assert bands.valence.coverage == 0.75
    wilson = binomtest(30, 40).proportion_ci(method="wilson")
    assert (bands.valence.ci_low, bands.valence.ci_high) == pytest.approx((wilson.low, wilson.high), abs=1e-9)
    assert (bands.arousal.half_width, bands.arousal.coverage) == (0.0, 1.0)


def test_which_half_a_track_is_in_follows_from_its_path_alone() -> None:
    paths = [f"{n}.flac" for n in range(75)]

    first, second = halves(paths)

    assert halves(paths[::-1]) == (first, second)
    assert (len(first), len(second)) == (38, 37)
    assert {*first, *second} == set(paths)
    # Not by order of name: among the first half there are names from all over the list.
    assert len(set(first) & set(paths[:38])) < 30


def test_a_predictor_worth_nothing_gets_bands_that_are_wide_and_hold() -> None:
    rng = np.random.default_rng(2)
    tracks = tracks_of(rng.uniform(-1, 1, (400, 2)))
    predicted = {
        track.path: (float(v), 0.9) for track, v in zip(tracks, rng.uniform(-1, 1, 400), strict=True)
    }

    bands = calibrated(tracks, predicted, CARD, 0.9)

    for axis in (bands.valence, bands.arousal):
        assert axis.half_width > 1.0
        assert axis.ci_low < 0.9 < axis.ci_high


def test_fewer_tracks_than_needed_are_refused_with_the_number() -> None:
    tracks = tracks_of(np.zeros((73, 2)))

    with pytest.raises(OutOfRange, match=r"there are 73, and bands of 0\.9 need 74"):
        calibrated(tracks, {track.path: (0.0, 0.0) for track in tracks}, CARD, 0.9)


@pytest.fixture
def bands() -> Bands:
    tracks = tracks_of(np.linspace(-0.9, 0.9, 160).reshape(80, 2))
    predicted = {track.path: (0.1, -0.1) for track in tracks}
    return Bands(0.9, "b" * 64, 12.0, 30.0, (calibrated(tracks, predicted, CARD, 0.9),))


def test_bands_come_back_from_their_file_as_they_were(bands: Bands) -> None:
    assert parse_bands(written(bands).decode(), "bands.json") == bands


def test_bands_fit_the_very_weights_they_were_calibrated_for(bands: Bands) -> None:
    assert bands.for_card(CARD) == bands.of[0]
    assert bands.for_card(PredictorCard("other", "1.2", {}, {}, ())) is None


@pytest.mark.parametrize(
    ("version", "weights"),
    [("1.3", {"weights.npz": "a" * 64}), ("1.2", {"weights.npz": "c" * 64}), ("1.2", {})],
)
def test_bands_of_another_version_or_other_weights_are_refused(
    bands: Bands, version: str, weights: dict[str, str]
) -> None:
    with pytest.raises(ModelError, match="calibrate them anew"):
        bands.for_card(PredictorCard("hand", version, weights, {}, ()))


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content.pop("level"),
        lambda content: content.update(isopath_bands=2),
        lambda content: content["of"][0].update(extra=1),
        lambda content: content["of"][0]["valence"].update(half_width=-0.1),
        lambda content: content["of"][0]["valence"].update(half_width=float("nan")),
    ],
)
def test_what_is_no_file_of_bands_is_refused(bands: Bands, change: object) -> None:
    content = json.loads(written(bands))
    assert callable(change)
    change(content)

    with pytest.raises(ModelError, match="not a file of bands"):
        parse_bands(json.dumps(content), "bands.json")


def test_text_is_no_file_of_bands() -> None:
    for text in ("", "[]", "{}", "no"):
        with pytest.raises(ModelError, match=r"bands\.json: is not a file of bands"):
            parse_bands(text, "bands.json")
