"""A training's folder as `isopath train` leaves it, without the training."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from generation.musicgen.trained.part_taken import PartTaken, write_marks
from generation.training.crops import Crop, LabelledCrop, LabelledCrops
from generation.training.labelled_file import write_labelled
from generation.training.tracks import Corpus, Split, Track
from study.affect import Affect

Place = tuple[str, float, float, float, float]
"""File, onset and duration in seconds, valence, arousal."""


def leave_run(
    root: Path,
    model: str,
    affect: bool = True,
    predictors: Mapping[str, tuple[str, ...]] | None = None,
    **recipe: Any,
) -> Path:
    """Recipe, adapter files (their weights empty) and marks."""
    adapter = root / "adapter"
    adapter.mkdir(parents=True)
    (adapter / "adapter_config.json").write_text("{}")
    (adapter / "adapter_model.safetensors").write_bytes(b"")
    if affect:
        (adapter / "affect_tokens.safetensors").write_bytes(b"")
    write_marks(adapter, PartTaken(predictors or {}), {})
    (adapter / "README.md").write_text(
        "# Card\n<!-- isopath: evaluation begins -->\nnothing\n<!-- isopath: evaluation ends -->\nafter\n"
    )
    told = {"words": "table", "prompts": "plain", "affect": affect}
    fields = {"name": root.name, "model": model, "method": "lora", "conditioning": told, **recipe}
    (root / "recipe.json").write_text(json.dumps(fields))
    return root


def leave_crops(root: Path, places: Sequence[Place], predictor: str | None = None, words: str = "") -> None:
    """The labelled windows of a validation split."""
    (root / "data").mkdir(exist_ok=True)
    tracks = tuple(
        Track(Path(file).stem, Path(file), Split.VALIDATION, licence="CC0-1.0")
        for file in dict.fromkeys(place[0] for place in places)
    )
    crops = tuple(
        LabelledCrop(
            Crop(Path(file).stem, Split.VALIDATION, onset_s, duration_s), Affect(valence, arousal), words
        )
        for file, onset_s, duration_s, valence, arousal in places
    )
    corpus = Corpus("small", root, tracks, (), {}, {})
    labelled = LabelledCrops(crops, (), "made up for a test", predictor, "intended")
    write_labelled(root / "data" / "crops.jsonl", corpus, labelled)
