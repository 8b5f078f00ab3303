"""Transformers' own MusicGen as a maker of clips: the loop our engine is measured against.

It makes one clip at a time, whatever it is asked for at once, because transformers
draws a whole batch from one stream of chance.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from types import SimpleNamespace

import numpy as np
import torch
from torch import Tensor, nn
from transformers import LogitsProcessor, LogitsProcessorList, MusicgenForConditionalGeneration

from generation.clips.clip import Clip, ClipRequest, Codes, ModelCard, Stereo
from generation.clips.options import ClipOptions
from generation.engine import Placement, Progress
from generation.musicgen.memory import device_of
from generation.musicgen.references.reference import (
    part_of,
    reference_card,
    seeded,
    tokens_of,
    within_memory,
)
from generation.musicgen.references.words_only import refuse_what_only_ours_can
from generation.musicgen.sound import SoundDecoder
from generation.musicgen.trained.adapters import merged
from generation.musicgen.weights.checkpoint import Checkpoint, load_checkpoint
from generation.musicgen.weights.layout import AUDIO_PREFIX, TEXT_PREFIX, parsed_config, quiet_transformers
from study.errors import OutOfRange

NAME = "musicgen-hf"


def load_transformers_model(options: ClipOptions, placement: Placement) -> TransformersClipModel:
    """The protocol's model, run by transformers.

    Raises:
        UnknownName, OutOfRange: an option that transformers' loop has nothing for.
        ModelError: weights or an adapter missing or not what the protocol names.
        DeviceError: no such device, or too little memory there.
    """
    refuse_what_only_ours_can(NAME, options)
    if options.guidance_scale < 1:
        raise OutOfRange(
            "engine.options.guidance_scale",
            f"{options.guidance_scale} is below 1, which transformers takes for no guidance",
            "write 1 or more, or the engine musicgen",
        )
    device_of(placement.device)
    checkpoint = load_checkpoint(options.model, options.revision, placement.models_dir)
    return TransformersClipModel(checkpoint, options, placement)


class TransformersClipModel:
    """A `ClipModel` around `MusicgenForConditionalGeneration.generate`.

    Args:
        checkpoint: the base model; the adapters of `options` are merged into it.
        options: adapters, guidance, draw and dtype; words are the only conditioning.
        placement: device; `batch_clips` only groups clips, which are made one by one.
    """

    def __init__(self, checkpoint: Checkpoint, options: ClipOptions, placement: Placement) -> None:
        self._checkpoint, self._options, self._placement = checkpoint, options, placement
        self._device = device_of(placement.device)
        self._adapters = merged(checkpoint, options.adapters)
        dtype: torch.dtype = getattr(torch, options.dtype)
        with within_memory(self._device, checkpoint.name):
            self._model = _model(checkpoint, self._adapters.tensors, self._device, dtype)
        self._tokenizer = checkpoint.tokenizer()
        self._sound = SoundDecoder(checkpoint.audio_encoder(), checkpoint.shape, self._device)

    @property
    def frame_rate_hz(self) -> int:
        """Codec frames a second: 50 for Meta's."""
        return self._checkpoint.shape.frame_rate_hz

    @property
    def longest_s(self) -> float:
        """Thirty seconds, which is what MusicGen was trained on."""
        return 30.0

    @property
    def card(self) -> ModelCard:
        """Weights, adapters and libraries, with digests and licences."""
        attention = self._model.decoder.config._attn_implementation
        rendering = {"device": str(self._device), "dtype": self._options.dtype, "attention": attention}
        return reference_card(self._checkpoint, self._adapters, rendering, ("torch", "transformers", "peft"))

    def most_clips(self, n_frames: int) -> int:
        """`Placement.batch_clips`, else 1: memory holds one clip at a time."""
        return self._placement.batch_clips or 1

    def generate(self, requests: Sequence[ClipRequest], progress: Progress) -> list[Clip]:
        """See `ClipModel.generate`; any number of requests, one after the other.

        Raises:
            OutOfRange: a prompt longer than the text encoder reads.
            DeviceError: a clip does not fit in the device's memory.
        """
        return [
            Clip(request, self._codes(request, part_of(progress, done, len(requests))), near_ties=0)
            for done, request in enumerate(requests)
        ]

    def sound(self, codes: Sequence[Codes]) -> list[Stereo]:
        """See `ClipModel.sound`: transformers' EnCodec, in our own windows."""
        return [self._sound.sound(clip) for clip in codes]

    def _codes(self, request: ClipRequest, progress: Progress) -> Codes:
        shape, draw = self._checkpoint.shape, self._options
        prefix, given = None, 0
        if request.prefix is not None:
            prefix = torch.from_numpy(request.prefix.astype(np.int64)).to(self._device)
            given = prefix.shape[1]
        n_steps = request.n_frames - given + shape.n_delays - 1
        words = torch.tensor([tokens_of(request.prompt, self._tokenizer)], device=self._device)
        with (
            within_memory(self._device, f"a clip of {request.n_frames} frames"),
            seeded(request.seed, self._device),
            quiet_transformers(),
        ):
            codes = self._model.generate(
                input_ids=words,
                attention_mask=torch.ones_like(words),
                decoder_input_ids=prefix,
                logits_processor=LogitsProcessorList([_Steps(n_steps, progress)]),
                max_new_tokens=n_steps,
                do_sample=True,
                top_k=draw.top_k,
                temperature=draw.temperature,
                guidance_scale=draw.guidance_scale,
                decoder_start_token_id=shape.special_token,
                pad_token_id=shape.special_token,
            )
        return _in_order(codes, shape.audio_channels).cpu().numpy().astype(np.int16)


