"""A column map's file, held to its schema and to the protocol: every problem of it at once."""

from __future__ import annotations

import functools
import json
from importlib.resources import files
from pathlib import Path

from jsonschema import Draft202012Validator

from analysis.importing.column_map import ColumnMap, column_map_of
from analysis.importing.map_checks import check_map
from study.errors import ProtocolErrors, ProtocolProblem, StorageError
from study.protocol import StudyProtocol
from study.protocol_file.shape import check_shape
from study.protocol_file.text import MAX_BYTES, Finding, JsonPath, parse_text, written


def load_map(path: Path, protocol: StudyProtocol) -> ColumnMap:
    """Read a column map.

    Raises:
        ProtocolErrors: all problems of the file, in file order.
        StorageError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as problem:
        reason = (getattr(problem, "strerror", None) or "is not a file name").lower()
        raise StorageError(str(path), f"cannot be read ({reason})", "name the map's file") from None
    return parse_map(data, str(path), protocol)


def parse_map(data: bytes, file_name: str, protocol: StudyProtocol) -> ColumnMap:
    """Check a map's bytes.

    Raises:
        ProtocolErrors: all problems, in file order.
    """
    if not data.strip():
        remedy = "write an import map, as docs/importing.md shows it"
        raise ProtocolErrors([ProtocolProblem(file_name, "$", "the file is empty", remedy)])
    text = parse_text(data, file_name)
    findings: list[Finding] = [*text.findings]
    shape = check_shape(text.value, text.bad, _validator())
    findings += shape.findings
    if not findings:
        found = column_map_of(text.value)
        findings += check_map(found, protocol)
        if not findings:
            return found

    def place(finding: Finding) -> tuple[int, int]:
        path: JsonPath = finding.path
        while path not in text.order:
            path = path[:-1]
        return text.order[path], len(finding.path) - len(path)

    raise ProtocolErrors(
        [
            ProtocolProblem(file_name, written(finding.path), finding.problem, finding.remedy)
            for finding in sorted(dict.fromkeys(findings), key=place)
        ]
    )


@functools.cache
def _validator() -> Draft202012Validator:
    return Draft202012Validator(
        json.loads((files("protocols") / "import_map.schema.json").read_text(encoding="utf-8"))
    )
