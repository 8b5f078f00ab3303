"""The map from tags to affect says what its data file says, and never leaves the circumplex."""

from __future__ import annotations

import csv
import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.mer.musicnn.tag_affect import TagAffect, factor_coefficients, places_of

# The order of musicnn's configuration for MSD (its 50 most frequent Last.fm tags).
MSD_TAGS = [
    "rock",
    "pop",
    "alternative",
    "indie",
    "electronic",
    "female vocalists",
    "dance",
    "00s",
    "alternative rock",
    "jazz",
    "beautiful",
    "metal",
    "chillout",
    "male vocalists",
    "classic rock",
    "soul",
    "indie rock",
    "Mellow",
    "electronica",
    "80s",
    "folk",
    "90s",
    "chill",
    "instrumental",
    "punk",
    "oldies",
    "blues",
    "hard rock",
    "ambient",
    "acoustic",
    "experimental",
    "female vocalist",
    "guitar",
    "Hip-Hop",
    "70s",
    "party",
    "country",
    "easy listening",
    "sexy",
    "catchy",
    "funk",
    "electro",
    "heavy metal",
    "Progressive rock",
    "60s",
    "rnb",
    "indie pop",
    "sad",
    "House",
    "happy",
]


@pytest.fixture(scope="module")
def content() -> Any:
    return json.loads(
        (files("analysis.mer.musicnn") / "weights" / "tag_affect.json").read_text(encoding="utf-8")
    )


@pytest.fixture(scope="module")
def tag_affect(content: Any) -> TagAffect:
    return TagAffect.from_json(json.dumps(content))


def typical(tag_affect: TagAffect) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    return (tag_affect.strength_mean**2)[None].astype(np.float32)


def used(content: Any) -> list[Any]:
    return [entry for entry in content["tags"] if entry["weight"]]


def test_the_tags_stand_in_the_network_s_order(tag_affect: TagAffect) -> None:
    assert list(tag_affect.tags) == MSD_TAGS


def test_every_used_tag_has_a_place_a_source_and_a_licence_and_no_other_has_a_place(content: Any) -> None:
    assert 0 < len(used(content)) <= 50
    for entry in used(content):
        source = content["sources"][entry["source"]]
        assert source["citation"]
        assert source["licence"] in ("MIT", "CC BY 4.0")
        assert -1 <= entry["valence"] <= 1
        assert -1 <= entry["arousal"] <= 1
        assert entry["link"]
        assert entry.get("link_source", entry["source"]) in content["sources"]
    for entry in content["tags"]:
        if not entry["weight"]:
            assert (entry["valence"], entry["arousal"], entry["source"]) == (0, 0, None)
            assert entry["link"].startswith("no citable value")


def test_no_source_forbids_commercial_use(content: Any) -> None:
    for source in content["sources"].values():
        assert "NC" not in source["licence"]


@pytest.mark.parametrize(
    ("scale", "tags"),
    [
        ("Happy", ["happy"]),
        ("Sad", ["sad"]),
        ("Beauty", ["beautiful"]),
        ("Tender", ["chillout", "Mellow", "chill", "easy listening"]),
        ("Anger", ["metal", "punk", "heavy metal"]),
    ],
)
def test_a_place_from_music_is_the_rated_scale_s_correlation_with_valence_and_energy(
    test_data: Path, content: Any, scale: str, tags: list[str]
) -> None:
    with (test_data / "tables" / "eerola_soundtracks110.csv").open() as file:
        rows = list(csv.DictReader(file))
    ratings = {name: [float(row[name]) for row in rows] for name in (scale, "Valence", "Energy")}

    expected = [np.corrcoef(ratings[scale], ratings[axis])[0, 1] for axis in ("Valence", "Energy")]

    placed = [entry for entry in content["tags"] if entry.get("scale") == scale]
    assert [entry["tag"] for entry in placed] == tags
    for entry in placed:
        assert [entry["valence"], entry["arousal"]] == pytest.approx(expected, abs=0.0005)


