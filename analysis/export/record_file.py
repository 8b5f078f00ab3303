"""The record itself, row by row, so that anybody can walk its chain: with or without isopath."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from analysis.export.content import ExportContent, Told

_OPEN = (
    "record.jsonl: the record as it is stored, one row a line: its header, its hash (sha256), and salt and",
    "body of its payload. body is the payload's canonical JSON, salt is hex. Erased rows have neither.",
    "head.json: how many rows there are, and the hash of the last, which stands for all of them.",
    "checkpoints/: signed statements of earlier heads (Ed25519), where any were made.",
    "",
    "Check it without isopath:  python3 verify_record.py",
    "It walks the chain and compares its end with head.json. A head or checkpoint that was kept elsewhere",
    "shows that the whole record was not written anew: its row must have the hash it names.",
)
_BLINDED = (
    "record.jsonl: the record's events, one a line, without what tells an arm. Its chain cannot be walked:",
    "the hashes cover times and payloads that are left out here. head.json is the head of the whole record.",
)


def write_record(
    content: ExportContent,
    rows: Iterable[Mapping[str, Any]],
    checkpoints: Mapping[str, bytes],
    folder: Path,
    told: Told,
) -> None:
    """The record as JSON Lines, its head, signed checkpoints, and how to check them.

    Args:
        rows: as they are stored (`study.record.Record.stored_rows`); where the export is blinded, as
            `study.oversight.blinding.record_rows` tells them.
        checkpoints: file name to content.
        folder: exists and is empty.
    """
    with (folder / "record.jsonl").open("w", encoding="utf-8", newline="\n") as lines:
        for done, row in enumerate(rows):
            told("writing the record", min(done, content.head.sequence), content.head.sequence)
            lines.write(stored_line(row))
    head = {
        "study_id": content.protocol.study_id,
        "protocol_sha256": content.protocol.sha256,
        "rows": content.head.sequence,
        "head_sha256": content.head.sha256,
    }
    (folder / "head.json").write_text(json.dumps(head, indent=1) + "\n", "utf-8")
    if not content.is_blinded:
        script = resources.files("analysis.export").joinpath("templates/verify_record.py")
        (folder / "verify_record.py").write_bytes(script.read_bytes())
    for name, signed in sorted(checkpoints.items()):
        (folder / "checkpoints").mkdir(exist_ok=True)
        (folder / "checkpoints" / name).write_bytes(signed)
    says = _BLINDED if content.is_blinded else _OPEN
    (folder / "README.txt").write_text("\n".join((*content.about(), "", *says)) + "\n", "utf-8")


def stored_line(row: Mapping[str, Any]) -> str:
    """A row as a line of JSON: the salt as hex, the body as the JSON text it is."""
    changed: dict[str, Any] = {}
    if isinstance(row.get("salt"), bytes):
        changed["salt"] = row["salt"].hex()
    if isinstance(row.get("body"), bytes):
        changed["body"] = row["body"].decode()
    return json.dumps({**row, **changed}, ensure_ascii=False, allow_nan=False) + "\n"
