"""What leaves the study for other programs: tables in every format, the record, its head, results.

Blinded for whoever may not see arms, and for everybody until the record is frozen and unblinded: see
`study.oversight.blinding`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version

from dashboards.export_kinds import KINDS
from dashboards.study_export import zipped_export
from study.errors import StorageError, UnknownName
from study.founding import Study
from study.freeze import may_join_arms
from study.oversight.blinding import record_rows


@dataclass(frozen=True)
class Export:
    """One file.

    Args:
        is_shown: a browser may show it; else it is saved.
    """

    name: str
    media_type: str
    content: bytes
    is_shown: bool = False


def make_export(study: Study, name: str, is_blinded: bool) -> Export:
    """Make one export from the record as it is.

    Args:
        name: of one of `KINDS`.
        is_blinded: leave out whatever could tell an arm.

    Raises:
        UnknownName: there is no such export, or none that tells no arm.
        StorageError: results that were not made yet.
        RecordBroken, RecordMismatch: the record or a session is not what it should be.
    """
    kind = next((kind for kind in KINDS if kind.name == name), None)
    if kind is None or (kind.needs_arms and is_blinded):
        known = ", ".join(kind.name for kind in KINDS if not (kind.needs_arms and is_blinded))
        raise UnknownName("export", f"{name!r} is not one of the exports", f"ask for one of {known}")
    if kind.form is not None:
        software = f"isopath {version('isopath')}"
        return Export(name, "application/zip", zipped_export(study, kind.form, software, is_blinded))
    makers: Mapping[str, Callable[[], Export]] = {
        "record.jsonl": lambda: _record(study, is_blinded or not may_join_arms(study.record)),
        "head.json": lambda: _head(study),
        "results.json": lambda: _file(study, "results.json", "application/json"),
        "report.html": lambda: _file(study, "report.html", "text/html; charset=utf-8", is_shown=True),
    }
    return makers[name]()


def _record(study: Study, is_blinded: bool) -> Export:
    lines = [
        json.dumps(row, ensure_ascii=False, sort_keys=True)
        for row in record_rows(study.protocol, study.record.events(), is_blinded)
    ]
    return Export("record.jsonl", "application/x-ndjson", ("\n".join(lines) + "\n").encode())


def _head(study: Study) -> Export:
    head = study.record.verify()
    facts = {
        "study_id": study.protocol.study_id,
        "protocol_sha256": study.protocol.sha256,
        "rows": head.sequence,
        "head_sha256": head.sha256,
    }
    return Export("head.json", "application/json", (json.dumps(facts, indent=1) + "\n").encode())


def _file(study: Study, name: str, media_type: str, is_shown: bool = False) -> Export:
    path = study.folder.root / name
    try:
        return Export(name, media_type, path.read_bytes(), is_shown)
    except OSError as problem:
        raise StorageError(name, "has not been made yet", "run the analysis on the page Results") from problem
