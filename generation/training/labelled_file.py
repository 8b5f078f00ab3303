"""Labelled windows on disk, ``data/crops.jsonl`` of a training: what an evaluation cuts real music from.

JSON Lines: the first says where the labels are from, each other one is a window with the path of its sound.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from generation.training.crops import Crop, LabelledCrop, LabelledCrops
from generation.training.tracks import Corpus, Split
from study.affect import Affect
from study.errors import OutOfRange, StorageError
from study.folder import write_whole

T = TypeVar("T")

CROPS_FILE = "crops.jsonl"
VERSION = 1


@dataclass(frozen=True)
class LabelledSound:
    """A labelled window and the file it is in."""

    path: Path
    labelled: LabelledCrop


@dataclass(frozen=True)
class LabelledSounds:
    """What a training learned from and was validated on.

    Args:
        source, predictor, perspective: as of `generation.training.crops.LabelledCrops`.
        licences: of the sound, each once.
    """

    sounds: tuple[LabelledSound, ...]
    source: str
    predictor: str | None
    perspective: str
    licences: tuple[str, ...]

    def of(self, split: Split) -> tuple[LabelledSound, ...]:
        """The windows of one split."""
        return tuple(sound for sound in self.sounds if sound.labelled.crop.split == split)


def write_labelled(path: Path, corpus: Corpus, labelled: LabelledCrops) -> None:
    """Write the windows of a corpus.

    Raises:
        StorageError: the folder cannot be written.
    """
    tracks = {track.track_id: track for track in corpus.tracks}
    head = {
        "version": VERSION,
        "source": labelled.source,
        "predictor": labelled.predictor,
        "perspective": labelled.perspective,
        "licences": sorted({tracks[one.crop.track_id].licence for one in labelled.crops}),
    }
    lines = [head, *(_line(one, tracks[one.crop.track_id].path) for one in labelled.crops)]
    text = "".join(json.dumps(line, ensure_ascii=False, allow_nan=False) + "\n" for line in lines)
    write_whole(path, text.encode())


def read_labelled(path: Path) -> LabelledSounds:
    """Read what `write_labelled` wrote; the sound itself is not looked at.

    Raises:
        StorageError: no such file, or not one of this version; names the line.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as problem:
        raise StorageError(
            str(path), f"cannot be read ({problem.strerror})", "name the folder of a training"
        ) from problem
    head = _read_line(path, 1, lines[0] if lines else "", dict)
    if head.get("version") != VERSION:
        raise _damaged(path, 1, f"version {head.get('version')}, not {VERSION}")
    sounds = tuple(_read_line(path, number, line, _sound) for number, line in enumerate(lines[1:], start=2))
    return LabelledSounds(
        sounds,
        str(head.get("source", "")),
        head.get("predictor"),
        str(head.get("perspective", "none")),
        tuple(head.get("licences", ())),
    )


def _read_line(path: Path, number: int, line: str, make: Callable[[Any], T]) -> T:
    try:
        return make(json.loads(line))
    except (KeyError, TypeError, ValueError, OutOfRange) as problem:
        raise _damaged(path, number, str(problem)) from problem


def _damaged(path: Path, number: int, problem: str) -> StorageError:
    return StorageError(
        f"{path}, line {number}", f"is no labelled window ({problem})", "run the training again"
    )


def _line(one: LabelledCrop, path: Path) -> dict[str, Any]:
    crop, affect = one.crop, one.affect
    return {
        "track_id": crop.track_id,
        "path": str(path),
        "split": crop.split,
        "onset_s": crop.onset_s,
        "duration_s": crop.duration_s,
        "valence": None if affect is None else affect.valence,
        "arousal": None if affect is None else affect.arousal,
        "words": one.words,
    }


def _sound(line: dict[str, Any]) -> LabelledSound:
    crop = Crop(line["track_id"], Split(line["split"]), float(line["onset_s"]), float(line["duration_s"]))
    affect = None if line["valence"] is None else Affect(line["valence"], line["arousal"])
    return LabelledSound(Path(line["path"]), LabelledCrop(crop, affect, line["words"]))
