"""A random model has everything a real one has, except music."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import MusicgenForConditionalGeneration

from generation.musicgen.shape import DecoderShape
from generation.musicgen.weights.checkpoint import load_checkpoint
from generation.musicgen.weights.layout import expected_shapes, quiet_transformers
from generation.musicgen.writing import weight_writing
from generation.musicgen.writing.random_model import random_config, write_random_model
from study.errors import OutOfRange, StorageError, UnknownName

pytestmark = pytest.mark.torch

PUBLISHED = {
    "small": (1024, 24, 16, 4096, 0.420),
    "medium": (1536, 48, 24, 6144, 1.838),
    "large": (2048, 48, 32, 8192, 3.256),
}


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        write_random_model("tiny", tmp_path / name, seed)

    a, b, c = ({file.name: file.read_bytes() for file in (tmp_path / n).iterdir()} for n in "abc")
    assert a == b
    assert a["model.safetensors"] != c["model.safetensors"]


@pytest.mark.parametrize("stereo", [False, True])
def test_transformers_loads_it_without_a_missing_or_unexpected_tensor(
    stereo: bool, tiny_folder: Path, tiny_stereo_folder: Path
) -> None:
    folder = tiny_stereo_folder if stereo else tiny_folder

    with quiet_transformers():
        loaded: Any = MusicgenForConditionalGeneration.from_pretrained(folder, output_loading_info=True)
    model, report = loaded

    assert not any(report[problem] for problem in ("missing_keys", "unexpected_keys", "mismatched_keys"))
    assert model.config.decoder.num_codebooks == (8 if stereo else 4)


@pytest.mark.parametrize("stereo", [False, True])
def test_its_sound_is_heard_and_not_clipped_and_its_codes_vary(
    stereo: bool, tiny_folder: Path, tiny_stereo_folder: Path
) -> None:
    folder = tiny_stereo_folder if stereo else tiny_folder
    inputs = load_checkpoint(str(folder)).tokenizer()(["calm piano"], return_tensors="pt")
    with quiet_transformers():
        model = MusicgenForConditionalGeneration.from_pretrained(folder)
    frames: list[torch.Tensor] = []
    model.get_submodule("audio_encoder.decoder").register_forward_pre_hook(
        lambda _, given: frames.append(given[0])
    )

    with quiet_transformers(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        sound = model.generate(**inputs, max_new_tokens=53)

    assert sound.shape == (1, 2 if stereo else 1, 50 * 640)
    assert 0.03 < float(sound.std()) < 0.3
    assert float(sound.abs().max()) < 1.5
    assert len(torch.unique(frames[0][0], dim=1).T) > 45


def test_its_tokenizer_ends_a_text_as_t5_does_and_knows_words_of_music(tiny_folder: Path) -> None:
    tokenizer = load_checkpoint(str(tiny_folder)).tokenizer()

    ids = tokenizer("calm gentle piano")["input_ids"]

    assert len(ids) == 4
    assert ids[-1] == tokenizer.eos_token_id == 1
    assert tokenizer.pad_token_id == 0
    assert tokenizer.model_max_length == 512


@pytest.mark.parametrize("size", PUBLISHED)
def test_the_large_sizes_are_the_published_ones(size: str) -> None:
    config = random_config(size, stereo=False)

    shape = DecoderShape.from_config(config, size)
    shapes = expected_shapes(config, size)

    decoder = sum(math.prod(shapes[name]) for name in shapes if name.startswith("decoder."))
    assert (shape.hidden_size, shape.n_layers, shape.n_heads, shape.ffn_dim) == PUBLISHED[size][:4]
    assert decoder / 1e9 == pytest.approx(PUBLISHED[size][4], abs=0.002)
    assert shape.text_dim == 768
    assert shape.frame_rate_hz == 50


def test_a_large_model_is_split_into_shards_that_load_as_one(
    tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weight_writing, "LARGEST_SHARD_BYTES", 2_000_000)

    write_random_model("tiny", tmp_path / "split")

    whole, split = load_checkpoint(str(tiny_folder)), load_checkpoint(str(tmp_path / "split"))
    assert len(split.sha256) == 4
    assert not (tmp_path / "split" / "model.safetensors").exists()
    assert all(torch.equal(split.tensors[name], whole.tensors[name]) for name in whole.tensors)


def test_the_weights_that_scale_states_are_not_all_alike(tiny_folder: Path) -> None:
    tensors = load_checkpoint(str(tiny_folder)).tensors

    assert all(float(tensor.float().std()) > 0.01 for tensor in tensors.values())
    assert np.isclose(float(tensors["decoder.lm_heads.0.weight"].std()) * 8, 1.5, rtol=0.05)


def test_a_folder_that_holds_something_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "notes.txt").write_text("mine")

    with pytest.raises(StorageError, match="the folder is not empty"):
        write_random_model("tiny", tmp_path / "model")

    assert [file.name for file in (tmp_path / "model").iterdir()] == ["notes.txt"]


def test_nothing_is_left_of_a_model_that_could_not_be_written_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(weight_writing, "save_file", full)

    with pytest.raises(OSError, match="No space left"):
        write_random_model("tiny", tmp_path / "model")

    assert list(tmp_path.iterdir()) == []


def test_an_unknown_size_or_a_negative_seed_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="tiny, small, medium, large"):
        write_random_model("huge", tmp_path / "model")
    with pytest.raises(OutOfRange, match="-1 is negative"):
        write_random_model("tiny", tmp_path / "model", seed=-1)

    assert list(tmp_path.iterdir()) == []
