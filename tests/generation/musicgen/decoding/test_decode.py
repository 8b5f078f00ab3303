"""Our decoder and its loop do what transformers' MusicGen does, one clip or thirty."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode
from transformers import MusicgenForConditionalGeneration

from generation.musicgen.decoding.attention import plain_attention
from generation.musicgen.decoding.batch import Batch, BatchSizes
from generation.musicgen.decoding.cache import (
    BUCKET,
    BucketReader,
    FilledReader,
    KernelReader,
    Reader,
    new_cache,
)
from generation.musicgen.decoding.decode import ClipInput, Decoded, DecodeLoop, Draw
from generation.musicgen.decoding.decoder import Decoder
from study.errors import DeviceError, ModelError, OutOfRange, UnknownName
from tests.generation.musicgen.decoding.random_models import (
    CODEBOOK_SIZE,
    decoder_of,
    generated_codes,
    lm_tensors,
    random_model,
    random_prompts,
    text_states,
)

pytestmark = pytest.mark.torch

GREEDY = Draw(greedy=True)
UNEQUAL = (5, 9, 2, 7, 3)


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def mono() -> MusicgenForConditionalGeneration:
    return random_model()


@pytest.fixture(scope="module")
def stereo() -> MusicgenForConditionalGeneration:
    return random_model(audio_channels=2, text_dim=32)


def unheard(share: float) -> None:
    """Progress that nobody watches."""


def decode(loop: DecodeLoop, clips: Sequence[ClipInput], n_frames: int, draw: Draw) -> Decoded:
    return loop.decode(clips, n_frames, draw, unheard)


def random_clips(model: MusicgenForConditionalGeneration, lengths: Sequence[int]) -> list[ClipInput]:
    """Clips with seeds 100, 101, ... and prompts of those lengths."""
    states = text_states(model, *random_prompts(lengths))
    return [ClipInput(seed=100 + number, text=text) for number, text in enumerate(states)]


def random_prefixes(n_clips: int, n_codebooks: int, n_frames: int) -> Tensor:
    generator = torch.Generator().manual_seed(2)
    return torch.randint(0, CODEBOOK_SIZE, (n_clips, n_codebooks, n_frames), generator=generator)


@pytest.mark.parametrize("audio_channels", [1, 2])
@pytest.mark.parametrize("lengths", [(5,), UNEQUAL])
@pytest.mark.parametrize("guidance_scale", [1.0, 3.0])
@pytest.mark.parametrize("n_prefix", [0, 1, 7])
def test_greedy_codes_equal_those_of_transformers(
    mono: MusicgenForConditionalGeneration,
    stereo: MusicgenForConditionalGeneration,
    audio_channels: int,
    lengths: tuple[int, ...],
    guidance_scale: float,
    n_prefix: int,
) -> None:
    model = mono if audio_channels == 1 else stereo
    numbers, mask = random_prompts(lengths)
    prefixes = random_prefixes(len(lengths), 4 * audio_channels, n_prefix)
    clips = [
        replace(clip, prefix=prefix)
        for clip, prefix in zip(random_clips(model, lengths), prefixes, strict=True)
    ]

    codes = decode(
        DecodeLoop(decoder_of(model)), clips, 24, replace(GREEDY, guidance_scale=guidance_scale)
    ).codes

    expected = generated_codes(model, numbers, mask, 24, guidance_scale, prefixes if n_prefix else None)
    assert np.array_equal(codes, expected.numpy())


@pytest.mark.parametrize("audio_channels", [1, 2])
def test_logits_equal_those_of_transformers(
    mono: MusicgenForConditionalGeneration, stereo: MusicgenForConditionalGeneration, audio_channels: int
) -> None:
    model = mono if audio_channels == 1 else stereo
    numbers, mask = random_prompts(UNEQUAL)
    tokens = random_prefixes(len(UNEQUAL), 4 * audio_channels, 40)
    with torch.no_grad():
        states = model.text_encoder(input_ids=numbers, attention_mask=mask).last_hidden_state
        expected = model(
            input_ids=numbers, attention_mask=mask, decoder_input_ids=tokens.flatten(0, 1)
        ).logits

        logits = decoder_of(model)(tokens, states, mask.bool())

    assert (logits.flatten(0, 1) - expected).abs().max() < 1e-4
    assert expected.abs().max() > 1


def test_a_row_without_text_has_the_logits_of_transformers_null_row(
    stereo: MusicgenForConditionalGeneration,
) -> None:
    unheard_text = torch.randn((1, 4, 32), generator=torch.Generator().manual_seed(7))
    tokens = random_prefixes(1, 8, 12)
    with torch.no_grad():
        expected = model_logits_without_text(stereo, tokens)

        logits = decoder_of(stereo)(tokens, unheard_text, torch.zeros((1, 4), dtype=torch.bool))

    assert (logits.flatten(0, 1) - expected).abs().max() < 1e-4


def model_logits_without_text(model: MusicgenForConditionalGeneration, tokens: Tensor) -> Tensor:
    """transformers' decoder with no encoder at all: its cross-attention is skipped."""
    logits = model.decoder(input_ids=tokens.flatten(0, 1)).logits
    assert isinstance(logits, Tensor)
    return logits


