"""The values of a clip engine's options: each read by its kind and range, or refused by name."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from study.errors import OutOfRange, UnknownName
from study.protocol_file.text import did_you_mean, plain_number, shown

MODES = ("parallel", "chained")
CONDITIONINGS = ("prompt", "tokens", "steering")
DTYPES = ("float32", "bfloat16", "float16")


@dataclass(frozen=True)
class AdapterOption:
    """A LoRA adapter to merge: a folder in peft's format, and its weight in the sum."""

    path: str
    weight: float = 1.0


def text_of(where: str, value: Any) -> str:
    """A text that is not empty.

    Raises:
        OutOfRange: another kind of value.
    """
    if not isinstance(value, str) or not value.strip():
        raise OutOfRange(where, f"{shown(value)} is not a name", "write a name in quotation marks")
    return value


def one_of(known: tuple[str, ...]) -> Callable[[str, Any], str]:
    """A reader of one of these names; it raises UnknownName."""

    def read(where: str, value: Any) -> str:
        if not isinstance(value, str) or value not in known:
            hint = did_you_mean(value, known) if isinstance(value, str) else ""
            raise UnknownName(
                where, f"{shown(value)} is not known here", hint + "write one of " + ", ".join(known)
            )
        return value

    return read


def number_in(least: float, most: float) -> Callable[[str, Any], float]:
    """A reader of a number in this range, ends included; it raises OutOfRange."""

    def read(where: str, value: Any) -> float:
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not is_number or not least <= value <= most:
            raise OutOfRange(
                where,
                f"{shown(value)} is not a number in [{plain_number(least)}, {plain_number(most)}]",
                f"write a number from {plain_number(least)} to {plain_number(most)}",
            )
        return float(value)

    return read


def whole_in(least: int, most: int) -> Callable[[str, Any], int]:
    """A reader of a whole number in this range, ends included; it raises OutOfRange."""

    def read(where: str, value: Any) -> int:
        number = number_in(least, most)(where, value)
        if number != math.floor(number):
            raise OutOfRange(where, f"{shown(value)} is not a whole number", "write it without a fraction")
        return int(number)

    return read


def _conditioning(where: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, (list, tuple)) or not value:
        raise OutOfRange(where, f"{shown(value)} is not a list of names", 'write for example ["prompt"]')
    names = tuple(one_of(CONDITIONINGS)(where, name) for name in value)
    if len(set(names)) < len(names):
        raise OutOfRange(where, f"{shown(list(names))} names one twice", "name each once")
    return names


def _adapters(where: str, value: Any) -> tuple[AdapterOption, ...]:
    if not isinstance(value, (list, tuple)):
        raise OutOfRange(where, f"{shown(value)} is not a list", 'write for example ["adapters/calm"]')
    adapters = tuple(_adapter(f"{where}[{number}]", item) for number, item in enumerate(value))
    paths = [adapter.path for adapter in adapters]
    for path in paths:
        if paths.count(path) > 1:
            raise OutOfRange(where, f"{shown(path)} is named twice", "name it once, with the weight it has")
    return adapters


def _adapter(where: str, item: Any) -> AdapterOption:
    if not isinstance(item, Mapping):
        return AdapterOption(text_of(where, item))
    for key in item:
        if key not in ("path", "weight"):
            hint = did_you_mean(str(key), ("path", "weight"))
            raise UnknownName(where, f"{shown(key)} is not known here", hint + "write path and weight")
    if "path" not in item:
        raise OutOfRange(f"{where}.path", "is missing", "name the adapter's folder")
    path = text_of(f"{where}.path", item["path"])
    return AdapterOption(path, number_in(-10.0, 10.0)(f"{where}.weight", item.get("weight", 1.0)))


def _prompts(where: str, value: Any) -> str:
    from generation.conditioning import load_prompts

    name = text_of(where, value)
    load_prompts(name)
    return name


READERS: Mapping[str, Callable[[str, Any], Any]] = {
    "model": text_of,
    "revision": text_of,
    "adapters": _adapters,
    "conditioning": _conditioning,
    "prompts": _prompts,
    "affect_tokens": text_of,
    "steering": text_of,
    "steering_strength": number_in(-100.0, 100.0),
    "guidance_scale": number_in(1.0, 20.0),
    "affect_guidance_scale": number_in(0.0, 20.0),
    "top_k": whole_in(1, 2048),
    "temperature": number_in(0.01, 10.0),
    "dtype": one_of(DTYPES),
    "mode": one_of(MODES),
    "prefix_s": number_in(8.0, 12.0),
    "candidates": whole_in(1, 64),
    "judge": text_of,
}
"""Option to what reads its value: called with the place in the protocol and the value.

Each raises UnknownName or OutOfRange; `prompts` also what a prompt table's file is refused for.
"""
