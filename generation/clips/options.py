"""What a protocol can ask of an engine that makes clips: ``engine.options``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

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

    @classmethod
    def from_json(cls, options: Mapping[str, Any]) -> ClipOptions:
        """Read ``engine.options``, whole or not at all; loads nothing.

        Raises:
            UnknownName: an option, mode, dtype, conditioning or table that does not exist.
            OutOfRange: a value off its range, or two options that contradict each other.
        """
        raise NotImplementedError(options)
