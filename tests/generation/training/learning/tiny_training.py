"""A training small enough for a test: windows of random codes, and a recipe of a few steps."""

from __future__ import annotations

import functools
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from generation.musicgen.shape import DecoderShape
from generation.musicgen.text import TextEncoder
from generation.musicgen.weights.checkpoint import Checkpoint, load_checkpoint
from generation.musicgen.weights.layout import LM_PREFIXES, expected_shapes
from generation.musicgen.writing.random_model import random_config
from generation.musicgen.writing.random_weights import random_tensor
from generation.training.learning.conditioned import ConditionedDecoder
from generation.training.learning.examples import Example
from generation.training.learning.learned import Learned
from generation.training.learning.loop import SampledError, learn
from generation.training.recipe import (
    ConditioningRecipe,
    DataRecipe,
    LabelRecipe,
    LoraRecipe,
    OptimiserRecipe,
    Recipe,
    SelectionRecipe,
)
from study.affect import Affect


class Windows(tuple[Example, ...]):
    """Windows in memory."""

    @property
    def affects(self) -> NDArray[np.float64] | None:
        points = [window.affect for window in self]
        if all(point is None for point in points):
            return None
        return np.array([(point.valence, point.arousal) if point else (np.nan, np.nan) for point in points])


def random_windows(
    n: int, shape: DecoderShape, seed: int = 0, words: Sequence[str] = ("calm piano", "")
) -> Windows:
    """Windows of 12 frames and more, each of another length and place."""
    rng = np.random.default_rng(seed)
    return Windows(
        Example(
            rng.integers(0, shape.codebook_size, (shape.n_codebooks, 12 + number % 3)).astype(np.int16),
            words[number % len(words)],
            Affect(*(float(value) for value in rng.uniform(-1.0, 1.0, 2))),
        )
        for number in range(n)
    )


def tiny_recipe(**changes: Any) -> Recipe:
    """Eight steps, a checkpoint every third."""
    recipe = Recipe(
        name="tiny-adapter",
        model="tiny",
        data=DataRecipe("table", "windows.csv"),
        labels=LabelRecipe("table"),
        conditioning=ConditioningRecipe(width=16),
        lora=LoraRecipe(r=4),
        optimiser=OptimiserRecipe(
            learning_rate=1e-2, batch_clips=2, accumulation=1, max_steps=8, warmup_steps=2,
            dtype="float32", gradient_checkpointing=False,
        ),
        selection=SelectionRecipe(every_steps=3, validation_clips=2),
    )  # fmt: skip
    return replace(recipe, **changes)


def optimiser(**changes: Any) -> OptimiserRecipe:
    """The tiny recipe's, changed."""
    return replace(tiny_recipe().optimiser, **changes)


@functools.cache
def loaded(folder: Path) -> Checkpoint:
    """The checkpoint of a model folder, read once; nothing may be written to it."""
    return load_checkpoint(str(folder))


@functools.cache
def text_of(folder: Path) -> TextEncoder:
    """The text encoder of a model folder."""
    checkpoint = loaded(folder)
    return TextEncoder(checkpoint.text_encoder(), checkpoint.tokenizer(), torch.device("cpu"))


def checkpoint_of(stereo: bool = False, **decoder: Any) -> Checkpoint:
    """Random weights without any folder; the decoder's sizes may be changed."""
    config = random_config("tiny", stereo)
    config["decoder"].update(decoder)
    tensors = {
        name: torch.from_numpy(random_tensor(name, sizes, 0))
        for name, sizes in expected_shapes(config, "tiny").items()
        if name.startswith(LM_PREFIXES)
    }
    shape = DecoderShape.from_config(config, "tiny")
    text = {"encoder.final_layer_norm.weight": torch.ones(shape.text_dim)}
    return Checkpoint("random/tiny", Path(), None, config, shape, tensors, text, {}, {}, "cc0-1.0", Path())


def _die_when_synced(name: str) -> None:
    """Kill this process (SIGKILL) when the checkpoint of that name is written and not yet in its place."""

    def die(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "os.rename" and str(arguments[1]).endswith(name):
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(die)


def run(
    model_folder: Path,
    folder: Path,
    recipe: Recipe,
    dies_after: int | None = None,
    dies_writing: int | None = None,
    sampled_error: SampledError | None = None,
) -> tuple[ConditionedDecoder, Learned]:
    """Train, or go on; the process kills itself (SIGKILL) after a step, or halfway through a checkpoint."""
    torch.set_num_threads(1)
    checkpoint = loaded(model_folder)
    model = ConditionedDecoder.of_recipe(checkpoint, recipe)
    windows = random_windows(5, checkpoint.shape)

    def progress(share: float) -> None:
        if dies_after is not None and round(share * recipe.optimiser.max_steps) == dies_after:
            os.kill(os.getpid(), signal.SIGKILL)

    if dies_writing is not None:
        _die_when_synced(f"step-{dies_writing:08d}")
    learned = learn(
        model, windows, Windows(windows[:2]), text_of(model_folder), recipe, folder, "cpu",
        progress, sampled_error,
    )  # fmt: skip
    return model, learned
