"""Sound of any length becomes the tokens that the codec itself gives."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from transformers import EncodecModel

from generation.musicgen import sound_encoder as sound_encoder_module
from generation.musicgen.codec.known_codecs import Codec
from generation.musicgen.shape import DecoderShape
from generation.musicgen.sound import SoundDecoder
from generation.musicgen.sound_encoder import SoundEncoder
from generation.musicgen.weights.checkpoint import load_checkpoint
from study.errors import AudioError, ModelError
from tests.generation.musicgen.codec.small_codec import chords, small_codec
from tests.generation.musicgen.test_sound import MONO, STEREO, encodec

pytestmark = pytest.mark.torch

CPU = torch.device("cpu")


def hearing_encodec(**changes: Any) -> EncodecModel:
    """An EnCodec of random weights whose entries are what it hears in music: no token stands for all."""
    model = encodec(**changes)
    with torch.no_grad():
        heard = model.encoder(torch.from_numpy(chords(6.4))[None, None])[0].T
        entries = (tensor for name, tensor in model.quantizer.named_buffers() if name.endswith("embed"))
        for codebook in entries:
            codebook.copy_(heard[::5])
            heard = (heard - codebook[torch.cdist(heard, codebook).argmin(1)]).roll(1, 0)
    return model


CODECS: dict[str, Callable[[], Codec]] = {"encodec": hearing_encodec, "spectral": small_codec}


def encoder(codec: str, shape: DecoderShape = MONO) -> SoundEncoder:
    return SoundEncoder(CODECS[codec](), shape, CPU)


def of_transformers(model: Codec, samples: NDArray[np.float32]) -> NDArray[np.int64]:
    values = torch.from_numpy(samples)[None, None]
    with torch.no_grad():
        codes = model.train(False).encode(values, bandwidth=1.2).audio_codes
    assert codes is not None
    found: NDArray[np.int64] = codes[0, 0].numpy()
    return found


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("n_samples", [1, 640, 1281, 48_000])
def test_tokens_are_those_of_the_codecs_own_call(codec: str, n_samples: int) -> None:
    samples = chords(2.0)[:n_samples]

    codes = encoder(codec).encode(samples[:, None])

    # A begun frame is a frame.
    assert codes.shape == (4, -(-n_samples // 640))
    assert codes.dtype == np.int16
    np.testing.assert_array_equal(codes, of_transformers(CODECS[codec](), samples))
    assert n_samples < 10_000 or min(len(np.unique(row)) for row in codes) > 10


def test_all_codebooks_are_asked_for_where_the_codec_offers_less() -> None:
    # 0.3 kbit/s is one codebook of 6 bits at 50 Hz; transformers takes the first rate by default.
    codes = SoundEncoder(hearing_encodec(target_bandwidths=[0.3, 1.2]), MONO, CPU).encode(
        chords(1.0)[:, None]
    )

    assert codes.shape == (4, 50)


# With random weights many entries lie close together, and a longer sum may tip a tie: measured 0.9906.
@pytest.mark.parametrize(("codec", "agreement"), [("encodec", 0.98), ("spectral", 1.0)])
def test_windows_give_the_tokens_of_the_whole(
    codec: str, agreement: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples = chords(9.01, seed=4)
    whole = of_transformers(CODECS[codec](), samples)

    # Windows of 200 frames less 50 on either side: parts begin every 100 frames.
    monkeypatch.setattr(sound_encoder_module, "WINDOW_S", 4.0)
    monkeypatch.setattr(sound_encoder_module, "CONTEXT_S", 1.0)
    windowed = encoder(codec).encode(samples[:, None])

    assert windowed.shape == whole.shape == (4, 451)
    assert np.mean(windowed == whole) >= agreement


@pytest.mark.parametrize("codec", CODECS)
def test_without_context_the_windows_borders_would_differ(
    codec: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples = chords(3.0, seed=4)
    whole = of_transformers(CODECS[codec](), samples)

    monkeypatch.setattr(sound_encoder_module, "WINDOW_S", 1.0)
    monkeypatch.setattr(sound_encoder_module, "CONTEXT_S", 0.0)
    windowed = encoder(codec).encode(samples[:, None])

    assert not np.array_equal(windowed[:, 48:52], whole[:, 48:52])


def test_no_more_than_a_window_is_encoded_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sound_encoder_module, "WINDOW_S", 2.0)
    monkeypatch.setattr(sound_encoder_module, "CONTEXT_S", 0.4)
    model = encodec()
    lengths: list[int] = []
    model.encoder.register_forward_pre_hook(lambda _, given: lengths.append(given[0].shape[-1]))

    SoundEncoder(model, MONO, CPU).encode(chords(6.0)[:, None])

    assert len(lengths) == 5
    assert max(lengths) == 2 * 32_000


@pytest.mark.parametrize("codec", CODECS)
def test_a_mono_model_hears_the_mean_of_the_channels(codec: str) -> None:
    left, right = chords(1.0, seed=1), chords(1.0, seed=2)

    codes = encoder(codec).encode(np.stack([left, right], axis=1))

    np.testing.assert_array_equal(
        codes, encoder(codec).encode(np.stack([(left + right) / 2], 1, dtype=np.float32))
    )


@pytest.mark.parametrize("codec", CODECS)
def test_a_stereo_model_has_left_and_right_in_turn(codec: str) -> None:
    left, right = chords(1.0, seed=1), chords(1.0, seed=2)

    codes = encoder(codec, STEREO).encode(np.stack([left, right], axis=1))

    assert codes.shape == (8, 50)
    np.testing.assert_array_equal(codes[0::2], encoder(codec).encode(left[:, None]))
    np.testing.assert_array_equal(codes[1::2], encoder(codec).encode(right[:, None]))


def test_a_stereo_model_hears_one_channel_on_both_sides() -> None:
    codes = encoder("spectral", STEREO).encode(chords(1.0)[:, None])

    np.testing.assert_array_equal(codes[0::2], codes[1::2])


def test_what_is_encoded_is_decoded_to_whole_frames() -> None:
    codes = encoder("spectral").encode(chords(1.0)[:31_000, None])

    sound = SoundDecoder(small_codec(), MONO, CPU).sound(codes)

    assert sound.shape == (49 * 640, 2)
    assert sound.std() == pytest.approx(chords(1.0).std(), rel=0.3)


@pytest.mark.parametrize(
    ("samples", "rate_hz", "message"),
    [
        (np.zeros((100, 1)), 44_100, "its rate is 44,100 Hz; resample it to 32,000 Hz"),
        (np.zeros((0, 1)), 32_000, r"shape \(0, 1\) is not \[n_samples, 1 or 2\]"),
        (np.zeros((100, 3)), 32_000, r"shape \(100, 3\) is not"),
        (np.zeros(100), 32_000, r"shape \(100,\) is not"),
        (np.array([[0.0, 0.0], [0.0, np.nan]]), 32_000, "not a number at 0.000 s"),
        (np.full((64_000, 1), np.inf), 32_000, "not a number"),
    ],
)
def test_what_is_no_sound_at_the_models_rate_is_refused(
    samples: NDArray[np.float64], rate_hz: int, message: str
) -> None:
    with pytest.raises(AudioError, match=message):
        encoder("encodec").encode(samples.astype(np.float32), rate_hz)


def test_a_codec_of_another_model_is_refused() -> None:
    with pytest.raises(ModelError, match="give the codec that came with the model"):
        SoundEncoder(encodec(codebook_size=128), MONO, CPU)


def test_the_card_tells_codecs_apart_and_knows_one_again(tiny_folder: Path) -> None:
    checkpoint = load_checkpoint(str(tiny_folder))
    first, again = (SoundEncoder.of_checkpoint(checkpoint, CPU).card for _ in range(2))

    assert first == again
    assert (first.name, first.n_codebooks, first.codebook_size) == ("isopath/random-tiny", 4, 2048)
    assert (first.frame_rate_hz, first.sample_rate_hz) == (50, 32_000)
    other = encodec()
    with torch.no_grad():
        next(other.parameters()).add_(1e-3)
    assert len({SoundEncoder(model, MONO, CPU).card.sha256 for model in (encodec(), other)}) == 2
