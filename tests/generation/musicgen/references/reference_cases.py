"""What the tests of the reference engines share: requests, a random adapter, and our own engine's answer."""

from __future__ import annotations

import json
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from peft import LoraConfig, get_peft_model
from transformers import MusicgenForConditionalGeneration

from generation.clips.clip import ClipModel, ClipRequest, Codes
from generation.clips.options import ClipOptions
from generation.musicgen.decoding.decode import ClipInput, DecodeLoop, Draw
from generation.musicgen.decoding.decoder import Decoder
from generation.musicgen.text import TextEncoder
from generation.musicgen.trained.adapters import merged
from generation.musicgen.weights.checkpoint import load_checkpoint
from generation.musicgen.weights.layout import quiet_transformers
from study.affect import Affect

FRAMES = 24
SOUND_TOLERANCE = 1e-5
"""Measured: 0, both against transformers' own pipeline and against audiocraft's codec."""


def options_of(folder: Path, **others: Any) -> ClipOptions:
    return replace(ClipOptions(model=str(folder)), **others)


def asked(prompt: str, seed: int, prefix: Codes | None = None) -> ClipRequest:
    return ClipRequest(Affect(0.2, -0.4), prompt, seed, FRAMES, prefix)


def silently(share: float) -> None:
    """Progress that nobody watches."""


def codes_of(model: ClipModel, *requests: ClipRequest) -> list[list[list[int]]]:
    return [clip.codes.tolist() for clip in model.generate(requests, silently)]


def our_likeliest(options: ClipOptions, *requests: ClipRequest) -> list[list[list[int]]]:
    """What our own decoder finds likeliest, in one batch."""
    checkpoint = load_checkpoint(options.model)
    text = TextEncoder(checkpoint.text_encoder(), checkpoint.tokenizer(), torch.device("cpu"))
    decoder = Decoder(checkpoint.shape)
    decoder.load(merged(checkpoint, options.adapters).tensors)
    clips = [
        ClipInput(
            seed=request.seed,
            text=text.states(request.prompt),
            prefix=None if request.prefix is None else torch.from_numpy(request.prefix).long(),
        )
        for request in requests
    ]
    draw = Draw(guidance_scale=options.guidance_scale, greedy=True)
    codes: list[list[list[int]]] = DecodeLoop(decoder).decode(clips, FRAMES, draw, silently).codes.tolist()
    return codes


def any_codes(folder: Path, n_frames: int) -> Codes:
    n_codebooks = json.loads((folder / "config.json").read_text())["decoder"]["num_codebooks"]
    return np.random.default_rng(8).integers(0, 2048, (n_codebooks, n_frames)).astype(np.int16)


def random_adapter(model: Path, folder: Path) -> Path:
    """A LoRA whose weights are random, so that it changes what it is merged into."""
    targets = ["q_proj", "v_proj", "fc1"]
    lora = LoraConfig(r=4, lora_alpha=32, target_modules=targets, init_lora_weights=False)
    with quiet_transformers(), torch.random.fork_rng(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.manual_seed(3)
        adapted = get_peft_model(MusicgenForConditionalGeneration.from_pretrained(model), lora)
        adapted.peft_config["default"].base_model_name_or_path = "isopath/random-tiny"
        adapted.save_pretrained(str(folder))
    return folder
