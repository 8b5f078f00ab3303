"""The loop: a folder from which a killed training goes on, and ends with the same weights.

Several GPUs are Hugging Face Accelerate's affair (``accelerate launch``, or torchrun): each process learns
from batches of its own, and gradients are averaged.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path

import torch
from accelerate import Accelerator
from torch import Tensor

from generation.engine import Progress
from generation.musicgen.text import TextEncoder
from generation.training.learning.conditioned import ConditionedDecoder
from generation.training.learning.examples import Examples
from generation.training.learning.learned import Learned
from generation.training.learning.logs import LogRow, Logs
from generation.training.learning.state import Best, Checkpoints, Saved, State
from generation.training.learning.surroundings import accelerator_on, own_chance
from generation.training.learning.updates import Update, Updates
from generation.training.learning.validation import chosen_windows, summed_loss
from generation.training.recipe import Recipe
from study.canonical import canonical_sha256
from study.errors import ModelError, OutOfRange

SampledError = Callable[[ConditionedDecoder], float]
"""Makes clips with the model as it is and says how far they are from their targets, in units of affect."""

BY_LOSS, BY_CLIPS = "validation loss", "error of sampled clips"


def learn(
    model: ConditionedDecoder,
    train: Examples,
    validation: Examples,
    text: TextEncoder,
    recipe: Recipe,
    folder: Path,
    device: str,
    progress: Progress,
    sampled_error: SampledError | None = None,
) -> Learned:
    """Train a model as a recipe says, or go on where `folder` stands.

    Random numbers are a function of seed, step and process, so a training that was killed ends with the
    weights of one that was not: bit for bit on a CPU. The caller's own random numbers are left alone.

    Args:
        model: new from `ConditionedDecoder.of_recipe`; it ends with the best checkpoint's weights.
        train, validation: windows.
        text: encodes their words, each once.
        folder: made where it is missing.
        device: ``cpu``, ``cuda`` or ``cuda:N``; of several processes, each takes its own GPU.
        progress: of the steps.
        sampled_error: chooses the best checkpoint instead of the validation loss; called by the main
            process, with the weights that would be saved.

    Raises:
        OutOfRange, UnknownName: a setting outside its range, or no window to learn from.
        StorageError: the folder cannot be written, or is of another training.
        ModelError: tokens of another codec, or a loss that is no number; the checkpoints are kept.
        DeviceError: no such device.
    """
    accelerator = accelerator_on(device)
    folder.mkdir(parents=True, exist_ok=True)
    with own_chance(accelerator.device):
        loop = _Loop(accelerator, model, train, validation, text, recipe, folder, sampled_error)
        return loop.run(progress)


class _Loop:
    def __init__(
        self,
        accelerator: Accelerator,
        model: ConditionedDecoder,
        train: Examples,
        validation: Examples,
        text: TextEncoder,
        recipe: Recipe,
        folder: Path,
        sampled_error: SampledError | None,
    ) -> None:
        every = recipe.selection.every_steps
        if every < 1:
            raise OutOfRange("selection.every_steps", f"{every} is below 1", "write a whole number from 1")
        self._accelerator, self._model, self._text, self._recipe = accelerator, model, text, recipe
        self._validation, self._folder, self._sampled_error = validation, folder, sampled_error
        self._updates = Updates(accelerator, model, train, text, recipe)
        self._numbers = chosen_windows(len(validation), recipe.selection.validation_clips, recipe.seed)
        self._checkpoints = Checkpoints(folder)
        self._identity = canonical_sha256(
            {
                "recipe": recipe,
                "base": model.models,
                "windows": [len(train), len(validation)],
                "affects": None if train.affects is None else train.affects.tobytes().hex(),
            }
        )
        self._notes = list(model.notes)

    def run(self, progress: Progress) -> Learned:
        last, every = self._recipe.optimiser.max_steps, self._recipe.selection.every_steps
        state = self._resumed()
        if state is None or state.step < last:
            with self._logged(state) as logs:
                state = state or self._begun(logs)
                onset, before = time.perf_counter(), state.seconds
                for step in range(state.step + 1, last + 1):
                    started = time.perf_counter()
                    update = self._updates.take(step)
                    row = self._row(step, update, time.perf_counter() - started)
                    if step % every == 0 or step == last:
                        state, row = self._selected(state, row)
                        state = replace(state, seconds=before + time.perf_counter() - onset)
                        logs.add(row)
                        self._save(state)
                    else:
                        logs.add(row)
                    progress(step / last)
        return self._learned(state)

    def _resumed(self) -> State | None:
        """Take weights, average and optimiser from the last whole checkpoint, if there is one."""
        saved, damaged = self._checkpoints.last(self._identity)
        self._notes += damaged
        if saved is None:
            return None
        self._put(saved.weights)
        self._updates.adamw.load_state_dict(dict(saved.optimiser))
        if self._updates.average is not None and saved.average is not None:
            self._updates.average.load(saved.average)
        found, now = saved.state.n_processes, self._accelerator.num_processes
        if found != now:
            self._notes.append(f"{found} processes before, {now} now: other windows than in one run")
        return saved.state

    def _begun(self, logs: Logs) -> State:
        """The state before any step: the base's own validation loss."""
        loss = self._validation_loss(0)
        logs.add(LogRow(0, validation_loss=loss))
        measure = BY_LOSS if self._sampled_error is None else BY_CLIPS
        return State(
            step=0,
            identity=self._identity,
            best=Best(0, math.inf, measure),
            best_by_loss=Best(0, math.inf, BY_LOSS),
            losses=(),
            validation_loss=loss,
            first_validation_loss=loss,
            windows=0,
            seconds=0.0,
            n_processes=self._accelerator.num_processes,
        )

    def _selected(self, state: State, row: LogRow) -> tuple[State, LogRow]:
        """Measure the weights that would be saved now, and say whether they are the best so far."""
        average = self._updates.average
        with nullcontext() if average is None else average.in_use():
            loss, error = self._validation_loss(row.step), self._measured_error()
        row = replace(row, validation_loss=loss, sampled_error=error)
        state = replace(
            state,
            step=row.step,
            best=_better(state.best, row.step, loss if error is None else error),
            best_by_loss=_better(state.best_by_loss, row.step, loss),
            losses=row.losses,
            validation_loss=loss,
            windows=row.step * self._updates.batches.windows_a_step,
            n_processes=self._accelerator.num_processes,
        )
        return state, row

    def _validation_loss(self, step: int) -> float:
        accelerator = self._accelerator
        mine = self._numbers[accelerator.process_index :: accelerator.num_processes]
        rows, precision = self._recipe.optimiser.batch_clips, self._updates.precision
        summed = summed_loss(
            self._model, self._validation, mine, self._text, rows, accelerator.device, precision
        )
        loss, n_frames = accelerator.reduce(summed.to(accelerator.device), "sum").tolist()
        if not math.isfinite(loss):
            raise ModelError(
                f"step {step}",
                f"the validation loss is {loss / n_frames}",
                "lower optimiser.learning_rate, or set optimiser.dtype to float32; the checkpoints are kept",
            )
        return float(loss / n_frames)

    def _measured_error(self) -> float | None:
        if self._sampled_error is None:
            return None
        error = torch.zeros((), dtype=torch.float64, device=self._accelerator.device)
        if self._accelerator.is_main_process:
            error += self._sampled_error(self._model)
        found = float(self._accelerator.reduce(error, "sum"))
        # No number is no better than any number; the log shows it.
        return found if math.isfinite(found) else math.inf

    def _save(self, state: State) -> None:
        average = self._updates.average
        if self._accelerator.is_main_process:
            weights = {name: weight.detach() for name, weight in self._model.trained().items()}
            averaged = None if average is None else average.tensors
            self._checkpoints.save(Saved(state, weights, averaged, self._updates.adamw.state_dict()))
        self._accelerator.wait_for_everyone()

    @contextmanager
    def _logged(self, state: State | None) -> Iterator[Logs]:
        step, codebooks = None if state is None else state.step, self._model.shape.n_codebooks
        logs = Logs(self._folder if self._accelerator.is_main_process else None, codebooks, step)
        for note in self._notes:
            logs.note(step or 0, note)
        try:
            yield logs
        finally:
            logs.close()

    def _row(self, step: int, update: Update, seconds: float) -> LogRow:
        return LogRow(
            step,
            losses=update.losses,
            learning_rate=update.learning_rate,
            gradient_norm=update.gradient_norm,
            windows_per_s=self._updates.batches.windows_a_step / seconds,
        )

    @torch.no_grad()
    def _put(self, tensors: Mapping[str, Tensor]) -> None:
        for name, weight in self._model.trained().items():
            weight.copy_(tensors[name])

    def _learned(self, state: State) -> Learned:
        self._put(self._checkpoints.load(state.best.step).best_weights)
        self._model.train(False)
        return Learned(
            steps=state.step,
            best=state.best,
            best_by_loss=state.best_by_loss,
            losses=state.losses,
            validation_loss=state.validation_loss,
            first_validation_loss=state.first_validation_loss,
            windows=state.windows,
            seconds=state.seconds,
            n_processes=state.n_processes,
            is_main=self._accelerator.is_main_process,
            folder=self._folder,
            best_checkpoint=self._checkpoints.path(state.best.step),
            notes=tuple(self._notes),
        )


def _better(best: Best, step: int, value: float) -> Best:
    """The better of a measure's best and a new value; any first value is better than none."""
    return Best(step, value, best.measure) if value < best.value or best.step == 0 else best
