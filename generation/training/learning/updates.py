"""One update: batches in, gradients clipped, weights moved."""

from __future__ import annotations

import random
import warnings
from contextlib import nullcontext
from dataclasses import dataclass

import torch
from accelerate import Accelerator
from torch import Tensor
from torch.optim import AdamW

from generation.musicgen.text import TextEncoder
from generation.training.learning.average import WeightAverage
from generation.training.learning.batches import Batches, model_seed
from generation.training.learning.conditioned import ConditionedDecoder, training_dtype
from generation.training.learning.density import drawing_weights
from generation.training.learning.examples import Examples, batch_of
from generation.training.learning.schedule import new_optimiser, take_rate
from generation.training.recipe import Recipe
from study.errors import ModelError


@dataclass(frozen=True)
class Update:
    """What an update was.

    Args:
        losses: of each codebook on its windows, nats a code, mean over processes and batches.
        learning_rate: of the first group of weights.
        gradient_norm: before clipping.
    """

    losses: tuple[float, ...]
    learning_rate: float
    gradient_norm: float


class Updates:
    """Updates of one model; `take` makes one.

    Args:
        model: moved to the accelerator's device.

    Attributes:
        adamw: the optimiser.
        average: of the weights; None where the recipe has none.
        batches: what each step sees.

    Raises:
        OutOfRange, UnknownName: a setting outside its range, or no window.
    """

    def __init__(
        self,
        accelerator: Accelerator,
        model: ConditionedDecoder,
        train: Examples,
        text: TextEncoder,
        recipe: Recipe,
    ) -> None:
        self._accelerator, self._model, self._train, self._text = accelerator, model, train, text
        self._recipe, self._dtype = recipe, training_dtype(recipe.optimiser.dtype)
        weights = drawing_weights(train.affects, len(train), recipe.sampling)
        self.batches = Batches(weights, recipe, accelerator.num_processes)
        if recipe.optimiser.gradient_checkpointing:
            with warnings.catch_warnings():
                # The name that every transformers 5 knows; later ones announce another.
                warnings.simplefilter("ignore", FutureWarning)
                model.language.decoder.gradient_checkpointing_enable({"use_reentrant": False})
        model.to(accelerator.device)
        self.adamw: AdamW = new_optimiser(model, recipe.optimiser)
        decay = recipe.optimiser.ema_decay
        self.average = None if decay is None else WeightAverage(model.trained(), decay)
        self._wrapped, self._optimiser = accelerator.prepare(model, self.adamw)

    def take(self, step: int) -> Update:
        """Make the update of a step, from 1.

        Raises:
            ModelError: the loss or its gradient is not finite; the weights are as they were.
        """
        optimiser, accelerator = self._recipe.optimiser, self._accelerator
        rate = take_rate(self.adamw, step, optimiser)
        total = torch.zeros(self._model.shape.n_codebooks, device=accelerator.device)
        self._model.train()
        for part in range(optimiser.accumulation):
            # Gradients travel between processes once an update.
            is_last = part == optimiser.accumulation - 1
            with nullcontext() if is_last else accelerator.no_sync(self._wrapped):
                losses = self._losses(step, part)
                accelerator.backward(losses.mean() / optimiser.accumulation)
            total += losses.detach() / optimiser.accumulation
        found = tuple(accelerator.reduce(total, "mean").tolist())
        norm = accelerator.clip_grad_norm_(list(self._model.trained().values()), optimiser.max_grad_norm)
        update = Update(found, rate, float(norm))
        self._check(step, update)
        self._optimiser.step()
        self._optimiser.zero_grad(set_to_none=True)
        if self.average is not None:
            self.average.update(step)
        return update

    def precision(self) -> torch.autocast:
        """What the model computes in: the recipe's precision, over weights that stay float32."""
        # Not the accelerator's own: that is fixed by the first one that a process makes.
        return torch.autocast(
            self._accelerator.device.type, self._dtype, enabled=self._dtype != torch.float32
        )

    def _losses(self, step: int, part: int) -> Tensor:
        process, has_affect = self._accelerator.process_index, self._model.affect_tokens is not None
        drawn = self.batches.batch(step, part, process)
        examples = [self._train[row.number] for row in drawn]
        batch = batch_of(examples, [row.told for row in drawn], self._text, self._model.shape, has_affect)
        seed = model_seed(self._recipe.seed, step, part, process)
        torch.manual_seed(seed)
        random.seed(seed)  # transformers leaves whole layers out by it, where a configuration says so.
        with self.precision():
            losses: Tensor = self._wrapped(*batch.to(self._accelerator.device).tensors)
        return losses

    def _check(self, step: int, update: Update) -> None:
        finite = torch.tensor([*update.losses, update.gradient_norm]).isfinite().all()
        if not finite:
            raise ModelError(
                f"step {step}",
                f"the loss is {sum(update.losses) / len(update.losses)},"
                f" the norm of its gradient {update.gradient_norm}",
                "lower optimiser.learning_rate or lengthen optimiser.warmup_steps; if it happens again, set"
                " optimiser.dtype to float32. The checkpoints before are kept, the best among them",
            )
