"""A decoder's sizes are read from a configuration, or refused where they cannot be a MusicGen's."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from generation.musicgen.shape import DecoderShape
from study.errors import ModelError

SMALL: dict[str, Any] = {
    "model_type": "musicgen",
    "decoder": {
        "hidden_size": 1024,
        "num_hidden_layers": 24,
        "num_attention_heads": 16,
        "ffn_dim": 4096,
        "num_codebooks": 4,
        "vocab_size": 2048,
    },
    "text_encoder": {"d_model": 768},
    "audio_encoder": {"sampling_rate": 32000, "upsampling_ratios": [8, 5, 4, 4]},
}


def with_change(part: str, field: str, value: object) -> dict[str, Any]:
    config = copy.deepcopy(SMALL)
    config[part][field] = value
    return config


def test_musicgen_small_has_fifty_frames_a_second_and_four_delays() -> None:
    shape = DecoderShape.from_config(SMALL, "config.json")

    assert (shape.frame_rate_hz, shape.n_delays, shape.head_dim, shape.special_token) == (50, 4, 64, 2048)


def test_stereo_has_eight_codebooks_and_four_delays() -> None:
    config = with_change("decoder", "num_codebooks", 8)
    config["decoder"]["audio_channels"] = 2

    assert DecoderShape.from_config(config, "config.json").n_delays == 4


@pytest.mark.parametrize(
    ("part", "field", "value"),
    [
        ("decoder", "num_attention_heads", 0),
        ("decoder", "num_attention_heads", 7),
        ("decoder", "num_codebooks", -4),
        ("decoder", "audio_channels", 3),
        ("decoder", "hidden_size", 0),
        ("decoder", "activation_function", "relu"),
        ("decoder", "ffn_dim", None),
        ("text_encoder", "d_model", "wide"),
        ("audio_encoder", "upsampling_ratios", []),
        ("audio_encoder", "upsampling_ratios", [0]),
        ("audio_encoder", "sampling_rate", {}),
    ],
)
def test_sizes_that_are_no_musicgens_are_refused(part: str, field: str, value: object) -> None:
    config = with_change(part, field, value)
    if value == []:
        config["audio_encoder"]["sampling_rate"] = 0

    with pytest.raises(ModelError, match=r"^config\.json: "):
        DecoderShape.from_config(config, "config.json")
