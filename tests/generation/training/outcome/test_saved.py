"""What a training leaves is there whole or not at all, and is known by its own name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import patch

import pytest

from generation.training.outcome.facts import BaseModel, TrainingFacts
from generation.training.recipe import DataRecipe, LabelRecipe, LoraRecipe, Recipe
from study.errors import ModelError, StorageError

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

if TYPE_CHECKING:
    from generation.musicgen.weights.checkpoint import Checkpoint

RECIPE = Recipe(
    "calm",
    "tiny",
    DataRecipe("table", "m.csv"),
    LabelRecipe("table"),
    lora=LoraRecipe(r=2, target_modules=("q_proj",)),
)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    from generation.musicgen.weights.checkpoint import load_checkpoint
    from generation.musicgen.writing.random_model import write_random_model

    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("models") / "tiny"
    write_random_model("tiny", folder)
    return load_checkpoint(str(folder))


def save(
    checkpoint: Checkpoint, recipe: Recipe, folder: Path, predictors: dict[str, tuple[str, ...]]
) -> None:
    """Save a model that has learned nothing yet."""
    from generation.training.learning.conditioned import ConditionedDecoder
    from generation.training.outcome.saved import save_outcome

    facts = TrainingFacts(
        recipe=recipe,
        licence="cc0-1.0",
        base=BaseModel(checkpoint.name, None, checkpoint.licence, checkpoint.sha256),
        corpus="beats",
        data={},
        data_markdown="# Data: beats\n\nnone\n",
        data_licences={},
        label_source="Valence and arousal are the data set's own.",
        perspective="perceived",
        predictors=predictors,
        learned={},
        software={"isopath": "0.1.0"},
        device="cpu",
        n_processes=1,
        seconds={},
    )
    model = ConditionedDecoder.of_recipe(checkpoint, recipe)
    with torch.no_grad():
        for weight in model.trained().values():
            weight.add_(0.01)
    save_outcome(model, checkpoint, facts, folder, folder.parent)


def test_an_adapter_carries_its_licence_and_its_marks(checkpoint: Checkpoint, tmp_path: Path) -> None:
    from generation.clips.option_values import AdapterOption
    from generation.musicgen.trained.adapters import merged
    from generation.musicgen.trained.part_taken import read_marks

    save(checkpoint, RECIPE, tmp_path / "adapter", {"cues": ("labels",)})

    found = merged(checkpoint, [AdapterOption(str(tmp_path / "adapter"))])
    assert found.licences == {"adapter": "cc0-1.0"}
    assert dict(read_marks(tmp_path / "adapter").predictors) == {"cues": ("labels",)}
    changed = [name for name, tensor in found.tensors.items() if not tensor.equal(checkpoint.tensors[name])]
    assert changed
    assert all("q_proj" in name for name in changed)


def test_a_whole_model_is_another_model_than_its_base(checkpoint: Checkpoint, tmp_path: Path) -> None:
    from generation.musicgen.trained.affect_tokens import AffectTokens
    from generation.musicgen.weights.checkpoint import load_checkpoint

    folder = tmp_path / "model"

    save(checkpoint, replace(RECIPE, method="full"), folder, {})

    made = load_checkpoint(str(folder))
    assert (made.name, made.licence) == ("calm", "cc0-1.0")
    name = "decoder.model.decoder.layers.0.fc1.weight"
    assert torch.allclose(made.tensors[name], checkpoint.tensors[name] + 0.01)
    assert AffectTokens.load(folder / "affect_tokens.safetensors", made.shape, made.name).licence == "cc0-1.0"
    with pytest.raises(ModelError, match="was made for calm, the model is isopath/random-tiny"):
        AffectTokens.load(folder / "affect_tokens.safetensors", made.shape, checkpoint.name)


def test_a_full_disk_leaves_nothing_half_written(checkpoint: Checkpoint, tmp_path: Path) -> None:
    from generation.training.outcome import saved

    full = OSError(28, "No space left on device")

    with (
        patch.object(saved, "model_card", side_effect=full),
        pytest.raises(StorageError, match="No space left"),
    ):
        save(checkpoint, RECIPE, tmp_path / "adapter", {})

    assert list(tmp_path.iterdir()) == []