def test_the_gain_is_for_the_mean_and_spread_of_the_ratings(test_data: Path, content: Any) -> None:
    with (test_data / "tables" / "eerola_soundtracks110.csv").open() as file:
        rows = list(csv.DictReader(file))
    calibration = content["calibration"]

    for axis, name in enumerate(("Valence", "Energy")):
        rated = (np.array([float(row[name]) for row in rows]) - 5) / 4
        assert calibration["ratings_mean"][axis] == pytest.approx(rated.mean(), abs=0.0005)
        assert calibration["ratings_sd"][axis] == pytest.approx(rated.std(), abs=0.0005)


def test_a_place_from_a_word_is_the_printed_rating_on_a_scale_from_minus_one_to_one(content: Any) -> None:
    # Scott et al. 2019, supplementary table: mean valence and arousal, 1 to 9.
    printed = {"party": (8.147, 7.559), "dance": (6.879, 6.424), "sexy": (7.686, 7.719)}

    words = {entry["tag"]: entry for entry in content["tags"] if entry["source"] == "glasgow"}

    assert words.keys() == printed.keys()
    for tag, (valence, arousal) in printed.items():
        assert words[tag]["valence"] == pytest.approx((valence - 5) / 4, abs=0.001)
        assert words[tag]["arousal"] == pytest.approx((arousal - 5) / 4, abs=0.001)


def test_the_music_that_set_the_scale_is_the_committed_half(content: Any) -> None:
    tracks = Path(__file__).parents[3] / "listening" / "tracks.csv"
    with tracks.open(newline="") as file:
        calibrate = [row for row in csv.DictReader(file) if row["half"] == "calibrate"]

    pieces = [source.split(": ") for source in content["calibration"]["music"]]

    assert sum(int(count.split()[0]) for _, count in pieces) == len(calibrate)
    assert {name for name, _ in pieces} == {f"Debian {row['package']} {row['version']}" for row in calibrate}


def test_typical_music_lies_near_the_published_mean(tag_affect: TagAffect, content: Any) -> None:
    affect = tag_affect.affect(typical(tag_affect))[0]

    assert affect == pytest.approx(content["calibration"]["ratings_mean"], abs=0.07)


@pytest.mark.parametrize(
    ("tag", "axis", "sign"),
    [
        ("happy", 0, 1),
        ("happy", 1, 1),
        ("sad", 0, -1),
        ("sad", 1, -1),
        ("beautiful", 0, 1),
        ("party", 0, 1),
        ("chillout", 1, -1),
        ("easy listening", 1, -1),
        ("punk", 0, -1),
        ("heavy metal", 1, 1),
    ],
)
def test_more_of_a_tag_moves_affect_the_way_its_word_says(
    tag_affect: TagAffect, tag: str, axis: int, sign: int
) -> None:
    index = MSD_TAGS.index(tag)
    stronger = tag_affect.strength_mean.copy()
    stronger[index] += 2 * tag_affect.strength_sd[index]

    moved = tag_affect.affect((stronger**2)[None].astype(np.float32)) - tag_affect.affect(typical(tag_affect))

    assert moved[0, axis] * sign > 0.05


def test_a_tag_without_a_place_moves_nothing(tag_affect: TagAffect) -> None:
    before = typical(tag_affect)
    after = before.copy()
    after[0, [MSD_TAGS.index("jazz"), MSD_TAGS.index("ambient"), MSD_TAGS.index("70s")]] = 0.9

    assert np.array_equal(tag_affect.affect(after), tag_affect.affect(before))


