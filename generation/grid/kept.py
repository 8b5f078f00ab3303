"""What of a grid was made already: a running journal, so that a killed run goes on where it stopped.

``request.json`` says what the folder is for; another request is refused. ``making.jsonl`` holds one line for
each thing done, appended when it lies on disk. Raw clips (float32, before the system's gain) lie under
``raw/`` until their system is whole.
"""

from __future__ import annotations

import io
import json
import os
import shutil
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from generation.grid.begun import begin
from generation.grid.level import SystemGain
from study.canonical import plain
from study.errors import StorageError
from study.folder import file_sha256, write_whole
from study.held import held

JOURNAL_FILE = "making.jsonl"
RAW_FOLDER = "raw"
_LOCK = ".making.lock"


@dataclass(frozen=True)
class RawClip:
    """A clip as its engine gave it.

    Args:
        sha256: of the raw file.
        loudness_lufs: integrated; None where it is silent.
        true_peak_dbtp: None where all of it is zero.
        prompt: the words it was made from; None where there were none.
    """

    sha256: str
    loudness_lufs: float | None
    true_peak_dbtp: float | None
    prompt: str | None


@dataclass(frozen=True)
class WrittenClip:
    """A clip's file under its system's gain."""

    sha256: str
    duration_s: float
    loudness_lufs: float | None


@dataclass(frozen=True)
class Maker:
    """What made a system's clips, as `generation.engine.SessionAudio` tells it."""

    models: Mapping[str, str]
    licences: Mapping[str, str]
    notes: tuple[str, ...]
    made_with: Mapping[str, str]


@dataclass
class KeptSystem:
    """What the journal says of one system; clips by their ids."""

    raw: dict[str, RawClip] = field(default_factory=dict)
    written: dict[str, WrittenClip] = field(default_factory=dict)
    gain: SystemGain | None = None
    maker: Maker | None = None


class GridFolder:
    """A folder that a grid is being made in; see the module's docstring.

    Args:
        root: made where it is not there.
        request: plain JSON of everything that decides what the grid holds.

    Raises:
        StorageError: the folder holds something else, or a grid of another request; the difference is named.
    """

    def __init__(self, root: Path, request: Mapping[str, Any]) -> None:
        self.root = root
        begin(root, request)
        self._journal = root / JOURNAL_FILE
        self._systems: dict[str, KeptSystem] = {}
        self._read()

    def held(self) -> AbstractContextManager[None]:
        """Hold the folder for this process.

        Raises:
            StorageError: another process makes clips in it, or it cannot be written.
        """

        def refusal(_: str) -> StorageError:
            return StorageError(
                str(self.root),
                "another process makes clips in it",
                "wait for that one, or name another folder",
            )

        return held(self.root / _LOCK, refusal)

    def of(self, system: str) -> KeptSystem:
        """What is kept of a system, and where more is noted."""
        return self._systems.setdefault(system, KeptSystem())

    def stim_file(self, system: str, clip_id: str) -> str:
        """A clip's file, relative to the folder."""
        return f"{system}/{clip_id}.flac"

    def has_raw(self, system: str, clip_id: str) -> bool:
        """Whether the raw clip lies there as it was noted."""
        kept = self.of(system).raw.get(clip_id)
        return kept is not None and _is_file(self._raw_file(system, clip_id), kept.sha256)

    def has_written(self, system: str, clip_id: str) -> bool:
        """Whether the clip's file lies there as it was noted."""
        kept = self.of(system).written.get(clip_id)
        return kept is not None and _is_file(self.root / self.stim_file(system, clip_id), kept.sha256)

    def keep_raw(self, system: str, clip_id: str, samples: NDArray[np.float32], facts: RawClip) -> None:
        """Write a raw clip and note it; `facts.sha256` is filled in.

        Raises:
            StorageError: the disk does not take it.
        """
        content = io.BytesIO()
        np.save(content, samples.astype("<f4"), allow_pickle=False)
        path = self._raw_file(system, clip_id)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, content.getvalue())
        kept = RawClip(**{**plain(facts), "sha256": file_sha256(path)})
        self.of(system).raw[clip_id] = kept
        self._note({"raw": clip_id, "system": system, **plain(kept)})

    def raw_samples(self, system: str, clip_id: str) -> NDArray[np.float32]:
        """Float32, shape [n_samples, 2]."""
        samples: NDArray[np.float32] = np.load(self._raw_file(system, clip_id), allow_pickle=False)
        return samples

    def keep_maker(self, system: str, maker: Maker) -> None:
        """Note what made a system's clips."""
        self.of(system).maker = maker
        self._note({"maker": system, **plain(maker)})

    def keep_gain(self, system: str, gain: SystemGain) -> None:
        """Note a system's one gain: it stays the same if a clip is made anew."""
        self.of(system).gain = gain
        self._note({"gain": system, **plain(gain)})

    def keep_written(
        self, system: str, clip_id: str, content: bytes, duration_s: float, lufs: float | None
    ) -> None:
        """Write a clip's file and note it.

        Raises:
            StorageError: the disk does not take it.
        """
        path = self.root / self.stim_file(system, clip_id)
        path.parent.mkdir(exist_ok=True)
        write_whole(path, content)
        kept = WrittenClip(file_sha256(path), duration_s, lufs)
        self.of(system).written[clip_id] = kept
        self._note({"written": clip_id, "system": system, **plain(kept)})

    def forget_raw(self, system: str) -> None:
        """Delete a system's raw clips: its files are written."""
        shutil.rmtree(self.root / RAW_FOLDER / system, ignore_errors=True)
        raw = self.root / RAW_FOLDER
        if raw.is_dir() and not any(raw.iterdir()):
            raw.rmdir()

    def _raw_file(self, system: str, clip_id: str) -> Path:
        return self.root / RAW_FOLDER / system / f"{clip_id}.npy"

    def _note(self, line: Mapping[str, Any]) -> None:
        with self._journal.open("a", encoding="utf-8") as journal:
            journal.write(json.dumps(line, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n")
            journal.flush()
            os.fsync(journal.fileno())

    def _read(self) -> None:
        if not self._journal.is_file():
            return
        text = self._journal.read_text(encoding="utf-8")
        # A kill may leave half a line; what it was about to say was not kept, and is done again.
        whole, _, torn = text.rpartition("\n")
        if torn:
            write_whole(self._journal, f"{whole}\n".encode() if whole else b"")
        for number, line in enumerate(whole.splitlines(), start=1):
            try:
                self._take(json.loads(line))
            except (KeyError, TypeError, ValueError) as problem:
                raise StorageError(
                    f"{self._journal}, line {number}",
                    f"is no line of a journal ({problem})",
                    "delete the folder and make the grid again",
                ) from problem

    def _take(self, line: dict[str, Any]) -> None:
        if "raw" in line:
            clip_id, system = line.pop("raw"), self.of(line.pop("system"))
            system.raw[clip_id] = RawClip(**line)
        elif "written" in line:
            clip_id, system = line.pop("written"), self.of(line.pop("system"))
            system.written[clip_id] = WrittenClip(**line)
        elif "gain" in line:
            system = self.of(line.pop("gain"))
            system.gain = SystemGain(**line)
        else:
            system = self.of(line.pop("maker"))
            system.maker = Maker(**{**line, "notes": tuple(line["notes"])})


def _is_file(path: Path, sha256: str) -> bool:
    return path.is_file() and file_sha256(path) == sha256
