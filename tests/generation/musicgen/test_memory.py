"""Memory is counted before it is taken; a device that is not there is refused by name."""

from __future__ import annotations

import re

import pytest
import torch

from generation.musicgen.memory import (
    Demand,
    cache_bytes_per_position,
    check_fits,
    clip_bytes,
    decoder_parameters,
    device_of,
    free_bytes,
    most_clips,
)
from generation.musicgen.shape import DecoderShape
from study.errors import DeviceError, UnknownName

pytestmark = pytest.mark.torch

CPU = torch.device("cpu")
H100_BYTES = 78 * 2**30


def meta(hidden_size: int, n_layers: int) -> DecoderShape:
    """Meta's models: heads of 64, four codebooks of 2048, T5-base."""
    return DecoderShape(
        hidden_size, n_layers, hidden_size // 64, 4 * hidden_size, 4, 1, 2_048, 768, 50, 2_048
    )


SMALL, MEDIUM, LARGE = meta(1_024, 24), meta(1_536, 48), meta(2_048, 48)
TINY = DecoderShape(64, 2, 4, 128, 4, 1, 2_048, 48, 50, 2_048)


# Worked by hand: 16 width² a layer (8 in two attentions, 8 in the feed-forward block), 16,388 width
# in embeddings and heads, the norms and the projection of the text.
@pytest.mark.parametrize(("shape", "millions"), [(SMALL, 420.4), (MEDIUM, 1_838.7), (LARGE, 3_257.0)])
def test_the_decoders_of_meta_have_the_published_sizes(shape: DecoderShape, millions: float) -> None:
    assert decoder_parameters(shape) / 1e6 == pytest.approx(millions, abs=0.1)


@pytest.mark.parametrize(
    ("shape", "kilobytes", "gigabytes_of_60_rows"),
    [(SMALL, 98, 8.9), (MEDIUM, 295, 26.6), (LARGE, 393, 35.5)],
)
def test_a_position_of_a_row_takes_two_numbers_a_layer_and_unit_of_width(
    shape: DecoderShape, kilobytes: int, gigabytes_of_60_rows: float
) -> None:
    position = cache_bytes_per_position(shape, torch.bfloat16)

    assert round(position / 1e3) == kilobytes
    assert round(position * 60 * 1_503 / 1e9, 1) == gigabytes_of_60_rows


def test_a_clip_takes_whole_buckets_its_text_its_logits_and_the_states_of_a_prefix() -> None:
    # 1,503 steps in 12 buckets of 128; two rows of cache and one of 64 text positions.
    cache = (2 * 1_536 + 64) * 98_304
    logits = 2 * 4 * 2_048 * 4 * 8
    prefix = 2 * 600 * (4 * 1_024 + 2 * 4_096) * 2

    assert clip_bytes(SMALL, 1_500, 2, torch.bfloat16) == cache + logits + prefix


def test_four_bytes_take_twice_the_cache_of_two_and_a_third_row_half_as_much_again() -> None:
    two_bytes = clip_bytes(SMALL, 1_500, 2, torch.bfloat16)

    assert clip_bytes(SMALL, 1_500, 2, torch.float32) == pytest.approx(2 * two_bytes, rel=2e-3)
    assert clip_bytes(SMALL, 1_500, 3, torch.bfloat16) == pytest.approx(1.5 * two_bytes, rel=0.01)


def test_a_session_of_30_clips_of_every_size_fits_an_h100() -> None:
    for shape in (SMALL, MEDIUM, LARGE):
        weights = 2 * decoder_parameters(shape)

        assert (
            Demand(shape, 1_500, 2, torch.bfloat16, torch.device("cuda"), weights).clips_in(H100_BYTES) >= 30
        )


# From the facts' table: 240 rows of medium or large do not, 120 rows of large do not either.
@pytest.mark.parametrize(("shape", "clips"), [(MEDIUM, 120), (LARGE, 120), (LARGE, 60)])
def test_what_exceeds_an_h100_is_known_beforehand(shape: DecoderShape, clips: int) -> None:
    weights = 2 * decoder_parameters(shape)

    assert Demand(shape, 1_500, 2, torch.bfloat16, torch.device("cuda"), weights).clips_in(H100_BYTES) < clips


def test_weights_still_to_be_loaded_leave_less_room() -> None:
    def fitting(weights_bytes: int) -> int:
        return Demand(SMALL, 1_500, 2, torch.float32, CPU, weights_bytes).clips_in(10**11)

    one = clip_bytes(SMALL, 1_500, 2, torch.float32)

    assert fitting(0) - fitting(5 * one) == 5


def test_the_cpu_says_how_much_of_its_memory_is_free() -> None:
    assert 10**8 < free_bytes(CPU) < 10**14


def test_as_many_clips_as_most_clips_says_fit_and_not_many_more() -> None:
    most = most_clips(TINY, 1_500, 2, torch.float32, CPU, 0)

    assert most >= 1
    check_fits(max(1, most // 2), TINY, 1_500, 2, torch.float32, CPU, 0)
    with pytest.raises(DeviceError):
        check_fits(2 * most, TINY, 1_500, 2, torch.float32, CPU, 0)


def test_too_many_clips_are_refused_with_the_number_that_fits() -> None:
    free = 20 * 10**9
    demand = Demand(LARGE, 1_500, 2, torch.bfloat16, torch.device("cuda", 0), 0)

    # 0.92 × 20 − 1.5 GB of the codec = 16.9 GB; a clip takes 1.2926 GB.
    assert str(demand.refusal(30, free)) == (
        "device cuda:0: 30 clips need 40.3 GB; 20.0 GB are free, 92% of them may be used, "
        "which is room for 13; write batch_clips 13 or fewer"
    )


def test_where_not_even_one_clip_fits_the_remedy_is_another() -> None:
    with pytest.raises(DeviceError) as refused:
        most_clips(LARGE, 1_500, 2, torch.float32, CPU, 10**15)

    assert re.fullmatch(
        r"device cpu: 1 clip needs 1000004\.1 GB; [\d.]+ GB are free, 50% of them may be used, which is "
        r"room for none; free memory there, or take a smaller model, dtype bfloat16 or shorter clips",
        str(refused.value),
    )


def test_the_cpu_is_always_there() -> None:
    assert device_of("cpu") == CPU


@pytest.mark.parametrize("name", ["gpu", "cuda:", "cuda:-1", "CUDA", "", "cuda:0 "])
def test_what_is_not_the_name_of_a_device_is_refused(name: str) -> None:
    with pytest.raises(UnknownName, match="is not a device; write cpu, cuda or cuda:N"):
        device_of(name)


def test_without_a_gpu_the_refusal_says_where_one_would_show(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)

    with pytest.raises(DeviceError) as refused:
        device_of("cuda")

    assert str(refused.value) == (
        "--device cuda: no GPU was found; write --device cpu, or run where nvidia-smi shows one"
    )


def test_a_gpu_that_is_not_there_is_refused_with_those_that_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _index: "NVIDIA H100")

    with pytest.raises(DeviceError) as refused:
        device_of("cuda:2")

    assert str(refused.value) == (
        "--device cuda:2: there is no such GPU here; there is "
        "cuda:0 (NVIDIA H100), cuda:1 (NVIDIA H100); write one of these"
    )
    assert device_of("cuda") == torch.device("cuda", 0)
    assert device_of("cuda:1") == torch.device("cuda", 1)
