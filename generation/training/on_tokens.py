"""The second half of a training: tokens of the music, learning, and what it leaves. It needs torch."""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from generation.composer.cues import READERS_OF_CUES
from generation.engine import AffectJudge
from generation.musicgen.memory import device_of
from generation.musicgen.sound_encoder import SoundEncoder
from generation.musicgen.store.catalogue import load_catalogue
from generation.musicgen.store.model_store import find_model
from generation.musicgen.text import TextEncoder
from generation.musicgen.trained.part_taken import PartTaken, read_marks
from generation.musicgen.weights.checkpoint import Checkpoint, load_checkpoint, stated_licence
from generation.training.corpora.data_card_markdown import data_card_markdown
from generation.training.crops import LabelledCrops
from generation.training.learning.conditioned import ConditionedDecoder
from generation.training.learning.learned import Learned
from generation.training.learning.loop import learn
from generation.training.outcome.facts import BaseModel, TrainingFacts
from generation.training.outcome.licence import NOT_STATED, licence_of
from generation.training.outcome.model_card import engine_options
from generation.training.outcome.sampled import SampledError
from generation.training.outcome.saved import save_outcome
from generation.training.prepared import Prepared, check_splits
from generation.training.processes import Processes
from generation.training.recipe import Recipe
from generation.training.run_folder import RunFolder, fault_counts, write_faults
from generation.training.stages import Stages
from generation.training.tokenised import TokenisedCrops
from generation.training.tokens.cache import TokenCache
from generation.training.tokens.fill import fill_cache
from generation.training.tracks import Corpus, Fault, Split
from study.canonical import plain
from study.errors import UnknownName, refuse
from study.folder import write_whole
from study.protocol_file.text import shown

SUMMARY_VERSION = 1
LIBRARIES = ("isopath", "torch", "transformers", "peft", "accelerate", "safetensors", "numpy")

_TOKEN_BYTES = 2
_WEIGHT_BYTES = 4
_KEPT_OF_A_WEIGHT = 3
"""AdamW keeps two moments beside each weight it changes."""
_CHECKPOINTS = 4
"""Counted upwards: the last, the one being written, and the best by each measure."""


def check_base(recipe: Recipe, models_dir: Path | None, ingredients: Callable[[str], frozenset[str]]) -> None:
    """Refuse, before any music is read, a base that is not here or that the recipe contradicts.

    Raises:
        ModelError: its weights are not on this machine.
        OutOfRange: the recipe's licence allows what the base's does not.
        UnknownName: a predictor that had a part in the base's own training shares an ingredient with the one
            that is to report.
    """
    if recipe.model in load_catalogue():
        licence_of(recipe.licence, recipe.model, load_catalogue()[recipe.model].licence)
        find_model(recipe.model, recipe.revision, models_dir)
        return
    folder = Path(recipe.model)
    licence_of(recipe.licence, folder.name, stated_licence(folder) or NOT_STATED)
    refuse(
        [
            UnknownName(
                "recipe::$.reported_by",
                f"{shown(recipe.reported_by)} shares {', '.join(sorted(shared))} with {shown(name)}, which"
                f" had a part in the base's own training ({', '.join(parts)})",
                "name a predictor that shares nothing with it",
            )
            for name, parts in read_marks(folder).predictors.items()
            if (shared := ingredients(name) & ingredients(recipe.reported_by))
        ]
    )


