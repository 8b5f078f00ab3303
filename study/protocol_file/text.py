"""The bytes of a protocol file, read strictly: JSON with every slip named.

Python's own reader lets NaN, repeated keys and numbers beyond any float pass;
in a protocol each of them is a mistake nobody would notice later.
"""

from __future__ import annotations

import difflib
import json
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from study.errors import ProtocolErrors, ProtocolProblem

JsonPath = tuple[str | int, ...]
"""Keys and indices from the top of the file."""

MAX_BYTES = 2_000_000
MAX_DEPTH = 40

_PLAIN_KEY = re.compile(r"[A-Za-z_$][A-Za-z0-9_]*")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


@dataclass(frozen=True)
class Finding:
    """One problem at a place of the file, before the file's name joins it."""

    path: JsonPath
    problem: str
    remedy: str


@dataclass(frozen=True)
class ProtocolText:
    """A protocol file as JSON.

    Args:
        value: what stands in the file.
        order: every path of the file to its place, counted from the top.
        findings: what is wrong with single values.
        bad: paths of those values; nothing else should read them.
    """

    value: Any
    order: dict[JsonPath, int]
    findings: tuple[Finding, ...]
    bad: frozenset[JsonPath]


def written(path: JsonPath) -> str:
    """A path as people write it: ``$.arms[1].path.target``."""
    parts = ["$"]
    for key in path:
        if isinstance(key, int):
            parts.append(f"[{key}]")
        elif _PLAIN_KEY.fullmatch(key):
            parts.append(f".{key}")
        else:
            parts.append(f"[{shown(key)}]")
    return "".join(parts)


def shown(value: Any) -> str:
    """A JSON value in a message: short, on one line, in straight quotation marks."""
    text = json.dumps(value, ensure_ascii=False)
    # Two keys that differ only in such a character stay two.
    text = _CONTROL.sub(lambda sign: f"\\u{ord(sign[0]):04x}", text)
    return text if len(text) <= 60 else text[:56] + " ..."


def plain_number(value: float) -> str:
    """A number in a message: 900 rather than 900.0."""
    return f"{value:.10g}"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """``did you mean "calm"? If not, `` where a known word is near, else nothing."""
    near = difflib.get_close_matches(word.lower(), list(known), n=1, cutoff=0.6)
    return f"did you mean {shown(near[0])}? If not, " if near else ""


