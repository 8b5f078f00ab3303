"""Windows of tracks, and where each lies on the plane: what the loop learns from."""

from __future__ import annotations

import math
from dataclasses import dataclass

from generation.training.tracks import Fault, Split
from study.affect import Affect


@dataclass(frozen=True)
class Crop:
    """A window of a track.

    Args:
        onset_s, duration_s: in the track's sound.
    """

    track_id: str
    split: Split
    onset_s: float
    duration_s: float


@dataclass(frozen=True)
class LabelledCrop:
    """A window with what the model is told about it.

    Args:
        affect: perceived; None where the recipe trains without affect.
        words: the text encoder's prompt; empty where the recipe trains without words.
    """

    crop: Crop
    affect: Affect | None
    words: str


@dataclass(frozen=True)
class LabelledCrops:
    """All windows of a corpus.

    Args:
        crops: in the order of tracks and onsets; those without a label are in `faults`.
        source: one sentence: where the labels are from.
        predictor: the predictor that placed them; None where none did. It may not report.
        perspective: of the labels: ``perceived``, ``intended`` (composed for that place), ``tags`` or,
            without labels, ``none``.
    """

    crops: tuple[LabelledCrop, ...]
    faults: tuple[Fault, ...]
    source: str
    predictor: str | None
    perspective: str

    def of(self, split: Split) -> tuple[LabelledCrop, ...]:
        """The windows of one split."""
        return tuple(labelled for labelled in self.crops if labelled.crop.split == split)


def windows(
    track_id: str, split: Split, duration_s: float, crop_s: float, hop_s: float, shortest_s: float
) -> tuple[Crop, ...]:
    """The windows of one track: every `hop_s`, and no music after the last whole one is lost.

    Where at least `shortest_s` is left after the last whole window, one more ends with the track and
    overlaps the one before. A track shorter than `crop_s` is one window of its own length; one shorter than
    `shortest_s` has none.

    Args:
        duration_s: of the track's sound.
        crop_s, hop_s: above 0.
        shortest_s: at most `crop_s`.
    """
    if duration_s < shortest_s:
        return ()
    if duration_s <= crop_s:
        return (Crop(track_id, split, 0.0, duration_s),)
    count = math.floor((duration_s - crop_s) / hop_s) + 1
    onsets = [number * hop_s for number in range(count)]
    if duration_s - (onsets[-1] + crop_s) >= shortest_s:
        onsets.append(duration_s - crop_s)
    return tuple(Crop(track_id, split, onset, crop_s) for onset in onsets)
