"""Where the windows of a corpus lie, and why some have no place: what every source of labels hands over."""

from __future__ import annotations

from dataclasses import dataclass

from generation.training.crops import Crop
from generation.training.tracks import Corpus, Fault, FaultKind, Track
from study.affect import Affect


@dataclass(frozen=True)
class Places:
    """Where the windows lie.

    Args:
        affects: of each window, in their order; None where it has no place.
        faults: why.
        source: one sentence: where the places are from.
        perspective: as of `generation.training.crops.LabelledCrops`.
    """

    affects: tuple[Affect | None, ...]
    faults: tuple[Fault, ...]
    source: str
    perspective: str


def stated_places(corpus: Corpus, of_crops: tuple[Track, ...], perspective: str) -> Places:
    """The data set's own columns: every window lies where its track does.

    Args:
        of_crops: the track of each window.
        perspective: ``perceived`` or ``intended``.
    """
    faults = tuple(
        without_place(track, "the data set states no valence and arousal for it")
        for track in dict.fromkeys(of_crops)
        if track.affect is None
    )
    affects = tuple(track.affect for track in of_crops)
    return Places(
        affects, faults, f"Valence and arousal are the data set's own ({corpus.name}).", perspective
    )


def no_places(crops: tuple[Crop, ...]) -> Places:
    """For a recipe that trains without places."""
    return Places((None,) * len(crops), (), "Trained without valence and arousal.", "none")


def without_place(track: Track, problem: str, is_kept: bool = False) -> Fault:
    """The fault of a track, or of a window of it, that has no place.

    Args:
        is_kept: other windows of the track have one.
    """
    return Fault(track.track_id, str(track.path), FaultKind.NO_LABEL, problem, is_kept)
