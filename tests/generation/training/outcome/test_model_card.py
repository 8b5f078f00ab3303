"""The card: front matter that others can read, and everything a user must know before using it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from generation.training.outcome.facts import BaseModel, TrainingFacts
from generation.training.outcome.model_card import add_evaluation, engine_options, model_card
from generation.training.recipe import DataRecipe, LabelRecipe, Recipe
from study.errors import StorageError

RECIPE = Recipe(
    "calm", "facebook/musicgen-small", DataRecipe("table", "/music.csv"), LabelRecipe("table"), revision="abc"
)


def facts(**changes: Any) -> TrainingFacts:
    whole = TrainingFacts(
        recipe=RECIPE,
        licence="CC-BY-NC-4.0",
        base=BaseModel("facebook/musicgen-small", "abc", "CC-BY-NC-4.0", {"model.safetensors": "12ab"}),
        corpus="game music",
        data={},
        data_markdown="# Data: game music\n\n## Licences\n\n- audio: CC-BY-SA-4.0\n",
        data_licences={"audio": "CC-BY-SA-4.0", "metadata": "CC BY-NC-SA 4.0"},
        label_source="Valence and arousal are what the predictor cues heard.",
        perspective="perceived",
        predictors={"cues": ("labels", "selection")},
        learned={"best_step": 400, "best_value": 3.14159},
        software={"isopath": "0.1.0", "torch": "2.6"},
        device="cuda (H100)",
        n_processes=2,
        seconds={"learning": 900.0},
    )
    return replace(whole, **changes)


def front_matter(card: str) -> dict[str, Any]:
    _, text, _ = card.split("---\n", 2)
    read: dict[str, Any] = yaml.safe_load(text)
    return read


def test_the_front_matter_is_what_the_hub_reads() -> None:
    assert front_matter(model_card(facts(), has_losses=True)) == {
        "license": "cc-by-nc-4.0",
        "base_model": "facebook/musicgen-small",
        "base_model_relation": "adapter",
        "library_name": "peft",
        "pipeline_tag": "text-to-audio",
        "tags": ["music", "musicgen", "emotion", "valence-arousal", "isopath"],
        "datasets": ["game music"],
    }


def test_a_whole_model_is_told_as_one_and_a_licence_nobody_stated_is_left_out() -> None:
    card = model_card(facts(recipe=replace(RECIPE, method="full"), licence="not stated"), has_losses=False)

    assert front_matter(card)["library_name"] == "transformers"
    assert front_matter(card)["base_model_relation"] == "finetune"
    assert "license" not in front_matter(card)
    assert "losses.png" not in card


@pytest.mark.parametrize(
    "told",
    [
        "- model.safetensors: SHA-256 12ab",
        "The base may not be used commercially",
        "### Licences\n\n- audio: CC-BY-SA-4.0",
        "Valence and arousal are what the predictor cues heard.",
        "what listeners perceive in the music, not what anybody feels",
        "- `cues`: labels, selection",
        "`musicnn` took no part and may report on it.",
        "- best step: 400",
        "- best value: 3.142",
        "Seed 0; 2 process(es) on cuda (H100); learning 900 s.",
        '"learning_rate": 0.0002',
        "- torch 2.6",
        "It is not a medical device",
        "Some of the data are for non-commercial use: CC BY-NC-SA 4.0.",
    ],
)
def test_the_card_says(told: str) -> None:
    assert told in model_card(facts(), has_losses=True)


def test_an_evaluation_takes_its_place_and_a_later_one_takes_over(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text(model_card(facts(), has_losses=True))
    before = (tmp_path / "README.md").read_text()

    add_evaluation(tmp_path, "| r | .41 |")
    add_evaluation(tmp_path, "| r | .52 |")

    after = (tmp_path / "README.md").read_text()
    assert "| r | .52 |" in after
    assert "| r | .41 |" not in after
    assert "Not evaluated yet" not in after
    assert after.partition("## Losses")[2] == before.partition("## Losses")[2]


def test_a_card_without_the_place_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("# mine\n")

    with pytest.raises(StorageError, match="has no place for a table"):
        add_evaluation(tmp_path, "| r | .41 |")

    assert (tmp_path / "README.md").read_text() == "# mine\n"


def test_the_engine_is_told_what_the_training_told() -> None:
    told = engine_options(facts(), "/run")

    assert told == {
        "name": "musicgen",
        "options": {
            "model": "facebook/musicgen-small",
            "revision": "abc",
            "adapters": ["/run/adapter"],
            "conditioning": ["prompt", "tokens"],
            "affect_tokens": "/run/adapter/affect_tokens.safetensors",
        },
    }


def test_a_model_trained_without_words_hears_its_affect_alone() -> None:
    silent = replace(RECIPE, method="full", conditioning=replace(RECIPE.conditioning, words="none"))

    assert engine_options(facts(recipe=silent), "/run")["options"] == {
        "model": "/run/model",
        "conditioning": ["tokens"],
        "affect_tokens": "/run/model/affect_tokens.safetensors",
    }
