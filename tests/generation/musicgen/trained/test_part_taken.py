"""What a training leaves beside its result says which predictors took part; every manifest says it on."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import pytest

from generation.engine import Placement
from generation.musicgen.trained.part_taken import (
    MARKS,
    PartTaken,
    read_marks,
    trained_folders,
    write_marks,
)
from generation.registry import load_engine
from generation.render import render_sessions
from generation.session_folder import read_session
from study.affect import Affect
from study.errors import ModelError
from study.path import PathKind, PathSpec, make_path
from study.protocol import EngineSpec
from study.session import SessionPlan


def quiet(_share: float) -> None:
    """Report nothing."""


def test_a_mark_is_read_as_it_was_written(tmp_path: Path) -> None:
    taken = PartTaken({"cues": ("labels", "selection"), "musicnn": ("selection",)})

    write_marks(tmp_path, taken, {"recipe": {"seed": 3}})

    assert read_marks(tmp_path) == taken
    assert json.loads((tmp_path / MARKS).read_text())["recipe"] == {"seed": 3}


def test_a_folder_without_a_mark_had_no_predictor(tmp_path: Path) -> None:
    assert read_marks(tmp_path) == read_marks(tmp_path / "nowhere") == PartTaken()
    assert PartTaken().rendering == {}


def test_parts_of_several_trainings_add_up() -> None:
    first = PartTaken({"cues": ("labels",)})
    second = PartTaken({"musicnn": ("selection",), "cues": ("selection", "labels")})

    assert (first | second).rendering == {
        "predictors_in_training": {"cues": ["labels", "selection"], "musicnn": ["selection"]}
    }


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("{", "is no mark of a training"),
        ('{"version": 1}', "KeyError 'predictors'"),
        ('{"version": 1, "predictors": ["cues"]}', "is no mark of a training"),
        ('{"version": 2, "predictors": {}}', "is of version 2, not 1"),
    ],
)
def test_a_mark_that_cannot_be_read_is_refused_and_not_taken_for_none(
    tmp_path: Path, content: str, told: str
) -> None:
    (tmp_path / MARKS).write_text(content)

    with pytest.raises(ModelError, match=told):
        read_marks(tmp_path)


def test_the_folders_that_options_name_are_found_by_their_option() -> None:
    options = {
        "model": "models/own",
        "adapters": ["runs/a", {"path": "runs/b", "weight": 0.5}, 3],
        "affect_tokens": "runs/b/affect_tokens.safetensors",
        "steering": None,
    }

    assert list(trained_folders(options)) == [
        ("model", Path("models/own")),
        ("adapters[0]", Path("runs/a")),
        ("adapters[1]", Path("runs/b")),
        ("affect_tokens", Path("runs/b")),
    ]


@pytest.mark.torch
def test_a_manifest_names_the_predictors_behind_model_adapter_and_tokens(
    tiny_folder: Path, tmp_path: Path
) -> None:
    import shutil

    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import MusicgenForConditionalGeneration

    from generation.musicgen.trained.affect_tokens import AffectTokens
    from generation.musicgen.trained.trained_file import Training
    from generation.musicgen.weights.checkpoint import load_checkpoint

    model = Path(shutil.copytree(tiny_folder, tmp_path / tiny_folder.name))
    write_marks(model, PartTaken({"first": ("selection",)}), {})
    with warnings.catch_warnings(), torch.random.fork_rng(devices=[]):
        warnings.simplefilter("ignore")
        adapted = get_peft_model(
            MusicgenForConditionalGeneration.from_pretrained(model), LoraConfig(r=2, target_modules=["fc1"])
        )
        adapted.peft_config["default"].base_model_name_or_path = "isopath/random-tiny"
        adapted.save_pretrained(str(tmp_path / "adapter"))
    write_marks(tmp_path / "adapter", PartTaken({"cues": ("labels",)}), {})
    (tmp_path / "tokens").mkdir()
    tokens = tmp_path / "tokens" / "affect_tokens.safetensors"
    base = load_checkpoint(str(model))
    AffectTokens(base.shape.text_dim, Training(base.name)).save(tokens)
    write_marks(tokens.parent, PartTaken({"cues": ("selection",)}), {})
    place = Affect(0.2, 0.1)
    plan = SessionPlan(
        "sub-1",
        "ses-01",
        "arm",
        make_path(PathSpec(PathKind.ISO, 1, 2.0), place, place, 1),
        place,
        place,
        30.0,
        1,
        -23.0,
        EngineSpec(
            "musicgen",
            {
                "model": str(model),
                "adapters": [str(tmp_path / "adapter")],
                "conditioning": ["prompt", "tokens"],
                "affect_tokens": str(tokens),
            },
        ),
    )

    engine = load_engine(plan.engine, Placement())
    render_sessions([plan], engine, tmp_path / "sessions", quiet)

    manifest = read_session(tmp_path / "sessions" / "sub-1" / "ses-01", plan)
    assert manifest is not None
    assert manifest.rendering["predictors_in_training"] == {
        "cues": ["selection", "labels"],
        "first": ["selection"],
    }
