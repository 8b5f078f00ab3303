"""The record's rows as they are stored, on every database: what an export hands to others to check."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import analysis.export
from analysis.export.record_file import stored_line
from study.record import Record
from tests.study.test_record import add

SCRIPT = Path(analysis.export.__file__).parent / "templates" / "verify_record.py"


def checked(folder: Path) -> str:
    """What the exported script says."""
    ran = subprocess.run(
        [sys.executable, "-I", "-S", SCRIPT, folder], capture_output=True, check=False, text=True
    )
    return ran.stdout or ran.stderr


def test_whoever_has_the_stored_rows_can_walk_the_chain(record: Record, tmp_path: Path) -> None:
    add(record, "one", "two", "três — 三")
    record.erase_payload("test", 2, "asked for")
    head = record.head()
    (tmp_path / "head.json").write_text(json.dumps({"rows": head.sequence, "head_sha256": head.sha256}))

    rows = list(record.stored_rows())

    (tmp_path / "record.jsonl").write_text("".join(map(stored_line, rows)), "utf-8")
    assert [row["body"] is None for row in rows] == [False, True, False, False]
    assert checked(tmp_path) == f"4 rows hold, head {head.sha256}\n"
    # Without the row that says so, the erased one is not explained.
    (tmp_path / "record.jsonl").write_text("".join(map(stored_line, rows[:3])), "utf-8")
    assert checked(tmp_path) == "row 2: has no payload, and no later row says it was erased\n"
