"""A rendered session on disk: its folder is there whole, or not at all.

While it is written it is a hidden folder beside its place, named for the
machine and process that write it. What a killed process left behind is removed
by the next render on the same machine; a living process's is left alone.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import tempfile
from collections.abc import Callable
from pathlib import Path

from generation.audio import SAMPLE_RATE_HZ
from study.errors import StorageError
from study.folder import file_sha256, sync_folder, write_whole
from study.manifest import RenderManifest
from study.session import SessionPlan

SOUND = "session.flac"
MANIFEST = "manifest.json"


def place_of(out_dir: Path, plan: SessionPlan) -> Path:
    """``<out_dir>/<participant_id>/<session_id>``."""
    return out_dir / plan.participant_id / plan.session_id


def read_session(folder: Path, plan: SessionPlan) -> RenderManifest | None:
    """The manifest of a session that was rendered from `plan`; None where there is none.

    Raises:
        StorageError: the folder holds something else: another plan's session,
            a sound that is not the manifest's, or no session at all.
    """
    if not folder.exists():
        return None
    remedy = "move the folder away and render again"
    try:
        manifest = RenderManifest.from_json((folder / MANIFEST).read_text(encoding="utf-8"))
        audio_sha256 = file_sha256(folder / SOUND)
    except (OSError, ValueError, TypeError, KeyError) as problem:
        raise StorageError(str(folder), "is not a whole rendered session", remedy) from problem
    if manifest.plan_sha256 != plan.sha256:
        raise StorageError(str(folder), "holds a session that was rendered from another plan", remedy)
    if manifest.audio_sha256 != audio_sha256:
        raise StorageError(str(folder / SOUND), "is not the sound its manifest describes", remedy)
    return manifest


def write_session(folder: Path, duration_s: float, write: Callable[[Path], RenderManifest]) -> RenderManifest:
    """Make a session's folder.

    Args:
        write: puts `SOUND` into the folder it is given, and says the manifest.

    Raises:
        StorageError: the disk is full or not writable.
    """
    made_parent = not folder.parent.exists()
    check_room(folder.parent, duration_s)
    partial = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(
            tempfile.mkdtemp(prefix=f".{folder.name}.{_machine()}.{os.getpid()}.", dir=folder.parent)
        )
        manifest = write(partial)
        write_whole(partial / MANIFEST, manifest.to_json().encode())
        partial.chmod(0o755)
        partial.rename(folder)
        sync_folder(folder.parent)
    except OSError as problem:
        raise StorageError(
            str(folder),
            f"cannot be written ({(problem.strerror or 'unknown reason').lower()})",
            f"make {_room_mb(duration_s):.0f} MB of room in a folder you may write to",
        ) from problem
    finally:
        if partial is not None:
            shutil.rmtree(partial, ignore_errors=True)
        if made_parent and folder.parent.exists() and not any(folder.parent.iterdir()):
            folder.parent.rmdir()
    return manifest


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


def check_room(folder: Path, duration_s: float) -> None:
    """Refuse to begin a session that the disk cannot hold.

    Raises:
        StorageError: too little room, with both figures.
    """
    existing = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    free_mb = shutil.disk_usage(existing).free / 1e6
    if duration_s and free_mb < _room_mb(duration_s):
        raise StorageError(
            str(folder),
            f"a session can take {_room_mb(duration_s):.0f} MB and the disk has {free_mb:.0f} MB left",
            "make room on the disk, or name another folder",
        )


def _room_mb(duration_s: float) -> float:
    """What a session can take at most: 16-bit stereo that nothing compresses, and its manifest."""
    return 1.0 + duration_s * SAMPLE_RATE_HZ * 2 * 2 / 1e6
