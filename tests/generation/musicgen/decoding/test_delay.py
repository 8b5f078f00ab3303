"""The delay pattern, against transformers' own."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from generation.musicgen.decoding.delay import OPEN, delayed, delays, sequence_length, undelayed
from generation.musicgen.shape import DecoderShape
from tests.generation.musicgen.decoding.random_models import CODEBOOK_SIZE, random_model

pytestmark = pytest.mark.torch


def shape_of(audio_channels: int) -> DecoderShape:
    return DecoderShape(
        hidden_size=48,
        n_layers=1,
        n_heads=4,
        ffn_dim=96,
        n_codebooks=4 * audio_channels,
        audio_channels=audio_channels,
        codebook_size=CODEBOOK_SIZE,
        text_dim=48,
        frame_rate_hz=50,
        max_positions=2048,
    )


def test_thirty_seconds_take_1503_steps() -> None:
    assert sequence_length(shape_of(1), 1500) - 1 == 1503
    assert sequence_length(shape_of(2), 1500) - 1 == 1503


def test_stereo_codebooks_lag_in_pairs() -> None:
    assert delays(shape_of(1)) == [0, 1, 2, 3]
    assert delays(shape_of(2)) == [0, 0, 1, 1, 2, 2, 3, 3]


def test_a_sequence_is_delayed_as_in_the_paper() -> None:
    prefix = torch.tensor([[[11, 12], [21, 22], [31, 32], [41, 42]]])

    sequence = delayed(shape_of(1), prefix, 4)

    special = CODEBOOK_SIZE
    assert sequence[:, 0].T.tolist() == [
        [special, 11, 12, OPEN, OPEN, special, special, special],
        [special, special, 21, 22, OPEN, OPEN, special, special],
        [special, special, special, 31, 32, OPEN, OPEN, special],
        [special, special, special, special, 41, 42, OPEN, OPEN],
    ]


@pytest.mark.parametrize("audio_channels", [1, 2])
@pytest.mark.parametrize("n_prefix", [0, 1, 5, 9])
def test_the_pattern_is_that_of_transformers(audio_channels: int, n_prefix: int) -> None:
    shape = shape_of(audio_channels)
    model = random_model(audio_channels=audio_channels)
    prefix = torch.randint(
        0, CODEBOOK_SIZE, (3, shape.n_codebooks, n_prefix), generator=torch.Generator().manual_seed(0)
    )
    start = torch.full((3, shape.n_codebooks, 1), CODEBOOK_SIZE)

    sequence = delayed(shape, prefix, 12)

    build: Callable[..., tuple[Tensor, Tensor]] = model.decoder.build_delay_pattern_mask
    _, expected = build(
        torch.cat((start, prefix), dim=2).flatten(0, 1), CODEBOOK_SIZE, max_length=len(sequence)
    )
    assert torch.equal(sequence.permute(1, 2, 0).flatten(0, 1), expected)


@pytest.mark.parametrize("audio_channels", [1, 2])
@pytest.mark.parametrize("n_frames", [1, 2, 3, 50])
def test_what_is_delayed_can_be_undelayed(audio_channels: int, n_frames: int) -> None:
    shape = shape_of(audio_channels)
    frames = torch.randint(
        0, CODEBOOK_SIZE, (2, shape.n_codebooks, n_frames), generator=torch.Generator().manual_seed(0)
    )

    sequence = delayed(shape, frames, n_frames)

    assert torch.equal(undelayed(shape, sequence, n_frames), frames)
    assert (sequence == CODEBOOK_SIZE).sum() == 2 * shape.n_codebooks * shape.n_delays
