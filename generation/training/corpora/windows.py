"""The windows of a corpus: which seconds of which track a model learns from."""

from __future__ import annotations

from generation.training.crops import Crop, windows
from generation.training.recipe import DataRecipe
from generation.training.tracks import Corpus, Fault, FaultKind, Split
from study.errors import IsopathError, OutOfRange, refuse

NEEDED = (Split.TRAIN, Split.VALIDATION)
"""The splits without which nothing can be trained."""


def crops_of(corpus: Corpus, data: DataRecipe) -> tuple[tuple[Crop, ...], tuple[Fault, ...]]:
    """The windows of every track, in the corpus's order.

    Args:
        corpus: as `probed` hands it over: every track has its length.
        data: how long windows are, and how far apart.

    Returns:
        the windows; a fault for each track that is too short for one.

    Raises:
        OutOfRange: a track's length is not known.
        IsopathError: no window for training, or none for validation; says what was read and lost.
    """
    crops: list[Crop] = []
    faults: list[Fault] = []
    for track in corpus.tracks:
        if track.duration_s is None:
            raise OutOfRange(track.track_id, "its length is not known", "decode the corpus before cutting it")
        cut = windows(track.track_id, track.split, track.duration_s, data.crop_s, data.hop_s, data.shortest_s)
        crops.extend(cut)
        if not cut:
            problem = f"lasts {track.duration_s:.1f} s, and a window {data.shortest_s:g} s at least"
            faults.append(Fault(track.track_id, str(track.path), FaultKind.TOO_SHORT, problem))
    _check_splits(corpus, crops, faults)
    return tuple(crops), tuple(faults)


def _check_splits(corpus: Corpus, crops: list[Crop], faults: list[Fault]) -> None:
    held = {crop.split for crop in crops}
    refusals: list[IsopathError] = [
        OutOfRange(
            f"{corpus.name}, split {split}",
            f"holds no music ({_story(corpus, split, faults)})",
            "name the folder of the sound, mend what was lost, or move tracks into this split",
        )
        for split in NEEDED
        if split not in held
    ]
    refuse(refusals)


def _story(corpus: Corpus, split: Split, faults: list[Fault]) -> str:
    lost: dict[str, list[Fault]] = {}
    for fault in (*corpus.faults, *faults):
        if not fault.is_kept:
            lost.setdefault(str(fault.kind), []).append(fault)
    told = "; ".join(
        f"{len(found):,} {kind}, first {found[0].track_id} ({found[0].problem})"
        for kind, found in lost.items()
    )
    read = f"tracks that could be read: {len(corpus.of(split)):,}, in all splits {len(corpus.tracks):,}"
    return f"{read}; lost from the whole data set: {told or 'nothing'}"