def test_half_precision_stays_near_float32(mono: MusicgenForConditionalGeneration) -> None:
    text = torch.stack(text_states(mono, *random_prompts((6,))))
    tokens = random_prefixes(1, 4, 30)
    is_token = torch.ones((1, 6), dtype=torch.bool)
    with torch.no_grad():
        exact = decoder_of(mono)(tokens, text, is_token)

        errors = {
            dtype: float((decoder_of(mono, dtype)(tokens, text, is_token).float() - exact).abs().max())
            for dtype in (torch.float16, torch.bfloat16)
        }

    assert 0 < errors[torch.float16] < 0.05
    assert 0 < errors[torch.bfloat16] < 0.4


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_decodes(mono: MusicgenForConditionalGeneration, dtype: torch.dtype) -> None:
    loop = DecodeLoop(decoder_of(mono, dtype))

    first, second = (decode(loop, random_clips(mono, UNEQUAL), 20, Draw(top_k=20)) for _ in range(2))

    assert np.array_equal(first.codes, second.codes)
    assert first.codes.min() >= 0
    assert first.codes.max() < CODEBOOK_SIZE


def test_a_clip_is_the_same_alone_and_in_any_row_of_a_batch_of_thirty(
    mono: MusicgenForConditionalGeneration,
) -> None:
    loop = DecodeLoop(decoder_of(mono))
    lengths = np.random.default_rng(3).integers(2, 12, size=30)
    clips = random_clips(mono, [int(length) for length in lengths])
    order = np.random.default_rng(4).permutation(30)
    draw = Draw(top_k=20)

    together = decode(loop, clips, 30, draw).codes
    shuffled = decode(loop, [clips[number] for number in order], 30, draw).codes
    alone = np.concatenate([decode(loop, [clip], 30, draw).codes for clip in clips])

    assert np.count_nonzero(together != alone) == 0
    assert np.count_nonzero(together[order] != shuffled) == 0
    assert len(np.unique(together, axis=0)) == 30


def test_another_seed_is_another_clip(mono: MusicgenForConditionalGeneration) -> None:
    loop = DecodeLoop(decoder_of(mono))
    (clip,) = random_clips(mono, (5,))

    codes = decode(loop, [clip, replace(clip, seed=7), clip], 30, Draw(top_k=20)).codes

    assert np.array_equal(codes[0], codes[2])
    assert np.mean(codes[0] != codes[1]) > 0.5


def test_a_longer_clip_begins_as_the_shorter_one_does_before_its_delay_tail(
    mono: MusicgenForConditionalGeneration,
) -> None:
    loop = DecodeLoop(decoder_of(mono))
    clips = random_clips(mono, (5, 8))

    short, long = (decode(loop, clips, n_frames, Draw(top_k=20)).codes for n_frames in (20, 50))

    assert np.array_equal(short[:, :, :18], long[:, :, :18])


