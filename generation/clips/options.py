"""What a protocol can ask of an engine that makes clips: ``engine.options``."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
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


@dataclass(frozen=True)
class ClipOptions:
    """Everything that shapes the sound and is the protocol's to say.

    Args:
        model: a name of the catalogue (``isopath models list``) or a folder.
        revision: of a catalogue model; None: the pinned one.
        adapters: merged in this order.
        conditioning: any of `CONDITIONINGS`; what carries the affect into the model.
        prompts: name of an installed prompt table, or a JSON file.
        affect_tokens: weights file of the V/A conditioner, where conditioning holds ``tokens``.
        steering: file of steering vectors, where conditioning holds ``steering``.
        steering_strength: multiplies them.
        guidance_scale: of the words (and of the affect, where it has none of its own).
        affect_guidance_scale: of the affect tokens by themselves: a third row a clip.
        top_k, temperature: of the draw.
        dtype: one of `DTYPES`; only float32 promises the same clip in every batch.
        mode: parallel: independent clips, crossfaded; chained: each continues the one before.
        prefix_s: chained: how much of the clip before is given, 8 to 12 s.
        candidates: clips made for each place, of which the judge takes one.
        judge: the predictor that chooses; never the one that reports.
    """

    model: str
    revision: str | None = None
    adapters: tuple[AdapterOption, ...] = ()
    conditioning: tuple[str, ...] = ("prompt",)
    prompts: str = "default"
    affect_tokens: str | None = None
    steering: str | None = None
    steering_strength: float = 1.0
    guidance_scale: float = 3.0
    affect_guidance_scale: float | None = None
    top_k: int = 250
    temperature: float = 1.0
    dtype: str = "float32"
    mode: str = "parallel"
    prefix_s: float = 10.0
    candidates: int = 1
    judge: str | None = None

    @property
    def rows_per_clip(self) -> int:
        """Rows of a batch that one clip takes: the condition, and what guidance compares it with."""
        if self.affect_guidance_scale is not None:
            return 3
        return 1 if self.guidance_scale == 1.0 else 2

    @classmethod
    def from_json(cls, options: Mapping[str, Any]) -> ClipOptions:
        """Read ``engine.options``, whole or not at all; loads no weights.

        Raises:
            UnknownName: an option, mode, dtype, conditioning or table that does not exist.
            OutOfRange: a value off its range, or two options that contradict each other.
        """
        known = [option.name for option in fields(cls)]
        for option in options:
            if option not in known:
                raise UnknownName(
                    "engine.options",
                    f"{shown(option)} is not an option",
                    did_you_mean(str(option), known) + "write one of " + ", ".join(known),
                )
        if "model" not in options:
            raise OutOfRange(
                "engine.options.model", "is missing", "name a model (isopath models list) or its folder"
            )
        given = {option: value for option, value in options.items() if value is not None}
        read = cls(**{option: _READERS[option](f"{_WHERE}.{option}", given[option]) for option in given})
        _check_together(read, given)
        return read


_WHERE = "engine.options"


def _text(where: str, value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise OutOfRange(where, f"{shown(value)} is not a name", "write a name in quotation marks")
    return value


def _one_of(known: tuple[str, ...]) -> Callable[[str, Any], str]:
    def read(where: str, value: Any) -> str:
        if not isinstance(value, str) or value not in known:
            hint = did_you_mean(value, known) if isinstance(value, str) else ""
            raise UnknownName(
                where, f"{shown(value)} is not known here", hint + "write one of " + ", ".join(known)
            )
        return value

    return read


def _number(least: float, most: float) -> Callable[[str, Any], float]:
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


def _whole(least: int, most: int) -> Callable[[str, Any], int]:
    def read(where: str, value: Any) -> int:
        number = _number(least, most)(where, value)
        if number != math.floor(number):
            raise OutOfRange(where, f"{shown(value)} is not a whole number", "write it without a fraction")
        return int(number)

    return read


def _conditioning(where: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, (list, tuple)) or not value:
        raise OutOfRange(where, f"{shown(value)} is not a list of names", 'write for example ["prompt"]')
    names = tuple(_one_of(CONDITIONINGS)(where, name) for name in value)
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
        return AdapterOption(_text(where, item))
    for key in item:
        if key not in ("path", "weight"):
            hint = did_you_mean(str(key), ("path", "weight"))
            raise UnknownName(where, f"{shown(key)} is not known here", hint + "write path and weight")
    if "path" not in item:
        raise OutOfRange(f"{where}.path", "is missing", "name the adapter's folder")
    path = _text(f"{where}.path", item["path"])
    return AdapterOption(path, _number(-10.0, 10.0)(f"{where}.weight", item.get("weight", 1.0)))


def _prompts(where: str, value: Any) -> str:
    from generation.conditioning import load_prompts

    name = _text(where, value)
    load_prompts(name)
    return name


_READERS: Mapping[str, Callable[[str, Any], Any]] = {
    "model": _text,
    "revision": _text,
    "adapters": _adapters,
    "conditioning": _conditioning,
    "prompts": _prompts,
    "affect_tokens": _text,
    "steering": _text,
    "steering_strength": _number(-100.0, 100.0),
    "guidance_scale": _number(1.0, 20.0),
    "affect_guidance_scale": _number(0.0, 20.0),
    "top_k": _whole(1, 2048),
    "temperature": _number(0.01, 10.0),
    "dtype": _one_of(DTYPES),
    "mode": _one_of(MODES),
    "prefix_s": _number(8.0, 12.0),
    "candidates": _whole(1, 64),
    "judge": _text,
}


def _check_together(read: ClipOptions, given: Mapping[str, Any]) -> None:
    """Refuse options that contradict each other, or that would be read and change nothing."""
    for option, conditioning in _BELONGS.items():
        if option in given and conditioning not in read.conditioning:
            raise OutOfRange(
                f"{_WHERE}.{option}",
                f"is written, and conditioning holds no {shown(conditioning)}",
                f"add {shown(conditioning)} to conditioning, or leave {option} out",
            )
    for option, conditioning in (("affect_tokens", "tokens"), ("steering", "steering")):
        if conditioning in read.conditioning and option not in given:
            raise OutOfRange(
                f"{_WHERE}.{option}",
                f"is missing, and conditioning holds {shown(conditioning)}",
                f"name the file, or take {shown(conditioning)} out of conditioning",
            )
    if "prefix_s" in given and read.mode != "chained":
        raise OutOfRange(
            f"{_WHERE}.prefix_s",
            f"is written, and mode is {read.mode}",
            "write mode chained, or leave it out",
        )
    if read.candidates > 1 and read.judge is None:
        raise OutOfRange(
            f"{_WHERE}.candidates",
            f"{read.candidates} clips for each place, and no judge to choose",
            "name a predictor in judge, other than the one that reports; or write 1",
        )
    if read.judge is not None and read.candidates == 1:
        raise OutOfRange(
            f"{_WHERE}.judge",
            f"{shown(read.judge)} has one clip to choose from",
            "write candidates 4, for example, or leave judge out",
        )


#: What each of these options belongs to.
_BELONGS: Mapping[str, str] = {
    "prompts": "prompt",
    "affect_tokens": "tokens",
    "affect_guidance_scale": "tokens",
    "steering": "steering",
    "steering_strength": "steering",
}
