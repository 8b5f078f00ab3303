"""``config.json`` of a new MusicGen: a T5, a codec and a decoder of given sizes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from generation.musicgen.writing.random_tokenizer import VOCABULARY


@dataclass(frozen=True)
class ModelSizes:
    """Sizes that may be chosen.

    Args:
        hidden_size, n_layers, n_heads, ffn_dim: of the decoder; `n_heads` divides `hidden_size`.
        text: of the T5 encoder, under transformers' names.
        audio_channels: 1, or 2 for left and right alternating.
    """

    hidden_size: int
    n_layers: int
    n_heads: int
    ffn_dim: int
    text: Mapping[str, int]
    audio_channels: int = 1


def model_config(
    name: str, sizes: ModelSizes, codec: Mapping[str, Any], n_codebooks: int, codebook_size: int
) -> dict[str, Any]:
    """The configuration, as transformers writes it.

    Args:
        codec: the audio encoder's own configuration, with its ``model_type``.
        n_codebooks: of one channel.
    """
    special = codebook_size
    return {
        "_name_or_path": name,
        "architectures": ["MusicgenForConditionalGeneration"],
        "model_type": "musicgen",
        "is_encoder_decoder": True,
        "initializer_factor": 0.02,
        "dtype": "float32",
        "text_encoder": {
            "model_type": "t5",
            "feed_forward_proj": "relu",
            "relative_attention_num_buckets": 32,
            "relative_attention_max_distance": 128,
            "n_positions": 512,
            "pad_token_id": VOCABULARY.pad_id,
            "eos_token_id": VOCABULARY.eos_id,
            "use_cache": False,
            "is_encoder_decoder": False,
            **sizes.text,
        },
        "audio_encoder": dict(codec),
        "decoder": {
            "model_type": "musicgen_decoder",
            "hidden_size": sizes.hidden_size,
            "num_hidden_layers": sizes.n_layers,
            "num_attention_heads": sizes.n_heads,
            "ffn_dim": sizes.ffn_dim,
            "num_codebooks": n_codebooks * sizes.audio_channels,
            "audio_channels": sizes.audio_channels,
            "vocab_size": codebook_size,
            "max_position_embeddings": 2048,
            "activation_function": "gelu",
            "scale_embedding": False,
            "pad_token_id": special,
            "bos_token_id": special,
            "tie_word_embeddings": False,
        },
    }
