"""Every frame becomes 640 samples, alone in its clip, however long the clip is."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from transformers import EncodecConfig, EncodecModel

from generation.clips.clip import Codes
from generation.musicgen import sound as sound_module
from generation.musicgen.shape import DecoderShape
from generation.musicgen.sound import SoundDecoder
from study.errors import AudioError, ModelError

pytestmark = pytest.mark.torch

CPU = torch.device("cpu")
MONO = DecoderShape(64, 2, 4, 128, 4, 1, 64, 48, 50, 2_048)
STEREO = dataclasses.replace(MONO, n_codebooks=8, audio_channels=2)


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """So small a codec runs several times faster on one thread."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def encodec(**changes: Any) -> EncodecModel:
    """Meta's 32 kHz codec, thin: 64 tokens of 6 bits, four codebooks at 1.2 kbit/s."""
    sizes: dict[str, Any] = {
        "sampling_rate": 32_000,
        "upsampling_ratios": [8, 5, 4, 4],
        "target_bandwidths": [1.2],
        "codebook_size": 64,
        "hidden_size": 8,
        "num_filters": 2,
        "use_causal_conv": False,
        "use_conv_shortcut": False,
    }
    torch.manual_seed(3)
    model = EncodecModel(EncodecConfig(**sizes | changes))
    # Codebooks begin as zeros, with which every token sounds alike.
    for name, codebook in model.quantizer.named_buffers():
        if name.endswith("codebook.embed"):
            codebook.normal_()
    return model


@cache
def decoder(shape: DecoderShape = MONO) -> SoundDecoder:
    return SoundDecoder(encodec(), shape, CPU)


def tokens(n_frames: int, shape: DecoderShape = MONO, seed: int = 1) -> Codes:
    rng = np.random.default_rng(seed)
    return rng.integers(0, shape.codebook_size, (shape.n_codebooks, n_frames)).astype(np.int16)


@pytest.mark.parametrize("n_frames", [1, 2, 7, 50, 333])
def test_a_frame_is_640_samples(n_frames: int) -> None:
    samples = decoder().sound(tokens(n_frames))

    assert samples.shape == (n_frames * 640, 2)
    assert samples.dtype == np.float32


def test_samples_are_those_of_transformers_and_mono_is_doubled() -> None:
    codes = tokens(60)

    samples = decoder().sound(codes)

    with torch.no_grad():
        given = torch.from_numpy(codes.astype(np.int64))[None, None]
        expected = encodec().train(False).decode(given, [None]).audio_values[0, 0].numpy()
    assert np.std(expected) > 1e-3
    np.testing.assert_array_equal(samples[:, 0], expected)
    np.testing.assert_array_equal(samples[:, 1], expected)


def test_even_codebooks_are_left_and_odd_ones_right() -> None:
    codes = tokens(40, STEREO)

    samples = decoder(STEREO).sound(codes)

    np.testing.assert_array_equal(samples[:, 0], decoder().sound(codes[0::2])[:, 0])
    np.testing.assert_array_equal(samples[:, 1], decoder().sound(codes[1::2])[:, 0])
    assert not np.array_equal(samples[:, 0], samples[:, 1])


def test_a_clip_does_not_depend_on_the_clips_before_it() -> None:
    alone = SoundDecoder(encodec(), MONO, CPU).sound(tokens(50))
    after = SoundDecoder(encodec(), MONO, CPU)
    after.sound(tokens(80, seed=2))

    np.testing.assert_array_equal(after.sound(tokens(50)), alone)


def test_windows_give_the_samples_of_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    codes = tokens(900)
    whole = decoder().sound(codes)[:, 0]

    monkeypatch.setattr(sound_module, "WINDOW_S", 14.0)
    windowed = decoder().sound(codes)[:, 0]

    # Windows of 700 frames less 200 on either side and one shared. Measured with random weights,
    # the joins included: 6e-7 of the peak; 3e-4 with a context of 0.2 s.
    difference = np.abs(windowed - whole) / np.abs(whole).max()
    assert windowed.shape == (900 * 640,)
    assert difference.max() <= 1e-5
    for join in (299 * 640, 598 * 640):
        assert difference[join : join + 640].max() <= 1e-5


def test_memory_does_not_grow_with_length(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sound_module, "WINDOW_S", 2.0)
    monkeypatch.setattr(sound_module, "CONTEXT_S", 0.4)
    model = encodec()
    lengths: list[int] = []
    model.decoder.register_forward_pre_hook(lambda _module, given: lengths.append(given[0].shape[-1]))

    SoundDecoder(model, MONO, CPU).sound(tokens(300))

    assert len(lengths) == 6
    assert max(lengths) == 100


@pytest.mark.parametrize("n_frames", [100, 101, 102, 159, 160, 161])
def test_lengths_around_a_window_lose_no_frame(n_frames: int, monkeypatch: pytest.MonkeyPatch) -> None:
    codes = tokens(n_frames)
    whole = decoder().sound(codes)

    # Windows of 100 frames less 20 on either side and one shared: parts begin at 0, 59 and 118.
    # Measured: 6e-6.
    monkeypatch.setattr(sound_module, "WINDOW_S", 2.0)
    monkeypatch.setattr(sound_module, "CONTEXT_S", 0.4)
    windowed = decoder().sound(codes)

    assert np.abs(windowed - whole).max() <= 1e-4 * np.abs(whole).max()


def test_without_context_the_joins_would_be_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    codes = tokens(160)
    whole = decoder().sound(codes)

    monkeypatch.setattr(sound_module, "WINDOW_S", 2.0)
    monkeypatch.setattr(sound_module, "CONTEXT_S", 0.0)
    windowed = decoder().sound(codes)

    assert np.abs(windowed - whole).max() > 1e-2 * np.abs(whole).max()


@pytest.mark.parametrize("shape", [(3, 10), (8, 10), (4, 0), (40,)])
def test_codes_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(AudioError, match=r"is not \[4, n_frames\]; give 4 codebooks of at least one frame"):
        decoder().sound(np.zeros(shape, dtype=np.int16))


@pytest.mark.parametrize("token", [-1, 64])
def test_a_token_the_codec_does_not_know_is_refused(token: int) -> None:
    codes = tokens(10)
    codes[2, 5] = token

    with pytest.raises(AudioError, match=r"the codec knows 0 to 63; undo the delay pattern first"):
        decoder().sound(codes)


@pytest.mark.parametrize(
    "changes",
    [{"sampling_rate": 24_000}, {"codebook_size": 128}, {"target_bandwidths": [2.4]}, {"audio_channels": 2}],
)
def test_a_codec_of_another_model_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ModelError, match="give the codec that came with the model"):
        SoundDecoder(encodec(**changes), MONO, CPU)
