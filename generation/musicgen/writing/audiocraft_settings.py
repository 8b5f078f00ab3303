"""audiocraft's settings (``xp.cfg``) of a model that transformers' configuration describes.

Source: audiocraft's files under config/model, config/conditioner and config/solver/musicgen.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from generation.musicgen.weights.audiocraft_config import T5_NAME, delays

_SECONDS = 30


def lm_settings(config: Mapping[str, Any]) -> dict[str, Any]:
    """audiocraft's settings of a language model, of transformers' configuration."""
    decoder = config["decoder"]
    n_codebooks, is_stereo = int(decoder["num_codebooks"]), int(decoder.get("audio_channels", 1)) == 2
    settings: dict[str, Any] = {
        "device": "cpu",
        "dtype": "float32",
        "solver": "musicgen",
        "sample_rate": config["audio_encoder"]["sampling_rate"],
        "channels": 2 if is_stereo else 1,
        "dataset": {"segment_duration": _SECONDS},
        "lm_model": "transformer_lm",
        "codebooks_pattern": {
            "modeling": "delay",
            "delay": {"delays": delays(n_codebooks, is_stereo), "flatten_first": 0, "empty_initial": 0},
        },
        "transformer_lm": {
            "dim": decoder["hidden_size"],
            "num_heads": decoder["num_attention_heads"],
            "num_layers": decoder["num_hidden_layers"],
            "hidden_scale": decoder["ffn_dim"] / decoder["hidden_size"],
            "n_q": n_codebooks,
            "card": decoder["vocab_size"],
            "dropout": 0.0,
            "emb_lr": None,
            "activation": "gelu",
            "norm_first": True,
            "bias_ff": False,
            "bias_attn": False,
            "bias_proj": False,
            "past_context": None,
            "causal": True,
            "custom": False,
            "memory_efficient": True,
            "attention_as_float32": False,
            "layer_scale": None,
            "positional_embedding": "sin",
            "xpos": False,
            "checkpointing": "none",
            "weight_init": "gaussian",
            "depthwise_init": "current",
            "zero_bias_init": True,
            "norm": "layer_norm",
            "cross_attention": False,
            "qk_layer_norm": False,
            "qk_layer_norm_cross": False,
            "attention_dropout": None,
            "kv_repeat": 1,
            "two_step_cfg": False,
        },
        "classifier_free_guidance": {"training_dropout": 0.3, "inference_coef": 3.0},
        "attribute_dropout": {},
        "fuser": {
            "cross_attention_pos_emb": False,
            "cross_attention_pos_emb_scale": 1,
            "sum": [],
            "prepend": [],
            "cross": ["description"],
            "input_interpolate": [],
        },
        "conditioners": {
            "description": {
                "model": "t5",
                "t5": {"name": T5_NAME, "finetune": False, "word_dropout": 0.3, "normalize_text": False},
            }
        },
    }
    if is_stereo:
        settings["interleave_stereo_codebooks"] = {"use": True, "per_timestep": False}
    return settings


def codec_settings(codec: Mapping[str, Any]) -> dict[str, Any]:
    """audiocraft's settings of an EnCodec, of transformers' configuration (with every default filled in)."""
    ratios = list(codec["upsampling_ratios"])
    frame_rate = -(-int(codec["sampling_rate"]) // math.prod(ratios))
    bits = math.ceil(math.log2(codec["codebook_size"]))
    n_q = int(1000 * codec["target_bandwidths"][-1] // (frame_rate * bits))
    causal = codec["use_causal_conv"]
    return {
        "device": "cpu",
        "dtype": "float32",
        "solver": "compression",
        "sample_rate": codec["sampling_rate"],
        "channels": codec["audio_channels"],
        "compression_model": "encodec",
        "encodec": {
            "autoencoder": "seanet",
            "quantizer": "rvq",
            "sample_rate": codec["sampling_rate"],
            "channels": codec["audio_channels"],
            "causal": causal,
            "renormalize": False,
        },
        "seanet": {
            "dimension": codec["hidden_size"],
            "channels": codec["audio_channels"],
            "causal": causal,
            "n_filters": codec["num_filters"],
            "n_residual_layers": codec["num_residual_layers"],
            "ratios": ratios,
            "activation": "ELU",
            "activation_params": {"alpha": 1.0},
            "norm": codec["norm_type"],
            "norm_params": {},
            "kernel_size": codec["kernel_size"],
            "residual_kernel_size": codec["residual_kernel_size"],
            "last_kernel_size": codec["last_kernel_size"],
            "dilation_base": codec["dilation_growth_rate"],
            "pad_mode": codec["pad_mode"],
            "true_skip": not codec["use_conv_shortcut"],
            "compress": codec["compress"],
            "lstm": codec["num_lstm_layers"],
            "disable_norm_outer_blocks": 0,
            "decoder": {
                "trim_right_ratio": 1.0,
                "final_activation": None,
                "final_activation_params": None,
            },
            "encoder": {},
        },
        "rvq": {
            "n_q": n_q,
            "q_dropout": False,
            "bins": codec["codebook_size"],
            "decay": 0.99,
            "kmeans_init": True,
            "kmeans_iters": 50,
            "threshold_ema_dead_code": 2,
            "orthogonal_reg_weight": 0.0,
            "orthogonal_reg_active_codes_only": False,
        },
        "no_quant": {},
    }
