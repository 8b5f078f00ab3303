"""transformers' MusicGen at sizes that decode in milliseconds, with random weights, made on the spot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from unittest.mock import patch

import torch
from torch import Tensor
from transformers import (
    EncodecConfig,
    EncodecModel,
    MusicgenConfig,
    MusicgenForConditionalGeneration,
    T5Config,
)
from transformers.models.musicgen.configuration_musicgen import MusicgenDecoderConfig

from generation.musicgen.decoding.decoder import Decoder
from generation.musicgen.shape import DecoderShape

CODEBOOK_SIZE = 64
TEXT_VOCABULARY = 99


def random_model(
    *, audio_channels: int = 1, text_dim: int = 48, seed: int = 0
) -> MusicgenForConditionalGeneration:
    """Weights large enough that tokens differ from step to step and from prompt to prompt."""
    torch.manual_seed(seed)
    text = T5Config(
        vocab_size=TEXT_VOCABULARY,
        d_model=text_dim,
        d_kv=12,
        d_ff=64,
        num_layers=2,
        num_heads=4,
        dropout_rate=0.0,
    )
    # 1.2 kbit/s is what gives an EnCodec of 64 codes its four codebooks.
    audio = EncodecConfig(
        target_bandwidths=[1.2],
        sampling_rate=32000,
        codebook_size=CODEBOOK_SIZE,
        codebook_dim=16,
        hidden_size=16,
        num_filters=2,
        num_residual_layers=1,
        upsampling_ratios=[8, 5, 4, 4],
        num_lstm_layers=1,
    )
    decoder = MusicgenDecoderConfig(
        vocab_size=CODEBOOK_SIZE,
        max_position_embeddings=512,
        num_hidden_layers=3,
        ffn_dim=96,
        num_attention_heads=4,
        hidden_size=48,
        num_codebooks=4 * audio_channels,
        audio_channels=audio_channels,
        pad_token_id=CODEBOOK_SIZE,
        bos_token_id=CODEBOOK_SIZE,
        dropout=0.0,
    )
    config = MusicgenConfig(
        text_encoder=text.to_dict(), audio_encoder=audio.to_dict(), decoder=decoder.to_dict()
    )
    model = MusicgenForConditionalGeneration(config)
    model.train(False)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if name.startswith(("decoder.", "enc_to_dec_proj.")):
                spread = 0.02 if name.endswith("norm.weight") else 0.15
                weight.normal_(1.0 if name.endswith("norm.weight") else 0.0, spread)
    return model


def lm_tensors(model: MusicgenForConditionalGeneration) -> dict[str, Tensor]:
    """The tensors that a `Decoder` loads."""
    prefixes = ("decoder.", "enc_to_dec_proj.")
    return {name: tensor for name, tensor in model.state_dict().items() if name.startswith(prefixes)}


def decoder_of(
    model: MusicgenForConditionalGeneration, dtype: torch.dtype = torch.float32, device: str = "cpu"
) -> Decoder:
    """Our decoder with the model's weights."""
    shape = DecoderShape.from_config(model.config.to_dict(), "random model")
    decoder = Decoder(shape, device, dtype)
    decoder.load(lm_tensors(model))
    return decoder


def random_prompts(lengths: Sequence[int], seed: int = 1) -> tuple[Tensor, Tensor]:
    """Token numbers and attention mask, shape [prompts, longest], padded on the right."""
    generator = torch.Generator().manual_seed(seed)
    numbers = torch.randint(2, TEXT_VOCABULARY, (len(lengths), max(lengths)), generator=generator)
    mask = (torch.arange(max(lengths))[None, :] < torch.tensor(lengths)[:, None]).long()
    return numbers * mask, mask


def text_states(model: MusicgenForConditionalGeneration, numbers: Tensor, mask: Tensor) -> list[Tensor]:
    """The text encoder's states of each prompt alone, without padding."""
    with torch.no_grad():
        return [
            model.text_encoder(input_ids=row[kept.bool()][None]).last_hidden_state[0]
            for row, kept in zip(numbers, mask, strict=True)
        ]


def generated_codes(
    model: MusicgenForConditionalGeneration,
    numbers: Tensor,
    mask: Tensor,
    n_frames: int,
    guidance_scale: float,
    prefix: Tensor | None = None,
) -> Tensor:
    """What `generate` decodes greedily, shape [prompts, codebooks, n_frames], before it is made sound.

    Args:
        prefix: int64, shape [prompts, codebooks, p].
    """
    settings = model.generation_config
    settings.pad_token_id = settings.decoder_start_token_id = settings.bos_token_id = CODEBOOK_SIZE
    decoder = model.decoder.config
    n_delays = decoder.num_codebooks // decoder.audio_channels
    heard: list[Tensor] = []
    codec = model.audio_encoder
    assert isinstance(codec, EncodecModel)
    decode: Callable[..., object] = codec.decode

    def listening_decode(codes: Tensor, **kwargs: object) -> object:
        heard.append(codes[0])
        return decode(codes, **kwargs)

    given = {} if prefix is None else {"decoder_input_ids": prefix.flatten(0, 1)}
    n_given = 0 if prefix is None else prefix.shape[2]
    generate: Callable[..., object] = model.generate
    with patch.object(codec, "decode", listening_decode):
        generate(
            input_ids=numbers,
            attention_mask=mask,
            do_sample=False,
            guidance_scale=guidance_scale,
            max_new_tokens=n_frames - n_given + n_delays - 1,
            **given,
        )
    if decoder.audio_channels == 1:
        return heard[0]
    return torch.stack(heard, dim=2).flatten(1, 2)