class _Steps(LogitsProcessor):
    """Tells how far a clip is; leaves the logits as they are."""

    def __init__(self, n_steps: int, progress: Progress) -> None:
        self._n_steps, self._progress, self._done = n_steps, progress, 0

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        self._done += 1
        self._progress(self._done / self._n_steps)
        return scores


class _CodesKept(nn.Module):
    """Stands in EnCodec's place and decodes nothing, so that `generate` gives codes instead of sound."""

    def decode(self, codes: Tensor, audio_scales: object) -> SimpleNamespace:
        """The codes of one channel, shape [1, clips, codebooks, frames], as its sound."""
        return SimpleNamespace(audio_values=codes[0])


def _model(
    checkpoint: Checkpoint, tensors: Mapping[str, Tensor], device: torch.device, dtype: torch.dtype
) -> MusicgenForConditionalGeneration:
    state = dict(tensors)
    state |= {TEXT_PREFIX + name: tensor for name, tensor in checkpoint.text_tensors.items()}
    state |= {AUDIO_PREFIX + name: tensor for name, tensor in checkpoint.audio_tensors.items()}
    with quiet_transformers(), _no_progress_bar():
        model: MusicgenForConditionalGeneration = MusicgenForConditionalGeneration.from_pretrained(
            None, config=parsed_config(checkpoint.config), state_dict=state, dtype=dtype
        )
    module: nn.Module = model
    module.audio_encoder = _CodesKept()
    module.to(device).train(False)
    return model


@contextmanager
def _no_progress_bar() -> Iterator[None]:
    settings = import_module("transformers.utils.logging")
    was_shown = settings.is_progress_bar_enabled()
    settings.disable_progress_bar()
    try:
        yield
    finally:
        if was_shown:
            settings.enable_progress_bar()


def _in_order(codes: Tensor, audio_channels: int) -> Tensor:
    """One clip's codes, shape [codebooks, frames]; `generate` gives stereo as all left, then all right."""
    clip = codes[0]
    if audio_channels == 1:
        return clip
    left, right = clip.chunk(2)
    return torch.stack([left, right], dim=1).flatten(0, 1)
