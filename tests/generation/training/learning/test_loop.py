"""A training that is killed ends with the weights of one that is not."""

from __future__ import annotations

import math
import multiprocessing
import resource
import signal
from dataclasses import replace
from multiprocessing.context import ForkServerContext
from pathlib import Path

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from generation.engine import Progress
from generation.musicgen.decoding.decode import ClipInput, DecodeLoop, Draw
from generation.musicgen.decoding.decoder import Decoder
from generation.training.learning.conditioned import ConditionedDecoder
from generation.training.learning.examples import Example
from generation.training.learning.logs import NOTES_FILE, read_log
from generation.training.learning.loop import learn
from generation.training.recipe import ConditioningRecipe, LoraRecipe, Recipe, SelectionRecipe
from study.affect import Affect
from study.errors import IsopathError, ModelError, OutOfRange, StorageError, UnknownName
from tests.generation.training.learning.tiny_training import (
    Windows,
    checkpoint_of,
    loaded,
    optimiser,
    random_windows,
    run,
    text_of,
    tiny_recipe,
)

pytestmark = pytest.mark.torch

WITH_EVERYTHING = tiny_recipe(optimiser=optimiser(accumulation=2, ema_decay=0.9, gradient_checkpointing=True))


@pytest.fixture(scope="module")
def processes() -> ForkServerContext:
    """Processes that need not import torch again, each."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([run.__module__])
    return context


def die(context: ForkServerContext, *arguments: object, **deaths: int) -> None:
    """Train in another process, which is killed with SIGKILL."""
    process = context.Process(target=run, args=arguments, kwargs=deaths)
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL


def bytes_of(model: ConditionedDecoder, folder: Path) -> list[bytes]:
    model.save_adapter(folder / "adapter")
    model.save_affect_tokens(folder / "affect.safetensors")
    files = ("adapter/adapter_model.safetensors", "adapter/adapter_config.json", "affect.safetensors")
    return [(folder / file).read_bytes() for file in files]


def rows_of(folder: Path) -> list[dict[str, str]]:
    """The log, without how fast it went."""
    return [{key: value for key, value in row.items() if key != "windows_per_s"} for row in read_log(folder)]


def silent(share: float) -> None:
    """Nobody watches."""


def steps_of(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "checkpoints").iterdir())


@pytest.mark.parametrize(
    ("recipe", "deaths"),
    [
        # Before the first checkpoint, two steps after it, and halfway through writing the second.
        (WITH_EVERYTHING, ({"dies_after": 2}, {"dies_after": 5}, {"dies_writing": 6})),
        (tiny_recipe(), ({"dies_after": 4},)),
    ],
    ids=["average-and-accumulation", "plain"],
)
def test_a_killed_training_ends_with_the_same_weights(
    recipe: Recipe,
    deaths: tuple[dict[str, int], ...],
    tiny_folder: Path,
    tmp_path: Path,
    processes: ForkServerContext,
) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    model, learned = run(tiny_folder, whole, recipe)

    for death in deaths:
        die(processes, tiny_folder, killed, recipe, **death)
    assert [path.name for path in killed.glob("checkpoints/step-*")] == ["step-00000003"]
    again, learned_again = run(tiny_folder, killed, recipe)

    assert bytes_of(again, killed) == bytes_of(model, whole)
    assert rows_of(killed) == rows_of(whole)
    assert [row["step"] for row in rows_of(killed)] == [str(step) for step in range(9)]
    assert steps_of(killed) == steps_of(whole)
    assert replace(
        learned_again, seconds=0.0, folder=whole, best_checkpoint=learned.best_checkpoint
    ) == replace(learned, seconds=0.0)


def test_a_finished_training_is_not_made_again(tiny_folder: Path, tmp_path: Path) -> None:
    model, learned = run(tiny_folder, tmp_path / "run", tiny_recipe())
    before = (tmp_path / "run" / "log.csv").read_bytes()

    again, learned_again = run(tiny_folder, tmp_path / "run", tiny_recipe())

    assert learned_again == learned
    assert bytes_of(again, tmp_path) == bytes_of(model, tmp_path / "run")
    assert (tmp_path / "run" / "log.csv").read_bytes() == before


def test_a_damaged_checkpoint_is_named_and_the_one_before_is_used(tiny_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    model, _ = run(tiny_folder, folder, tiny_recipe())
    rows = rows_of(folder)
    damaged = folder / "checkpoints" / "step-00000008" / "optimiser.pt"
    content = bytearray(damaged.read_bytes())
    content[len(content) // 2] ^= 1
    damaged.write_bytes(content)

    again, learned = run(tiny_folder, folder, tiny_recipe())

    told = (
        f"{damaged.parent}: is damaged (optimiser.pt changed since it was written);"
        " goes on from step 6, the last checkpoint that is whole"
    )
    assert learned.notes == (told,)
    assert (folder / NOTES_FILE).read_text() == f"step 6: {told}\n"
    assert rows_of(folder) == rows
    assert bytes_of(again, tmp_path) == bytes_of(model, folder)
    assert steps_of(folder) == ["damaged-step-00000008", "step-00000006", "step-00000008"]


def test_a_full_disk_is_told_and_the_checkpoint_before_it_is_gone_on_from(
    tiny_folder: Path, tmp_path: Path
) -> None:
    folder, checkpoint, recipe = tmp_path / "run", loaded(tiny_folder), tiny_recipe()
    windows = random_windows(5, checkpoint.shape)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fills(share: float) -> None:
        if share == 4 / 8:
            # Logs still fit; the adapter's 400 kB do not.
            resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))

    model = ConditionedDecoder.of_recipe(checkpoint, recipe)
    try:
        with pytest.raises(StorageError) as refusal:
            learn(model, windows, windows, text_of(tiny_folder), recipe, folder, "cpu", fills)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    assert refusal.value.where == str(folder / "checkpoints" / "step-00000006")
    assert "it goes on from the checkpoint before" in refusal.value.remedy
    assert steps_of(folder) == ["step-00000003"]
    again = ConditionedDecoder.of_recipe(checkpoint, recipe)
    learn(again, windows, windows, text_of(tiny_folder), recipe, folder, "cpu", silent)
    assert steps_of(folder) == ["step-00000006", "step-00000008"]


def test_a_training_without_any_whole_checkpoint_or_of_another_recipe_is_refused(
    tiny_folder: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    run(tiny_folder, folder, tiny_recipe(optimiser=optimiser(max_steps=2)))

    with pytest.raises(StorageError, match="is of a training with another recipe, base or data"):
        run(tiny_folder, folder, tiny_recipe(optimiser=optimiser(max_steps=3)))
    (folder / "checkpoints" / "step-00000002" / "state.json").write_text("{}")
    with pytest.raises(StorageError, match=r"none of its checkpoints is whole .*state.json changed"):
        run(tiny_folder, folder, tiny_recipe(optimiser=optimiser(max_steps=2)))


def test_the_log_says_what_each_step_was_and_tensorboard_the_same(tiny_folder: Path, tmp_path: Path) -> None:
    _, learned = run(tiny_folder, tmp_path, tiny_recipe())

    rows = read_log(tmp_path)

    assert [row["step"] for row in rows if row["validation_loss"]] == ["0", "3", "6", "8"]
    assert float(rows[0]["validation_loss"]) == pytest.approx(learned.first_validation_loss, rel=1e-8)
    assert float(rows[8]["validation_loss"]) == pytest.approx(learned.validation_loss, rel=1e-8)
    assert learned.validation_loss < learned.first_validation_loss
    for row in rows[1:]:
        losses = [float(row[f"loss_codebook_{number}"]) for number in range(1, 5)]
        assert float(row["loss"]) == pytest.approx(sum(losses) / 4)
        assert float(row["windows_per_s"]) > 0.0
    # Two steps of warm-up to 0.01, then down to a tenth.
    assert [float(rows[step]["learning_rate"]) for step in (1, 2, 8)] == pytest.approx([0.005, 0.01, 0.001])
    assert learned.windows == 16
    events = EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    assert [event.value for event in events.Scalars("loss")] == pytest.approx(
        [float(row["loss"]) for row in rows[1:]], rel=1e-6
    )
    assert [event.step for event in events.Scalars("validation_loss")] == [0, 3, 6, 8]


def test_the_best_checkpoint_is_kept_and_handed_over(tiny_folder: Path, tmp_path: Path) -> None:
    errors = iter((0.9, 0.2, 0.5, math.nan))
    recipe = tiny_recipe(selection=SelectionRecipe(every_steps=2, validation_clips=2))
    seen = []

    def sampled_error(model: ConditionedDecoder) -> float:
        assert not model.training
        seen.append({name: weight.detach().clone() for name, weight in model.trained().items()})
        return next(errors)

    model, learned = run(tiny_folder, tmp_path, recipe, sampled_error=sampled_error)

    assert learned.why_best == "step 4 of 8: lowest error of sampled clips, 0.2"
    assert steps_of(tmp_path) == ["step-00000004", "step-00000006", "step-00000008"]
    assert all(torch.equal(weight, seen[1][name]) for name, weight in model.trained().items())
    assert [row["sampled_error"] for row in read_log(tmp_path)][2::2] == ["0.9", "0.2", "0.5", "inf"]


def test_the_best_by_loss_is_kept_beside_the_best_by_clips(tiny_folder: Path, tmp_path: Path) -> None:
    errors = iter((0.9, 0.2, 0.5, 0.6))
    # A rate at which the validation loss soon rises.
    recipe = tiny_recipe(
        optimiser=optimiser(learning_rate=0.5, final_share=1.0),
        selection=SelectionRecipe(every_steps=2, validation_clips=2),
    )

    _, learned = run(tiny_folder, tmp_path, recipe, sampled_error=lambda _: next(errors))

    losses = [float(row["validation_loss"]) for row in read_log(tmp_path)[2::2]]
    assert min(losses) == losses[0]
    assert (learned.best.step, learned.best_by_loss.step) == (4, 2)
    assert learned.best_by_loss.value == pytest.approx(losses[0])
    assert steps_of(tmp_path) == ["step-00000002", "step-00000004", "step-00000006", "step-00000008"]


def test_a_loss_that_is_no_number_stops_the_training_and_names_the_step(
    tiny_folder: Path, tmp_path: Path
) -> None:
    checkpoint = loaded(tiny_folder)
    model = ConditionedDecoder.of_recipe(checkpoint, tiny_recipe())
    windows = random_windows(5, checkpoint.shape)

    def broken(share: float) -> None:
        if share == 4 / 8:
            next(iter(model.trained().values())).data.fill_(math.nan)

    progress: Progress = broken
    with pytest.raises(ModelError) as refusal:
        learn(model, windows, windows, text_of(tiny_folder), tiny_recipe(), tmp_path, "cpu", progress)

    assert refusal.value.where == "step 5"
    assert refusal.value.problem == "the loss is nan, the norm of its gradient nan"
    assert "lower optimiser.learning_rate" in refusal.value.remedy
    assert steps_of(tmp_path) == ["step-00000003"]


@pytest.mark.parametrize(
    ("recipe", "kind", "told"),
    [
        (
            tiny_recipe(optimiser=optimiser(dtype="float16")),
            UnknownName,
            "'float16' is no precision to train in",
        ),
        (tiny_recipe(selection=SelectionRecipe(every_steps=0)), OutOfRange, "0 is below 1"),
        (tiny_recipe(seed=-1), OutOfRange, "-1 is negative"),
    ],
)
def test_a_recipe_that_cannot_be_followed_is_refused_before_anything_is_written(
    tiny_folder: Path, tmp_path: Path, recipe: Recipe, kind: type[IsopathError], told: str
) -> None:
    with pytest.raises(kind) as refusal:
        run(tiny_folder, tmp_path / "run", recipe)

    assert refusal.value.problem == told
    assert not list((tmp_path / "run").iterdir())


def test_the_callers_own_random_numbers_are_left_alone(tiny_folder: Path, tmp_path: Path) -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)

    torch.manual_seed(5)
    run(tiny_folder, tmp_path, tiny_recipe(optimiser=optimiser(max_steps=1)))

    assert torch.equal(torch.rand(3), expected)


def test_two_batches_of_an_update_are_one_of_twice_the_rows(tiny_folder: Path, tmp_path: Path) -> None:
    checkpoint = checkpoint_of(dropout=0.0)
    windows = Windows(
        replace(window, codes=window.codes[:, :12]) for window in random_windows(4, checkpoint.shape)
    )
    rows = []
    for batch_clips, accumulation in ((4, 1), (2, 2)):
        recipe = tiny_recipe(
            optimiser=optimiser(batch_clips=batch_clips, accumulation=accumulation, max_steps=2),
            conditioning=ConditioningRecipe(drop_both=0.0, drop_words=0.0, drop_affect=0.0),
            lora=LoraRecipe(r=4, lora_dropout=0.0),
        )
        model = ConditionedDecoder.of_recipe(checkpoint, recipe)
        folder = tmp_path / str(accumulation)
        learn(model, windows, windows, text_of(tiny_folder), recipe, folder, "cpu", silent)
        rows.append(read_log(folder)[1:])

    for whole, halves in zip(*rows, strict=True):
        for column in ("loss", "loss_codebook_3", "gradient_norm"):
            assert float(halves[column]) == pytest.approx(float(whole[column]), rel=1e-4)


def test_in_bfloat16_weights_stay_float32_and_the_loss_is_nearly_the_same(
    tiny_folder: Path, tmp_path: Path
) -> None:
    losses = {}
    for dtype in ("float32", "bfloat16"):
        recipe = tiny_recipe(optimiser=optimiser(max_steps=3, dtype=dtype))
        model, learned = run(tiny_folder, tmp_path / dtype, recipe)
        assert {weight.dtype for weight in model.trained().values()} == {torch.float32}
        losses[dtype] = learned.losses

    # bfloat16 keeps 8 bits: 0.4 % a product; means over 100 codes differed by 0.1 %.
    assert losses["bfloat16"] == pytest.approx(losses["float32"], rel=0.01)
    assert losses["bfloat16"] != losses["float32"]


def test_control_is_learnt_and_heard_by_the_decode_loop(tiny_folder: Path, tmp_path: Path) -> None:
    """Two clips, each of its own constant codes, told apart by nothing but their places on the plane."""
    checkpoint = loaded(tiny_folder)
    places = {100: Affect(-0.6, 0.6), 900: Affect(0.6, -0.4)}
    clips = Windows(
        Example((torch.arange(4)[:, None] + first).expand(4, 10).short().numpy(), "", place)
        for first, place in places.items()
    )
    recipe = tiny_recipe(
        optimiser=optimiser(learning_rate=0.03, max_steps=40),
        conditioning=ConditioningRecipe(width=32, drop_both=0.0, drop_words=0.0, drop_affect=0.0),
        lora=LoraRecipe(r=8, lora_dropout=0.0),
        selection=SelectionRecipe(every_steps=40),
    )
    model = ConditionedDecoder.of_recipe(checkpoint, recipe)

    learned = learn(model, clips, clips, text_of(tiny_folder), recipe, tmp_path, "cpu", silent)

    assert learned.first_validation_loss > 7.0
    assert learned.validation_loss < 0.5
    decoder = Decoder(checkpoint.shape)
    decoder.load(model.decoder_tensors())
    assert model.affect_tokens is not None
    inputs = [
        ClipInput(0, text_of(tiny_folder).states(""), model.affect_tokens.tokens(clip.affect))
        for clip in clips
        if clip.affect is not None
    ]
    greedy = Draw(guidance_scale=1.0, top_k=1)
    codes = DecodeLoop(decoder).decode(inputs, 10, greedy, silent).codes
    assert codes.tolist() == [clip.codes.tolist() for clip in clips]
