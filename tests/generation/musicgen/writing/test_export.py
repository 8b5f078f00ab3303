"""What is exported comes back tensor by tensor, in transformers' format and in audiocraft's."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from transformers import MusicgenForConditionalGeneration, MusicgenProcessor

from generation.musicgen.weights.checkpoint import Checkpoint, load_checkpoint
from generation.musicgen.weights.layout import quiet_transformers
from generation.musicgen.writing.export import MANIFEST, Origin, write_audiocraft, write_transformers
from study.errors import ModelError, StorageError

pytestmark = pytest.mark.torch

Write = Callable[[Checkpoint, dict[str, Tensor], Path], None]


@pytest.fixture(params=["mono", "stereo"])
def checkpoint(request: pytest.FixtureRequest, tiny_folder: Path, tiny_stereo_folder: Path) -> Checkpoint:
    return load_checkpoint(str(tiny_folder if request.param == "mono" else tiny_stereo_folder))


@pytest.mark.parametrize("write", [write_transformers, write_audiocraft])
def test_every_tensor_comes_back(write: Write, checkpoint: Checkpoint, tmp_path: Path) -> None:
    changed = {name: tensor + 0.25 for name, tensor in checkpoint.tensors.items()}

    write(checkpoint, changed, tmp_path / "out")

    read = load_checkpoint(str(tmp_path / "out"))
    assert read.shape == checkpoint.shape
    assert _same(read.tensors, changed)
    assert _same(read.text_tensors, checkpoint.text_tensors)
    assert _same(read.audio_tensors, checkpoint.audio_tensors)
    assert read.tokenizer()("calm piano") == checkpoint.tokenizer()("calm piano")


@pytest.mark.parametrize("write", [write_transformers, write_audiocraft])
def test_the_codec_that_comes_back_makes_the_same_sound(
    write: Write, checkpoint: Checkpoint, tmp_path: Path
) -> None:
    write(checkpoint, dict(checkpoint.tensors), tmp_path / "out")

    first, second = (_sound(model) for model in (checkpoint, load_checkpoint(str(tmp_path / "out"))))

    assert first.shape == (1, 1, 20 * 640)
    assert torch.equal(first, second)


def test_transformers_loads_its_export_whole_even_after_a_detour_through_audiocraft(
    checkpoint: Checkpoint, tmp_path: Path
) -> None:
    write_audiocraft(checkpoint, checkpoint.tensors, tmp_path / "audiocraft")
    read = load_checkpoint(str(tmp_path / "audiocraft"))
    write_transformers(read, read.tensors, tmp_path / "transformers")

    with quiet_transformers():
        loaded: Any = MusicgenForConditionalGeneration.from_pretrained(
            tmp_path / "transformers", output_loading_info=True
        )
        processor = MusicgenProcessor.from_pretrained(tmp_path / "transformers")
    model, report = loaded

    assert not any(report[problem] for problem in ("missing_keys", "unexpected_keys", "mismatched_keys"))
    assert _same({name: model.state_dict()[name] for name in checkpoint.tensors}, checkpoint.tensors)
    assert model.generation_config.decoder_start_token_id == 2048
    assert processor(text=["calm"], return_tensors="pt")["input_ids"].shape == (1, 2)


def test_audiocrafts_export_holds_what_audiocrafts_loaders_ask_for(
    checkpoint: Checkpoint, tmp_path: Path
) -> None:
    write_audiocraft(checkpoint, checkpoint.tensors, tmp_path / "out")

    package = torch.load(tmp_path / "out" / "state_dict.bin", weights_only=True)
    settings = json.loads(package["xp.cfg"])
    stacked = package["best_state"]["transformer.layers.1.self_attn.in_proj_weight"]
    ours = "decoder.model.decoder.layers.1.self_attn"
    stereo = checkpoint.shape.audio_channels == 2
    assert settings["transformer_lm"]["dim"] == 64
    assert settings["transformer_lm"]["n_q"] == checkpoint.shape.n_codebooks
    assert settings["codebooks_pattern"]["delay"]["delays"] == (
        [0, 0, 1, 1, 2, 2, 3, 3] if stereo else [0, 1, 2, 3]
    )
    assert ("interleave_stereo_codebooks" in settings) is stereo
    assert torch.equal(stacked[:64], checkpoint.tensors[f"{ours}.q_proj.weight"])
    assert torch.equal(stacked[64:128], checkpoint.tensors[f"{ours}.k_proj.weight"])
    assert torch.equal(stacked[128:], checkpoint.tensors[f"{ours}.v_proj.weight"])


@pytest.mark.parametrize("write", [write_transformers, write_audiocraft])
def test_the_export_says_what_it_is_made_of_and_under_which_licences(
    write: Callable[..., None], checkpoint: Checkpoint, tmp_path: Path
) -> None:
    origin = Origin({"my-lora": "ab" * 32}, {"my-lora": "cc-by-4.0"})

    write(checkpoint, checkpoint.tensors, tmp_path / "out", origin)

    facts = json.loads((tmp_path / "out" / MANIFEST).read_text())
    readme = (tmp_path / "out" / "README.md").read_text()
    assert facts["base"] == checkpoint.name
    assert facts["base_sha256"] == dict(checkpoint.sha256)
    assert facts["adapters"] == {"my-lora": "ab" * 32}
    assert facts["licences"] == {checkpoint.name: "cc0-1.0", "my-lora": "cc-by-4.0"}
    assert f"adapter my-lora, SHA-256 {'ab' * 32}" in readme
    assert "license: cc0-1.0" in readme


def test_merged_weights_do_not_go_by_the_bases_name(checkpoint: Checkpoint, tmp_path: Path) -> None:
    write_transformers(checkpoint, checkpoint.tensors, tmp_path / "out", Origin({"my-lora": "ab" * 32}))

    assert load_checkpoint(str(tmp_path / "out")).name == f"{checkpoint.name} + my-lora"


@pytest.mark.parametrize("write", [write_transformers, write_audiocraft])
def test_a_folder_that_holds_something_is_refused(
    write: Write, checkpoint: Checkpoint, tmp_path: Path
) -> None:
    (tmp_path / "notes.txt").write_text("mine")

    with pytest.raises(StorageError, match="the folder is not empty"):
        write(checkpoint, dict(checkpoint.tensors), tmp_path)

    assert [file.name for file in tmp_path.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize("write", [write_transformers, write_audiocraft])
def test_tensors_that_do_not_fit_are_named_and_nothing_is_written(
    write: Write, checkpoint: Checkpoint, tmp_path: Path
) -> None:
    tensors = dict(checkpoint.tensors)
    tensors["decoder.lm_heads.1.weight"] = tensors["decoder.lm_heads.1.weight"][:7]

    with pytest.raises(ModelError, match=r"decoder\.lm_heads\.1\.weight has shape 7×64, not 2048×64"):
        write(checkpoint, tensors, tmp_path / "out")

    assert list(tmp_path.iterdir()) == []


def _sound(checkpoint: Checkpoint) -> Tensor:
    codec: Any = checkpoint.audio_encoder()
    with torch.inference_mode():
        sound: Tensor = codec.decode(torch.arange(4 * 20).reshape(1, 1, 4, 20), [None]).audio_values
    return sound


def _same(first: object, second: object) -> bool:
    assert isinstance(first, dict)
    assert isinstance(second, dict)
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)
