"""Places from tags: every window lies at the mean place of its track's tags."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from generation.training.labels.places import Places, without_place
from generation.training.labels.tag_table import TagTable
from generation.training.tracks import Fault, FaultKind, Track
from study.affect import Affect


def tagged_places(of_crops: Sequence[Track], table: TagTable) -> Places:
    """The mean over the tags that have a place.

    A tag without one is a fault of its track, which is kept where another of its tags has one.

    Args:
        of_crops: the track of each window.
    """
    affects = {track.track_id: mean_place(track.tags, table) for track in of_crops}
    faults: list[Fault] = []
    for track in dict.fromkeys(of_crops):
        is_kept = affects[track.track_id] is not None
        faults += [_tag_fault(track, tag, table, is_kept) for tag in _without(track.tags, table)]
        if not track.tags:
            faults.append(without_place(track, "it has no tags"))
        elif not is_kept:
            tags = ", ".join(track.tags)
            faults.append(without_place(track, f"none of its tags has a place in {table.name}: {tags}"))
    source = f"Valence and arousal are the mean place of a track's tags in {table.name}, not of its sound."
    return Places(tuple(affects[track.track_id] for track in of_crops), tuple(faults), source, "tags")


def mean_place(tags: Sequence[str], table: TagTable) -> Affect | None:
    """Mean valence and mean arousal of the tags that have a place, each once; None where none has."""
    placed = [affect for tag in dict.fromkeys(map(str.casefold, tags)) if (affect := table.affect_of(tag))]
    if not placed:
        return None
    valence, arousal = np.mean([(affect.valence, affect.arousal) for affect in placed], axis=0)
    return Affect(float(valence), float(arousal))


def _without(tags: Sequence[str], table: TagTable) -> list[str]:
    return [tag for tag in dict.fromkeys(tags) if table.affect_of(tag) is None]


def _tag_fault(track: Track, tag: str, table: TagTable, is_kept: bool) -> Fault:
    place = table.tags.get(tag.casefold())
    why = f"is not in {table.name}" if place is None else f"has no place: {place.source}"
    return Fault(
        track.track_id, str(track.path), FaultKind.TAG_WITHOUT_AFFECT, f"its tag {tag!r} {why}", is_kept
    )
