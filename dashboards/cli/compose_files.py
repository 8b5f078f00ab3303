"""The files that `isopath compose` writes: all of them, or none."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from generation.composer.score import Part
from study.errors import IsopathError, StorageError, refuse
from study.folder import sync_folder

SUFFIXES = (".flac", ".wav")


@dataclass(frozen=True)
class Outputs:
    """What is to be written, by the sound file's name.

    Args:
        sound: ends in .flac or .wav.
        stems, midi, cue_sheet, piano_roll, form: what is asked for beside it.
    """

    sound: Path
    stems: bool = False
    midi: bool = False
    cue_sheet: bool = False
    piano_roll: bool = False
    form: bool = False

    def beside(self, ending: str) -> Path:
        """A file beside the sound: ``.mid``, ``-cues.csv``."""
        return self.sound.with_name(self.sound.stem + ending)

    def stem(self, part: Part) -> Path:
        """The sound of one part alone."""
        return self.beside(f"-{part}{self.sound.suffix}")

    @property
    def needs_notes(self) -> bool:
        """Whether anything is asked for that is made from the notes."""
        return self.stems or self.midi or self.cue_sheet or self.piano_roll or self.form

    @property
    def all_possible(self) -> Sequence[Path]:
        """Every file that may come of it."""
        return [
            *([self.stem(part) for part in Part] if self.stems else []),
            *([self.beside(".mid")] if self.midi else []),
            *([self.beside("-cues.csv"), self.beside("-cues.json")] if self.cue_sheet else []),
            *([self.beside(".png")] if self.piano_roll else []),
            *([self.beside("-form.png")] if self.form else []),
            self.sound,
        ]

    def check(self, force: bool) -> None:
        """Refuse before the work, not after it.

        Args:
            force: files that are there may be replaced.

        Raises:
            StorageError: everything that stands in the way, all at once.
        """
        out = self.sound
        if out.suffix.lower() not in SUFFIXES:
            raise StorageError(
                str(out), "the name ends in neither .flac nor .wav", "write for example out.flac"
            )
        folder = out.parent
        if not folder.is_dir():
            raise StorageError(str(folder), "there is no such folder", "make it first, or name another one")
        problems: list[IsopathError] = []
        for path in self.all_possible:
            if path.is_dir():
                problems.append(StorageError(str(path), "this is a folder", "name a file in it"))
            elif path.exists() and not force:
                remedy = "name another one, or add --force"
                problems.append(StorageError(str(path), "the file is there already", remedy))
        refuse(problems)
        if not os.access(folder, os.W_OK):
            raise StorageError(str(folder), "nothing can be written in this folder", "name another one")


@contextmanager
def staged(folder: Path, name: str) -> Iterator[Path]:
    """A hidden folder whose files move into `folder` when the block ends without an error.

    Args:
        name: of the file that moves last, so that where it is, the others are.

    Raises:
        StorageError: the disk is full or takes no file; nothing is left behind.
    """
    staging: Path | None = None
    try:
        staging = Path(tempfile.mkdtemp(prefix=f".{name}.", dir=folder))
        yield staging
        for made in sorted(staging.iterdir(), key=lambda path: (path.name == name, path.name)):
            made.replace(folder / made.name)
        sync_folder(folder)
    except OSError as problem:
        reason = (problem.strerror or "unknown reason").lower()
        remedy = "make room, or see that the folder can be written, and run the command again"
        raise StorageError(str(folder / name), f"cannot be written ({reason})", remedy) from problem
    finally:
        if staging is not None:
            shutil.rmtree(staging, ignore_errors=True)
