"""Steering directions: linear in valence and arousal, and a file that is whole or refused."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from generation.musicgen.shape import DecoderShape
from generation.musicgen.trained.steering import Steering
from generation.musicgen.trained.trained_file import Training, write_trained
from study.affect import Affect
from study.errors import ModelError

pytestmark = pytest.mark.torch

TRAINING = Training("facebook/musicgen-small", "probes on a test's own numbers")
SHAPE = DecoderShape(
    hidden_size=64,
    n_layers=3,
    n_heads=4,
    ffn_dim=128,
    n_codebooks=4,
    audio_channels=1,
    codebook_size=2048,
    text_dim=48,
    frame_rate_hz=50,
    max_positions=2048,
)
UNIT = st.floats(-1.0, 1.0)
PLANE = st.builds(Affect, UNIT, UNIT)


def new_steering() -> Steering:
    generator = torch.Generator().manual_seed(7)
    return Steering(
        torch.randn(SHAPE.n_layers, SHAPE.hidden_size, generator=generator),
        torch.randn(SHAPE.n_layers, SHAPE.hidden_size, generator=generator),
        TRAINING,
    )


def test_the_push_is_strength_times_valence_and_arousal_along_their_directions() -> None:
    steering = new_steering()

    pushed = steering.vectors(Affect(0.5, -0.25), strength=2.0)

    torch.testing.assert_close(pushed, steering.valence - 0.5 * steering.arousal)


def test_neutral_affect_and_no_strength_push_nowhere() -> None:
    steering = new_steering()

    assert not steering.vectors(Affect(0.0, 0.0), strength=5.0).any()
    assert not steering.vectors(Affect(-0.8, 0.6), strength=0.0).any()


@settings(max_examples=50, deadline=None)
@given(start=PLANE, target=PLANE, share=st.floats(0.0, 1.0), strength=st.floats(0.0, 10.0))
def test_the_push_moves_no_faster_than_its_lipschitz_bound(
    start: Affect, target: Affect, share: float, strength: float
) -> None:
    steering = new_steering()
    between = start.toward(target, share)
    directions = torch.stack([steering.valence.flatten(), steering.arousal.flatten()])
    bound = strength * float(torch.linalg.matrix_norm(directions, 2))

    moved = torch.linalg.vector_norm(steering.vectors(between, strength) - steering.vectors(start, strength))

    assert float(moved) <= bound * start.distance_to(between) + 1e-4


def test_what_was_saved_is_read_back_bit_for_bit(tmp_path: Path) -> None:
    steering = new_steering()
    steering.save(tmp_path / "probes.safetensors")

    loaded = Steering.load(tmp_path / "probes.safetensors", SHAPE, base_model="musicgen-small")

    assert torch.equal(loaded.valence, steering.valence)
    assert torch.equal(loaded.arousal, steering.arousal)
    assert loaded.provenance == TRAINING
    assert (loaded.name, loaded.licence, len(loaded.sha256)) == ("probes.safetensors", "not stated", 64)


def test_conditioning_by_steering_without_a_file_says_what_to_write() -> None:
    with pytest.raises(ModelError) as refused:
        Steering.load(None, SHAPE)

    assert str(refused.value) == (
        'engine.options.steering: conditioning "steering" needs a trained file, and none is named;'
        ' write its path as "steering", or take "steering" out of conditioning'
    )


@pytest.mark.parametrize(
    ("tensors", "problem"),
    [
        ({"valence": torch.zeros(3, 64)}, "arousal is missing"),
        (
            {"valence": torch.zeros(3, 64), "arousal": torch.zeros(2, 64)},
            "arousal has shape 2×64, not 3×64",
        ),
        (
            {name: torch.zeros(3, 64) for name in ("valence", "arousal", "dominance")},
            "dominance does not belong here",
        ),
        (
            {"valence": torch.full((3, 64), math.nan), "arousal": torch.zeros(3, 64)},
            "valence holds 192 value",
        ),
    ],
)
def test_a_missing_extra_misshapen_or_damaged_direction_is_named(
    tmp_path: Path, tensors: dict[str, torch.Tensor], problem: str
) -> None:
    path = tmp_path / "probes.safetensors"
    write_trained(path, "steering", tensors, {}, TRAINING)

    with pytest.raises(ModelError, match=problem):
        Steering.load(path, SHAPE)


def test_directions_of_another_model_are_refused_with_both(tmp_path: Path) -> None:
    new_steering().save(tmp_path / "probes.safetensors")

    with pytest.raises(
        ModelError, match=r"made for facebook/musicgen-small, the model is facebook/musicgen-medium"
    ):
        Steering.load(tmp_path / "probes.safetensors", SHAPE, base_model="facebook/musicgen-medium")