def test_the_formula_is_the_one_written_in_the_file(tag_affect: TagAffect, content: Any) -> None:
    # Near typical music, where tanh is far from its ends.
    tags = (typical(tag_affect)[0] * np.random.default_rng(0).uniform(0.7, 1.4, 50)).astype(np.float32)

    calibration = content["calibration"]
    score = [0.0, 0.0]
    for tag, coefficient in calibration["coefficients"].items():
        k = MSD_TAGS.index(tag)
        z = (float(tags[k]) ** 0.5 - calibration["strength_mean"][k]) / calibration["strength_sd"][k]
        score = [score[axis] + coefficient[axis] * z for axis in (0, 1)]
    expected = [
        np.tanh(calibration["offset"][axis] + calibration["gain"][axis] * score[axis]) for axis in (0, 1)
    ]

    assert tag_affect.affect(tags[None])[0] == pytest.approx(expected, abs=1e-9)


def test_the_file_s_coefficients_follow_from_its_places_and_correlations(content: Any) -> None:
    correlation = np.array(content["calibration"]["correlation"])

    coefficients = factor_coefficients(places_of(used(content)), correlation)

    assert list(content["calibration"]["coefficients"]) == [entry["tag"] for entry in used(content)]
    committed = np.array(list(content["calibration"]["coefficients"].values()))
    assert committed == pytest.approx(coefficients, abs=1e-5)


def test_over_the_calibration_music_the_axes_are_uncorrelated_and_of_unit_spread(content: Any) -> None:
    coefficients = np.array(list(content["calibration"]["coefficients"].values()))

    covariance = coefficients.T @ np.array(content["calibration"]["correlation"]) @ coefficients

    assert covariance == pytest.approx(np.eye(2), abs=1e-4)


def test_unrelated_tags_on_the_axes_are_read_as_they_stand() -> None:
    # With orthogonal loadings and no correlation Bartlett's scores are the strengths themselves.
    coefficients = factor_coefficients(np.array([[0.8, 0.0], [0.0, -0.5]]), np.eye(2))

    assert coefficients == pytest.approx(np.array([[1.0, 0.0], [0.0, -1.0]]), abs=1e-12)


def test_two_words_for_one_thing_count_little_more_than_one() -> None:
    apart = factor_coefficients(np.array([[0.6, 0.0], [0.6, 0.0], [0.0, 0.5]]), np.eye(3))
    together = factor_coefficients(
        np.array([[0.6, 0.0], [0.6, 0.0], [0.6, 0.0], [0.0, 0.5]]),
        np.array([[1.0, 1.0, 0.0, 0.0], [1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0]]),
        pull=0.01,
    )

    assert apart[0, 0] == pytest.approx(apart[1, 0])
    assert together[0, 0] + together[1, 0] == pytest.approx(together[2, 0], rel=0.02)


def test_full_trust_in_the_correlation_gives_bartlett_s_scores() -> None:
    # Bartlett's scores return the factors exactly where strengths are loadings times factors.
    loadings = np.array([[0.8, 0.4], [-0.1, -0.8], [0.6, -0.6], [-0.7, 0.5]])
    factors = np.random.default_rng(1).standard_normal((5000, 2))
    strengths = factors @ loadings.T + 0.1 * np.random.default_rng(2).standard_normal((5000, 4))
    standardised = (strengths - strengths.mean(axis=0)) / strengths.std(axis=0)

    coefficients = factor_coefficients(
        loadings / strengths.std(axis=0)[:, None], np.corrcoef(standardised.T), pull=0.0
    )

    scores = standardised @ coefficients
    for axis in (0, 1):
        assert np.corrcoef(scores[:, axis], factors[:, axis])[0, 1] > 0.98


@given(st.lists(st.floats(0, 1, width=32), min_size=50, max_size=50))
@settings(max_examples=100, deadline=None)
def test_no_tags_whatever_leave_the_circumplex(tag_affect: TagAffect, tags: list[float]) -> None:
    affect = tag_affect.affect(np.array([tags], dtype=np.float32))

    assert affect.shape == (1, 2)
    assert np.all(np.isfinite(affect))
    assert np.all(np.abs(affect) <= 1)
