"""A model written to be trained is whole, begins where training should, and speaks to every reader."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import MusicgenForConditionalGeneration, MusicgenProcessor

from generation.clips.clip import ClipRequest
from generation.clips.options import ClipOptions
from generation.engine import Placement
from generation.musicgen.clip_model import load_musicgen
from generation.musicgen.codec.spectral_codec import SpectralCodec
from generation.musicgen.weights.checkpoint import load_checkpoint
from generation.musicgen.weights.layout import quiet_transformers
from generation.musicgen.writing.export import write_audiocraft, write_transformers
from generation.musicgen.writing.new_model import NewModelSizes, untrained_tensor, write_new_model
from study.affect import Affect
from study.errors import ModelError, OutOfRange, StorageError
from tests.generation.musicgen.codec.small_codec import small_codec

pytestmark = pytest.mark.torch

SIZES = NewModelSizes(hidden_size=64, n_layers=2, n_heads=2, text_width=32, text_layers=1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "new"
    write_new_model(path, "isopath/new", small_codec(), SIZES, 5)
    return path


def quiet(share: float) -> None:
    """Report nothing."""


def test_it_is_read_as_any_checkpoint_with_the_codec_it_was_given(folder: Path) -> None:
    checkpoint = load_checkpoint(str(folder))

    assert (checkpoint.name, checkpoint.licence) == ("isopath/new", "cc0-1.0")
    assert (checkpoint.shape.n_layers, checkpoint.shape.hidden_size) == (2, 64)
    assert (checkpoint.shape.n_codebooks, checkpoint.shape.codebook_size) == (4, 64)
    assert checkpoint.shape.frame_rate_hz == 50
    codec, given = checkpoint.audio_encoder(), small_codec()
    assert isinstance(codec, SpectralCodec)
    codes = torch.randint(0, 64, (1, 1, 4, 20), generator=torch.Generator().manual_seed(0))
    assert torch.equal(codec.decode(codes)[0], given.decode(codes)[0])
    assert checkpoint.tokenizer()("calm piano")["input_ids"][-1] == 1


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(folder: Path, tmp_path: Path) -> None:
    for name, seed in (("same", 5), ("other", 6)):
        write_new_model(tmp_path / name, "isopath/new", small_codec(), SIZES, seed)

    weights = [
        (path / "model.safetensors").read_bytes() for path in (folder, tmp_path / "same", tmp_path / "other")
    ]
    assert weights[0] == weights[1]
    assert weights[0] != weights[2]


@pytest.mark.parametrize(
    ("name", "shape", "std"),
    [
        # Standard deviation 1 / sqrt(width), in layer k 1 / sqrt(2 k width); cut at three of them, a
        # normal's is 0.9866 of that: 1 - 2 * 3 * phi(3) / (2 Phi(3) - 1) is the variance's share.
        ("decoder.model.decoder.embed_tokens.0.weight", (1025, 256), 1 / 16),
        ("decoder.lm_heads.1.weight", (1024, 256), 1 / 16),
        ("enc_to_dec_proj.weight", (256, 128), 1 / math.sqrt(128)),
        ("decoder.model.decoder.layers.0.fc1.weight", (1024, 256), 1 / math.sqrt(2 * 256)),
        ("decoder.model.decoder.layers.3.fc2.weight", (256, 1024), 1 / math.sqrt(2 * 4 * 1024)),
    ],
)
def test_weights_begin_as_audiocrafts_do(name: str, shape: tuple[int, ...], std: float) -> None:
    tensor = untrained_tensor(name, shape, 0)

    assert float(tensor.std()) == pytest.approx(0.9866 * std, rel=0.02)
    assert float(tensor.abs().max()) <= 3 * std


def test_biases_begin_at_nothing_and_normalisations_at_one() -> None:
    layer = "decoder.model.decoder.layers.0."

    assert not untrained_tensor("enc_to_dec_proj.bias", (8,), 0).any()
    assert not untrained_tensor(layer + "final_layer_norm.bias", (8,), 0).any()
    assert (untrained_tensor(layer + "final_layer_norm.weight", (8,), 0) == 1).all()


def test_the_engines_model_makes_clips_of_it(folder: Path) -> None:
    clips = load_musicgen(ClipOptions(model=str(folder), guidance_scale=1.0), Placement())
    request = ClipRequest(affect=Affect(0.2, 0.3), prompt="calm piano", seed=3, n_frames=100, prefix=None)

    (clip,) = clips.generate([request], quiet)
    (sound,) = clips.sound([clip.codes])

    assert clip.codes.shape == (4, 100)
    assert sound.shape == (2 * 32_000, 2)
    assert np.isfinite(sound).all()
    assert sound.std() > 1e-3


def test_transformers_own_generate_sounds_with_it_and_goes_on_from_sound(folder: Path) -> None:
    with quiet_transformers():
        model = MusicgenForConditionalGeneration.from_pretrained(folder)
        processor = MusicgenProcessor.from_pretrained(folder)
    words = processor(text=["calm piano"], return_tensors="pt")
    prompt = torch.sin(torch.arange(10 * 640) / 20)[None, None] / 3

    sound = model.generate(**words, max_new_tokens=23, do_sample=False, guidance_scale=1.0)
    longer = model.generate(
        **words, input_values=prompt, max_new_tokens=23, do_sample=False, guidance_scale=1.0
    )

    # 23 steps less the 3 of the delay pattern; after a prompt of 10 frames as many more.
    assert sound.shape == (1, 1, 20 * 640)
    assert sound.std() > 1e-3
    assert longer.shape[-1] >= 30 * 640


def test_it_is_exported_for_transformers_and_refused_for_audiocraft(folder: Path, tmp_path: Path) -> None:
    checkpoint = load_checkpoint(str(folder))

    write_transformers(checkpoint, checkpoint.tensors, tmp_path / "out")

    assert load_checkpoint(str(tmp_path / "out")).audio_tensors.keys() == checkpoint.audio_tensors.keys()
    with pytest.raises(ModelError, match="audiocraft knows no codec of type isopath_spectral"):
        write_audiocraft(checkpoint, checkpoint.tensors, tmp_path / "audiocraft")
    assert not (tmp_path / "audiocraft").exists()


def test_what_cannot_be_written_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(OutOfRange, match="-1 is negative"):
        write_new_model(tmp_path / "new", "x", small_codec(), SIZES, -1)
    with pytest.raises(ModelError, match="sizes do not go together"):
        write_new_model(tmp_path / "new", "x", small_codec(), NewModelSizes(hidden_size=65), 0)
    with pytest.raises(StorageError, match="the folder is not empty"):
        write_new_model(folder, "x", small_codec(), SIZES, 0)
    assert not (tmp_path / "new").exists()
