"""transformers' configuration of a checkpoint that carries audiocraft's (``xp.cfg``).

Source: audiocraft's config/model and config/conditioner files, and transformers' conversion scripts.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import yaml

from study.errors import ModelError

T5_NAME = "t5-base"
_REMEDY = "give a checkpoint of a text-conditioned MusicGen, as audiocraft exports it"


class XpConfig:
    """The settings a checkpoint was trained with, as audiocraft stores them in it.

    Args:
        text: YAML; values such as ``${sample_rate}`` refer to other settings.
        where: the file, for refusals.
    """

    def __init__(self, text: object, where: str) -> None:
        try:
            settings = yaml.safe_load(text) if isinstance(text, str) else None
        except yaml.YAMLError:
            settings = None
        if not isinstance(settings, dict):
            raise ModelError(f"{where}::xp.cfg", "it is not audiocraft's configuration", _REMEDY)
        self._settings: dict[str, Any] = settings
        self._where = where

    def get(self, path: str, default: object = None) -> Any:
        """The setting at a dotted path; the default where it is absent."""
        value: Any = self._settings
        for key in path.split("."):
            if not isinstance(value, dict) or key not in value:
                return default
            value = value[key]
        if isinstance(value, str) and value.startswith("${") and value.endswith("}"):
            return self.get(value[2:-1], default)
        return value

    def require(self, path: str) -> Any:
        """The setting at a dotted path.

        Raises:
            ModelError: it is absent.
        """
        value = self.get(path)
        if value is None:
            raise ModelError(f"{self._where}::xp.cfg", f"{path} is missing", _REMEDY)
        return value

    def number(self, path: str) -> int:
        """The whole number at a dotted path.

        Raises:
            ModelError: it is absent or no number.
        """
        value = self.require(path)
        if not isinstance(value, int | float):
            raise ModelError(f"{self._where}::xp.cfg", f"{path} is {value!r}, not a number", _REMEDY)
        return int(value)

    def expect(self, path: str, *allowed: object) -> None:
        """Refuse a setting that is stated and that this decoder does not implement.

        Raises:
            ModelError: names it.
        """
        value = self.get(path)
        if value is not None and value not in allowed:
            raise ModelError(f"{self._where}::xp.cfg", f"{path} is {value!r}, not {allowed[0]!r}", _REMEDY)


def decoder_config(xp: XpConfig) -> dict[str, Any]:
    """transformers' ``decoder`` of audiocraft's language model.

    Raises:
        ModelError: a setting is missing, or asks for what MusicGen's decoder does not do.
    """
    n_codebooks = xp.number("transformer_lm.n_q")
    is_stereo = bool(xp.get("interleave_stereo_codebooks.use", False))
    xp.expect("lm_model", "transformer_lm")
    xp.expect("transformer_lm.positional_embedding", "sin")
    xp.expect("transformer_lm.activation", "gelu")
    xp.expect("transformer_lm.norm_first", True)
    xp.expect("transformer_lm.qk_layer_norm", False)
    xp.expect("codebooks_pattern.modeling", "delay")
    if xp.get("codebooks_pattern.modeling") is None:
        # The first checkpoints named the pattern here.
        xp.require("transformer_lm.q_modeling")
        xp.expect("transformer_lm.q_modeling", "delay")
    xp.expect("codebooks_pattern.delay.delays", delays(n_codebooks, is_stereo))
    xp.expect("interleave_stereo_codebooks.per_timestep", False)
    xp.expect("conditioners.description.t5.name", T5_NAME)
    hidden_size = xp.number("transformer_lm.dim")
    card = xp.number("transformer_lm.card")
    return {
        "model_type": "musicgen_decoder",
        "hidden_size": hidden_size,
        "num_hidden_layers": xp.number("transformer_lm.num_layers"),
        "num_attention_heads": xp.number("transformer_lm.num_heads"),
        "ffn_dim": int(hidden_size * float(xp.get("transformer_lm.hidden_scale", 4))),
        "num_codebooks": n_codebooks,
        "audio_channels": 2 if is_stereo else 1,
        "vocab_size": card,
        "max_position_embeddings": 2048,
        "activation_function": "gelu",
        "scale_embedding": False,
        "pad_token_id": card,
        "bos_token_id": card,
        "tie_word_embeddings": False,
    }


def codec_config(xp: XpConfig) -> dict[str, Any]:
    """transformers' ``audio_encoder`` of audiocraft's EnCodec.

    Raises:
        ModelError: a setting is missing, or asks for another codec.
    """
    xp.expect("compression_model", "encodec")
    xp.expect("encodec.renormalize", False)
    xp.expect("seanet.norm", "weight_norm")
    xp.expect("seanet.activation", "ELU")
    xp.expect("seanet.disable_norm_outer_blocks", 0)
    ratios = [int(ratio) for ratio in xp.require("seanet.ratios")]
    rate, bins, n_q = xp.number("sample_rate"), xp.number("rvq.bins"), xp.number("rvq.n_q")
    frame_rate = -(-rate // math.prod(ratios))
    return {
        "model_type": "encodec",
        "sampling_rate": rate,
        "audio_channels": xp.number("seanet.channels"),
        "upsampling_ratios": ratios,
        "target_bandwidths": [n_q * frame_rate * math.ceil(math.log2(bins)) / 1000],
        "codebook_size": bins,
        "codebook_dim": xp.number("seanet.dimension"),
        "hidden_size": xp.number("seanet.dimension"),
        "num_filters": xp.number("seanet.n_filters"),
        "num_residual_layers": xp.number("seanet.n_residual_layers"),
        "num_lstm_layers": xp.number("seanet.lstm"),
        "kernel_size": xp.number("seanet.kernel_size"),
        "last_kernel_size": xp.number("seanet.last_kernel_size"),
        "residual_kernel_size": xp.number("seanet.residual_kernel_size"),
        "dilation_growth_rate": xp.number("seanet.dilation_base"),
        "compress": xp.number("seanet.compress"),
        "pad_mode": str(xp.require("seanet.pad_mode")),
        "norm_type": "weight_norm",
        "normalize": False,
        "use_causal_conv": bool(xp.get("seanet.causal", False)),
        "use_conv_shortcut": not xp.require("seanet.true_skip"),
    }


def delays(n_codebooks: int, is_stereo: bool) -> Sequence[int]:
    """0, 1, 2, 3; in stereo each twice: left and right of a codebook wait alike."""
    channels = 2 if is_stereo else 1
    return [index // channels for index in range(n_codebooks)]
