"""On a GPU: captured steps decode what uncaptured ones decode, whatever reads the cache."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch
from transformers import MusicgenForConditionalGeneration

from generation.musicgen.decoding.cache import BUCKET
from generation.musicgen.decoding.decode import ClipInput, Decoded, DecodeLoop, Draw
from tests.generation.musicgen.decoding.random_models import (
    decoder_of,
    lm_tensors,
    random_model,
    random_prompts,
    text_states,
)

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="CUDA graphs need a GPU"),
]

DRAW = Draw(top_k=20)
N_FRAMES = 2 * BUCKET + 3


@pytest.fixture(scope="module")
def model() -> MusicgenForConditionalGeneration:
    return random_model()


@pytest.fixture(scope="module")
def clips(model: MusicgenForConditionalGeneration) -> list[ClipInput]:
    states = text_states(model, *random_prompts((5, 8, 3)))
    steering = torch.randn((3, 48), generator=torch.Generator().manual_seed(6))
    return [ClipInput(seed=number, text=text, steering=steering) for number, text in enumerate(states)]


def decode(loop: DecodeLoop, clips: Sequence[ClipInput]) -> Decoded:
    return loop.decode(clips, N_FRAMES, DRAW, lambda _share: None)


@pytest.mark.parametrize("attention", ["plain", "triton"])
def test_captured_steps_decode_what_the_cpu_decodes(
    model: MusicgenForConditionalGeneration, clips: list[ClipInput], attention: str
) -> None:
    expected = decode(DecodeLoop(decoder_of(model)), clips)

    captured = decode(DecodeLoop(decoder_of(model, device="cuda"), attention), clips)
    uncaptured = decode(DecodeLoop(decoder_of(model, device="cuda"), attention, graphs=False), clips)

    assert np.array_equal(captured.codes, uncaptured.codes)
    assert np.array_equal(captured.codes, expected.codes)


def test_graphs_are_used_again_with_other_weights_and_other_clips(
    model: MusicgenForConditionalGeneration, clips: list[ClipInput]
) -> None:
    other = random_model(seed=9)
    decoder = decoder_of(model, device="cuda")
    loop = DecodeLoop(decoder, "plain")
    later = [replace(clip, seed=clip.seed + 50) for clip in clips]
    decode(loop, clips)
    graphs = loop._graphs

    decoder.load(lm_tensors(other))
    codes = decode(loop, later).codes

    assert loop._graphs is graphs
    assert np.array_equal(codes, decode(DecodeLoop(decoder_of(other)), later).codes)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_decodes_the_same_twice(
    model: MusicgenForConditionalGeneration, clips: list[ClipInput], dtype: torch.dtype
) -> None:
    loop = DecodeLoop(decoder_of(model, dtype, "cuda"))

    first, second = decode(loop, clips).codes, decode(loop, clips).codes

    assert np.array_equal(first, second)


def test_progress_ends_at_one_and_never_falls(
    model: MusicgenForConditionalGeneration, clips: list[ClipInput]
) -> None:
    shares: list[float] = []

    DecodeLoop(decoder_of(model, device="cuda")).decode(clips, N_FRAMES, DRAW, shares.append)

    assert shares == sorted(shares)
    assert shares[-1] == 1.0
