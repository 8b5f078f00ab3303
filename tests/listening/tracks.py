"""The labelled tracks, and the middle of each."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

TABLE = Path(__file__).parent / "tracks.csv"
HEARD_S = 180.0
"""Of each track its middle is heard: beginnings and ends are often fades.

Three minutes, because a label names a piece, not a moment of it. Fixed on the half `calibrate` (areas of the
combination for arousal and valence: .87 and .93 from 30 s, .90 and .90 from whole pieces) before the other
half was heard.
"""
SPEECH_S = 30.0

HALVES = ("calibrate", "validate")
_SING = frozenset({"Singer"})

#: Axis to the label that should be placed higher, and the one that should be placed lower.
LABELS = {"valence": ("positive", "negative"), "arousal": ("high", "low")}


@dataclass(frozen=True)
class LabelledTrack:
    """One row of tracks.csv.

    Args:
        package, path: where it lies.
        half: calibrate or validate.
        arousal_label: high, low or empty.
        valence_label: positive, negative or empty.
    """

    package: str
    path: str
    title: str
    half: str
    arousal_label: str
    valence_label: str

    @property
    def sound_id(self) -> str:
        """Package and path."""
        return f"{self.package}/{self.path}"

    def label(self, axis: str) -> str:
        """Its label on an axis, or empty."""
        return self.valence_label if axis == "valence" else self.arousal_label


def load_tracks(path: Path = TABLE) -> tuple[LabelledTrack, ...]:
    """All rows, in order."""
    with path.open(newline="", encoding="utf-8") as file:
        return tuple(
            LabelledTrack(*(row[name] for name in LabelledTrack.__annotations__))
            for row in csv.DictReader(file)
        )


@dataclass(frozen=True)
class TrackSound:
    """The middle `HEARD_S` of a sound file."""

    sound_id: str
    path: Path

    def mark(self) -> str:
        """Hash of the file."""
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def sound(self) -> tuple[NDArray[np.float32], int]:
        """Samples, float32, shape [n_samples, n_channels], and their rate in Hz."""
        with soundfile.SoundFile(self.path) as file:
            rate = int(file.samplerate)
            wanted = round(HEARD_S * rate)
            file.seek(max(0, (file.frames - wanted) // 2))
            return file.read(wanted, dtype="float32", always_2d=True), rate


@dataclass(frozen=True)
class SpeechSound:
    """Spoken phrases of a game, one after the other, up to `SPEECH_S`; all of one rate."""

    sound_id: str
    paths: tuple[Path, ...]

    def mark(self) -> str:
        """Hash of the files' names and sizes."""
        told = "".join(f"{path.name}:{path.stat().st_size};" for path in self.paths)
        return hashlib.sha256(told.encode()).hexdigest()

    def sound(self) -> tuple[NDArray[np.float32], int]:
        """Samples, float32, shape [n_samples, 1], and their rate in Hz."""
        heard: list[NDArray[np.float32]] = []
        rate = 0
        for path in self.paths:
            samples, own_rate = soundfile.read(path, dtype="float32", always_2d=True)
            if rate in (0, own_rate):
                rate = own_rate
                heard.append(samples.mean(axis=1, keepdims=True))
            if sum(map(len, heard)) >= SPEECH_S * rate:
                break
        return np.concatenate(heard)[: round(SPEECH_S * rate)], rate


def speech_of(folder: Path, pattern: str = "*/Sounds/voices/*") -> Sequence[SpeechSound]:
    """One sound of each speaker's folder under `folder` that holds at least `SPEECH_S` of phrases."""
    found = []
    speakers = (path for path in folder.rglob("*") if path.is_dir() and path.match(pattern))
    for speaker in sorted(path for path in speakers if path.name not in _SING):
        paths = tuple(sorted(speaker.glob("*.ogg")))
        if sum(soundfile.info(path).duration for path in paths) >= SPEECH_S:
            found.append(SpeechSound(f"speech/{speaker.name}", paths))
    return found
