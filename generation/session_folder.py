"""A rendered session on disk: its folder is there whole, or not at all.

What a killed process left behind is removed by the next render on the same
machine; a living process's is left alone.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from generation.audio import SAMPLE_RATE_HZ
from study.errors import StorageError
from study.folder import file_sha256, folder_made_whole, write_whole
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
    check_room(folder.parent, duration_s)
    try:
        with folder_made_whole(folder) as partial:
            manifest = write(partial)
            write_whole(partial / MANIFEST, manifest.to_json().encode())
    except OSError as problem:
        raise StorageError(
            str(folder),
            f"cannot be written ({(problem.strerror or 'unknown reason').lower()})",
            f"make {_room_mb(duration_s):.0f} MB of room in a folder you may write to",
        ) from problem
    return manifest


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
