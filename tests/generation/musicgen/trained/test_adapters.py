"""Adapters merged: what peft's own unmerged model plays, and every refusal by name."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import shutil
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from peft import LoraConfig, LoraModel, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import MusicgenForConditionalGeneration

from generation.clips.option_values import AdapterOption
from generation.musicgen.decoding.decode import ClipInput, DecodeLoop, Draw
from generation.musicgen.decoding.decoder import Decoder
from generation.musicgen.trained.adapters import Merged, merged
from generation.musicgen.weights.checkpoint import Checkpoint, load_checkpoint
from study.errors import ModelError
from tests.generation.musicgen.decoding.random_models import (
    generated_codes,
    random_model,
    random_prompts,
    text_states,
)

pytestmark = pytest.mark.torch

N_FRAMES = 24
N_WORDS = 5
BASE = "somewhere/tiny-base"
#: The known recipe's targets, in suffixes as peft matches them.
TARGETS = [
    *("q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2", "enc_to_dec_proj"),
    *(f"lm_heads.{codebook}" for codebook in range(4)),
    *(f"embed_tokens.{codebook}" for codebook in range(4)),
]
#: Further settings of an adapter, each of which peft merges in its own way.
VARIANTS: dict[str, dict[str, Any]] = {
    "lora": {},
    "rank-pattern": {"rank_pattern": {"fc1": 2, "lm_heads.1": 7}, "alpha_pattern": {"fc2": 3}},
    "rslora": {"use_rslora": True, "r": 6},
    "dora": {"use_dora": True, "target_modules": ["q_proj", "fc1", "enc_to_dec_proj"]},
    "pissa": {"init_lora_weights": "pissa", "target_modules": ["q_proj", "fc1", "enc_to_dec_proj"]},
    "olora": {"init_lora_weights": "olora", "target_modules": ["q_proj", "fc1", "lm_heads.0"]},
    "saved-module": {"target_modules": ["v_proj"], "modules_to_save": ["enc_to_dec_proj"]},
}


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    folder = tmp_path_factory.mktemp("models") / "tiny-base"
    random_model().save_pretrained(folder)
    return load_checkpoint(str(folder))


@contextmanager
def quiet_peft() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def train(folder: Path, seed: int = 1, **settings: Any) -> Path:
    """An adapter as a training leaves it: every weight of its own random, none zero."""
    config = LoraConfig(**{"r": 4, "lora_alpha": 8, "target_modules": TARGETS, **settings})
    with quiet_peft():
        adapted = get_peft_model(random_model(), config)
        generator = torch.Generator().manual_seed(seed)
        for name, weight in adapted.named_parameters():
            if weight.requires_grad and "magnitude" not in name:
                weight.data.normal_(0.0, 0.15, generator=generator)
        adapted.peft_config["default"].base_model_name_or_path = BASE
        adapted.save_pretrained(str(folder))
    return folder


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One adapter of each variant."""
    folder = tmp_path_factory.mktemp("adapters")
    return {
        name: train(folder / name, seed, **settings) for seed, (name, settings) in enumerate(VARIANTS.items())
    }


@pytest.fixture
def spoilt(trained: dict[str, Path], tmp_path: Path) -> Path:
    """A copy to be spoilt."""
    return Path(shutil.copytree(trained["lora"], tmp_path / "spoilt"))


def with_fields(folder: Path, **fields: object) -> None:
    file = folder / "adapter_config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **fields}))


def with_tensors(folder: Path, tensors: dict[str, Tensor | None]) -> None:
    file = folder / "adapter_model.safetensors"
    changed = {**load_file(file), **tensors}
    save_file({name: tensor for name, tensor in changed.items() if tensor is not None}, file)


def options(*folders: Path, weight: float = 1.0) -> list[AdapterOption]:
    return [AdapterOption(str(folder), weight) for folder in folders]


def codes_of_peft(*adapters: Path) -> NDArray[np.int64]:
    """Greedy codes of peft's model with the adapters beside the weights, by transformers' own loop."""
    with quiet_peft():
        adapted = PeftModel.from_pretrained(random_model(), str(adapters[0]), adapter_name="0")
        for number, folder in enumerate(adapters[1:], start=1):
            adapted.load_adapter(str(folder), adapter_name=str(number))
        cast(LoraModel, adapted.base_model).set_adapter([str(number) for number in range(len(adapters))])
        adapted.train(False)
        numbers, mask = random_prompts([N_WORDS])
        model = cast(MusicgenForConditionalGeneration, adapted)
        return generated_codes(model, numbers, mask, N_FRAMES, 3.0)[0].numpy()


@functools.cache
def text() -> Tensor:
    return text_states(random_model(), *random_prompts([N_WORDS]))[0]


def play(loop: DecodeLoop) -> NDArray[np.int16]:
    """Greedy codes of the same words."""
    clip = ClipInput(seed=1, text=text())
    codes: NDArray[np.int16] = loop.decode([clip], N_FRAMES, Draw(greedy=True), unheard).codes[0]
    return codes


def unheard(share: float) -> None:
    """Progress that nobody watches."""


