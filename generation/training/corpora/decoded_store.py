"""What decoding found, kept on disk so that no file is decoded twice: a line of JSON for each."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from generation.training.corpora.decoding import Decoded
from study.errors import StorageError

FILE_NAME = "decoded.jsonl"
_VERSION = 1


class FileMark(NamedTuple):
    """A file as it stood.

    Args:
        path: as the corpus names it.
        size: in bytes.
        mtime_ns: time of its last change, nanoseconds.
    """

    path: str
    size: int
    mtime_ns: int

    @classmethod
    def of(cls, path: Path) -> FileMark:
        """The mark of a file.

        Raises:
            OSError: there is none.
        """
        status = path.stat()
        return cls(str(path), status.st_size, status.st_mtime_ns)


Keep = Callable[[FileMark, Decoded], None]


class DecodedStore:
    """Lines are added as files are decoded; what a killed run left of a line is passed over."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE_NAME

    def read(self) -> Mapping[FileMark, Decoded]:
        """All that is known; of several lines about one file, the last.

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
        known: dict[FileMark, Decoded] = {}
        for line in lines:
            # A line that a killed process left half-written says nothing; its file is decoded again.
            with contextlib.suppress(KeyError, TypeError, ValueError):
                fields = json.loads(line)
                if fields["version"] == _VERSION:
                    mark = FileMark(fields["path"], int(fields["size"]), int(fields["mtime_ns"]))
                    known[mark] = Decoded(
                        int(fields["n_samples"]), int(fields["sample_rate_hz"]), float(fields["peak"])
                    )
        return known

    @contextlib.contextmanager
    def appending(self) -> Iterator[Keep]:
        """A function that adds a line and sends it to disk at once.

        Raises:
            StorageError: the folder cannot be made, or the disk will not have it.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            ends_whole = not self.path.exists() or self.path.read_bytes()[-1:] in {b"", b"\n"}
            opened = self.path.open("a", encoding="utf-8")
        except OSError as problem:
            raise self._refusal(problem) from problem
        # What follows the half of a line must not join it.
        begin = "" if ends_whole else "\n"

        def keep(mark: FileMark, decoded: Decoded) -> None:
            nonlocal begin
            try:
                opened.write(begin + json.dumps(_line(mark, decoded)) + "\n")
                opened.flush()
            except OSError as problem:
                raise self._refusal(problem) from problem
            begin = ""

        with opened:
            yield keep

    def _refusal(self, problem: OSError) -> StorageError:
        return StorageError(
            str(self.path),
            f"cannot be written ({problem.strerror})",
            "make room, or see that its folder can be written, and run the command again",
        )


def _line(mark: FileMark, decoded: Decoded) -> Mapping[str, Any]:
    found = {
        "n_samples": decoded.n_samples,
        "sample_rate_hz": decoded.sample_rate_hz,
        "peak": decoded.peak,
    }
    return {"version": _VERSION, **mark._asdict(), **found}
