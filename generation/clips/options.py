"""What a protocol can ask of an engine that makes clips: ``engine.options``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

from generation.clips.option_values import READERS, AdapterOption
from study.errors import IsopathError, OutOfRange, UnknownName, refuse
from study.protocol_file.text import did_you_mean, shown


@dataclass(frozen=True)
class ClipOptions:
    """Everything that shapes the sound and is the protocol's to say.

    Args:
        model: a name of the catalogue (``isopath models list``) or a folder.
        revision: of a catalogue model; None: the pinned one.
        adapters: merged in this order.
        conditioning: any of ``prompt``, ``tokens``, ``steering``; what carries the affect into the model.
        prompts: name of an installed prompt table, or a JSON file.
        affect_tokens: weights file of the V/A conditioner, where conditioning holds ``tokens``.
        steering: file of steering vectors, where conditioning holds ``steering``.
        steering_strength: multiplies them.
        guidance_scale: of the words (and of the affect, where it has none of its own).
        affect_guidance_scale: of the affect tokens by themselves: a third row a clip.
        top_k, temperature: of the draw.
        dtype: float32, bfloat16 or float16; only float32 promises the same clip in every batch.
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
            Refusals: several of these, all that were found.
        """
        known = [option.name for option in fields(cls)]
        refusals: list[IsopathError] = [
            UnknownName(
                _WHERE,
                f"{shown(option)} is not an option",
                did_you_mean(str(option), known) + "write one of " + ", ".join(known),
            )
            for option in options
            if option not in known
        ]
        if "model" not in options:
            refusals.append(
                OutOfRange(
                    f"{_WHERE}.model", "is missing", "name a model (isopath models list) or its folder"
                )
            )
        given = {option: value for option, value in options.items() if value is not None and option in known}
        values: dict[str, Any] = {}
        for option, value in given.items():
            try:
                values[option] = READERS[option](f"{_WHERE}.{option}", value)
            except IsopathError as refusal:
                refusals.append(refusal)
        refuse(refusals)
        read = cls(**values)
        refuse(list(_contradictions(read, given)))
        return read


_WHERE = "engine.options"


def _contradictions(read: ClipOptions, given: Mapping[str, Any]) -> Iterator[IsopathError]:
    """Options that do not go together, or that would be read and change nothing."""
    for option, conditioning in _BELONGS.items():
        if option in given and conditioning not in read.conditioning:
            yield OutOfRange(
                f"{_WHERE}.{option}",
                f"is written, and conditioning holds no {shown(conditioning)}",
                f"add {shown(conditioning)} to conditioning, or leave {option} out",
            )
    for option, conditioning in (("affect_tokens", "tokens"), ("steering", "steering")):
        if conditioning in read.conditioning and option not in given:
            yield OutOfRange(
                f"{_WHERE}.{option}",
                f"is missing, and conditioning holds {shown(conditioning)}",
                f"name the file, or take {shown(conditioning)} out of conditioning",
            )
    if "prefix_s" in given and read.mode != "chained":
        yield OutOfRange(
            f"{_WHERE}.prefix_s",
            f"is written, and mode is {read.mode}",
            "write mode chained, or leave it out",
        )
    if read.candidates > 1 and read.judge is None:
        yield OutOfRange(
            f"{_WHERE}.candidates",
            f"{read.candidates} clips for each place, and no judge to choose",
            "name a predictor in judge, other than the one that reports; or write 1",
        )
    if read.judge is not None and read.candidates == 1:
        yield OutOfRange(
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
