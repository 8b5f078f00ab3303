"""The map from tags to affect says what its data file says, and never leaves the circumplex."""

from __future__ import annotations

import json
from collections import Counter
from importlib.resources import files
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.mer.musicnn.tag_affect import TagAffect

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


def test_the_tags_stand_in_the_network_s_order(tag_affect: TagAffect) -> None:
    assert list(tag_affect.tags) == MSD_TAGS


def test_every_place_is_on_the_circumplex_and_every_used_tag_has_a_reason(content: Any) -> None:
    for entry in content["tags"]:
        assert -1 <= entry["valence"] <= 1
        assert -1 <= entry["arousal"] <= 1
        assert entry["reason"]
        assert (entry["weight"] > 0) == (entry["group"] is not None)


def test_words_that_mean_alike_share_one_weight(content: Any) -> None:
    groups = Counter[str]()
    for entry in content["tags"]:
        if entry["group"]:
            groups[entry["group"]] += entry["weight"]

    assert len(groups) == 13
    assert all(weight == pytest.approx(1.0, abs=1e-5) for weight in groups.values())


def test_the_music_that_set_the_scale_is_named(content: Any) -> None:
    assert sum(int(source.split(": ")[1].split()[0]) for source in content["calibration"]["music"]) == 116
    assert "MIT" in content["calibration"]["ratings"]


def test_typical_music_lies_near_the_published_mean(tag_affect: TagAffect, content: Any) -> None:
    affect = tag_affect.affect(typical(tag_affect))[0]

    assert affect == pytest.approx(content["calibration"]["ratings_mean"], abs=0.05)


@pytest.mark.parametrize(
    ("tag", "axis", "sign"),
    [
        ("happy", 0, 1),
        ("sad", 0, -1),
        ("party", 1, 1),
        ("Mellow", 1, -1),
        ("ambient", 1, -1),
        ("metal", 0, -1),
    ],
)
def test_more_of_a_tag_moves_affect_the_way_its_word_says(
    tag_affect: TagAffect, tag: str, axis: int, sign: int
) -> None:
    before = typical(tag_affect)
    after = before.copy()
    after[0, MSD_TAGS.index(tag)] += 0.1

    moved = tag_affect.affect(after)[0, axis] - tag_affect.affect(before)[0, axis]

    assert moved * sign > 0.05


def test_the_formula_is_the_one_written_in_the_file(tag_affect: TagAffect) -> None:
    tags = np.random.default_rng(0).uniform(0, 1, 50).astype(np.float32)

    z = [
        (float(p) ** 0.5 - m) / s
        for p, m, s in zip(tags, tag_affect.strength_mean, tag_affect.strength_sd, strict=True)
    ]
    score = [sum(z[i] * tag_affect.places[i, axis] for i in range(50)) for axis in (0, 1)]
    mixed = [sum(tag_affect.mix[axis, k] * score[k] for k in (0, 1)) for axis in (0, 1)]
    expected = [np.tanh(tag_affect.offset[axis] + tag_affect.gain[axis] * mixed[axis]) for axis in (0, 1)]

    assert tag_affect.affect(tags[None])[0] == pytest.approx(expected, abs=1e-9)


@given(st.lists(st.floats(0, 1, width=32), min_size=50, max_size=50))
@settings(max_examples=100, deadline=None)
def test_no_tags_whatever_leave_the_circumplex(tag_affect: TagAffect, tags: list[float]) -> None:
    affect = tag_affect.affect(np.array([tags], dtype=np.float32))

    assert np.all(np.abs(affect) <= 1)
