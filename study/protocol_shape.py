"""The shape of a protocol file: the JSON schema, and its verdicts in plain words.

`protocols/protocol.schema.json` says which fields there are and, in each
field's ``x-write``, what to write in it. Nothing of the schema library's own
wording reaches the reader.
"""

from __future__ import annotations

import difflib
import functools
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from study.protocol_text import Finding, JsonPath, shown

_KINDS_OF_VALUE = {
    "object": "an object { … }",
    "array": "a list [ … ]",
    "string": "a text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "null": "null",
}

#: Verdicts about a list or object that leave its well-formed parts readable.
_READABLE_IN_PARTS = frozenset(
    {"required", "additionalProperties", "minItems", "maxItems", "uniqueItems", "minProperties"}
)


@dataclass(frozen=True)
class Shape:
    """What the schema says of one file.

    Args:
        findings: one for each thing wrong.
        bad: paths of the values that no other check should read.
    """

    findings: tuple[Finding, ...]
    bad: frozenset[JsonPath]


@functools.cache
def protocol_schema() -> dict[str, Any]:
    """The JSON schema of a protocol file."""
    text = (files("protocols") / "protocol.schema.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


@functools.cache
def _validator() -> Draft202012Validator:
    return Draft202012Validator(protocol_schema())


def check_shape(value: Any, unreadable: frozenset[JsonPath] = frozenset()) -> Shape:
    """Compare a JSON value with the schema.

    Args:
        value: the file's content.
        unreadable: paths that are known to be wrong and need no second verdict.
    """
    findings: dict[Finding, None] = {}
    bad: set[JsonPath] = set()
    for error in _validator().iter_errors(value):
        path = tuple(error.absolute_path)
        if path in unreadable:
            continue
        if error.validator not in _READABLE_IN_PARTS and not _about_a_key(error):
            bad.add(path)
        findings.update(dict.fromkeys(_findings(error, path)))
    return Shape(tuple(findings), frozenset(bad))


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """``did you mean "calm"? If not, `` where a known word is near, else nothing."""
    near = difflib.get_close_matches(word.lower(), list(known), n=1, cutoff=0.6)
    return f"did you mean {shown(near[0])}? If not, " if near else ""


def _about_a_key(error: ValidationError) -> bool:
    return "propertyNames" in error.absolute_schema_path


def _findings(error: ValidationError, path: JsonPath) -> Iterator[Finding]:
    write = error.schema.get("x-write", "") if isinstance(error.schema, dict) else ""
    value, limit = error.instance, error.validator_value
    if _about_a_key(error):
        yield Finding((*path, value), "is not a name that can stand here", write)
        return
    match error.validator:
        case "required":
            for name in limit:
                if name not in value:
                    yield Finding((*path, name), "is missing", _write_of(_property(error.schema, name)))
        case "additionalProperties":
            known = _known_fields(error)
            for name in value:
                if name not in known:
                    yield Finding((*path, name), *_unknown_field(name, known))
        case "type":
            yield Finding(path, f"is {_kind_of(value)}, not {_kinds(limit)}", write)
        case "enum" | "const":
            names = limit if error.validator == "enum" else [limit]
            near = did_you_mean(value, names) if isinstance(value, str) else ""
            yield Finding(path, f"{shown(value)} is not known here", near + write)
        case "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum":
            yield Finding(path, f"{_number(value)} is {_outside(error.schema)}", write)
        case "pattern" if limit == r"\S":
            yield Finding(path, "is empty", write)
        case "pattern":
            yield Finding(path, f"{shown(value)} is not written as it should be", write)
        case "maxLength":
            yield Finding(path, f"is {len(value)} characters long, more than {limit}", "write a shorter text")
        case "minItems" | "minProperties":
            yield Finding(path, f"holds {len(value)}, fewer than {limit}", write)
        case "maxItems":
            yield Finding(path, f"holds {len(value)}, more than {limit}", write)
        case "uniqueItems":
            yield Finding(path, f"names {shown(_twice(value))} twice", "keep one and delete the other")
        case _:
            yield Finding(path, "is not as it should be", write)


def _outside(schema: dict[str, Any]) -> str:
    low = schema.get("minimum", schema.get("exclusiveMinimum"))
    high = schema.get("maximum", schema.get("exclusiveMaximum"))
    left = "[" if "minimum" in schema else "("
    right = "]" if "maximum" in schema else ")"
    return f"outside {left}{low:g}, {high:g}{right}"


def _unknown_field(name: str, known: list[str]) -> tuple[str, str]:
    near = did_you_mean(name, known)
    if near:
        return "is not a field here", f"{near}delete it"
    return "is not a field here", f"delete it; the fields are {', '.join(known)}"


def _known_fields(error: ValidationError) -> list[str]:
    return list(error.schema.get("properties", {}))


def _property(schema: Any, name: str) -> dict[str, Any]:
    found: dict[str, Any] = schema.get("properties", {}).get(name, {})
    return found


def _write_of(schema: dict[str, Any]) -> str:
    if "x-write" in schema:
        return str(schema["x-write"])
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[-1]
        return str(protocol_schema()["$defs"][name]["x-write"])
    return "write it"


def _kind_of(value: Any) -> str:
    if isinstance(value, bool):
        return shown(value)
    for kind, name in ((dict, "object"), (list, "array"), (str, "string"), (type(None), "null")):
        if isinstance(value, kind):
            return _KINDS_OF_VALUE[name] + (f" ({shown(value)})" if kind is str else "")
    return _number(value)


def _kinds(names: str | list[str]) -> str:
    listed = [names] if isinstance(names, str) else names
    return " or ".join(_KINDS_OF_VALUE[name] for name in listed)


def _number(value: float) -> str:
    return repr(value) if isinstance(value, float) else str(value)


def _twice(values: list[Any]) -> Any:
    return next((item for i, item in enumerate(values) if item in values[:i]), values[0])
