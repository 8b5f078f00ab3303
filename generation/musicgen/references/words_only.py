"""What the reference engines cannot do. Light: a protocol is checked where torch is not installed."""

from __future__ import annotations

from generation.clips.options import ClipOptions
from study.errors import OutOfRange, UnknownName


def refuse_what_only_ours_can(engine: str, options: ClipOptions) -> None:
    """Refuse the options that need our own decoder.

    Raises:
        UnknownName: a conditioning other than words.
        OutOfRange: a guidance scale of the affect's own.
    """
    for conditioning in options.conditioning:
        if conditioning != "prompt":
            raise UnknownName(
                "engine.options.conditioning",
                f"{engine} knows words only, not {conditioning!r}",
                'write ["prompt"], or the engine musicgen',
            )
    if options.affect_guidance_scale is not None:
        raise OutOfRange(
            "engine.options.affect_guidance_scale",
            f"{options.affect_guidance_scale} guides affect tokens, which {engine} has none of",
            "leave it out, or write the engine musicgen",
        )