def codes_of(checkpoint: Checkpoint, weights: Merged) -> NDArray[np.int16]:
    decoder = Decoder(checkpoint.shape)
    decoder.load(weights.tensors)
    return play(DecodeLoop(decoder))


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_merged_adapter_plays_what_pefts_unmerged_model_plays(
    checkpoint: Checkpoint, trained: dict[str, Path], variant: str
) -> None:
    folder = trained[variant]

    codes = codes_of(checkpoint, merged(checkpoint, options(folder)))

    np.testing.assert_array_equal(codes, codes_of_peft(folder))


def test_two_merged_adapters_play_what_pefts_two_play(
    checkpoint: Checkpoint, trained: dict[str, Path]
) -> None:
    folders = trained["lora"], trained["rank-pattern"]

    codes = codes_of(checkpoint, merged(checkpoint, options(*folders)))

    np.testing.assert_array_equal(codes, codes_of_peft(*folders))


@pytest.mark.parametrize("variant", VARIANTS)
def test_one_adapter_of_weight_one_is_pefts_own_merge_bit_for_bit(
    checkpoint: Checkpoint, trained: dict[str, Path], variant: str
) -> None:
    with quiet_peft():
        adapted = PeftModel.from_pretrained(random_model(), str(trained[variant]))
        expected = cast(LoraModel, adapted.base_model).merge_and_unload(safe_merge=True).state_dict()

    tensors = merged(checkpoint, options(trained[variant])).tensors

    assert list(tensors) == list(checkpoint.tensors)
    assert all(torch.equal(tensor, expected[name]) for name, tensor in tensors.items())


def test_a_weight_multiplies_what_the_adapter_changes(
    checkpoint: Checkpoint, trained: dict[str, Path]
) -> None:
    base = merged(checkpoint, []).tensors
    whole = merged(checkpoint, options(trained["dora"])).tensors

    third = merged(checkpoint, options(trained["dora"], weight=-1 / 3)).tensors

    for name, tensor in third.items():
        torch.testing.assert_close(tensor, base[name] - (whole[name] - base[name]) / 3, rtol=0, atol=1e-6)


def test_the_order_of_adapters_changes_the_sum_by_rounding_only(
    checkpoint: Checkpoint, trained: dict[str, Path]
) -> None:
    folders = [trained[name] for name in ("lora", "rslora", "dora")]

    forth = merged(checkpoint, options(*folders)).tensors
    back = merged(checkpoint, options(*folders[::-1])).tensors

    for name, tensor in forth.items():
        torch.testing.assert_close(tensor, back[name], rtol=0.0, atol=1e-6)


def test_without_adapters_the_tensors_are_the_checkpoints_own(checkpoint: Checkpoint) -> None:
    weights = merged(checkpoint, [])

    assert all(weights.tensors[name] is tensor for name, tensor in checkpoint.tensors.items())
    assert (weights.sha256, weights.licences) == ({}, {})


def test_a_half_precision_checkpoint_is_merged_in_float32(
    checkpoint: Checkpoint, trained: dict[str, Path]
) -> None:
    halved = {name: tensor.half() for name, tensor in checkpoint.tensors.items()}
    half = dataclasses.replace(checkpoint, tensors=halved)
    full = dataclasses.replace(checkpoint, tensors={name: tensor.float() for name, tensor in halved.items()})

    tensors = merged(half, options(trained["lora"])).tensors

    expected = merged(full, options(trained["lora"])).tensors
    assert all(torch.equal(tensor, expected[name]) for name, tensor in tensors.items())


@pytest.mark.parametrize("variant", ["lora", "olora", "saved-module"])
def test_merging_leaves_the_checkpoint_and_the_streams_of_chance_alone(
    checkpoint: Checkpoint, trained: dict[str, Path], variant: str
) -> None:
    before = {name: tensor.clone() for name, tensor in checkpoint.tensors.items()}
    state = torch.get_rng_state()

    merged(checkpoint, options(trained[variant]))

    assert all(torch.equal(tensor, before[name]) for name, tensor in checkpoint.tensors.items())
    assert torch.equal(torch.get_rng_state(), state)


def test_adapters_are_swapped_in_place_and_the_base_comes_back(
    checkpoint: Checkpoint, trained: dict[str, Path]
) -> None:
    base, adapted = merged(checkpoint, []), merged(checkpoint, options(trained["lora"]))
    decoder = Decoder(checkpoint.shape)
    decoder.load(base.tensors)
    loop = DecodeLoop(decoder)
    stored = [tensor.data_ptr() for tensor in decoder.state_dict().values()]

    first = play(loop)
    decoder.load(adapted.tensors)
    second = play(loop)
    decoder.load(base.tensors)
    third = play(loop)

    assert [tensor.data_ptr() for tensor in decoder.state_dict().values()] == stored
    np.testing.assert_array_equal(second, codes_of_peft(trained["lora"]))
    np.testing.assert_array_equal(third, first)
    assert (second != first).any()