def parse_text(data: bytes, file_name: str) -> ProtocolText:
    """Read a protocol's bytes as JSON.

    Raises:
        ProtocolErrors: the bytes are no JSON text at all; slips within a JSON
            text are returned as findings.
    """
    if len(data) > MAX_BYTES:
        raise _refusal(
            file_name,
            f"the file is larger than a protocol can be ({MAX_BYTES // 1_000_000} MB)",
            "name a protocol file, and give sounds by their file names",
        )
    text = _decoded(data, file_name)
    if not text.strip():
        raise _refusal(file_name, "the file is empty", "write a protocol with isopath new FILE")
    repeated: list[tuple[int, str]] = []
    kept: list[dict[str, Any]] = []

    def object_of(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            keys = [key for key, _ in pairs]
            kept.append(found)  # keeps its id() from being used again
            repeated.extend((id(found), key) for key in found if keys.count(key) > 1)
        return found

    try:
        value = json.loads(text, object_pairs_hook=object_of, parse_int=_whole_number)
    except json.JSONDecodeError as problem:
        raise _refusal(file_name, *_syntax(problem)) from None
    except RecursionError:
        raise _too_deep(file_name) from None
    return _walk(value, repeated, file_name)


def _decoded(data: bytes, file_name: str) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\x00" in data[:4]:
        raise _refusal(file_name, "the file is UTF-16 text or not text", "save it as UTF-8 text")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        line = data.count(b"\n", 0, problem.start) + 1
        raise _refusal(
            file_name,
            f"line {line} is not UTF-8 text (byte {data[problem.start]:#04x})",
            "save it as UTF-8 text",
        ) from None


def _whole_number(digits: str) -> int | float:
    # A float for what no field can mean, so that it is found below by its place.
    return int(digits) if len(digits) <= 18 else float(digits)


def _syntax(problem: json.JSONDecodeError) -> tuple[str, str]:
    before = problem.doc[: problem.pos].rstrip()
    rest = problem.doc[problem.pos :]
    place = f"line {problem.lineno}, column {problem.colno}"
    if not rest.strip():
        return f"{place}: the text ends too early", "close every bracket and quotation mark that was opened"
    if problem.msg.startswith("Extra data"):
        return f"{place}: something follows the end of the protocol", "keep one { ... } and delete the rest"
    if rest.startswith(("//", "/*", "#")):
        return f"{place}: JSON has no comments", "delete the comment"
    if rest.startswith(("'", "“", "”", "„", "‘", "’")):
        return (
            f"{place}: {rest[0]} is not a quotation mark of JSON",
            'write straight double quotation marks: "',
        )
    if before.endswith(",") and rest.startswith(("}", "]")):
        return f"{place}: a comma stands before the closing {rest[0]}", "delete the comma"
    if problem.msg.startswith("Illegal trailing comma"):
        return f"{place}: a comma stands before a closing bracket", "delete the comma"
    if problem.msg.startswith("Expecting ',' delimiter"):
        return f"{place}: a comma or a closing bracket is missing here", "write it before what follows"
    if problem.msg.startswith("Expecting ':' delimiter"):
        return f"{place}: a colon is missing after a field's name", 'write "field": value'
    if problem.msg.startswith("Invalid control character"):
        return f"{place}: a text goes over the end of its line", "write \\n where a new line should begin"
    if problem.msg.startswith("Invalid \\"):
        return (
            f"{place}: a backslash that JSON does not know",
            "write \\\\ for a backslash, \\n for a new line",
        )
    if problem.msg.startswith("Unterminated string"):
        return f"{place}: this text has no closing quotation mark", 'write " at its end'
    if problem.msg.startswith("Expecting property name"):
        return f"{place}: a field's name in quotation marks should stand here", 'write "field": value'
    word = re.match(r"\w+", rest)
    if word and word[0] in ("True", "False", "None"):
        return f"{place}: {word[0]} is not JSON", "write true, false, or leave the field out"
    return f"{place}: this is not JSON ({shown(rest[:12])})", 'write a number, true, false, or a text in "…"'


def _walk(value: Any, repeated: list[tuple[int, str]], file_name: str) -> ProtocolText:
    order: dict[JsonPath, int] = {}
    findings: list[Finding] = []
    bad: set[JsonPath] = set()
    twice: dict[int, list[str]] = {}
    for owner, key in repeated:
        twice.setdefault(owner, []).append(key)
    pending: list[tuple[JsonPath, Any]] = [((), value)]
    while pending:
        path, node = pending.pop()
        if len(path) > MAX_DEPTH:
            raise _too_deep(file_name)
        order[path] = len(order)
        if isinstance(node, dict):
            bad.update((*path, key) for key in twice.get(id(node), ()))
            findings.extend(
                Finding((*path, key), "stands twice in the same object", "keep one and delete the other")
                for key in twice.get(id(node), ())
            )
            findings.extend(_control_finding((*path, key)) for key in node if _CONTROL.search(key))
            pending.extend(((*path, key), item) for key, item in reversed(node.items()))
        elif isinstance(node, list):
            pending.extend(((*path, index), node[index]) for index in reversed(range(len(node))))
        elif isinstance(node, float) and not math.isfinite(node):
            bad.add(path)
            findings.append(Finding(path, "is not a finite number", "write an ordinary number"))
        elif isinstance(node, str) and _CONTROL.search(node):
            bad.add(path)
            findings.append(_control_finding(path))
    return ProtocolText(value, order, tuple(findings), frozenset(bad))


def _control_finding(path: JsonPath) -> Finding:
    return Finding(path, "holds a character that cannot be shown", "write letters, signs and \\n only")


def _too_deep(file_name: str) -> ProtocolErrors:
    return _refusal(
        file_name,
        f"brackets stand more than {MAX_DEPTH} deep in each other",
        "write a protocol as the examples in protocols/examples show it",
    )


def _refusal(file_name: str, problem: str, remedy: str) -> ProtocolErrors:
    return ProtocolErrors([ProtocolProblem(file_name, "$", problem, remedy)])
