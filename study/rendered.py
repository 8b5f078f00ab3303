"""What was rendered, as it lies on disk, held against the record."""

from __future__ import annotations

import hashlib

from study.errors import RecordMismatch, StorageError
from study.events import SessionRendered
from study.folder import file_sha256
from study.founding import Study
from study.manifest import RenderManifest


def read_manifests(study: Study) -> dict[tuple[str, str], RenderManifest]:
    """The manifests of every rendered session by (participant_id, session_id), checked against the record.

    Raises:
        RecordMismatch: a manifest is not the one that was recorded.
        StorageError: one cannot be read.
    """
    found = {}
    for recorded in study.record.events(kinds=[SessionRendered]):
        event, pid, session_id = recorded.event, recorded.participant_id, recorded.session_id
        if isinstance(event, SessionRendered) and pid is not None and session_id is not None:
            found[pid, session_id] = read_manifest(study, pid, session_id, event)
    return found


def read_manifest(
    study: Study, participant_id: str, session_id: str, rendered: SessionRendered
) -> RenderManifest:
    """The manifest of one rendered session, checked against the record.

    Raises:
        RecordMismatch: it is not the one that was recorded.
        StorageError: it cannot be read.
    """
    path = study.folder.sessions / participant_id / session_id / "manifest.json"
    try:
        text = path.read_bytes()
    except OSError as problem:
        raise StorageError(
            str(path), f"cannot be read ({problem.strerror})", "put the rendered session back"
        ) from problem
    if hashlib.sha256(text).hexdigest() != rendered.manifest_sha256:
        raise RecordMismatch(
            str(path), "is not the manifest the record names", "put the rendered session back"
        )
    return RenderManifest.from_json(text.decode())


def check_sounds(study: Study) -> int:
    """Hash every rendered session's sound; gives how many there are.

    Raises:
        RecordMismatch: a sound is not the one that was recorded.
        StorageError: one cannot be read.
    """
    manifests = read_manifests(study)
    for (participant_id, session_id), manifest in manifests.items():
        path = study.folder.sessions / participant_id / session_id / manifest.stim_file
        try:
            found = file_sha256(path)
        except OSError as problem:
            raise StorageError(
                str(path), f"cannot be read ({problem.strerror})", "put the rendered session back"
            ) from problem
        if found != manifest.audio_sha256:
            raise RecordMismatch(str(path), "is not the sound the record names", "put the rendered file back")
    return len(manifests)
