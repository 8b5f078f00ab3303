"""The decoder that is trained is the decoder that plays."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from generation.clips.option_values import AdapterOption
from generation.musicgen.decoding.decoder import Decoder
from generation.musicgen.trained.adapters import merged
from generation.musicgen.trained.affect_tokens import AffectTokens
from generation.musicgen.weights.checkpoint import Checkpoint
from generation.training.learning.conditioned import ConditionedDecoder
from generation.training.learning.examples import Told, batch_of
from generation.training.learning.loss import delay_inputs
from generation.training.recipe import ConditioningRecipe, LoraRecipe
from study.errors import ModelError, UnknownName
from tests.generation.training.learning.tiny_training import (
    checkpoint_of,
    loaded,
    random_windows,
    text_of,
    tiny_recipe,
)

pytestmark = pytest.mark.torch

EVERYTHING, WORDS, AFFECT, NOTHING = Told(), Told(affect=False), Told(words=False), Told(False, False)


def moved(checkpoint: Checkpoint, method: str = "lora") -> ConditionedDecoder:
    """A model none of whose trained weights is where it began, as after training."""
    model = ConditionedDecoder.of_recipe(checkpoint, tiny_recipe(method=method))
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for weight in model.trained().values():
            weight.add_(0.1 * torch.randn(weight.shape, generator=generator))
    return model.train(False)


def as_decoding_hears(text: Tensor, affect: Tensor | None) -> tuple[Tensor, Tensor]:
    """One clip's row as `generation.musicgen.decoding.batch` fills it: affect tokens after the text."""
    heard = text if affect is None else torch.cat((text, affect))
    return heard[None], torch.ones((1, len(heard)), dtype=torch.bool)


@pytest.mark.parametrize("method", ["lora", "full"])
@pytest.mark.parametrize("stereo", [False, True])
def test_a_trained_model_gives_the_logits_that_decoding_gives(
    tiny_folder: Path, stereo: bool, method: str
) -> None:
    checkpoint = checkpoint_of(stereo)
    text, model = text_of(tiny_folder), moved(checkpoint, method)
    windows = random_windows(4, checkpoint.shape, words=("slow strings", "a b c d", "x", "piano"))
    decoder = Decoder(checkpoint.shape)
    decoder.load(model.decoder_tensors())
    assert model.affect_tokens is not None

    batch = batch_of(windows, (EVERYTHING, WORDS, AFFECT, NOTHING), text, checkpoint.shape)
    tokens = delay_inputs(batch.codes, checkpoint.shape)
    with torch.no_grad():
        found = model.logits(tokens, *batch.tensors[1:])

    for row, (words, hears_affect) in enumerate([("slow strings", 1), ("a b c d", 0), ("", 1), (None, 0)]):
        point = windows[row].affect
        assert point is not None
        affect = model.affect_tokens.tokens(point) if hears_affect else None
        states, is_token = as_decoding_hears(text.states(words or ""), affect)
        if words is None:
            is_token[:] = False
        with torch.no_grad():
            expected = decoder(tokens[row : row + 1], states, is_token)[0]
        assert (found[row] - expected).abs().max() < 1e-4
    # Another row's affect would be heard: the four ways of hearing are four different things.
    assert (found[0] - found[2]).abs().max() > 0.1


def test_affect_begins_as_loud_as_words(tiny_folder: Path) -> None:
    model = ConditionedDecoder.of_recipe(loaded(tiny_folder), tiny_recipe())
    places = torch.rand((200, 2), generator=torch.Generator().manual_seed(3)) * 2.0 - 1.0
    states = torch.cat([text_of(tiny_folder).states(words) for words in ("slow strings", "piano", "")])

    assert model.affect_tokens is not None
    tokens = model.affect_tokens(places).detach()

    size = float(states.square().mean().sqrt())
    assert float(tokens.square().mean().sqrt()) == pytest.approx(size, rel=0.15)
    # What is the same everywhere would say nothing of the place.
    assert float(tokens.mean(0).square().mean().sqrt()) < 0.2 * size


def test_a_row_that_is_told_nothing_hears_neither_words_nor_affect(tiny_folder: Path) -> None:
    checkpoint = loaded(tiny_folder)
    model, windows = moved(checkpoint), random_windows(2, checkpoint.shape)
    other = [replace(window, words="other words", affect=None) for window in windows]

    batches = [
        batch_of(rows, (NOTHING, NOTHING), text_of(tiny_folder), checkpoint.shape)
        for rows in (windows, other)
    ]
    losses = [model(*batch.tensors) for batch in batches]

    assert torch.equal(losses[0], losses[1])
    assert not batches[0].is_text.any()
    assert not batches[0].hears_affect.any()


