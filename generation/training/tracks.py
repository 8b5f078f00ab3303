"""What training learns from: tracks as a data set states them, and what was wrong with the others.

Every reader of a data set (`generation/training/corpora`) hands over a `Corpus`; nothing in it
was dropped in silence: a track is in `tracks`, or in `faults`, or in both where a fault took part of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from study.affect import Affect


class Split(StrEnum):
    """What a track is for."""

    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"


class FaultKind(StrEnum):
    """Why a track, or a part of what is said about it, cannot be used."""

    MISSING = "missing"
    UNREADABLE = "unreadable"
    TOO_SHORT = "too short"
    SILENT = "silent"
    OTHER_LENGTH = "other length than stated"
    NO_LABEL = "no label"
    TAG_WITHOUT_AFFECT = "tag without affect"
    BAD_ROW = "bad row"
    DUPLICATE = "duplicate"
    DAMAGED_TOKENS = "damaged tokens"
    TORN_LINE = "line torn by a kill"
    NO_SPLIT = "in no split"
    TWO_SPLITS = "in two splits"
    NOT_IN_TABLE = "in a split, not in the table"


@dataclass(frozen=True)
class Track:
    """One piece of music.

    Args:
        track_id: unique in its corpus.
        path: of the sound file, whole.
        tags: the data set's own words, without their category.
        affect: where the data set itself places the track; perceived, not felt.
        prompt: the data set's own words for a text encoder.
        duration_s: as the data set states it, or as decoding found it; None where nothing states it.
        licence: of the sound; "not stated" where the data set is silent.
        artist_id, album_id: as the data set states them; None where it does not.
        sample_rate_hz: of the file, as decoding found it; None before.
    """

    track_id: str
    path: Path
    split: Split
    tags: tuple[str, ...] = ()
    affect: Affect | None = None
    prompt: str | None = None
    duration_s: float | None = None
    licence: str = "not stated"
    artist_id: str | None = None
    album_id: str | None = None
    sample_rate_hz: int | None = None


@dataclass(frozen=True)
class Fault:
    """Something that cannot be used.

    Args:
        track_id: of the track; of the line where it has none.
        path: of its sound, as the data set writes it.
        problem: one sentence with the value found.
        is_kept: the track itself is used all the same.
    """

    track_id: str
    path: str
    kind: FaultKind
    problem: str
    is_kept: bool = False


@dataclass(frozen=True)
class Corpus:
    """A data set as read.

    Args:
        name: for cards, e.g. ``mtg-jamendo moodtheme split-0``.
        root: where its sound lies.
        tracks: in the data set's order.
        faults: in the data set's order.
        licences: part (metadata, audio) to licence.
        sha256: table file to its SHA-256.
        notes: what a reader of its card should know: which files were taken, what was left aside.
    """

    name: str
    root: Path
    tracks: tuple[Track, ...]
    faults: tuple[Fault, ...]
    licences: Mapping[str, str]
    sha256: Mapping[str, str]
    notes: tuple[str, ...] = ()

    def of(self, split: Split) -> tuple[Track, ...]:
        """The tracks of one split."""
        return tuple(track for track in self.tracks if track.split == split)

    @property
    def fault_counts(self) -> Mapping[FaultKind, int]:
        """How often each kind of fault was found."""
        return Counter(fault.kind for fault in self.faults)
