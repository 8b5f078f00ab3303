"""Where a study's files are, and nothing else."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import socket
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from study.errors import StorageError


@dataclass(frozen=True)
class StudyFolder:
    """A study on disk.

    Args:
        root: the folder that `isopath init` made.
    """

    root: Path

    @property
    def protocol(self) -> Path:
        """The frozen copy of the protocol."""
        return self.root / "protocol.json"

    @property
    def record(self) -> Path:
        """The study record (SQLite)."""
        return self.root / "record.sqlite"

    @property
    def allocation_seed(self) -> Path:
        """The seed of the allocation list, readable by its owner alone."""
        return self.root / "allocation.seed"

    @property
    def sealed_allocation_seed(self) -> Path:
        """The seed of the allocation list, sealed by a passphrase."""
        return self.root / "allocation.seed.sealed"

    @property
    def sessions(self) -> Path:
        """Rendered sessions: <participant_id>/<session_id>/."""
        return self.root / "sessions"

    @property
    def sounds(self) -> Path:
        """Frozen copies of the sound files the protocol names."""
        return self.root / "sounds"

    @property
    def pictures(self) -> Path:
        """Frozen copies of the picture files the protocol names."""
        return self.root / "pictures"

    @property
    def bank(self) -> Path:
        """Sessions rendered ahead of time: <arm_id>/<starting mood>/; may be deleted and made anew."""
        return self.root / "bank"

    def own_music(self, participant_id: str) -> Path:
        """Where a participant's self-selected music is put, in the order it is to be played."""
        return self.root / "own_music" / participant_id

    @property
    def predictions(self) -> Path:
        """What music emotion recognition said of them; may be deleted and made anew."""
        return self.root / "predictions"

    @property
    def results(self) -> Path:
        """The analysis results."""
        return self.root / "results.json"

    @property
    def report(self) -> Path:
        """The report."""
        return self.root / "report.html"

    @property
    def picture(self) -> Path:
        """Planned, generated and felt paths on the circumplex."""
        return self.root / "circumplex.png"

    @property
    def store(self) -> Path:
        """Names the record's database where it is not in this folder; never holds a password."""
        return self.root / "store.json"

    @property
    def record_url(self) -> str:
        """The address of the record's database.

        Raises:
            StorageError: `store` cannot be read, or names none.
        """
        if not self.store.exists():
            return f"sqlite:///{self.record}"
        try:
            url = json.loads(self.store.read_bytes())["url"]
            if not isinstance(url, str):
                raise TypeError
        except (OSError, ValueError, KeyError, TypeError) as problem:
            remedy = 'write {"url": "postgresql://user@host/database"} into it'
            raise StorageError(str(self.store), "does not name the record's database", remedy) from problem
        return url

    def has_record(self) -> bool:
        """Whether the folder holds a record, or says where it is."""
        return self.record.is_file() or self.store.is_file()

    def keep_store(self, url: str) -> None:
        """Note where the record is.

        Args:
            url: from `study.store_address.checked_address`, so that no password comes to lie on disk.

        Raises:
            StorageError: the folder cannot be written.
        """
        write_whole(self.store, (json.dumps({"url": url}, indent=1) + "\n").encode())


def write_whole(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Write a file so that it is there whole, on disk, or not at all.

    Raises:
        StorageError: the folder cannot be written or the disk is full.
    """
    with file_made_whole(path, mode) as file:
        file.write(content)


@contextlib.contextmanager
def file_made_whole(path: Path, mode: int = 0o644) -> Iterator[BinaryIO]:
    """A file to write into, which is there whole, on disk, when the block ends, or not at all.

    Raises:
        StorageError: the folder cannot be written or the disk is full.
    """
    temporary = None
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            temporary = Path(file.name)
            yield cast(BinaryIO, file)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        temporary.replace(path)
        sync_folder(path.parent)
    except BaseException as problem:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        if not isinstance(problem, OSError):
            raise
        raise StorageError(
            str(path),
            f"cannot be written ({problem.strerror})",
            "make room, or see that the folder can be written, and run the command again",
        ) from problem


@contextlib.contextmanager
def folder_made_whole(folder: Path) -> Iterator[Path]:
    """Make a folder so that it is there whole, or not at all.

    Yields a hidden folder beside its place, named for the machine and process
    that fill it; it takes its place when the block ends without an error. What a
    killed process left is removed by `sweep`.

    Raises:
        OSError: the place is taken, or the disk will not have it.
    """
    made_parent = not folder.parent.exists()
    partial = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(
            tempfile.mkdtemp(prefix=f".{folder.name}.{_machine()}.{os.getpid()}.", dir=folder.parent)
        )
        yield partial
        partial.chmod(0o755)
        partial.rename(folder)
        sync_folder(folder.parent)
    finally:
        if partial is not None:
            shutil.rmtree(partial, ignore_errors=True)
        if made_parent and folder.parent.exists() and not any(folder.parent.iterdir()):
            folder.parent.rmdir()


def sweep(folder: Path) -> None:
    """Remove what processes of this machine that no longer live left half-written beside `folder`."""
    pattern = re.compile(rf"\.{re.escape(folder.name)}\.{re.escape(_machine())}\.(\d+)\.\w+")
    if not folder.parent.is_dir():
        return
    for found in list(folder.parent.iterdir()):
        left = pattern.fullmatch(found.name)
        if left is not None and not _lives(int(left[1])):
            shutil.rmtree(found, ignore_errors=True)


def _machine() -> str:
    return re.sub(r"[^A-Za-z0-9-]", "-", socket.gethostname()) or "machine"


def _lives(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def sync_folder(folder: Path) -> None:
    """Put a folder's own entries on disk, so that a rename outlives a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes as lower-case hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
