"""Windows of a whole corpus, and the refusal of a split without any."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from generation.training.corpora.windows import crops_of
from generation.training.crops import Crop
from generation.training.recipe import DataRecipe
from generation.training.tracks import Corpus, Fault, FaultKind, Split, Track
from study.errors import IsopathError

DATA = DataRecipe("table", "music.csv", crop_s=10.0, hop_s=10.0, shortest_s=4.0)


def track(name: str, split: Split, duration_s: float | None) -> Track:
    return Track(name, Path(name), split, duration_s=duration_s)


def corpus_of(*tracks: Track, faults: tuple[Fault, ...] = ()) -> Corpus:
    return Corpus("music", Path(), tracks, faults, {}, {})


LONG = track("long", Split.TRAIN, 24.0)
MIDDLE = track("middle", Split.VALIDATION, 13.9)


def test_every_track_is_cut_in_the_corpuss_order() -> None:
    crops, faults = crops_of(corpus_of(LONG, MIDDLE), DATA)

    assert crops == (
        Crop("long", Split.TRAIN, 0.0, 10.0),
        Crop("long", Split.TRAIN, 10.0, 10.0),
        # 4 s are left, as much as the shortest: one more window, which ends with the track.
        Crop("long", Split.TRAIN, 14.0, 10.0),
        # 3.9 s are left.
        Crop("middle", Split.VALIDATION, 0.0, 10.0),
    )
    assert faults == ()


def test_a_track_too_short_for_a_window_is_named() -> None:
    crops, faults = crops_of(corpus_of(LONG, MIDDLE, track("short", Split.TEST, 3.9)), DATA)

    assert len(crops) == 4
    assert faults == (Fault("short", "short", FaultKind.TOO_SHORT, "lasts 3.9 s, and a window 4 s at least"),)


def test_an_empty_split_is_refused_with_what_was_read_and_lost() -> None:
    lost = (
        Fault("a", "a.mp3", FaultKind.MISSING, "there is no such file"),
        Fault("b", "b.mp3", FaultKind.MISSING, "there is no such file"),
        Fault("long", "long", FaultKind.OTHER_LENGTH, "lasts 24.0 s", is_kept=True),
    )
    short = track("short", Split.VALIDATION, 2.0)

    with pytest.raises(IsopathError) as refusal:
        crops_of(corpus_of(LONG, short, faults=lost), DATA)

    assert str(refusal.value) == (
        "music, split validation: holds no music (tracks that could be read: 1, in all splits 2; lost from "
        "the whole data set: 2 missing, first a (there is no such file); 1 too short, first short (lasts 2.0 "
        "s, and a window 4 s at least)); name the folder of the sound, mend what was lost, or move tracks "
        "into this split"
    )


def test_both_empty_splits_are_refused_at_once() -> None:
    with pytest.raises(IsopathError) as refusal:
        crops_of(corpus_of(replace(LONG, split=Split.TEST)), DATA)

    assert [line[:24] for line in str(refusal.value).splitlines()] == [
        "music, split train: hold",
        "music, split validation:",
    ]


def test_a_corpus_that_was_not_decoded_is_refused() -> None:
    with pytest.raises(IsopathError, match="its length is not known; decode the corpus"):
        crops_of(corpus_of(replace(LONG, duration_s=None), MIDDLE), DATA)