def test_what_is_saved_merges_to_the_same_bits_and_leaves_the_base_alone(
    tiny_folder: Path, tmp_path: Path
) -> None:
    checkpoint = loaded(tiny_folder)
    before = {name: tensor.clone() for name, tensor in checkpoint.tensors.items()}
    model = moved(checkpoint)
    model.save_adapter(tmp_path / "adapter")
    model.save_affect_tokens(tmp_path / "affect_tokens.safetensors")

    tensors = model.decoder_tensors()
    again = merged(checkpoint, [AdapterOption(str(tmp_path / "adapter"))]).tensors
    tokens = AffectTokens.load(tmp_path / "affect_tokens.safetensors", checkpoint.shape, checkpoint.name)

    assert tensors.keys() == again.keys() == checkpoint.tensors.keys()
    assert all(torch.equal(tensors[name], again[name]) for name in tensors)
    assert all(torch.equal(checkpoint.tensors[name], before[name]) for name in before)
    changed = [name for name in tensors if not torch.equal(tensors[name], before[name])]
    # Every linear layer, head and embedding; 2 layers × 10, the projection, 4 heads and 4 embeddings.
    assert len(changed) == 29
    assert model.affect_tokens is not None
    assert all(
        torch.equal(weight, tokens.state_dict()[name])
        for name, weight in model.affect_tokens.state_dict().items()
    )


def test_the_same_adapter_makes_the_same_bytes(tiny_folder: Path, tmp_path: Path) -> None:
    checkpoint = loaded(tiny_folder)
    for name in ("one", "two"):
        moved(checkpoint).save_adapter(tmp_path / name)

    for file in ("adapter_config.json", "adapter_model.safetensors"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_only_what_the_method_says_is_trained() -> None:
    checkpoint = checkpoint_of()
    adapter = ConditionedDecoder.of_recipe(checkpoint, tiny_recipe()).trained()
    whole = ConditionedDecoder.of_recipe(checkpoint, tiny_recipe(method="full")).trained()
    without = ConditionedDecoder.of_recipe(
        checkpoint, tiny_recipe(method="full", conditioning=ConditioningRecipe(affect=False))
    ).trained()

    assert all("lora_" in name or name.startswith("affect_tokens.") for name in adapter)
    assert {name.removeprefix("language.") for name in without} == set(checkpoint.tensors)
    assert set(whole) - set(without) == {name for name in adapter if name.startswith("affect_tokens.")}


def test_a_decoder_as_wide_as_its_text_is_adapted_without_a_projection_and_says_so() -> None:
    checkpoint = checkpoint_of(hidden_size=48, ffn_dim=96)

    model = ConditionedDecoder.of_recipe(checkpoint, tiny_recipe())

    assert model.language.enc_to_dec_proj is None
    assert model.notes == (
        "the adapter leaves out enc_to_dec_proj: text states are as wide as the decoder, it has none",
    )


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"method": "lor"}, "method: 'lor' is no way of training; write lora or full"),
        (
            {"lora": LoraRecipe(target_modules=("q_proj", "query"))},
            "lora.target_modules: the decoder has no 'query' that an adapter can change; write some of"
            " embed_tokens, enc_to_dec_proj, fc1, fc2, k_proj, lm_heads, out_proj, q_proj, v_proj",
        ),
    ],
)
def test_what_the_model_does_not_have_is_refused_by_name(changes: dict[str, object], told: str) -> None:
    with pytest.raises(UnknownName) as refusal:
        ConditionedDecoder.of_recipe(checkpoint_of(), tiny_recipe(**changes))

    assert str(refusal.value) == told


def test_what_was_not_trained_cannot_be_saved(tmp_path: Path) -> None:
    recipe = tiny_recipe(method="full", conditioning=ConditioningRecipe(affect=False))
    model = ConditionedDecoder.of_recipe(checkpoint_of(), recipe)

    with pytest.raises(ModelError, match="trained as a whole"):
        model.save_adapter(tmp_path)
    with pytest.raises(ModelError, match="trained without affect tokens"):
        model.save_affect_tokens(tmp_path / "file")
