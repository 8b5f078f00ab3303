"""What leaves the study for other programs: tables, the record, its head, results.

Blinded for whoever may not see arms: see `study.oversight.blinding`.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from importlib import resources

import pandas as pd

from analysis.mer.hearing import Predictions, SessionKey
from analysis.tables.blinded import blinded_tables
from analysis.tables.build import build_tables
from dashboards.export_kinds import KINDS
from dashboards.study_hearing import hear_study
from study.errors import StorageError, UnknownName
from study.founding import Study
from study.manifest import RenderManifest
from study.oversight.blinding import record_rows
from study.rendered import read_manifests


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
    makers: Mapping[str, Callable[[], Export]] = {
        "tables.zip": lambda: _tables(study, is_blinded),
        "record.jsonl": lambda: _record(study, is_blinded),
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


def _tables(study: Study, is_blinded: bool) -> Export:
    head, events = study.record.head(), study.record.events()
    if is_blinded:
        made = build_tables(study.protocol, events, {}, {})
        tables = blinded_tables(study.protocol, events, made)
        predicted = False
    else:
        manifests = read_manifests(study)
        predictions = _kept_predictions(study, manifests)
        predicted = bool(predictions)
        made = build_tables(study.protocol, events, manifests, predictions)
        tables = {field.name: getattr(made, field.name) for field in fields(made)}
    note = _note(study, f"{head.sequence} rows, head {head.sha256}", is_blinded, predicted)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("README.txt", note)
        archive.writestr("data_dictionary.json", _dictionary(tables))
        for name, table in tables.items():
            archive.writestr(f"{name}.csv", table.to_csv(index=False))
    return Export("tables.zip", "application/zip", packed.getvalue())


def _kept_predictions(study: Study, manifests: Mapping[SessionKey, RenderManifest]) -> Predictions:
    # Made by the analysis; an export of hundreds of sessions does not hear them all for the first time.
    if not study.folder.results.is_file():
        return {}
    return hear_study(study, manifests, lambda *_: None)


def _dictionary(tables: Mapping[str, pd.DataFrame]) -> str:
    whole = json.loads(resources.files("protocols").joinpath("columns.json").read_text("utf-8"))
    used = {column for table in tables.values() for column in table.columns}
    factors = any(column.startswith("stratum_") for column in used)
    content = {
        "dictionary_version": whole["dictionary_version"],
        "tables": {
            name: {
                "description": whole["tables"].get(name, {}).get("description", ""),
                "columns": list(table.columns),
            }
            for name, table in tables.items()
        },
        "columns": {
            name: about
            for name, about in whole["columns"].items()
            if name in used or (factors and name == "stratum_{factor}")
        },
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def _note(study: Study, record: str, is_blinded: bool, predicted: bool) -> str:
    lines = [study.protocol.title, f"Protocol {study.protocol.sha256}", f"Record: {record}", ""]
    if study.rehearsal() is not None:
        lines += ["SIMULATED PARTICIPANTS: this study is a rehearsal, nobody in it is a person.", ""]
    if is_blinded:
        lines += [
            "Blinded: nothing here tells who is in which arm. Left out are arms, planned paths, clips,",
            "hashes, lengths and loudness of sounds, perceived ratings and guesses of the arm. Times are",
            "cut to the day, since the time a sound took to be made differs between kinds of sound.",
        ]
    else:
        lines += ["Not blinded: the tables tell arms. Keep them from whoever may not know them."]
        if not predicted:
            lines += ["Columns ending in _pred are empty: run the analysis first, and export again."]
    lines += [
        "",
        "Text that people wrote is here as they wrote it. data_dictionary.json explains every column.",
    ]
    return "\n".join(lines) + "\n"
