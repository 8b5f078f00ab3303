"""The shape of a protocol file: the JSON schema, and its verdicts in plain words.

`protocols/protocol.schema.json` says which fields there are and, in each
field's ``x-write``, what to write in it. Nothing of the schema library's own
wording reaches the reader.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from study.protocol_file.text import Finding, JsonPath, did_you_mean, shown

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
_READABLE_IN_PARTS = frozenset({"required", "additionalProperties", "maxItems", "uniqueItems"})


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


def default_number(*names: str) -> float:
    """What a number is where a protocol leaves it out, as the schema says."""
    node = protocol_schema()
    for name in names:
        node = node["properties"][name]
    return float(node["default"])


@functools.cache
def _validator() -> Draft202012Validator:
    return Draft202012Validator(protocol_schema())


def check_shape(
    value: Any,
    unreadable: frozenset[JsonPath] = frozenset(),
    validator: Draft202012Validator | None = None,
) -> Shape:
    """Compare a JSON value with the schema.

    Args:
        value: the file's content.
        unreadable: paths that are known to be wrong and need no second verdict.
        validator: of another file's schema, whose parts say ``x-write`` themselves; None for a protocol's.
    """
    errors: dict[JsonPath, list[ValidationError]] = {}
    for error in (validator or _validator()).iter_errors(value):
        path = tuple(error.absolute_path)
        if path not in unreadable:
            errors.setdefault(path, []).append(error)
    findings: dict[Finding, None] = {}
    for path, here in errors.items():
        # A value of the wrong type has one fault, whatever else its number may be.
        kept = [error for error in here if error.validator == "type"] or here
        for error in kept:
            findings.update(dict.fromkeys(_findings(error, path)))
    bad = (path for path, here in errors.items() if not all(map(_leaves_parts_readable, here)))
    return Shape(tuple(findings), frozenset(bad))


def _leaves_parts_readable(error: ValidationError) -> bool:
    if error.validator in ("minItems", "minProperties"):
        value: Any = error.instance
        return len(value) > 0
    return error.validator in _READABLE_IN_PARTS or _about_a_key(error)


def _about_a_key(error: ValidationError) -> bool:
    return "propertyNames" in error.absolute_schema_path


def _findings(error: ValidationError, path: JsonPath) -> Iterator[Finding]:
    schema: dict[str, Any] = dict(error.schema) if isinstance(error.schema, dict) else {}
    write = str(schema.get("x-write", ""))
    value: Any = error.instance
    limit: Any = error.validator_value
    if _about_a_key(error):
        yield Finding((*path, value), "is not a name that can stand here", write)
        return
    match error.validator:
        case "required":
            for name in limit:
                if name not in value:
                    yield Finding((*path, name), "is missing", _write_of(schema["properties"][name]))
        case "additionalProperties":
            known = list(schema.get("properties", {}))
            for name in value:
                if name not in known:
                    instead = str(schema.get("x-instead", "")) or _instead_of(name, known)
                    yield Finding((*path, name), "is not a field here", instead)
        case _:
            yield Finding(
                path,
                _verdict(str(error.validator), value, limit, schema),
                _remedy(error, value, limit, write),
            )


def _instead_of(name: str, known: list[str]) -> str:
    return did_you_mean(name, known) + f"delete it; the fields are {', '.join(known)}"


def _remedy(error: ValidationError, value: Any, limit: Any, write: str) -> str:
    match error.validator:
        case "enum" if isinstance(value, str):
            return did_you_mean(value, [name for name in limit if isinstance(name, str)]) + write
        case "type" if isinstance(value, str) and _is_number(value) and limit in ("number", "integer"):
            return f"delete the quotation marks: {value.strip()}"
        case "maxLength":
            return "write a shorter text"
        case "uniqueItems":
            return "keep one and delete the other"
        case _:
            return write


def _verdict(validator: str, value: Any, limit: Any, schema: dict[str, Any]) -> str:
    match validator:
        case "type":
            return f"is {_kind_of(value)}, not {_kinds(limit)}"
        case "enum" | "const":
            return f"{shown(value)} is not known here"
        case "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum":
            return f"{_number(value)} is {_outside(schema)}"
        case "pattern" if limit == r"\S":
            return "is empty"
        case "pattern":
            return f"{shown(value)} is not written as it should be"
        case "maxLength":
            return f"is {len(value)} characters long, more than {limit}"
        case "minItems" | "minProperties":
            return f"holds {len(value)}, and {limit} or more are needed" if value else "is empty"
        case "maxItems":
            return f"holds {len(value)}, and {limit} at most can stand here"
        case "uniqueItems":
            return f"names {shown(_twice(value))} twice"
        case _:
            return "is not as it should be"


def _outside(schema: dict[str, Any]) -> str:
    if "minimum" in schema and "maximum" in schema:
        return f"outside [{schema['minimum']:g}, {schema['maximum']:g}]"
    low = (
        f"at least {schema['minimum']:g}" if "minimum" in schema else f"above {schema['exclusiveMinimum']:g}"
    )
    high = (
        f"at most {schema['maximum']:g}" if "maximum" in schema else f"below {schema['exclusiveMaximum']:g}"
    )
    return f"not {low} and {high}"


def _is_number(text: str) -> bool:
    return re.fullmatch(r"\s*-?\d+(\.\d+)?\s*", text) is not None


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