def test_digest_and_licence_are_told_under_the_adapters_name(checkpoint: Checkpoint, spoilt: Path) -> None:
    (spoilt / "README.md").write_text("---\nlibrary_name: peft\nlicense: cc-by-4.0\n---\n# calm\n")

    weights = merged(checkpoint, options(spoilt))

    content = b"".join(
        (spoilt / name).read_bytes() for name in ("adapter_config.json", "adapter_model.safetensors")
    )
    assert weights.sha256 == {"spoilt": hashlib.sha256(content).hexdigest()}
    assert weights.licences == {"spoilt": "cc-by-4.0"}


def test_an_adapter_whose_readme_is_silent_has_no_licence_stated(
    checkpoint: Checkpoint, trained: dict[str, Path]
) -> None:
    assert merged(checkpoint, options(trained["lora"])).licences == {"lora": "not stated"}


def refusal(checkpoint: Checkpoint, *folders: Path) -> str:
    with pytest.raises(ModelError) as refused:
        merged(checkpoint, options(*folders))
    return str(refused.value)


@pytest.mark.parametrize("file", ["adapter_config.json", "adapter_model.safetensors"])
def test_a_folder_without_one_of_its_files_is_refused(
    checkpoint: Checkpoint, spoilt: Path, file: str
) -> None:
    (spoilt / file).unlink()

    assert refusal(checkpoint, spoilt) == (
        f"engine.options.adapters::{spoilt}: there is no {file} in it;"
        " name a folder that peft's save_pretrained wrote"
    )


def test_another_base_model_is_refused_with_both_names(checkpoint: Checkpoint, spoilt: Path) -> None:
    with_fields(spoilt, base_model_name_or_path="facebook/musicgen-large")

    assert refusal(checkpoint, spoilt) == (
        f"{spoilt}/adapter_config.json: adapter spoilt was made for facebook/musicgen-large,"
        " the model is tiny-base; name that model in the protocol (a folder is known by its name),"
        " or train for this one"
    )


def test_an_adapter_that_names_no_base_model_is_refused(checkpoint: Checkpoint, spoilt: Path) -> None:
    with_fields(spoilt, base_model_name_or_path=None)

    assert "adapter spoilt was made for a model it does not name" in refusal(checkpoint, spoilt)


def test_another_rank_than_the_configurations_is_refused_with_both(
    checkpoint: Checkpoint, spoilt: Path
) -> None:
    with_fields(spoilt, r=16)

    told = refusal(checkpoint, spoilt)

    assert "adapter spoilt does not have the rank its adapter_config.json says" in told
    assert "base_model.model.decoder.lm_heads.0.lora_A.weight has rank 4, not 16" in told
    assert "and 71 more" in told


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"peft_type": "ADALORA"}, "its peft_type is 'ADALORA', not 'LORA'"),
        ({"bias": "all"}, "adapter spoilt also trains biases (bias = 'all')"),
        ({"init_lora_weights": "pissa_niter_4"}, "began from weights that cannot be made again"),
        ({"newer_trick": {"depth": 2}}, "it asks for newer_trick, which peft "),
        ({"layers_pattern": "layers"}, "peft cannot read it"),
        ({"target_modules": ["no_such_layer"]}, "peft cannot merge adapter spoilt"),
    ],
)
def test_a_configuration_that_cannot_be_followed_is_refused(
    checkpoint: Checkpoint, spoilt: Path, fields: dict[str, object], problem: str
) -> None:
    with_fields(spoilt, **fields)

    assert problem in refusal(checkpoint, spoilt)


Q_PROJ = "base_model.model.decoder.model.decoder.layers.0.self_attn.q_proj.lora_A.weight"
T5_WI = "base_model.model.text_encoder.encoder.block.0.layer.1.DenseReluDense.wi.lora_A.weight"


@pytest.mark.parametrize(
    ("tensors", "problem"),
    [
        ({T5_WI: torch.zeros(4, 48)}, f"the model has no place for {T5_WI}"),
        ({Q_PROJ: None}, f"{Q_PROJ} is missing"),
        ({Q_PROJ: torch.zeros(4, 1024)}, f"{Q_PROJ} has shape (4, 1024), the model needs (4, 48)"),
        ({Q_PROJ: torch.full((4, 48), torch.nan)}, f"{Q_PROJ} holds 192 value(s) that are NaN"),
    ],
)
def test_a_tensor_that_does_not_fit_is_named(
    checkpoint: Checkpoint, spoilt: Path, tensors: dict[str, Tensor | None], problem: str
) -> None:
    with_tensors(spoilt, tensors)

    assert problem in refusal(checkpoint, spoilt)


def test_a_damaged_file_is_named(checkpoint: Checkpoint, spoilt: Path) -> None:
    file = spoilt / "adapter_model.safetensors"
    file.write_bytes(file.read_bytes()[:-50])

    assert f"{file}: it cannot be read" in refusal(checkpoint, spoilt)


def test_two_adapters_of_one_name_are_refused(
    checkpoint: Checkpoint, trained: dict[str, Path], tmp_path: Path
) -> None:
    twin = Path(shutil.copytree(trained["lora"], tmp_path / "lora"))

    assert "two adapters are named lora" in refusal(checkpoint, trained["lora"], twin)
