"""Small files to import: the example's protocol, tables as people save them, maps with one thing changed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from analysis.importing.read_import import ReadImport, read_import
from study.errors import IsopathError, Refusals
from study.imported_people import GivenReport, ImportedPerson
from study.protocol import StudyProtocol
from study.protocol_file import load_protocol

EXAMPLE = Path(__file__).parents[3] / "docs" / "importing"
PROTOCOL = EXAMPLE / "protocol.json"

WIDE = ("code", "group", "site", "v0", "a0", "v1", "a1", "v2", "a2")
ROWS = (
    ("007", "A", "north", "3", "7", "4", "6", "6", "3"),
    ("010", "B", "south", "2", "8", "2", "7", "4", "5"),
)


@cache
def protocol() -> StudyProtocol:
    return load_protocol(PROTOCOL)


def wide_map(**changes: Any) -> dict[str, Any]:
    """A map of the columns `WIDE`; a change of None takes a field out."""
    fields: dict[str, Any] = {
        "format_version": "1",
        "layout": "wide",
        "person": {"column": "code"},
        "arm": {"column": "group", "codes": {"A": "iso", "B": "target_only"}},
        "strata": {"site": {"column": "site"}},
        "scales": {"feeling": {"low": 1, "high": 9}},
        "reports": [
            _report("pre", "0"),
            _report("probe", "1", probe_at_s=6),
            _report("post", "2"),
        ],
    }
    fields |= changes
    return {name: value for name, value in fields.items() if value is not None}


def _report(phase: str, number: str, **more: Any) -> dict[str, Any]:
    items = {"valence": f"v{number}", "arousal": f"a{number}"}
    return {"instrument": "feeling", "phase": phase, **more, "items": items}


def write_table(
    path: Path,
    rows: Sequence[Sequence[str]] = ROWS,
    columns: Sequence[str] = WIDE,
    separator: str = ",",
    encoding: str = "utf-8",
) -> Path:
    lines = [separator.join(cells) for cells in (columns, *rows)]
    path.write_bytes(("\r\n".join(lines) + "\r\n").encode(encoding))
    return path


def read(
    folder: Path,
    rows: Sequence[Sequence[str]] = ROWS,
    columns: Sequence[str] = WIDE,
    fields: Mapping[str, Any] | None = None,
    audio: Path | None = None,
    separator: str = ",",
    study: StudyProtocol | None = None,
) -> ReadImport:
    """Write a table and a map, and read them."""
    table = write_table(folder / "table.csv", rows, columns, separator)
    column_map = folder / "map.json"
    column_map.write_text(json.dumps(wide_map() if fields is None else fields))
    return read_import(table, column_map, study or protocol(), audio, "isopath test")


def said(refusal: IsopathError) -> list[str]:
    """Every message of a refusal."""
    return [str(one) for one in refusal.refusals] if isinstance(refusal, Refusals) else [str(refusal)]


def report(person: ImportedPerson, phase: str) -> GivenReport:
    (found,) = (one for one in person.reports if one.phase == phase)
    return found


def tone(path: Path, seconds: float = 6.0, hz: float = 220.0, rate_hz: int = 16_000) -> Path:
    """A sound file of a slowly beating chord."""
    time_s = np.arange(round(seconds * rate_hz)) / rate_hz
    wave = sum(np.sin(2 * np.pi * hz * ratio * time_s) for ratio in (1.0, 1.25, 1.5))
    swell = 0.6 + 0.4 * np.sin(2 * np.pi * 0.7 * time_s)
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, (0.1 * wave * swell).astype(np.float32), rate_hz, subtype="PCM_16")
    return path
