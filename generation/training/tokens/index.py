"""The index of a token cache: one JSON line a track, appended when its tokens are on disk, never edited.

A later line of a track replaces an earlier one, or takes it back. A process that is killed while it writes
leaves a line without an end; the next fill ends that line and says beside it how long it was, so that nothing
of the file is ever removed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from generation.training.tracks import Fault, FaultKind
from study.errors import StorageError
from study.folder import sync_folder

INDEX_FILE = "index.jsonl"
_TORN = "torn_line_bytes"
_REMOVED = "removed"


@dataclass(frozen=True)
class TokenEntry:
    """Where one track's tokens are, and of which sound they are.

    Args:
        path: of the sound as it was named when it was encoded.
        size, mtime_ns: of that file, bytes and nanoseconds.
        source_sha256: of that file's bytes.
        shard: file name in the cache.
        first_frame, n_frames: in the shard.
        sha256: of the tokens' bytes as they stand in the shard.
    """

    track_id: str
    path: str
    size: int
    mtime_ns: int
    source_sha256: str
    shard: str
    first_frame: int
    n_frames: int
    sha256: str


@dataclass(frozen=True)
class TokenIndex:
    """An index as read.

    Args:
        entries: by track, the last line of each.
        torn: bytes of a last line that has no end; empty where it has one.
        faults: of the torn line.
    """

    entries: Mapping[str, TokenEntry]
    torn: bytes
    faults: tuple[Fault, ...]


def read_index(folder: Path) -> TokenIndex:
    """Read a cache's index; one that is not there yet is empty.

    Raises:
        StorageError: it cannot be read, or a line that has an end is damaged; names the line.
    """
    path = folder / INDEX_FILE
    try:
        content = path.read_bytes() if path.exists() else b""
    except OSError as problem:
        raise StorageError(
            str(path), f"cannot be read ({problem.strerror})", "see that the folder can be read"
        ) from problem
    *lines, torn = content.split(b"\n")
    entries: dict[str, TokenEntry] = {}
    for number, line in enumerate(lines, start=1):
        fields = _fields(line)
        if fields is None:
            after = _fields(lines[number]) if number < len(lines) else None
            if after != {_TORN: len(line)}:
                raise StorageError(
                    f"{path}:{number}",
                    "this line of the index is damaged",
                    "delete the cache's folder; the next run encodes its tracks again",
                )
        elif _TORN in fields:
            continue
        elif _REMOVED in fields:
            entries.pop(fields[_REMOVED], None)
        else:
            entry = _entry(fields, f"{path}:{number}")
            entries[entry.track_id] = entry
    faults = (_torn_fault(path, len(lines) + 1, len(torn)),) if torn else ()
    return TokenIndex(entries, torn, faults)


def append_entry(folder: Path, entry: TokenEntry) -> None:
    """Add a track's line; it is on disk when this returns.

    Raises:
        StorageError: the folder cannot be written or the disk is full.
    """
    _append(folder, json.dumps(asdict(entry), ensure_ascii=False).encode() + b"\n")


def append_removal(folder: Path, track_id: str, reason: str) -> None:
    """Say that a track's tokens are of a sound that is no more; they stay where they are and are not read.

    Raises:
        StorageError: the folder cannot be written or the disk is full.
    """
    line = json.dumps({_REMOVED: track_id, "reason": reason}, ensure_ascii=False)
    _append(folder, line.encode() + b"\n")


def end_torn_line(folder: Path, index: TokenIndex) -> None:
    """End the line that a killed process left, and say beside it that it is no entry."""
    if index.torn:
        _append(folder, b"\n" + json.dumps({_TORN: len(index.torn)}).encode() + b"\n")


def _append(folder: Path, line: bytes) -> None:
    path = folder / INDEX_FILE
    try:
        is_new = not path.exists()
        with path.open("ab") as file:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
        if is_new:
            sync_folder(folder)
    except OSError as problem:
        raise StorageError(
            str(path), f"cannot be written ({problem.strerror})", "make room and run the command again"
        ) from problem


def _fields(line: bytes) -> dict[str, Any] | None:
    try:
        fields = json.loads(line)
    except ValueError:
        return None
    return fields if isinstance(fields, dict) else None


def _entry(fields: Mapping[str, Any], where: str) -> TokenEntry:
    try:
        return TokenEntry(**fields)
    except TypeError as problem:
        raise StorageError(
            where,
            f"is no entry of a token cache ({problem})",
            "the cache is of another version: delete its folder; the next run encodes its tracks again",
        ) from problem


def _torn_fault(path: Path, number: int, n_bytes: int) -> Fault:
    return Fault(
        track_id=f"line {number}",
        path=str(path),
        kind=FaultKind.TORN_LINE,
        problem=f"a run was killed while it wrote this line ({n_bytes} bytes); its track was encoded again",
        is_kept=True,
    )