def test_a_clip_continued_from_its_own_beginning_is_the_same_clip(
    mono: MusicgenForConditionalGeneration,
) -> None:
    loop = DecodeLoop(decoder_of(mono))
    clips = random_clips(mono, (5, 8))
    whole = decode(loop, clips, 40, Draw(top_k=20)).codes

    continued = decode(
        loop,
        [
            replace(clip, prefix=torch.from_numpy(codes[:, :15]).long())
            for clip, codes in zip(clips, whole, strict=True)
        ],
        40,
        Draw(top_k=20),
    ).codes

    assert np.array_equal(continued, whole)


@pytest.mark.parametrize("position", [0, 1, BUCKET - 1, BUCKET, BUCKET + 1, 2 * BUCKET - 1])
def test_every_reader_reads_the_same_on_both_sides_of_a_bucket(
    mono: MusicgenForConditionalGeneration, position: int
) -> None:
    shape = decoder_of(mono).shape
    torch.manual_seed(5)
    filled = torch.randn_like(new_cache(shape, 3, 2 * BUCKET, torch.device("cpu"), torch.float32))
    query = torch.randn(3, shape.n_heads, 1, shape.head_dim)
    keys_values = torch.randn(2, 3, shape.n_heads, 1, shape.head_dim)
    here = torch.tensor([position])
    caches = [filled.clone() for _ in range(3)]
    readers: list[Reader] = [
        FilledReader(caches[0], position),
        BucketReader(caches[1], here, (position // BUCKET + 1) * BUCKET),
        KernelReader(caches[2], here, plain_attention),
    ]

    exact, bucket, kernel = (reader.attend(1, query, keys_values) for reader in readers)

    assert (exact - bucket).abs().max() < 1e-6
    assert (exact - kernel).abs().max() < 1e-6
    assert all(torch.equal(cache, caches[0]) for cache in caches)
    assert torch.equal(caches[0][1, :, :, :, position], keys_values[:, :, :, 0])


@pytest.mark.parametrize("reads", ["buckets", "kernel"])
def test_codes_are_the_same_however_the_cache_is_read(
    mono: MusicgenForConditionalGeneration, monkeypatch: pytest.MonkeyPatch, reads: str
) -> None:
    clips = random_clips(mono, (5, 8))
    decoder = decoder_of(mono)
    exact = decode(DecodeLoop(decoder), clips, 2 * BUCKET + 3, Draw(top_k=20))
    loop = DecodeLoop(decoder)
    if reads == "buckets":
        loop.reads_buckets = True
    else:
        monkeypatch.setattr(loop, "_kernel", plain_attention)

    found = decode(loop, clips, 2 * BUCKET + 3, Draw(top_k=20))

    assert np.array_equal(found.codes, exact.codes)


@pytest.mark.parametrize("greedy", [False, True])
def test_a_step_asks_nothing_of_the_device(mono: MusicgenForConditionalGeneration, greedy: bool) -> None:
    # Fake tensors have no data: reading one on the host, or a shape that depends on data, raises.
    draw = Draw(greedy=greedy, top_k=20, affect_guidance_scale=2.0)
    sizes = BatchSizes(n_clips=2, rows_per_clip=3, capacity=2 * BUCKET, n_text=16, is_steered=True)
    shape = decoder_of(mono).shape
    with FakeTensorMode(), torch.inference_mode():
        decoder = Decoder(shape)
        loop = DecodeLoop(decoder)
        loop.reads_buckets = True
        batch = Batch(decoder, sizes)

        for length in (BUCKET, 2 * BUCKET):
            loop._step(batch, draw, length)

    assert batch.position.shape == (1,)


def test_near_ties_are_counted_where_tokens_are_drawn(mono: MusicgenForConditionalGeneration) -> None:
    # Without weights every token is as likely as every other.
    loop = DecodeLoop(Decoder(decoder_of(mono).shape))
    first, second = random_clips(mono, (5, 3))
    prefixes = random_prefixes(2, 4, 6)
    clips = [replace(first, prefix=prefixes[0]), replace(second, prefix=prefixes[1])]

    whole = decode(loop, [first], 20, GREEDY)
    continued = decode(loop, clips, 20, GREEDY)

    assert whole.near_ties.tolist() == [20 * 4]
    assert continued.near_ties.tolist() == [14 * 4, 14 * 4]


def test_every_step_is_reported(mono: MusicgenForConditionalGeneration) -> None:
    shares: list[float] = []

    DecodeLoop(decoder_of(mono)).decode(random_clips(mono, (5,)), 20, GREEDY, shares.append)

    assert len(shares) == 23
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_affect_tokens_are_heard_after_the_words(mono: MusicgenForConditionalGeneration) -> None:
    loop = DecodeLoop(decoder_of(mono))
    clip, other = random_clips(mono, (5, 3))

    codes = decode(
        loop,
        [
            replace(clip, affect_tokens=other.text),
            replace(clip, text=torch.cat((clip.text, other.text))),
            clip,
        ],
        20,
        GREEDY,
    ).codes

    assert np.array_equal(codes[0], codes[1])
    assert not np.array_equal(codes[0], codes[2])


def test_equal_scales_for_words_and_affect_are_one_scale_for_both(
    mono: MusicgenForConditionalGeneration,
) -> None:
    loop = DecodeLoop(decoder_of(mono))
    clip, other = random_clips(mono, (5, 3))
    clips = [replace(clip, affect_tokens=other.text), clip]

    together = decode(loop, clips, 30, GREEDY).codes
    apart = decode(loop, clips, 30, replace(GREEDY, affect_guidance_scale=GREEDY.guidance_scale)).codes
    words_only = decode(loop, clips, 30, replace(GREEDY, affect_guidance_scale=0.0)).codes

    assert np.array_equal(apart, together)
    assert np.array_equal(words_only[0], words_only[1])
    assert np.array_equal(words_only[1], together[1])


def test_steering_moves_its_own_clip_only(mono: MusicgenForConditionalGeneration) -> None:
    loop = DecodeLoop(decoder_of(mono))
    first, second = random_clips(mono, (5, 3))
    vectors = torch.randn((3, 48), generator=torch.Generator().manual_seed(6))
    plain = decode(loop, [first, second], 30, GREEDY).codes

    codes = decode(loop, [replace(first, steering=vectors), second], 30, GREEDY).codes

    assert not np.array_equal(codes[0], plain[0])
    assert np.array_equal(codes[1], plain[1])


def test_steering_is_added_after_each_layer_where_everything_is_heard(
    mono: MusicgenForConditionalGeneration,
) -> None:
    decoder = decoder_of(mono)
    (clip,) = random_clips(mono, (5,))
    vectors = torch.randn((3, 48), generator=torch.Generator().manual_seed(6))
    draw = replace(GREEDY, guidance_scale=1.0)
    numbers, mask = random_prompts((5,))
    handles = [
        layer.register_forward_hook(lambda _module, _inputs, output, vector=vector: output + vector)
        for layer, vector in zip(mono.decoder.model.decoder.layers, vectors, strict=True)
    ]

    codes = decode(DecodeLoop(decoder), [replace(clip, steering=vectors)], 24, draw).codes
    expected = generated_codes(mono, numbers, mask, 24, 1.0)

    for handle in handles:
        handle.remove()
    assert np.array_equal(codes, expected.numpy())


def test_new_weights_go_where_the_old_ones_were(mono: MusicgenForConditionalGeneration) -> None:
    other = random_model(seed=9)
    clips = random_clips(mono, (5, 8))
    decoder = decoder_of(mono)
    loop = DecodeLoop(decoder)
    before = decode(loop, clips, 20, GREEDY).codes
    addresses = {name: tensor.data_ptr() for name, tensor in decoder.state_dict().items()}

    decoder.load(lm_tensors(other))

    after = decode(loop, clips, 20, GREEDY).codes
    assert {name: tensor.data_ptr() for name, tensor in decoder.state_dict().items()} == addresses
    assert not np.array_equal(after, before)
    assert np.array_equal(after, decode(DecodeLoop(decoder_of(other)), clips, 20, GREEDY).codes)


def test_every_weight_is_loaded_once(mono: MusicgenForConditionalGeneration) -> None:
    decoder = decoder_of(mono)

    kept = dict(decoder.named_storage())

    assert kept.keys() == lm_tensors(mono).keys()
    assert sum(tensor.numel() for tensor in kept.values()) == sum(
        parameter.numel() for parameter in decoder.parameters()
    )


NAME = "decoder.model.decoder.layers.1.fc1.weight"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({NAME: None}, f"{NAME}: is missing"),
        ({NAME: torch.zeros(2, 2)}, rf"{NAME}: has shape \[2, 2\], not \[96, 48\]"),
        ({"decoder.extra": torch.zeros(1)}, "decoder.extra: is no tensor"),
    ],
)
def test_weights_that_do_not_fit_are_refused_whole(
    mono: MusicgenForConditionalGeneration, change: dict[str, Tensor | None], message: str
) -> None:
    decoder = decoder_of(mono)
    before = {name: tensor.clone() for name, tensor in decoder.state_dict().items()}
    tensors = {
        name: tensor
        for name, tensor in {**lm_tensors(random_model(seed=9)), **change}.items()
        if tensor is not None
    }

    with pytest.raises(ModelError, match=message):
        decoder.load(tensors)

    assert all(torch.equal(tensor, before[name]) for name, tensor in decoder.state_dict().items())


