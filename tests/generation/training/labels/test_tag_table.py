"""Every tag of MTG-Jamendo's moods and themes has a place with its source, or the reason why it has none."""

from __future__ import annotations

import csv
import json
import statistics
from collections import Counter
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import spearmanr

from generation.training.labels.tag_table import TagTable, load_tag_table
from generation.training.labels.tagged import mean_place
from study.affect import Affect
from study.errors import OutOfRange, Refusals, StorageError

TABLE: dict[str, Any] = json.loads(
    (files("generation.training.labels") / "tag_affect.json").read_text(encoding="utf-8")
)


def amaai(test_data: Path) -> TagTable:
    return load_tag_table(str(test_data / "jamendo" / "moodtag_va_scores.csv"))


def moodtheme(test_data: Path) -> list[list[str]]:
    """The tags of every track of the dataset's own table."""
    path = test_data / "jamendo" / "autotagging_moodtheme.tsv"
    rows = path.read_text(encoding="utf-8").splitlines()[1:]
    return [[tag.rpartition("---")[2] for tag in row.split("\t")[5:]] for row in rows]


def shares(tracks: list[list[str]], table: TagTable) -> tuple[int, dict[str, float]]:
    """Tracks with a place, and the percentage of them in each quadrant; the middle of a scale counts as +."""
    places = [place for tags in tracks if (place := mean_place(tags, table)) is not None]
    found = Counter(
        ("V+" if round(one.valence, 9) >= 0 else "V-") + ("A+" if round(one.arousal, 9) >= 0 else "A-")
        for one in places
    )
    return len(places), {name: round(100 * n / len(places), 1) for name, n in found.items()}


def test_every_tag_of_the_dataset_stands_in_the_installed_table(test_data: Path) -> None:
    used = {tag for tags in moodtheme(test_data) for tag in tags}

    assert len(used) == 59
    assert set(load_tag_table("default").tags) == used


def test_every_place_has_a_source_with_its_licence_and_every_gap_a_reason() -> None:
    table = load_tag_table("default")

    placed = {tag: place for tag, place in table.tags.items() if place.affect is not None}
    assert len(placed) == 44
    assert {place.source for place in placed.values()} == {"soundtracks", "glasgow"}
    assert "MIT" in table.sources["soundtracks"]
    assert "CC BY 4.0" in table.sources["glasgow"]
    assert all(len(place.source) > 40 for tag, place in table.tags.items() if tag not in placed)
    assert {place.kind for place in table.tags.values()} == {"feeling", "character", "theme"}


def test_ratings_of_music_come_first_and_the_word_stands_beside_them() -> None:
    sad = load_tag_table("default").tags["sad"]

    # Film music heard as sad is hardly unpleasant; the word is.
    assert sad.source == "soundtracks"
    assert sad.affect == Affect(-0.026, -0.39)
    (word,) = sad.also
    assert (word.source, word.affect) == ("glasgow", Affect(-0.7, -0.242))


def test_norms_of_words_are_the_printed_means_on_our_scale() -> None:
    entries = [entry for one in TABLE["tags"].values() for entry in (one, *one.get("also", ()))]
    norms = [entry for entry in entries if entry["source"] == "glasgow"]

    assert len(norms) == 41
    for entry in norms:
        for axis in ("valence", "arousal"):
            assert entry[axis] == pytest.approx((entry["as_printed"][axis] - 5) / 4, abs=5e-4)


def test_ratings_of_music_are_the_means_of_the_published_excerpts(test_data: Path) -> None:
    with (test_data / "tables" / "eerola_soundtracks110.csv").open(encoding="utf-8", newline="") as file:
        excerpts = list(csv.DictReader(file))

    rated = {tag: entry for tag, entry in TABLE["tags"].items() if entry["source"] == "soundtracks"}
    assert len(rated) == 8
    for entry in rated.values():
        emotion, _, pole = entry["excerpts"].partition(" ")
        mine = [
            one
            for one in excerpts
            if one["TARGET_EMOTION"].lower() == emotion
            and (not pole or one["TARGET_POLARITY"].lower() == pole)
        ]
        assert len(mine) == 10
        for axis, column in (("valence", "Valence"), ("arousal", "Energy")):
            mean = statistics.fmean(float(one[column]) for one in mine)
            assert entry[axis] == pytest.approx((mean - 5) / 4, abs=5e-4)


