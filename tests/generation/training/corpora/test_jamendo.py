"""MTG-Jamendo as its downloader leaves it: its own tables, and what can be wrong with them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from generation.training.corpora.jamendo_licences import read_licences
from generation.training.corpora.jamendo_rows import read_rows, take
from generation.training.corpora.read import read_corpus
from generation.training.recipe import DataRecipe
from generation.training.tracks import Corpus, FaultKind, Split
from study.errors import IsopathError
from tests.generation.training.corpora.sounds import HEADER, jamendo_row, write_jamendo, write_table

ONE, TWO, THREE = (jamendo_row(number, artist=number) for number in (101, 202, 303))
TABLE = "autotagging_moodtheme.tsv"


def read(table: Path, audio: Path | None = None, splits: Path | None = None) -> Corpus:
    sound, parts = (None if path is None else str(path) for path in (audio, splits))
    return read_corpus(DataRecipe("jamendo", str(table), sound, parts), 0)


def named(corpus: Corpus) -> list[tuple[FaultKind, str]]:
    return [(fault.kind, fault.problem) for fault in corpus.faults]


@pytest.fixture(scope="module")
def real(test_data: Path) -> Corpus:
    return read(test_data / "jamendo" / TABLE)


def test_the_real_tables_hold_what_is_published_of_them(real: Corpus) -> None:
    """Rows and tags: the data set's README. Splits: ``wc -l`` of its files, without their headers."""
    assert {split: len(real.of(split)) for split in Split} == {
        Split.TRAIN: 9_949,
        Split.VALIDATION: 3_802,
        Split.TEST: 4_231,
    }
    assert real.fault_counts == {FaultKind.NO_SPLIT: 18_486 - 9_949 - 3_802 - 4_231}
    assert len({tag for track in real.tracks for tag in track.tags}) == 59
    assert real.licences["metadata"] == "CC BY-NC-SA 4.0"


def test_no_artist_and_no_album_of_the_real_tables_is_in_two_splits(real: Corpus) -> None:
    artists = {(track.artist_id, track.split) for track in real.tracks}
    albums = {(track.album_id, track.split) for track in real.tracks}

    assert set(Counter(artist for artist, _ in artists).values()) == {1}
    assert set(Counter(album for album, _ in albums).values()) == {1}


def test_the_whole_table_lasts_1126_hours_and_9947_tracks_have_one_tag(test_data: Path) -> None:
    """Hours and tags: ``awk -F'\\t' '{s += $5; n += NF == 6}'`` over the table."""
    rows = read_rows(test_data / "jamendo" / TABLE)

    taken = take(rows, {Split.TRAIN: rows}, Path("sound"))

    assert (len(taken.tracks), taken.faults, taken.other_tags) == (18_486, [], {})
    assert sum(track.duration_s or 0.0 for track in taken.tracks) / 3600 == pytest.approx(1126.5, abs=0.05)
    assert sum(len(track.tags) == 1 for track in taken.tracks) == 9_947


def test_a_row_reaches_its_track_with_its_tags_without_category(tmp_path: Path) -> None:
    row = jamendo_row(214, "mood/theme---calm", "genre---rock", "mood/theme---film", duration_s="124.6")
    table = write_jamendo(tmp_path, [row, TWO], [row], [TWO])

    corpus = read(table)
    track = corpus.tracks[0]

    assert track.track_id == "track_0000214"
    assert track.path == tmp_path / "14" / "214.mp3"
    assert track.tags == ("calm", "film")
    assert (track.duration_s, track.artist_id, track.album_id) == (124.6, "artist_000001", "album_000001")
    assert track.split == Split.TRAIN
    assert "Tags that are no mood/theme are not used: 1 of genre." in corpus.notes
    assert corpus.name == "mtg-jamendo moodtheme split-0"


def test_the_full_download_is_taken_before_the_smaller_one(tmp_path: Path) -> None:
    table = write_jamendo(tmp_path, [ONE, TWO, THREE], [ONE, THREE], [TWO])
    for name in ("01/101.mp3", "01/101.low.mp3", "02/202.low.mp3"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()

    corpus = read(table)

    assert [track.path.name for track in corpus.tracks[:3]] == ["101.mp3", "202.low.mp3", "303.mp3"]
    assert corpus.notes[0] == (
        "Of 4 tracks, 1 are read from the smaller download (<id>.low.mp3); the others are looked for as "
        "<id>.mp3."
    )


@pytest.mark.parametrize("folder", [".", "splits/split-0", "elsewhere/split-3"])
def test_split_files_are_found_beside_the_table_in_their_own_layout_and_by_name(
    tmp_path: Path, folder: str
) -> None:
    table = write_jamendo(tmp_path, [ONE, TWO], [ONE], [TWO], splits=folder)
    named_folder = tmp_path / folder if folder.startswith("elsewhere") else None

    corpus = read(table, splits=named_folder)

    assert [track.split for track in corpus.tracks] == [Split.TRAIN, Split.VALIDATION, Split.TEST]
    assert set(corpus.sha256) == {TABLE, *(f"autotagging_moodtheme-{split}.tsv" for split in Split)}


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("track_1\tartist_1\talbum_1\t01/1.mp3\t12.0", "5 fields; a row has 6 at least"),
        (jamendo_row(1, duration_s="long"), "the duration 'long' is no number"),
        (jamendo_row(1, duration_s="0.0"), "a duration of 0.0 s"),
        (jamendo_row(1, duration_s="nan"), "a duration of nan s"),
        (jamendo_row(1, "calm"), "the tag 'calm' is not written category---word"),
        (jamendo_row(1, "mood/theme---calm", ""), "the tag '' is not written category---word"),
        (
            jamendo_row(1).replace("01/1.mp3", "../1.mp3"),
            "the path '../1.mp3' leaves the folder of the sound",
        ),
    ],
)
def test_a_bad_row_is_named_and_the_rest_goes_on(tmp_path: Path, row: str, told: str) -> None:
    table = write_jamendo(tmp_path, [ONE, row, TWO], [ONE, jamendo_row(1)], [TWO])

    corpus = read(table)

    assert [track.track_id for track in corpus.tracks[:2]] == ["track_0000101", "track_0000202"]
    found = [fault for fault in named(corpus) if fault[0] == FaultKind.BAD_ROW]
    assert found == [(FaultKind.BAD_ROW, f"{TABLE}:3: {told}")]


