"""What a judge heard in windows, kept on disk so that no window is heard twice: a line of JSON for each."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple, Protocol, runtime_checkable

from generation.engine import AffectJudge
from generation.training.corpora.decoded_store import FileMark
from study.errors import StorageError

_VERSION = 1


@runtime_checkable
class VersionedJudge(Protocol):
    """A judge that says which version of it, and which weights, are at work."""

    @property
    def version(self) -> str:
        """Changes whenever the same sound would be heard otherwise."""


class WindowMark(NamedTuple):
    """A window of a file as it stood.

    Args:
        onset_s, duration_s: in the file's sound.
    """

    file: FileMark
    onset_s: float
    duration_s: float


class Heard(NamedTuple):
    """What a judge said of a window.

    Args:
        valence, arousal: as it said them; None where it refused.
        problem: why it refused; None where it did not.
    """

    valence: float | None
    arousal: float | None
    problem: str | None = None


class HeardStore:
    """Lines are added as windows are heard; what a killed run left of a line is passed over.

    Args:
        folder: holds a file for each judge; lines of other versions stay in it and are not used.
    """

    def __init__(self, folder: Path, judge: AffectJudge) -> None:
        self._judge = f"{judge.name} {judge.version}" if isinstance(judge, VersionedJudge) else judge.name
        self.path = folder / f"heard-{re.sub(r'[^A-Za-z0-9.-]', '_', judge.name)}.jsonl"

    def read(self) -> Mapping[WindowMark, Heard]:
        """All that this judge in this version heard; of several lines about one window, the last.

        Raises:
            StorageError: the file is there and cannot be read.
        """
        try:
            lines = self.path.read_text(encoding="utf-8", errors="replace").split("\n")
        except FileNotFoundError:
            return {}
        except OSError as problem:
            raise StorageError(
                str(self.path), f"cannot be read ({problem.strerror})", "delete it: it is made anew"
            ) from problem
        known: dict[WindowMark, Heard] = {}
        for line in lines:
            # A line that a killed process left half-written says nothing; its window is heard again.
            with contextlib.suppress(KeyError, TypeError, ValueError):
                fields = json.loads(line)
                if (fields["version"], fields["judge"]) == (_VERSION, self._judge):
                    file = FileMark(fields["path"], int(fields["size"]), int(fields["mtime_ns"]))
                    mark = WindowMark(file, float(fields["onset_s"]), float(fields["duration_s"]))
                    known[mark] = Heard(fields["valence"], fields["arousal"], fields["problem"])
        return known

    @contextlib.contextmanager
    def appending(self) -> Iterator[Callable[[WindowMark, Heard], None]]:
        """A function that adds a line and sends it to disk at once.

        Raises:
            StorageError: the folder cannot be made, or the disk will not have it.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            opened = self.path.open("a+", encoding="utf-8")
        except OSError as problem:
            raise self._refusal(problem) from problem
        with opened:
            # What follows the half of a line must not join it.
            begin = "" if self.path.read_bytes()[-1:] in {b"", b"\n"} else "\n"

            def keep(mark: WindowMark, heard: Heard) -> None:
                nonlocal begin
                try:
                    opened.write(begin + self._line(mark, heard) + "\n")
                    opened.flush()
                except OSError as problem:
                    raise self._refusal(problem) from problem
                begin = ""

            yield keep

    def _line(self, mark: WindowMark, heard: Heard) -> str:
        return json.dumps(
            {
                "version": _VERSION,
                "judge": self._judge,
                **mark.file._asdict(),
                "onset_s": mark.onset_s,
                "duration_s": mark.duration_s,
                **heard._asdict(),
            }
        )

    def _refusal(self, problem: OSError) -> StorageError:
        return StorageError(
            str(self.path),
            f"cannot be written ({problem.strerror})",
            "make room, or see that its folder can be written, and run the command again",
        )
