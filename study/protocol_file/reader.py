"""A protocol file becomes a `StudyProtocol`, or the list of everything wrong with it."""

from __future__ import annotations

import errno
from pathlib import Path

from study.errors import ProtocolErrors, ProtocolProblem, StorageError
from study.protocol import StudyProtocol
from study.protocol_file.build import build_protocol
from study.protocol_file.checks import check_files, check_meaning
from study.protocol_file.draft import Part
from study.protocol_file.shape import check_shape
from study.protocol_file.text import MAX_BYTES, Finding, JsonPath, ProtocolText, parse_text, written


def load_protocol(path: Path | str) -> StudyProtocol:
    """Read and check a protocol file, with the sound files it names.

    Raises:
        ProtocolErrors: all problems of the file, in file order.
        StorageError: there is no such file, or it cannot be read.
    """
    named = str(path)
    return parse_protocol(_read(Path(path), named), named, folder=Path(path).parent)


def parse_protocol(data: bytes, file_name: str, folder: Path | None = None) -> StudyProtocol:
    """Check a protocol's bytes.

    Args:
        data: the file's bytes; their SHA-256 names the protocol.
        file_name: for messages.
        folder: where the protocol's sound files lie; None does not look for them.

    Raises:
        ProtocolErrors: all problems, in file order.
    """
    text = parse_text(data, file_name)
    shape = check_shape(text.value, text.bad)
    findings = [*text.findings, *shape.findings]
    bad = text.bad | shape.bad
    if () not in bad:
        draft = Part(text.value, (), bad)
        findings.extend(check_meaning(draft))
        if folder is not None:
            findings.extend(check_files(draft, folder))
    if findings:
        raise ProtocolErrors(_in_file_order(findings, text, file_name))
    return build_protocol(text.value, data)


def _read(path: Path, named: str) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as problem:
        wrong, remedy = {
            errno.ENOENT: ("there is no such file", "check the name, or write one with isopath new FILE"),
            errno.EISDIR: ("is a folder", "name the protocol file in it"),
            errno.EACCES: ("may not be read", "give yourself the right to read it"),
            errno.ENAMETOOLONG: ("the name is too long", "name a protocol file"),
        }.get(problem.errno or 0, ((problem.strerror or "cannot be read").lower(), "name a protocol file"))
        raise StorageError(named, wrong, remedy) from None
    except ValueError:
        raise StorageError(repr(named), "is not a file name", "name a protocol file") from None


def _in_file_order(findings: list[Finding], text: ProtocolText, file_name: str) -> list[ProtocolProblem]:
    def place(finding: Finding) -> tuple[int, int]:
        path: JsonPath = finding.path
        while path not in text.order:
            path = path[:-1]
        return text.order[path], len(finding.path) - len(path)

    return [
        ProtocolProblem(file_name, written(finding.path), finding.problem, finding.remedy)
        for finding in sorted(dict.fromkeys(findings), key=place)
    ]
