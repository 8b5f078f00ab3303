"""A MusicGen of random weights twice: in transformers, and in our loop with the same numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers import (
    EncodecConfig,
    LogitsProcessor,
    LogitsProcessorList,
    MusicgenConfig,
    MusicgenForConditionalGeneration,
    T5Config,
)
from transformers.models.musicgen.configuration_musicgen import MusicgenDecoderConfig

from generation.engine import Progress
from generation.musicgen.decoding.decode import ClipInput, DecodeLoop, Draw
from generation.musicgen.decoding.decoder import Decoder
from generation.musicgen.shape import DecoderShape
from generation.musicgen.weights.layout import quiet_transformers

TEXT_TOKENS = 16
_TEXT_VOCABULARY = 100


class _CodesKept(nn.Module):
    """Stands in EnCodec's place, so that `generate` ends with the codes and no sound is timed."""

    def decode(self, codes: Tensor, audio_scales: object) -> SimpleNamespace:
        """The codes, shape [1, clips, codebooks, frames], as if they were sound."""
        return SimpleNamespace(audio_values=codes[0])


class _Steps(LogitsProcessor):
    """Tells how far `generate` is; leaves the logits as they are."""

    def __init__(self, n_steps: int, progress: Progress) -> None:
        self._n_steps, self._progress, self._done = n_steps, progress, 0

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        self._done += 1
        self._progress(self._done / self._n_steps)
        return scores


@dataclass(frozen=True)
class Pair:
    """Transformers' model and our loop, of the same weights, on the same device."""

    shape: DecoderShape
    model: MusicgenForConditionalGeneration
    loop: DecodeLoop
    device: torch.device

    def transformers(
        self, n_clips: int, steps: int, greedy: bool, progress: Progress | None = None
    ) -> NDArray[np.int16]:
        """Codes [clips, codebooks, frames] of `generate`, all clips in one batch."""
        words = self._words(n_clips)
        generate: Callable[..., Tensor] = self.model.generate
        watch = [] if progress is None else [_Steps(steps, progress)]
        chance = {"do_sample": False} if greedy else {"do_sample": True, "top_k": 250}
        codes = generate(
            input_ids=words,
            attention_mask=torch.ones_like(words),
            guidance_scale=3.0,
            max_new_tokens=steps,
            decoder_start_token_id=self.shape.special_token,
            pad_token_id=self.shape.special_token,
            logits_processor=LogitsProcessorList(watch),
            **chance,
        )
        return codes.cpu().numpy().astype(np.int16)

    def ours(
        self, n_clips: int, steps: int, greedy: bool, progress: Progress
    ) -> tuple[NDArray[np.int16], NDArray[np.int64]]:
        """The same of our loop, and how many near ties each clip had."""
        with torch.no_grad():
            states = self.model.text_encoder(input_ids=self._words(n_clips)).last_hidden_state
        clips = [ClipInput(seed, text.float().cpu()) for seed, text in enumerate(states)]
        n_frames = steps - (self.shape.n_delays - 1)
        decoded = self.loop.decode(clips, n_frames, Draw(greedy=greedy), progress)
        return decoded.codes, decoded.near_ties

    def _words(self, n_clips: int) -> Tensor:
        generator = torch.Generator().manual_seed(5)
        words = torch.randint(3, _TEXT_VOCABULARY, (n_clips, TEXT_TOKENS), generator=generator)
        return words.to(self.device)


def random_pair(shape: DecoderShape, device: torch.device, dtype: torch.dtype) -> Pair:
    """Full-size random weights, made on the device; a text encoder and codec too small to be timed."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        with device, quiet_transformers():
            torch.manual_seed(1)
            model = MusicgenForConditionalGeneration(_config(shape))
            model.train(False)
            _scatter(model)
    finally:
        torch.set_default_dtype(before)
    module: nn.Module = model
    module.audio_encoder = _CodesKept()
    decoder = Decoder(shape, device, dtype)
    names = ("decoder.", "enc_to_dec_proj.")
    decoder.load({name: tensor for name, tensor in model.state_dict().items() if name.startswith(names)})
    return Pair(shape, model, DecodeLoop(decoder), device)


@torch.no_grad()
def _scatter(model: nn.Module) -> None:
    """Weights that keep the states' size from layer to layer, so that logits and tokens vary."""
    for name, weight in model.named_parameters():
        if name.startswith(("decoder.", "enc_to_dec_proj.")) and weight.dim() == 2:
            # Tokens must weigh as much as positions, or every step would be the same.
            weight.normal_(0.0, 0.5 if "embed_tokens" in name else weight.shape[-1] ** -0.5)


def _config(shape: DecoderShape) -> MusicgenConfig:
    text = T5Config(
        vocab_size=_TEXT_VOCABULARY, d_model=shape.text_dim, d_kv=64, d_ff=64, num_layers=1, num_heads=2
    )
    codec = EncodecConfig(
        sampling_rate=32_000,
        upsampling_ratios=[8, 5, 4, 4],
        target_bandwidths=[2.2],
        codebook_size=shape.codebook_size,
        hidden_size=8,
        num_filters=2,
    )
    decoder = MusicgenDecoderConfig(
        vocab_size=shape.codebook_size,
        max_position_embeddings=shape.max_positions,
        num_hidden_layers=shape.n_layers,
        ffn_dim=shape.ffn_dim,
        num_attention_heads=shape.n_heads,
        hidden_size=shape.hidden_size,
        num_codebooks=shape.n_codebooks,
        pad_token_id=shape.special_token,
        bos_token_id=shape.special_token,
        dropout=0.0,
    )
    return MusicgenConfig(
        text_encoder=text.to_dict(), audio_encoder=codec.to_dict(), decoder=decoder.to_dict()
    )
