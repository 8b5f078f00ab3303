"""The card of a data set: its figures by hand, its page, and its picture."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import matplotlib.image
import numpy as np
import pytest

from generation.training.corpora.data_card import DataCard, SharedBy, data_card
from generation.training.corpora.data_card_markdown import data_card_markdown
from generation.training.corpora.data_picture import draw_data_card, figure
from generation.training.corpora.jamendo_rows import read_rows, take
from generation.training.corpora.plane import histogram, quadrants
from generation.training.crops import Crop, LabelledCrop, LabelledCrops
from generation.training.tracks import Corpus, Fault, FaultKind, Split, Track
from study.affect import Affect
from study.errors import OutOfRange

HOUR_S = 3600.0


def labelled(
    track_id: str, split: Split, duration_s: float, place: tuple[float, float] | None
) -> LabelledCrop:
    return LabelledCrop(Crop(track_id, split, 0.0, duration_s), None if place is None else Affect(*place), "")


def labels(*crops: LabelledCrop, faults: tuple[Fault, ...] = ()) -> LabelledCrops:
    return LabelledCrops(crops, faults, "From the table.", None, "perceived")


def track(name: str, split: Split, artist: str | None, album: str | None = None, rate: int = 44_100) -> Track:
    return Track(
        name, Path(name), split, ("calm", "film") if artist == "x" else ("calm",), duration_s=HOUR_S,
        licence="CC BY 3.0", artist_id=artist, album_id=album, sample_rate_hz=rate,
    )  # fmt: skip


TRACKS = (
    track("a", Split.TRAIN, "x", "1"),
    track("b", Split.TRAIN, "y", "2", rate=48_000),
    track("c", Split.TRAIN, None),
    track("d", Split.VALIDATION, "x", "3"),
    track("e", Split.VALIDATION, "z", "2"),
    track("f", Split.VALIDATION, "w", "4"),
    track("g", Split.VALIDATION, None),
)
CROPS = (
    labelled("a", Split.TRAIN, 30.0, (0.5, 0.5)),
    labelled("b", Split.TRAIN, 30.0, (0.5, -0.5)),
    labelled("c", Split.TRAIN, 10.0, (-0.5, 0.0)),
    labelled("d", Split.VALIDATION, 20.0, (-0.5, -0.5)),
    labelled("e", Split.VALIDATION, 30.0, None),
)
LOST = tuple(Fault(f"m{n}", f"m{n}.mp3", FaultKind.MISSING, "there is no such file") for n in range(7))


@pytest.fixture
def card() -> DataCard:
    corpus = Corpus(
        "own | music",
        Path("sound"),
        TRACKS,
        LOST,
        {"audio": "per track"},
        {"music.csv": "ab" * 32},
        ("A note.",),
    )
    other = Fault("d", "d", FaultKind.TAG_WITHOUT_AFFECT, "film has no place", is_kept=True)
    return data_card(corpus, labels(*CROPS, faults=(other,)))


def test_the_card_counts_tracks_hours_and_windows_by_split(card: DataCard) -> None:
    train, everything = card.splits["train"], card.splits["all"]

    assert (train.tracks, train.hours, train.windows, train.artists) == (3, 3.0, 3, 2)
    assert train.window_hours == pytest.approx(70 / 3600)
    assert (everything.tracks, everything.hours, everything.windows) == (7, 7.0, 5)
    assert (everything.without_affect, train.without_affect) == (1, 0)
    assert (card.splits["test"].tracks, card.splits["test"].hours) == (0, 0.0)
    assert dict(card.tags) == {"calm": 7, "film": 2}
    assert dict(card.track_licences) == {"CC BY 3.0": 7}
    assert dict(card.sample_rates) == {44_100: 6, 48_000: 1}


def test_quadrants_are_weighted_by_windows_and_by_their_hours(card: DataCard) -> None:
    """Four windows are placed, of 30, 30, 10 and 20 s: 90 s; arousal 0 counts as +."""
    everything = card.quadrants["all"]

    assert [one.name for one in everything] == ["V+A+", "V+A−", "V−A+", "V−A−"]
    assert [one.share_of_windows for one in everything] == [0.25, 0.25, 0.25, 0.25]
    assert [one.share_of_hours for one in everything] == pytest.approx([30 / 90, 30 / 90, 10 / 90, 20 / 90])
    assert [one.windows for one in card.quadrants["train"]] == [1, 1, 1, 0]
    assert {one.share_of_hours for one in card.quadrants["test"]} == {None}


def test_the_histogram_has_arousal_down_and_valence_across_and_holds_its_edges() -> None:
    corners = [(1.0, -1.0), (-1.0, 1.0), (0.0, 0.2), (-0.01, 0.19)]

    found = histogram([labelled("a", Split.TRAIN, 36.0, place) for place in corners])

    counts = np.array(found.windows)
    assert counts.shape == (10, 10)
    # Bins of 0.2 from -1: valence 0 and arousal 0.2 begin bins 5 and 6; 1 lies in the last bin.
    assert sorted(zip(*np.nonzero(counts), strict=True)) == [(0, 9), (5, 4), (6, 5), (9, 0)]
    assert np.array(found.hours)[0, 9] == pytest.approx(0.01)


def test_the_published_tags_lie_where_they_were_counted_to_lie(test_data: Path) -> None:
    """Of MTG-Jamendo's tracks under the tag table of AMAAI-Lab/Music2Emotion (1 to 9), the mean of a track's
    tags: V+A- 54.1 %, V+A+ 36.1 %, V-A- 8.8 %, V-A+ 1.0 %, as the data set's facts state."""
    rows = read_rows(test_data / "jamendo" / "autotagging_moodtheme.tsv")
    with (test_data / "jamendo" / "moodtag_va_scores.csv").open() as file:
        places = {
            row["MoodTag"]: [(float(row[axis]) - 5) / 4 for axis in ("Valence", "Arousal")]
            for row in csv.DictReader(file)
        }
    crops = []
    for one in take(rows, {Split.TRAIN: rows}, Path("sound")).tracks:
        known = [places[tag] for tag in one.tags if tag in places]
        if known:
            valence, arousal = np.mean(known, axis=0)
            crops.append(labelled(one.track_id, Split.TRAIN, 30.0, (valence, arousal)))

    shares = {one.name: one.share_of_windows for one in quadrants(crops)}

    assert shares == {
        "V+A−": pytest.approx(0.541, abs=5e-4),
        "V+A+": pytest.approx(0.361, abs=5e-4),
        "V−A−": pytest.approx(0.088, abs=5e-4),
        "V−A+": pytest.approx(0.010, abs=5e-4),
    }