def train_on(
    prepared: Prepared,
    recipe: Recipe,
    folder: RunFolder,
    judge_of: Callable[[str], AffectJudge],
    models_dir: Path | None,
    stages: Stages,
    processes: Processes,
) -> tuple[Mapping[str, Any], tuple[Fault, ...]]:
    """Encode the music, learn, and save what was learned.

    Returns:
        What ``training.json`` holds; every fault, those of the tokens included.

    Raises:
        IsopathError: weights, device, memory, disk or data will not do.
    """
    device = device_of(processes.device)
    with stages.stage("loading the base"):
        checkpoint = load_checkpoint(recipe.model, recipe.revision, models_dir)
        recipe = replace(recipe, licence=licence_of(recipe.licence, checkpoint.name, checkpoint.licence))
    with stages.stage("encoding the music") as progress:
        encoder = SoundEncoder.of_checkpoint(checkpoint, device)
        learned_from = _needed(prepared)
        if processes.is_first:
            folder.check_room(_token_bytes(learned_from, checkpoint, folder.tokens), "the codec's tokens")
        token_faults = processes.once(lambda: fill_cache(learned_from, folder.tokens, encoder, progress)[1])
        cache = TokenCache.open(folder.tokens, encoder.card)
    labelled = _in_cache(prepared.labelled, cache)
    faults = (*prepared.faults, *token_faults)
    if processes.is_first:
        write_faults(folder.faults, faults)
    check_splits(labelled, faults, recipe.data.path)
    words = TextEncoder(checkpoint.text_encoder(), checkpoint.tokenizer(), device)
    model = ConditionedDecoder.of_recipe(checkpoint, recipe)
    if processes.is_first:
        folder.check_room(_checkpoint_bytes(model, recipe), "the checkpoints")
    sampled = None
    if recipe.selection.predictor is not None:
        sampled = SampledError(checkpoint, recipe, judge_of(recipe.selection.predictor), words, device)
    with stages.stage("learning") as progress:
        learned = learn(
            model,
            TokenisedCrops(cache, labelled.of(Split.TRAIN)),
            TokenisedCrops(cache, labelled.of(Split.VALIDATION)),
            words,
            recipe,
            folder.root,
            processes.device,
            progress,
            sampled,
        )
    if not processes.is_first:
        return {}, faults
    facts = _facts(prepared, labelled, recipe, checkpoint, learned, stages, processes)
    with stages.stage("saving"):
        files = save_outcome(model, checkpoint, facts, folder.made(recipe), folder.root)
    summary: dict[str, Any] = plain(_summary(facts, files, faults, folder))
    text = json.dumps(summary, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    write_whole(folder.summary, text.encode())
    return summary, faults


def _needed(prepared: Prepared) -> Corpus:
    """The tracks whose tokens learning asks for: those of the test split stay sound."""
    used = {
        labelled.crop.track_id
        for labelled in prepared.labelled.crops
        if labelled.crop.split is not Split.TEST
    }
    tracks = tuple(track for track in prepared.corpus.tracks if track.track_id in used)
    return replace(prepared.corpus, tracks=tracks)


def _in_cache(labelled: LabelledCrops, cache: TokenCache) -> LabelledCrops:
    there = set(cache.track_ids)
    crops = tuple(crop for crop in labelled.crops if crop.crop.track_id in there)
    return replace(labelled, crops=crops)


def _token_bytes(corpus: Corpus, checkpoint: Checkpoint, folder: Path) -> int:
    """Bytes that are still to be written, were no track's file changed since."""
    shape = checkpoint.shape
    seconds = sum(track.duration_s or 0.0 for track in corpus.tracks)
    whole = int(seconds * shape.frame_rate_hz) * shape.n_codebooks * _TOKEN_BYTES
    there = sum(file.stat().st_size for file in folder.glob("*.i16")) if folder.is_dir() else 0
    return max(0, whole - there)


def _checkpoint_bytes(model: ConditionedDecoder, recipe: Recipe) -> int:
    weights = sum(weight.numel() for weight in model.trained().values())
    copies = _KEPT_OF_A_WEIGHT + (recipe.optimiser.ema_decay is not None)
    return weights * _WEIGHT_BYTES * copies * _CHECKPOINTS


def _facts(
    prepared: Prepared,
    labelled: LabelledCrops,
    recipe: Recipe,
    checkpoint: Checkpoint,
    learned: Learned,
    stages: Stages,
    processes: Processes,
) -> TrainingFacts:
    corpus, card = prepared.corpus, prepared.card
    return TrainingFacts(
        recipe=recipe,
        licence=recipe.licence,
        base=BaseModel(checkpoint.name, checkpoint.revision, checkpoint.licence, checkpoint.sha256),
        corpus=corpus.name,
        data=card.to_json(),
        data_markdown=data_card_markdown(card),
        data_licences={**corpus.licences, **{licence: licence for licence in card.track_licences}},
        label_source=labelled.source,
        perspective=labelled.perspective,
        predictors=_part_taken(recipe, checkpoint).predictors,
        learned=_told(learned),
        software={"python": platform.python_version(), **{name: version(name) for name in LIBRARIES}},
        device=_device_name(processes.device),
        n_processes=processes.count,
        # What earlier runs learned counts too.
        seconds={**stages.seconds, "learning": round(learned.seconds, 3)},
    )


def _told(learned: Learned) -> dict[str, Any]:
    return {
        "steps": learned.steps,
        "best_step": learned.best.step,
        "chosen_by": learned.best.measure,
        "best_value": learned.best.value,
        "best_step_by_loss": learned.best_by_loss.step,
        "lowest_validation_loss": learned.best_by_loss.value,
        "validation_loss_of_the_base": learned.first_validation_loss,
        "validation_loss_at_the_end": learned.validation_loss,
        "training_loss_at_the_end": sum(learned.losses) / len(learned.losses),
        "windows_seen": learned.windows,
        "notes": learned.notes,
    }


def _part_taken(recipe: Recipe, checkpoint: Checkpoint) -> PartTaken:
    """The predictors of this training, and of the base's own where it was trained here."""
    ours = [("labels", recipe.labels.predictor), ("selection", recipe.selection.predictor)]
    ours += [("shared cues", name) for name in READERS_OF_CUES.get(recipe.labels.intended_by or "", ())]
    taken = read_marks(checkpoint.folder)
    for part, name in ours:
        if name is not None:
            taken = taken | PartTaken({name: (part,)})
    return taken


def _device_name(device: str) -> str:
    if device == "cpu":
        return f"CPU ({platform.machine()})"
    return f"{device} ({torch.cuda.get_device_name(device)})"


def _summary(
    facts: TrainingFacts, files: Mapping[str, str], faults: tuple[Fault, ...], folder: RunFolder
) -> dict[str, Any]:
    made = folder.made(facts.recipe)
    return {
        "summary_version": SUMMARY_VERSION,
        "name": facts.recipe.name,
        "made": str(made.relative_to(folder.root)),
        "files_sha256": files,
        "engine": engine_options(facts, str(folder.root.resolve())),
        "licence": facts.licence,
        "base": facts.base,
        "recipe": facts.recipe,
        "data": facts.data,
        "labels": {"source": facts.label_source, "perspective": facts.perspective},
        "predictors": facts.predictors,
        "reported_by": facts.recipe.reported_by,
        "learned": facts.learned,
        "faults": fault_counts(faults),
        "seed": facts.recipe.seed,
        "software": facts.software,
        "command": sys.argv[1:],
        "device": facts.device,
        "n_processes": facts.n_processes,
        "seconds": facts.seconds,
    }
