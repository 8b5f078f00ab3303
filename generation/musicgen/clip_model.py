"""Our MusicGen as a maker of clips: weights, words, affect, the loop and the codec put together."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from generation.clips.clip import Clip, ClipRequest, Codes, ModelCard, Stereo
from generation.clips.option_values import AdapterOption
from generation.clips.options import ClipOptions
from generation.engine import Placement, Progress
from generation.musicgen.decoding.decode import ClipInput, DecodeLoop, Draw
from generation.musicgen.decoding.decoder import Decoder
from generation.musicgen.memory import check_fits, decoder_parameters, device_of, most_clips
from generation.musicgen.shape import DecoderShape
from generation.musicgen.sound import SoundDecoder
from generation.musicgen.text import TextEncoder
from generation.musicgen.trained.adapters import Merged, merged
from generation.musicgen.trained.affect_tokens import AffectTokens
from generation.musicgen.trained.part_taken import read_all_marks
from generation.musicgen.trained.steering import Steering
from generation.musicgen.weights.checkpoint import Checkpoint, load_checkpoint

MOST_ON_A_CPU = 36
"""Clips at once: more are no faster there, and no session is finished before its batch is."""

_LIBRARIES = ("torch", "transformers", "peft")


def load_musicgen(options: ClipOptions, placement: Placement) -> MusicGenClips:
    """The model a protocol asks for, on this machine's device.

    Raises:
        ModelError: weights, adapter or conditioner missing or not what the protocol names.
        DeviceError: no such device, or too little memory.
    """
    device_of(placement.device)
    checkpoint = load_checkpoint(options.model, options.revision, placement.models_dir)
    return MusicGenClips(checkpoint, options, placement)


class MusicGenClips:
    """A `ClipModel`: see `generation.clips.clip`.

    Args:
        checkpoint: the base model.
        options: adapters, conditioning, guidance, draw and dtype.
        placement: device and batch size.
    """

    def __init__(self, checkpoint: Checkpoint, options: ClipOptions, placement: Placement) -> None:
        shape = checkpoint.shape
        self._checkpoint, self._options, self._placement = checkpoint, options, placement
        self._device = device_of(placement.device)
        self._most: dict[int, int] = {}
        # The small files first: a missing one is told before gigabytes are read.
        self._affect_tokens = (
            AffectTokens.load(options.affect_tokens, shape, checkpoint.name)
            if "tokens" in options.conditioning
            else None
        )
        self._steering = (
            Steering.load(options.steering, shape, checkpoint.name)
            if "steering" in options.conditioning
            else None
        )
        parts = (options.affect_tokens, self._affect_tokens), (options.steering, self._steering)
        self._part_taken = read_all_marks(
            [Path(path).parent for path, part in parts if path is not None and part is not None]
        )
        self._draw = Draw(
            options.guidance_scale, options.affect_guidance_scale, options.top_k, options.temperature
        )
        self._dtype: torch.dtype = getattr(torch, options.dtype)
        weights_bytes = decoder_parameters(shape) * self._dtype.itemsize
        check_fits(1, *self._footprint(1), weights_bytes)
        self._decoder = Decoder(shape, self._device, self._dtype)
        self._adapters = self._load_adapters(options.adapters)
        self._loop = DecodeLoop(self._decoder)
        self._text = TextEncoder(checkpoint.text_encoder(), checkpoint.tokenizer(), torch.device("cpu"))
        self._sound = SoundDecoder(checkpoint.audio_encoder(), shape, self._device)

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
        """Weights, adapters and libraries with digests and licences; which predictors helped to train."""
        models = {**self._checkpoint.models, **self._adapters.sha256}
        licences = {**self._checkpoint.licences, **self._adapters.licences}
        for kind, part in (("affect tokens", self._affect_tokens), ("steering", self._steering)):
            if part is not None:
                models[f"{kind} {part.name}"] = part.sha256
                licences[f"{kind} {part.name}"] = part.licence
        return ModelCard(models, licences, self._rendering(), self._notes())

    def use(self, adapters: Sequence[AdapterOption]) -> None:
        """Swap the adapters; what was captured for the device stays valid.

        Raises:
            ModelError: as `merged`; the weights in use are then unchanged.
        """
        self._adapters = self._load_adapters(adapters)

    def most_clips(self, n_frames: int) -> int:
        """See `ClipModel.most_clips`; a larger `Placement.batch_clips` is refused."""
        # Asked once a length, and without the last batch's cache, which would not count as free.
        if n_frames not in self._most:
            self._loop.release()
            self._most[n_frames] = self._count(n_frames)
        return self._most[n_frames]

    def generate(self, requests: Sequence[ClipRequest], progress: Progress) -> list[Clip]:
        """See `ClipModel.generate`."""
        inputs = [self._input(request) for request in requests]
        decoded = self._loop.decode(inputs, requests[0].n_frames, self._draw, progress)
        return [
            Clip(request, codes, int(near_ties))
            for request, codes, near_ties in zip(requests, decoded.codes, decoded.near_ties, strict=True)
        ]

    def sound(self, codes: Sequence[Codes]) -> list[Stereo]:
        """See `ClipModel.sound`."""
        return [self._sound.sound(clip) for clip in codes]

    def _load_adapters(self, adapters: Sequence[AdapterOption]) -> Merged:
        weights = merged(self._checkpoint, adapters)
        self._decoder.load(weights.tensors)
        return weights

    def _count(self, n_frames: int) -> int:
        asked = self._placement.batch_clips
        if asked is not None:
            check_fits(asked, *self._footprint(n_frames), weights_bytes=0)
            return asked
        fitting = most_clips(*self._footprint(n_frames), weights_bytes=0)
        return fitting if self._device.type == "cuda" else min(fitting, MOST_ON_A_CPU)

    def _footprint(self, n_frames: int) -> tuple[DecoderShape, int, int, torch.dtype, torch.device]:
        rows_per_clip = self._options.rows_per_clip
        return self._checkpoint.shape, n_frames, rows_per_clip, self._dtype, self._device

    def _input(self, request: ClipRequest) -> ClipInput:
        prefix = request.prefix
        return ClipInput(
            seed=request.seed,
            text=self._text.states(request.prompt),
            affect_tokens=self._affect_tokens.tokens(request.affect) if self._affect_tokens else None,
            steering=self._vectors(request),
            prefix=None if prefix is None else torch.from_numpy(prefix.astype("int64")),
        )

    def _vectors(self, request: ClipRequest) -> Tensor | None:
        if self._steering is None:
            return None
        return self._steering.vectors(request.affect, self._options.steering_strength)

    def _rendering(self) -> dict[str, Any]:
        on_gpu = self._device.type == "cuda"
        return {
            "device": str(self._device),
            "device_name": torch.cuda.get_device_name(self._device) if on_gpu else platform.machine(),
            "dtype": self._options.dtype,
            "attention": self._loop.attention,
            "is_captured": on_gpu,
            "rows_per_clip": self._options.rows_per_clip,
            **(self._part_taken | self._adapters.part_taken).rendering,
            "libraries": {name: version(name) for name in _LIBRARIES},
        }

    def _notes(self) -> tuple[str, ...]:
        if self._options.dtype == "float32":
            return ()
        return (
            f"decoded in {self._options.dtype}: another batch, device or library"
            " may give another clip for the same seed",
        )