def test_a_track_in_two_splits_is_in_none(tmp_path: Path) -> None:
    table = write_jamendo(tmp_path, [ONE, TWO], [ONE, TWO], [TWO])

    corpus = read(table)

    assert [track.track_id for track in corpus.tracks] == ["track_0000101", "track_0009999"]
    told = (
        f"{TABLE}:3: is in train and validation (autotagging_moodtheme-train.tsv:3 and "
        "autotagging_moodtheme-validation.tsv:2)"
    )
    assert named(corpus) == [(FaultKind.TWO_SPLITS, told)]


def test_table_and_splits_that_do_not_agree_are_named(tmp_path: Path) -> None:
    moved = TWO.replace("02/202.mp3", "03/202.mp3")
    table = write_jamendo(tmp_path, [ONE, TWO, ONE], [ONE, ONE, THREE], [moved])

    corpus = read(table)

    assert sorted(named(corpus)) == [
        (FaultKind.BAD_ROW, f"{TABLE}:3: the path is '02/202.mp3', and '03/202.mp3' on "
         "autotagging_moodtheme-validation.tsv:2"),
        (FaultKind.DUPLICATE, "autotagging_moodtheme-train.tsv:3: the track stands on "
         "autotagging_moodtheme-train.tsv:2 already"),
        (FaultKind.DUPLICATE, f"{TABLE}:4: the track stands on {TABLE}:2 already"),
        (FaultKind.NOT_IN_TABLE, "autotagging_moodtheme-train.tsv:4: the table has no such track"),
    ]  # fmt: skip
    assert [track.track_id for track in corpus.tracks] == ["track_0000101", "track_0009999"]


def test_two_tracks_of_one_file_are_one(tmp_path: Path) -> None:
    other = TWO.replace("02/202.mp3", "01/101.mp3")
    table = write_jamendo(tmp_path, [ONE, other], [ONE], [other])

    assert named(read(table)) == [(FaultKind.DUPLICATE, f"{TABLE}:3: its file stands on {TABLE}:2 already")]


def test_files_that_are_not_the_data_sets_are_refused_together(tmp_path: Path) -> None:
    table = write_jamendo(tmp_path, [ONE], [ONE], [TWO])
    write_table(table, "path,valence,arousal", "a.wav,0,0")
    write_table(tmp_path / "splits" / "split-0" / "autotagging_moodtheme-validation.tsv", HEADER)

    with pytest.raises(IsopathError) as refusal:
        read(table)

    first, second = str(refusal.value).splitlines()
    assert first.startswith(f"{TABLE}:1: has the columns 'path,valence,arousal'")
    assert "autotagging_moodtheme-validation.tsv: has a header and no row" in second


def test_missing_split_files_are_refused(tmp_path: Path) -> None:
    table = write_jamendo(tmp_path, [ONE, TWO], [ONE], [TWO])
    (tmp_path / "splits" / "split-0" / "autotagging_moodtheme-test.tsv").unlink()

    with pytest.raises(IsopathError, match=r"moodtheme-test\.tsv: there is no such split file"):
        read(table)
    with pytest.raises(IsopathError, match=r"there are no split files .* write their folder as data\.splits"):
        read(table, splits=tmp_path)


def test_licences_are_read_from_the_data_sets_own_file(tmp_path: Path) -> None:
    """The form of its blocks as github.com/MTG/mtg-jamendo-dataset publishes it; deeds of both kinds."""
    (tmp_path / "audio_licenses.txt").write_text(
        "01/101.mp3\n"
        "Intro by Somebody from Jamendo: http://www.jamendo.com/track/101\n"
        "Available under a Creative Commons Attribution-Non-Commercial-Share-Alike license: "
        "http://creativecommons.org/licenses/by-nc-sa/3.0/\n"
        "--\n"
        "02/202.mp3\n"
        "Other by Somebody from Jamendo: http://www.jamendo.com/track/202\n"
        "Available under a Creative Commons Attribution license: "
        "http://creativecommons.org/licenses/by/2.0/fr/\n"
        "--\n"
        "03/303.mp3\n"
        "Third by Somebody from Jamendo: http://www.jamendo.com/track/303\n"
        "Available under a Licence Art Libre license: http://artlibre.org/licence/lal\n"
    )
    data = tmp_path / "data"
    table = write_jamendo(data, [ONE, TWO, THREE], [ONE, THREE], [TWO])

    corpus = read(table)

    assert [track.licence for track in corpus.tracks] == [
        "CC BY-NC-SA 3.0",
        "CC BY 2.0 FR",
        "Available under a Licence Art Libre license: http://artlibre.org/licence/lal",
        "not stated",
    ]
    assert "audio_licenses.txt" in corpus.sha256
    assert len(read_licences(tmp_path / "audio_licenses.txt")) == 3
