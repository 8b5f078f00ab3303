"""The card of a data set: how much music of which kind there is, where on the plane, and what was lost."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from generation.training.corpora.plane import Histogram, Quadrant, histogram, quadrants
from generation.training.crops import LabelledCrops
from generation.training.tracks import Corpus, Fault, Split, Track
from study.canonical import plain

NO_VOCAL_FILTER = "No vocal filter is applied: music with singing is used like all other music."
FIRST_NAMED = 5
"""So many faults of a kind are named; the others are counted."""

ALL = "all"
_SECONDS_AN_HOUR = 3600.0

Counted = TypeVar("Counted", bound=Hashable)


@dataclass(frozen=True)
class SplitCount:
    """One split.

    Args:
        hours: of its tracks; of those whose length is known.
        windows, window_hours: labelled ones; hours count every window whole, also where windows overlap.
        without_affect: of `windows`, those with no place on the plane.
        artists: different ones that the data set names.
    """

    tracks: int
    hours: float
    windows: int
    window_hours: float
    without_affect: int
    artists: int


@dataclass(frozen=True)
class SharedBy:
    """What two splits have in common: a model may know a validation track by its maker.

    Args:
        artists, albums: in both splits.
        tracks: of the second split, whose artist or album the first one has too.
        tracks_unnamed: of both splits, whose artist the data set does not name, so that nobody can tell.
    """

    splits: tuple[Split, Split]
    artists: int
    albums: int
    tracks: int
    tracks_unnamed: int


@dataclass(frozen=True)
class FaultCount:
    """Faults of one kind.

    Args:
        kept: of `count`, those whose track is used all the same.
        first: up to `FIRST_NAMED` of them: track and problem.
    """

    kind: str
    count: int
    kept: int
    first: tuple[str, ...]


@dataclass(frozen=True)
class DataCard:
    """What a training learns from.

    Args:
        licences: part of the data set to its licence; `track_licences`: licence to number of tracks.
        sha256: table file to its SHA-256.
        splits: by split, and ``all``.
        tags: tag to number of tracks, the most frequent first.
        sample_rates: Hz, as decoded, to number of tracks, the most frequent first.
        labels: one sentence: where the labels are from; `perspective` and `predictor` as in `LabelledCrops`.
        plane: all windows over valence and arousal.
        quadrants: by split, and ``all``.
        shared: every pair of splits that has tracks.
        faults: by kind, in the order they were first met.
        notes: sentences a reader should know.
    """

    name: str
    licences: Mapping[str, str]
    track_licences: Mapping[str, int]
    sha256: Mapping[str, str]
    splits: Mapping[str, SplitCount]
    tags: Mapping[str, int]
    sample_rates: Mapping[int, int]
    labels: str
    perspective: str
    predictor: str | None
    plane: Histogram
    quadrants: Mapping[str, tuple[Quadrant, ...]]
    shared: tuple[SharedBy, ...]
    faults: tuple[FaultCount, ...]
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """As plain values of JSON."""
        card: dict[str, Any] = plain(self)
        return card


def data_card(corpus: Corpus, labelled: LabelledCrops) -> DataCard:
    """Count a data set.

    Args:
        corpus: as `probed` hands it over, the faults of `crops_of` among its own.
    """
    return DataCard(
        name=corpus.name,
        licences=dict(corpus.licences),
        track_licences=_counted(track.licence for track in corpus.tracks),
        sha256=dict(corpus.sha256),
        splits={name: _split_count(corpus, labelled, split) for name, split in _SPLITS.items()},
        tags=_counted(tag for track in corpus.tracks for tag in track.tags),
        sample_rates=_counted(track.sample_rate_hz for track in corpus.tracks if track.sample_rate_hz),
        labels=labelled.source,
        perspective=labelled.perspective,
        predictor=labelled.predictor,
        plane=histogram(labelled.crops),
        quadrants={
            name: quadrants(labelled.crops if split is None else labelled.of(split))
            for name, split in _SPLITS.items()
        },
        shared=_shared(corpus),
        faults=_fault_counts((*corpus.faults, *labelled.faults)),
        notes=(*corpus.notes, NO_VOCAL_FILTER),
    )


_SPLITS: Mapping[str, Split | None] = {**{str(split): split for split in Split}, ALL: None}


def _counted(found: Iterable[Counted]) -> dict[Counted, int]:
    return dict(Counter(found).most_common())


def _split_count(corpus: Corpus, labelled: LabelledCrops, split: Split | None) -> SplitCount:
    tracks = corpus.tracks if split is None else corpus.of(split)
    crops = labelled.crops if split is None else labelled.of(split)
    return SplitCount(
        tracks=len(tracks),
        hours=sum(track.duration_s or 0.0 for track in tracks) / _SECONDS_AN_HOUR,
        windows=len(crops),
        window_hours=sum(one.crop.duration_s for one in crops) / _SECONDS_AN_HOUR,
        without_affect=sum(one.affect is None for one in crops),
        artists=len({track.artist_id for track in tracks} - {None}),
    )


def _shared(corpus: Corpus) -> tuple[SharedBy, ...]:
    by_split = {split: corpus.of(split) for split in Split}
    return tuple(
        _shared_by(first, second, by_split[first], by_split[second])
        for first, second in itertools.combinations(Split, 2)
        if by_split[first] and by_split[second]
    )


def _shared_by(first: Split, second: Split, ours: Sequence[Track], theirs: Sequence[Track]) -> SharedBy:
    artists = {track.artist_id for track in ours} & {track.artist_id for track in theirs} - {None}
    albums = {track.album_id for track in ours} & {track.album_id for track in theirs} - {None}
    return SharedBy(
        splits=(first, second),
        artists=len(artists),
        albums=len(albums),
        tracks=sum(track.artist_id in artists or track.album_id in albums for track in theirs),
        tracks_unnamed=sum(track.artist_id is None for track in (*ours, *theirs)),
    )


def _fault_counts(faults: Sequence[Fault]) -> tuple[FaultCount, ...]:
    by_kind: dict[str, list[Fault]] = {}
    for fault in faults:
        by_kind.setdefault(str(fault.kind), []).append(fault)
    return tuple(
        FaultCount(
            kind=kind,
            count=len(found),
            kept=sum(fault.is_kept for fault in found),
            first=tuple(f"{fault.track_id}: {fault.problem}" for fault in found[:FIRST_NAMED]),
        )
        for kind, found in by_kind.items()
    )
