"""Weights are read whole, under old and new names, or refused with the tensor's name."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import MusicgenForConditionalGeneration

from generation.musicgen.store.digests import sha256_of
from generation.musicgen.weights.checkpoint import load_checkpoint
from generation.musicgen.weights.layout import quiet_transformers
from generation.musicgen.writing.export import write_audiocraft
from study.errors import ModelError, UnknownName

pytestmark = pytest.mark.torch

Change = Callable[[dict[str, Tensor]], object]
HEAD = "decoder.lm_heads.0.weight"
POSITIONS = "decoder.model.decoder.embed_positions.weights"
TIED = "text_encoder.encoder.embed_tokens.weight"


@pytest.fixture
def folder(tiny_folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_folder, tmp_path / "model"))


@pytest.fixture
def audiocraft_folder(tiny_folder: Path, tmp_path: Path) -> Path:
    checkpoint = load_checkpoint(str(tiny_folder))
    write_audiocraft(checkpoint, checkpoint.tensors, tmp_path / "audiocraft")
    return tmp_path / "audiocraft"


def test_its_tensors_are_those_transformers_loads(tiny_folder: Path) -> None:
    checkpoint = load_checkpoint(str(tiny_folder))

    with quiet_transformers():
        state = MusicgenForConditionalGeneration.from_pretrained(tiny_folder).state_dict()
    ours = {name for name in state if name.startswith(("decoder.", "enc_to_dec_proj."))}
    assert checkpoint.tensors.keys() == ours
    assert all(torch.equal(tensor, state[name]) for name, tensor in checkpoint.tensors.items())


def test_its_text_encoder_and_codec_are_those_transformers_loads(tiny_folder: Path) -> None:
    checkpoint = load_checkpoint(str(tiny_folder))
    text, codec = checkpoint.text_encoder(), checkpoint.audio_encoder()

    with quiet_transformers():
        whole = MusicgenForConditionalGeneration.from_pretrained(tiny_folder)
    _assert_same_state(text, whole.get_submodule("text_encoder"))
    _assert_same_state(codec, whole.get_submodule("audio_encoder"))
    assert not text.training
    assert not codec.training


def test_building_the_parts_leaves_torchs_random_numbers_alone(tiny_folder: Path) -> None:
    checkpoint = load_checkpoint(str(tiny_folder))
    before = torch.random.get_rng_state()

    checkpoint.text_encoder()
    checkpoint.audio_encoder()

    assert torch.equal(torch.random.get_rng_state(), before)


def test_it_tells_name_shape_digest_and_licence(tiny_stereo_folder: Path) -> None:
    checkpoint = load_checkpoint(str(tiny_stereo_folder))

    assert checkpoint.name == "isopath/random-stereo-tiny"
    assert (checkpoint.shape.n_codebooks, checkpoint.shape.audio_channels) == (8, 2)
    assert checkpoint.sha256 == {"model.safetensors": sha256_of(tiny_stereo_folder / "model.safetensors")}
    assert (checkpoint.licence, checkpoint.revision) == ("cc0-1.0", None)


def test_without_a_stated_licence_it_says_so(folder: Path) -> None:
    (folder / "README.md").write_text("# A model\n\nlicense: none of this is front matter\n")

    assert load_checkpoint(str(folder)).licence == "not stated"


def test_float16_weights_are_kept_as_stored_and_the_parts_are_float32(folder: Path) -> None:
    _change(folder, lambda tensors: tensors.update({n: t.half() for n, t in tensors.items()}))

    checkpoint = load_checkpoint(str(folder))

    assert checkpoint.tensors[HEAD].dtype == torch.float16
    assert {parameter.dtype for parameter in checkpoint.text_encoder().parameters()} == {torch.float32}


def test_checkpoints_of_2023_load_under_their_old_names(folder: Path, tiny_folder: Path) -> None:
    def grow_old(tensors: dict[str, Tensor]) -> None:
        for name in [name for name in tensors if ".parametrizations.weight." in name]:
            old = name.replace(".parametrizations.weight.original0", ".weight_g")
            tensors[old.replace(".parametrizations.weight.original1", ".weight_v")] = tensors.pop(name)
        tensors[TIED] = tensors["text_encoder.shared.weight"].clone()
        tensors[POSITIONS] = _sinusoids(2048, 64)

    _change(folder, grow_old)

    old, new = load_checkpoint(str(folder)), load_checkpoint(str(tiny_folder))

    assert _same(old.tensors, new.tensors)
    assert _same(old.audio_tensors, new.audio_tensors)
    assert _same(old.text_tensors, new.text_tensors)


def test_a_text_embedding_saved_under_its_tied_name_alone_is_taken(folder: Path, tiny_folder: Path) -> None:
    _change(folder, lambda tensors: tensors.update({TIED: tensors.pop("text_encoder.shared.weight")}))

    assert _same(load_checkpoint(str(folder)).text_tensors, load_checkpoint(str(tiny_folder)).text_tensors)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda t: t.pop(HEAD), f"{HEAD} is missing"),
        (
            lambda t: t.update({"decoder.lm_heads.9.weight": t[HEAD].clone()}),
            "heads.9.weight does not belong",
        ),
        (lambda t: t.update({HEAD: t[HEAD][:5].clone()}), f"{HEAD} has shape 5×64, not 2048×64"),
        (lambda t: t.update({HEAD: t[HEAD].int()}), f"{HEAD} is of type torch.int32, not floating point"),
        (
            lambda t: t[HEAD].view(-1)[:3].fill_(torch.nan),
            f"{HEAD} holds 3 value(s) that are NaN or infinite",
        ),
        (lambda t: t["enc_to_dec_proj.bias"][0].fill_(torch.inf), "enc_to_dec_proj.bias holds 1 value(s)"),
        (lambda t: t.update({POSITIONS: torch.ones(2048, 64)}), "not the sinusoids of a MusicGen decoder"),
        (
            lambda t: t.update({TIED: t["text_encoder.shared.weight"] + 1}),
            "it differs from text_encoder.shared",
        ),
    ],
)
def test_a_tensor_that_is_not_right_is_named(folder: Path, change: Change, said: str) -> None:
    _change(folder, change)

    with pytest.raises(ModelError) as refused:
        load_checkpoint(str(folder))

    assert said in str(refused.value)
    assert str(folder / "model.safetensors") in str(refused.value)


def test_of_many_wrong_tensors_ten_are_named_and_all_counted(folder: Path) -> None:
    _change(folder, lambda tensors: [tensors.pop(name) for name in sorted(tensors)[:13]])

    with pytest.raises(ModelError, match=r"and 3 more \(of 13\)") as refused:
        load_checkpoint(str(folder))

    assert str(refused.value).count("is missing") == 10


def test_a_damaged_file_is_refused(folder: Path) -> None:
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1000])

    with pytest.raises(ModelError, match=r"model\.safetensors: it cannot be read"):
        load_checkpoint(str(folder))


def test_a_shard_that_is_not_there_is_named(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    index = {"weight_map": {HEAD: "model-00001-of-00002.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))

    with pytest.raises(ModelError, match=r"missing shards: model-00001-of-00002\.safetensors"):
        load_checkpoint(str(folder))


def test_an_index_that_points_out_of_the_folder_is_refused(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder.parent / "elsewhere.safetensors")
    index = {"weight_map": {HEAD: "../elsewhere.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))

    with pytest.raises(ModelError, match="it lists no shards of this folder"):
        load_checkpoint(str(folder))


def test_weights_that_can_carry_code_are_refused_with_the_remedy(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")

    with pytest.raises(
        ModelError, match=r"can carry code, and are not loaded; put .*model\.safetensors beside"
    ):
        load_checkpoint(str(folder))


def test_another_kind_of_model_is_refused(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "model_type": "bert"}))

    with pytest.raises(ModelError, match=r"config\.json: model_type is 'bert', not 'musicgen'"):
        load_checkpoint(str(folder))


def test_a_name_that_is_nothing_known_is_refused_with_the_names_there_are(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="facebook/musicgen-small"):
        load_checkpoint(str(tmp_path / "nowhere"))


def test_audiocrafts_checkpoint_gives_the_same_tensors(audiocraft_folder: Path, tiny_folder: Path) -> None:
    read, whole = load_checkpoint(str(audiocraft_folder)), load_checkpoint(str(tiny_folder))

    assert _same(read.tensors, whole.tensors)
    assert read.shape == whole.shape
    assert sorted(read.sha256) == [
        "compression_state_dict.bin",
        "state_dict.bin",
        "t5-base/model.safetensors",
    ]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda s: s.pop("linears.2.weight"), "linears.2.weight is missing"),
        (
            lambda s: s.update({"condition_provider.conditioners.self_wav.output_proj.bias": torch.ones(3)}),
            "condition_provider.conditioners.self_wav.output_proj.bias does not belong here",
        ),
        (
            lambda s: s.update({"transformer.layers.0.self_attn.in_proj_weight": torch.ones(64, 64)}),
            "transformer.layers.0.self_attn.in_proj_weight has shape 64×64, not 192×64",
        ),
        (lambda s: s["out_norm.bias"].fill_(torch.nan), "out_norm.bias holds 64 value(s) that are NaN"),
    ],
)
def test_refusals_of_audiocrafts_checkpoint_use_its_own_names(
    audiocraft_folder: Path, change: Change, said: str
) -> None:
    _repack(audiocraft_folder / "state_dict.bin", lambda package: change(package["best_state"]))

    with pytest.raises(ModelError) as refused:
        load_checkpoint(str(audiocraft_folder))

    assert said in str(refused.value)


def test_refusals_of_its_codec_use_its_own_names_too(audiocraft_folder: Path) -> None:
    _repack(
        audiocraft_folder / "compression_state_dict.bin",
        lambda package: package["best_state"].pop("decoder.model.3.convtr.convtr.weight_g"),
    )

    with pytest.raises(ModelError, match=r"decoder\.model\.3\.convtr\.convtr\.weight_g is missing"):
        load_checkpoint(str(audiocraft_folder))


def test_settings_may_refer_to_other_settings_as_omegaconf_writes_them(
    audiocraft_folder: Path, tiny_folder: Path
) -> None:
    def refer(package: dict[str, Any]) -> None:
        settings = json.loads(package["xp.cfg"])
        settings["seanet"]["channels"] = "${channels}"
        settings["seanet"]["causal"] = "${encodec.causal}"
        package["xp.cfg"] = json.dumps(settings)

    _repack(audiocraft_folder / "compression_state_dict.bin", refer)

    read, whole = load_checkpoint(str(audiocraft_folder)), load_checkpoint(str(tiny_folder))
    assert _same(read.audio_tensors, whole.audio_tensors)


def test_a_model_whose_codebooks_wait_otherwise_is_refused(audiocraft_folder: Path) -> None:
    def flatten(package: dict[str, Any]) -> None:
        settings = json.loads(package["xp.cfg"])
        settings["codebooks_pattern"]["delay"]["delays"] = [0, 0, 0, 0]
        package["xp.cfg"] = json.dumps(settings)

    _repack(audiocraft_folder / "state_dict.bin", flatten)

    with pytest.raises(ModelError, match=r"delays is \[0, 0, 0, 0\], not \[0, 1, 2, 3\]"):
        load_checkpoint(str(audiocraft_folder))


def test_the_first_checkpoints_named_their_pattern_elsewhere(audiocraft_folder: Path) -> None:
    def grow_old(package: dict[str, Any]) -> None:
        settings = json.loads(package["xp.cfg"])
        settings["codebooks_pattern"] = {"modeling": None}
        settings["transformer_lm"]["q_modeling"] = "delay"
        package["xp.cfg"] = json.dumps(settings)

    _repack(audiocraft_folder / "state_dict.bin", grow_old)

    assert load_checkpoint(str(audiocraft_folder)).shape.n_codebooks == 4


def test_a_codec_that_is_only_named_comes_from_beside_the_checkpoint(
    audiocraft_folder: Path, tiny_folder: Path
) -> None:
    whole = load_checkpoint(str(tiny_folder))
    torch.save({"pretrained": "facebook/encodec_32khz"}, audiocraft_folder / "compression_state_dict.bin")
    codec = audiocraft_folder / "facebook" / "encodec_32khz"
    codec.mkdir(parents=True)
    save_file(dict(whole.audio_tensors), codec / "model.safetensors")
    (codec / "config.json").write_text(json.dumps(whole.config["audio_encoder"]))

    read = load_checkpoint(str(audiocraft_folder))

    assert _same(read.audio_tensors, whole.audio_tensors)
    assert "facebook/encodec_32khz/model.safetensors" in read.sha256


@pytest.mark.parametrize("part", ["t5-base", "facebook/encodec_32khz"])
def test_a_part_that_is_not_on_this_machine_is_named_with_where_to_put_it(
    part: str, audiocraft_folder: Path, tmp_path: Path
) -> None:
    if part == "t5-base":
        shutil.rmtree(audiocraft_folder / part)
    else:
        torch.save({"pretrained": part}, audiocraft_folder / "compression_state_dict.bin")

    with pytest.raises(ModelError) as refused:
        load_checkpoint(str(audiocraft_folder), models_dir=tmp_path / "store")

    assert f"hold no {part}" in str(refused.value)
    assert f"into {tmp_path / 'store' / part}" in str(refused.value)
    assert str(audiocraft_folder / part) in str(refused.value)


def test_a_checkpoint_that_carries_code_is_not_run(audiocraft_folder: Path, tmp_path: Path) -> None:
    class Code:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (tmp_path / "ran",)

    torch.save({"best_state": Code()}, audiocraft_folder / "state_dict.bin")

    with pytest.raises(ModelError, match=r"state_dict\.bin: it cannot be read as plain weights"):
        load_checkpoint(str(audiocraft_folder))

    assert not (tmp_path / "ran").exists()


def _change(folder: Path, change: Change) -> None:
    file = folder / "model.safetensors"
    tensors = {name: tensor.clone() for name, tensor in load_file(file).items()}
    change(tensors)
    save_file(tensors, file)


def _repack(file: Path, change: Callable[[dict[str, Any]], object]) -> None:
    package = torch.load(file, weights_only=True)
    change(package)
    torch.save(package, file)


def _sinusoids(n_positions: int, width: int) -> Tensor:
    """As transformers saved them in 2023: computed in float32."""
    from transformers.models.musicgen.modeling_musicgen import MusicgenSinusoidalPositionalEmbedding

    weights: Tensor = MusicgenSinusoidalPositionalEmbedding(n_positions, width).weights
    return weights.clone()


def _assert_same_state(ours: torch.nn.Module, theirs: torch.nn.Module) -> None:
    assert _same(ours.state_dict(), theirs.state_dict())


def _same(first: Any, second: Any) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)