def test_the_published_shares_of_the_quadrants_are_found_again(test_data: Path) -> None:
    # V+A- 54.1 %, V+A+ 36.1 %, V-A- 8.8 %, V-A+ 1.0 % of the tracks with a tag of that table: all of the
    # splits' 17,982, that is the whole table of 18,486 less those with one of its three rare tags alone.
    n, found = shares(moodtheme(test_data), amaai(test_data))

    assert n == 9_949 + 3_802 + 4_231
    assert found == {"V+A-": 54.1, "V+A+": 36.1, "V-A-": 8.8, "V-A+": 1.0}


def test_distress_is_rare_whichever_table_places_the_tags(test_data: Path) -> None:
    n, found = shares(moodtheme(test_data), load_tag_table("default"))

    assert n == 18_486 - 2_465
    assert found == {"V+A+": 69.7, "V+A-": 14.2, "V-A-": 11.5, "V-A+": 4.6}


def test_our_places_go_with_the_other_published_table_and_part_where_music_is_not_its_word(
    test_data: Path,
) -> None:
    ours, other = load_tag_table("default"), amaai(test_data)
    both = {
        tag: (mine, theirs)
        for tag in other.tags
        if (mine := ours.affect_of(tag)) and (theirs := other.affect_of(tag))
    }

    assert len(both) == 42
    furthest = {}
    for axis in ("valence", "arousal"):
        pairs = {tag: (getattr(mine, axis), getattr(theirs, axis)) for tag, (mine, theirs) in both.items()}
        mine_theirs = np.array(list(pairs.values()))
        assert spearmanr(mine_theirs[:, 0], mine_theirs[:, 1]).statistic > 0.7
        furthest[axis] = sorted(pairs, key=lambda tag: -abs(pairs[tag][0] - pairs[tag][1]))[:3]
    assert furthest == {"valence": ["sad", "fast", "relaxing"], "arousal": ["love", "uplifting", "romantic"]}


def test_a_csv_of_ratings_from_1_to_9_has_its_middle_at_0(tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_text("MoodTag,Valence,Arousal,n\nTense,1,9,12\nplain,5,5.5,8\n")

    table = load_tag_table(str(tmp_path / "own.csv"))

    assert table.affect_of("tense") == Affect(-1.0, 1.0)
    assert table.affect_of("PLAIN") == Affect(0.0, 0.125)
    assert table.affect_of("sad") is None
    assert table.name == "own.csv"


def test_all_that_is_wrong_in_a_csv_is_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text("MoodTag,Valence,Arousal\ntense,0.5,9\ncalm,7,low\nCalm,7,2\n,5,5\n")

    with pytest.raises(Refusals) as caught:
        load_tag_table(str(path))

    assert str(caught.value).splitlines() == [
        f"{path}::line 2.Valence: '0.5' is no rating from 1 to 9; mend it, or take the row out",
        f"{path}::line 3.Arousal: 'low' is no rating from 1 to 9; mend it, or take the row out",
        f"{path}::line 5: names no tag; name each tag once",
    ]


def test_a_tag_that_is_named_twice_is_refused_whatever_its_case(tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_text("MoodTag,Valence,Arousal\ncalm,7,2\nCalm,7,2\n")

    with pytest.raises(OutOfRange, match="line 3: 'Calm' is named twice; name each tag once"):
        load_tag_table(str(tmp_path / "own.csv"))


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("own.csv", "tag,v,a\ncalm,7,2\n", "there is no column MoodTag, Valence, Arousal"),
        ("own.csv", "MoodTag,Valence,Arousal\n", "there is no tag in it"),
        ("own.json", "[1, 2]", "is no table of tags"),
        ("own.json", '{"name": "own", "version": "1", "sources": {}}', "KeyError 'tags'"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path: Path, name: str, content: str, told: str) -> None:
    (tmp_path / name).write_text(content)

    with pytest.raises(StorageError, match=told):
        load_tag_table(str(tmp_path / name))


def test_a_json_place_without_its_source_is_refused(tmp_path: Path) -> None:
    place = {"valence": 0.5, "arousal": 0.0, "source": "nowhere"}
    (tmp_path / "own.json").write_text(
        json.dumps({"name": "own", "version": "1", "sources": {}, "tags": {"calm": place}})
    )

    with pytest.raises(StorageError, match="places are from nowhere, of which it has no source"):
        load_tag_table(str(tmp_path / "own.json"))


def test_a_table_that_is_not_there_is_refused_with_what_can_be_written(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"no\.csv: cannot be read .*; write default, or the path of a"):
        load_tag_table(str(tmp_path / "no.csv"))
