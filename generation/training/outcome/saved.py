"""What a training leaves: an adapter's folder or a model's, whole or not at all, ready for the engine."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from generation.musicgen.trained.part_taken import PartTaken, write_marks
from generation.musicgen.trained.trained_file import Training
from generation.musicgen.weights.checkpoint import Checkpoint
from generation.musicgen.writing.export import MANIFEST, write_transformers
from generation.training.learning.conditioned import ConditionedDecoder
from generation.training.outcome.facts import TrainingFacts
from generation.training.outcome.loss_picture import draw_losses
from generation.training.outcome.model_card import CARD, LOSSES, model_card
from study.canonical import plain
from study.errors import StorageError
from study.folder import file_sha256, folder_made_whole, sweep

AFFECT_TOKENS = "affect_tokens.safetensors"


def save_outcome(
    model: ConditionedDecoder, checkpoint: Checkpoint, facts: TrainingFacts, folder: Path, run: Path
) -> Mapping[str, str]:
    """Write what was trained with its marks and its card.

    An earlier folder of the same run is replaced.

    Args:
        model: with the weights to save.
        checkpoint: the base.
        folder: of the adapter (method lora) or of a whole model (method full).
        run: its log is drawn beside the card.

    Returns:
        File to SHA-256, the card left out.

    Raises:
        StorageError: the folder cannot be written.
    """
    sweep(folder)
    try:
        if folder.exists():
            shutil.rmtree(folder)
        with folder_made_whole(folder) as building:
            if facts.recipe.method == "lora":
                model.save_adapter(building)
            else:
                _write_model(model, checkpoint, facts, building)
            _write_affect_tokens(model, facts, building)
            write_marks(building, PartTaken(facts.predictors), _origin(facts))
            has_losses = draw_losses(run, building / LOSSES)
            (building / CARD).write_text(model_card(facts, has_losses), encoding="utf-8")
            # An evaluation is written into the card later.
            files = sorted(file for file in building.iterdir() if file.name != CARD)
            return {file.name: file_sha256(file) for file in files}
    except OSError as problem:
        raise StorageError(
            str(folder),
            f"cannot be written ({problem.strerror})",
            "make room and run the command again; what was learned is kept",
        ) from problem


def _write_model(
    model: ConditionedDecoder, checkpoint: Checkpoint, facts: TrainingFacts, folder: Path
) -> None:
    # It is another model now: an adapter of the base must not pass for one of this.
    named = replace(checkpoint, name=facts.recipe.name, licence=facts.licence)
    write_transformers(named, model.decoder_tensors(), folder)
    # It says what was merged, and nothing was: the marks say where this model comes from.
    (folder / MANIFEST).unlink()


def _write_affect_tokens(model: ConditionedDecoder, facts: TrainingFacts, folder: Path) -> None:
    if model.affect_tokens is None:
        return
    is_adapter = facts.recipe.method == "lora"
    note = f"{facts.corpus}; {facts.label_source} Seed {facts.recipe.seed}."
    model.affect_tokens.provenance = Training(
        facts.base.name if is_adapter else facts.recipe.name, note, facts.licence
    )
    model.save_affect_tokens(folder / AFFECT_TOKENS)


def _origin(facts: TrainingFacts) -> Mapping[str, Any]:
    """What a reader of the marks alone should know."""
    return {
        "name": facts.recipe.name,
        "base": plain(facts.base),
        "reported_by": facts.recipe.reported_by,
        "labels": {"source": facts.label_source, "perspective": facts.perspective},
        "licence": facts.licence,
    }