def test_logits_that_are_not_numbers_are_refused_and_forgotten(
    mono: MusicgenForConditionalGeneration,
) -> None:
    decoder = decoder_of(mono)
    loop = DecodeLoop(decoder)
    # What is masked still spoils a sum if it is not a number.
    loop.reads_buckets = True
    clips = random_clips(mono, (5,))
    expected = decode(loop, clips, 20, Draw()).codes
    broken = lm_tensors(mono)
    broken[NAME] = torch.full_like(broken[NAME], float("nan"))
    decoder.load(broken)

    with pytest.raises(ModelError, match="not finite"):
        decode(loop, clips, 20, Draw())

    decoder.load(lm_tensors(mono))
    assert np.array_equal(decode(loop, clips, 20, Draw()).codes, expected)


def test_clips_that_do_not_fit_are_refused(mono: MusicgenForConditionalGeneration) -> None:
    loop = DecodeLoop(decoder_of(mono))
    (clip,) = random_clips(mono, (5,))
    prefix = random_prefixes(1, 4, 8)[0]

    with pytest.raises(OutOfRange, match="clips: none"):
        decode(loop, [], 20, GREEDY)
    with pytest.raises(OutOfRange, match="n_frames: 600 is outside 1 to 508"):
        decode(loop, [clip], 600, GREEDY)
    with pytest.raises(OutOfRange, match="leave none of 8"):
        decode(loop, [replace(clip, prefix=prefix)], 8, GREEDY)
    with pytest.raises(OutOfRange, match=r"clips\[1\]\.prefix"):
        decode(loop, [replace(clip, prefix=prefix), clip], 20, GREEDY)
    with pytest.raises(OutOfRange, match="64 is outside 0 to 63"):
        decode(loop, [replace(clip, prefix=prefix + 64 - prefix.max())], 20, GREEDY)
    with pytest.raises(OutOfRange, match="below 0"):
        decode(loop, [replace(clip, seed=-1)], 20, GREEDY)
    with pytest.raises(ModelError, match=r"clips\[0\]\.text: has shape \[0, 48\]"):
        decode(loop, [replace(clip, text=clip.text[:0])], 20, GREEDY)
    with pytest.raises(ModelError, match=r"steering: has shape \[2, 48\], not \[3, 48\]"):
        decode(loop, [replace(clip, steering=torch.zeros(2, 48))], 20, GREEDY)


def test_what_a_cpu_cannot_do_is_refused(mono: MusicgenForConditionalGeneration) -> None:
    decoder = decoder_of(mono)

    assert DecodeLoop(decoder).attention == "plain"
    with pytest.raises(DeviceError, match="does not run on cpu"):
        DecodeLoop(decoder, attention="triton")
    with pytest.raises(UnknownName, match="'flash' is unknown"):
        DecodeLoop(decoder, attention="flash")
    with pytest.raises(DeviceError, match="cannot capture"):
        DecodeLoop(decoder, graphs=True)
