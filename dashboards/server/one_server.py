"""A study is served by one process at a time: leases and the queue of sessions are in its memory."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

from study.errors import ConductError
from study.held import held

LOCK = ".serving.lock"


def only_server(root: Path) -> AbstractContextManager[None]:
    """Hold the study for this process.

    Raises:
        ConductError: another process serves the study.
        StorageError: the folder cannot be written.
    """

    def refusal(holder: str) -> ConductError:
        return ConductError(
            str(root),
            f"is being served already, by process {holder}",
            "open that one's address, or end it first",
        )

    return held(root / LOCK, refusal)
