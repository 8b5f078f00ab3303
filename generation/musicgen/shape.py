"""The sizes that tell one MusicGen from another."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import astuple, dataclass
from typing import Any

from study.errors import ModelError


@dataclass(frozen=True)
class DecoderShape:
    """A decoder's sizes, under the field's names.

    Args:
        hidden_size: width of the residual stream.
        n_layers, n_heads: `n_heads` divides `hidden_size`.
        ffn_dim: width inside the feed-forward block.
        n_codebooks: rows of tokens: 4 a channel.
        audio_channels: 1 or 2; stereo rows alternate left and right.
        codebook_size: tokens a codebook; the next number is the special (delay) token.
        text_dim: width of the text encoder's states.
        frame_rate_hz: codec frames a second.
        max_positions: steps the model was made for.
    """

    hidden_size: int
    n_layers: int
    n_heads: int
    ffn_dim: int
    n_codebooks: int
    audio_channels: int
    codebook_size: int
    text_dim: int
    frame_rate_hz: int
    max_positions: int

    @property
    def head_dim(self) -> int:
        """Width of one attention head."""
        return self.hidden_size // self.n_heads

    @property
    def special_token(self) -> int:
        """Stands where the delay pattern holds no frame."""
        return self.codebook_size

    @property
    def n_delays(self) -> int:
        """Codebooks a channel, which is also one more than the longest delay in steps."""
        return self.n_codebooks // self.audio_channels

    @property
    def is_possible(self) -> bool:
        """Whether a decoder of these sizes can be built: all from 1, and the parts divide the wholes."""
        if min(astuple(self)) < 1 or self.audio_channels > 2:
            return False
        return self.hidden_size % self.n_heads == 0 and self.n_codebooks % self.audio_channels == 0

    @classmethod
    def from_config(cls, config: Mapping[str, Any], where: str) -> DecoderShape:
        """Read transformers' ``config.json`` of a MusicGen.

        Raises:
            ModelError: not a MusicGen, or one of its parts has sizes that do not go together.
        """
        remedy = "give the folder of a facebook/musicgen model"
        if config.get("model_type") != "musicgen":
            raise ModelError(where, f"model_type is {config.get('model_type')!r}, not 'musicgen'", remedy)
        try:
            decoder, text, audio = (
                dict(config[part]) for part in ("decoder", "text_encoder", "audio_encoder")
            )
            hop = math.prod(int(ratio) for ratio in audio["upsampling_ratios"])
            shape = cls(
                hidden_size=int(decoder["hidden_size"]),
                n_layers=int(decoder["num_hidden_layers"]),
                n_heads=int(decoder["num_attention_heads"]),
                ffn_dim=int(decoder["ffn_dim"]),
                n_codebooks=int(decoder["num_codebooks"]),
                audio_channels=int(decoder.get("audio_channels", 1)),
                codebook_size=int(decoder["vocab_size"]),
                text_dim=int(text["d_model"]),
                frame_rate_hz=-(-int(audio["sampling_rate"]) // hop),
                max_positions=int(decoder.get("max_position_embeddings", 2048)),
            )
        except (KeyError, TypeError, ValueError, ZeroDivisionError) as problem:
            raise ModelError(where, f"its configuration is not whole ({problem})", remedy) from problem
        if not shape.is_possible:
            raise ModelError(where, "its sizes do not go together", remedy)
        activation = decoder.get("activation_function", "gelu")
        if activation != "gelu":
            raise ModelError(where, f"decoder.activation_function is {activation!r}, not 'gelu'", remedy)
        return shape
