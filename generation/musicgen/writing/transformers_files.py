"""The small files that transformers keeps beside a MusicGen's weights."""

from __future__ import annotations

from typing import Any

from generation.musicgen.shape import DecoderShape

_LONGEST_S = 30


def generation_config(shape: DecoderShape) -> dict[str, Any]:
    """``generation_config.json``, as the published MusicGens have it."""
    return {
        "bos_token_id": shape.special_token,
        "decoder_start_token_id": shape.special_token,
        "pad_token_id": shape.special_token,
        "do_sample": True,
        "guidance_scale": 3.0,
        "max_length": _LONGEST_S * shape.frame_rate_hz,
    }


def preprocessor_config(shape: DecoderShape, sampling_rate_hz: int) -> dict[str, Any]:
    """``preprocessor_config.json``: how transformers' processor takes audio prompts."""
    return {
        "feature_extractor_type": "EncodecFeatureExtractor",
        "processor_class": "MusicgenProcessor",
        "feature_size": shape.audio_channels,
        "sampling_rate": sampling_rate_hz,
        "chunk_length_s": None,
        "overlap": None,
        "padding_side": "left",
        "padding_value": 0.0,
        "return_attention_mask": True,
    }
