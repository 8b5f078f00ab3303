"""What a database's errors mean to whoever runs the study."""

from __future__ import annotations

import shutil
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from study.errors import RecordBroken, RecordBusy, RecordError, StorageError

_LEAST_ROOM_BYTES = 100_000
_DAMAGED = "do not write to it; restore the last backup and compare with isopath verify"
_WAITED = "another process is writing to the record and did not finish in time"
_AGAIN = "try again; if it goes on, see which program has the study open"


def refusal_of(where: str, problem: DBAPIError) -> RecordError | StorageError:
    """The refusal that a database's error stands for.

    Args:
        where: the record's name in messages.
    """
    state = getattr(problem.orig, "sqlstate", None)
    if hasattr(problem.orig, "sqlstate"):
        return _of_postgresql(where, state, _said(problem), problem.connection_invalidated)
    return _of_sqlite(where, str(problem.orig))


def _of_sqlite(where: str, said: str) -> RecordError | StorageError:
    lower = said.lower()
    if "locked" in lower or "busy" in lower:
        return RecordBusy(where, _WAITED, _AGAIN)
    # On a full disk SQLite cannot make its journal, and calls that an I/O error.
    if "full" in lower or ("disk i/o" in lower and _is_full(Path(where).parent)):
        return StorageError(where, "the disk is full", "make room and try again; nothing was written")
    if "readonly" in lower or "unable to open" in lower or "permission" in lower:
        return StorageError(where, f"cannot be opened for writing ({said})", "check the path and its rights")
    if "malformed" in lower or "not a database" in lower or "disk i/o" in lower or "corrupt" in lower:
        return RecordBroken(where, f"is damaged ({said})", _DAMAGED)
    return RecordError(where, said, "see that the database is reachable and holds an isopath record")


def _of_postgresql(where: str, state: str | None, said: str, is_cut: bool) -> RecordError | StorageError:
    """By SQLSTATE (PostgreSQL 15, appendix A): a server may speak any language."""
    match state:
        case "55P03" | "57014" | "40001" | "40P01" | "25P03":
            return RecordBusy(where, _WAITED, _AGAIN)
        case "53300":
            return RecordBusy(where, "has no connection left for us", "raise max_connections, or try again")
        case "53100":
            return StorageError(
                where, "the server's disk is full", "make room there and try again; nothing was written"
            )
        case "25006":
            remedy = "name the primary server, not a standby"
            return StorageError(where, f"takes no writing ({said})", remedy)
        case "42501":
            remedy = "let the database's owner grant the rights that docs/record/stores.md lists"
            return StorageError(where, f"does not let this user do that ({said})", remedy)
        case "42P01" | "42703":
            return RecordBroken(where, "holds no study record", "name a database made by isopath init")
        case "XX001" | "XX002" | "58030" | "58P01":
            return RecordBroken(where, f"is damaged ({said})", _DAMAGED)
        case "23505":
            remedy = "see which program writes to the record without taking its turn"
            return RecordBusy(where, "was written to by another program at the same moment", remedy)
    if is_cut or state is None or state[:2] in {"08", "57"}:
        return StorageError(
            where,
            f"the database server cannot be reached, or does not let us in ({said})",
            "see that it runs, and that user, password and network are right; nothing acknowledged is lost",
        )
    return RecordError(where, said, "see that the database holds an isopath record")


def _said(problem: DBAPIError) -> str:
    """The server's first line: its details may repeat what was to be written."""
    diagnosis = getattr(problem.orig, "diag", None)
    primary = getattr(diagnosis, "message_primary", None)
    return str(primary or str(problem.orig).strip().splitlines()[0])


def _is_full(folder: Path) -> bool:
    return folder.is_dir() and shutil.disk_usage(folder).free < _LEAST_ROOM_BYTES