def test_artists_and_albums_of_two_splits_are_counted_with_their_tracks(card: DataCard) -> None:
    """x made a and d; album 2 holds b and e; f is of nobody in training; c and g name no artist."""
    assert card.shared == (SharedBy((Split.TRAIN, Split.VALIDATION), 1, 1, 2, 2),)


def test_faults_are_counted_by_kind_with_the_first_ones_named(card: DataCard) -> None:
    missing, tag = card.faults

    assert (missing.kind, missing.count, missing.kept) == ("missing", 7, 0)
    assert missing.first == tuple(f"m{number}: there is no such file" for number in range(5))
    assert (tag.kind, tag.count, tag.kept) == ("tag without affect", 1, 1)


def test_the_card_says_in_json_all_it_says(card: DataCard) -> None:
    written = json.loads(json.dumps(card.to_json(), allow_nan=False))

    assert written["splits"]["all"]["tracks"] == 7
    assert written["sample_rates"] == {"44100": 6, "48000": 1}
    assert written["quadrants"]["train"][0]["share_of_windows"] == pytest.approx(1 / 3)
    assert written["quadrants"]["test"][0]["share_of_windows"] is None
    assert written["faults"][0]["kind"] == "missing"
    assert written["plane"]["windows"][7][7] == 1


def test_the_page_tells_amounts_places_leaks_and_losses(card: DataCard) -> None:
    page = data_card_markdown(card)

    for line in (
        "| train | 3 | 3.00 | 2 | 3 | 0.02 | 0 |",
        "From the table. Perspective: perceived.",
        "| CC BY 3.0 | 7 |",
        "calm (7), film (2)",
        "Sample rates found, and tracks: 44,100 Hz (6), 48,000 Hz (1).",
        "- train and validation: 1 artists and 1 albums are in both; 2 tracks of validation are theirs; of 2 "
        "tracks the artist is not stated, so that nobody can tell.",
        "**missing**: 7",
        "- … and 2 more",
        "**tag without affect**: 1, 1 of them used all the same",
        "- A note.",
        "- No vocal filter is applied: music with singing is used like all other music.",
        f"- `music.csv`: SHA-256 `{'ab' * 32}`",
    ):
        assert line in page


def test_a_tag_may_not_break_the_pages_tables() -> None:
    odd = replace(TRACKS[0], tags=("a|b\n# c",), licence="<b>|")

    page = data_card_markdown(data_card(Corpus("m", Path(), (odd,), (), {}, {}), labels()))

    assert "a\\|b # c (1)" in page
    assert "| &lt;b>\\| | 1 |" in page
    assert "No file was decoded." not in page


def test_a_predictor_that_placed_the_windows_is_named(card: DataCard) -> None:
    heard = data_card_markdown(replace(card, predictor="cues"))

    assert "The predictor cues placed them: it may not report." in heard


def test_the_picture_is_darker_where_there_is_more_music() -> None:
    """Three windows in the upper left corner, one in the lower left, none at the right."""
    place = (*[(-0.9, 0.9)] * 3, (-0.9, -0.9))
    crops = labels(*(labelled("a", Split.TRAIN, 30.0, one) for one in place))

    drawn = figure(data_card(Corpus("m", Path(), TRACKS[:1], (), {}, {}), crops))

    raw = io.BytesIO()
    drawn.savefig(raw, format="png", dpi=drawn.dpi)
    raw.seek(0)
    pixels = matplotlib.image.imread(raw)[::-1, :, :3].mean(axis=2)
    plane = drawn.axes[0]

    def shade(valence: float, arousal: float) -> float:
        x, y = plane.transData.transform((valence, arousal))
        return float(pixels[round(y), round(x)])

    # Beside the middle of each corner's bin, which the circle does not cross.
    assert shade(-0.95, 0.9) < 0.3 < shade(-0.95, -0.9) < 1.0
    assert shade(0.95, 0.9) == shade(0.95, -0.9) == 1.0
    texts = {text.get_text() for text in plane.texts}
    assert {"V−A+: 75.0%, 0.0 h", "V+A+: 0.0%, 0.0 h"} <= texts


def test_a_card_without_affect_has_a_picture_too_and_the_same_card_the_same_file(tmp_path: Path) -> None:
    bare = data_card(
        Corpus("x $ ^ y", Path(), TRACKS[:1], (), {}, {}), labels(labelled("a", Split.TRAIN, 9.0, None))
    )
    first, second = tmp_path / "first.svg", tmp_path / "second.svg"

    draw_data_card(bare, first)
    draw_data_card(bare, second)

    assert first.read_bytes() == second.read_bytes()
    with pytest.raises(OutOfRange, match=r"card\.bmp: is not the name of a picture"):
        draw_data_card(bare, tmp_path / "card.bmp")
