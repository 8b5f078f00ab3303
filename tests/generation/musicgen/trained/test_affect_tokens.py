"""Affect tokens: smooth in valence and arousal, and a file that is whole or refused."""

from __future__ import annotations

import hashlib
import itertools
import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from generation.conditioning import FREQUENCIES, fourier_features
from generation.musicgen.shape import DecoderShape
from generation.musicgen.trained.affect_tokens import AffectTokens
from generation.musicgen.trained.trained_file import Training, write_trained
from study.affect import Affect
from study.errors import ModelError

pytestmark = pytest.mark.torch

TRAINING = Training("facebook/musicgen-small", "400 steps on a test's own numbers, seed 3", "cc0-1.0")
SHAPE = DecoderShape(
    hidden_size=64,
    n_layers=2,
    n_heads=4,
    ffn_dim=128,
    n_codebooks=4,
    audio_channels=1,
    codebook_size=2048,
    text_dim=48,
    frame_rate_hz=50,
    max_positions=2048,
)
GELU_STEEPEST = 1.13
"""The greatest slope of x Φ(x), at x = √2."""

UNIT = st.floats(-1.0, 1.0)
PLANE = st.builds(Affect, UNIT, UNIT)


def new_tokens(n_tokens: int = 4, width: int = 256) -> AffectTokens:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        return AffectTokens(SHAPE.text_dim, TRAINING, n_tokens, width)


def contents(path: Path) -> dict[str, Tensor]:
    return safetensors.torch.load(path.read_bytes())


def card_of(path: Path) -> dict[str, object]:
    with safetensors.safe_open(path, framework="pt") as opened:
        card: dict[str, object] = json.loads(opened.metadata()["card"])
    return card


def rewritten(path: Path, tensors: dict[str, Tensor], **sizes: object) -> Path:
    """The same file with other tensors or sizes."""
    card = card_of(path)
    kept = {name: card[name] for name in ("n_tokens", "n_features", "frequencies", "width", "text_dim")}
    write_trained(path, "affect_tokens", tensors, {**kept, **sizes}, TRAINING)
    return path


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "calm.safetensors"
    new_tokens().save(path)
    return path


@settings(max_examples=50, deadline=None)
@given(affects=st.lists(st.tuples(UNIT, UNIT), min_size=1, max_size=4))
def test_the_features_are_those_of_the_conditioning(affects: list[tuple[float, float]]) -> None:
    points = np.array(affects)

    features = new_tokens().features(torch.from_numpy(points))

    np.testing.assert_allclose(features.numpy(), fourier_features(points), rtol=0.0, atol=1e-12)


def test_in_float32_they_differ_by_rounding_only() -> None:
    points = np.random.default_rng(1).uniform(-1.0, 1.0, (1000, 2))

    features = new_tokens().features(torch.from_numpy(points).float())

    # Measured: 7e-7.
    np.testing.assert_allclose(features.numpy(), fourier_features(points), rtol=0.0, atol=3e-6)


def test_a_point_becomes_four_tokens_as_wide_as_the_text() -> None:
    tokens = new_tokens()

    batch = tokens(torch.tensor([[0.5, -0.5], [-1.0, 1.0]]))

    assert batch.shape == (2, 4, SHAPE.text_dim)
    torch.testing.assert_close(tokens.tokens(Affect(-1.0, 1.0)), batch[1].detach())
    assert new_tokens(n_tokens=2).tokens(Affect(0.0, 0.0)).shape == (2, SHAPE.text_dim)


@settings(max_examples=50, deadline=None)
@given(start=PLANE, target=PLANE)
def test_between_two_affects_the_tokens_move_no_faster_than_their_lipschitz_bound(
    start: Affect, target: Affect
) -> None:
    tokens = new_tokens(n_tokens=2, width=32).requires_grad_(False)
    path = [start.toward(target, float(share)) for share in np.linspace(0.0, 1.0, 500)]
    linear = [layer.weight for layer in tokens.mlp if isinstance(layer, nn.Linear)]
    slopes = [float(torch.linalg.matrix_norm(weight, 2)) for weight in linear]
    features = math.sqrt(1.0 + sum((math.pi * k) ** 2 for k in FREQUENCIES))
    bound = features * math.prod(slopes) * GELU_STEEPEST**2

    made = tokens(torch.tensor([(affect.valence, affect.arousal) for affect in path])).flatten(1)

    moved = torch.linalg.vector_norm(made.diff(dim=0), dim=1)
    distances = torch.tensor([first.distance_to(second) for first, second in itertools.pairwise(path)])
    assert (moved <= bound * distances + 1e-5).all()


def test_different_affects_have_different_tokens() -> None:
    tokens = new_tokens()
    corners = [Affect(v, a) for v in (-1.0, 1.0) for a in (-1.0, 1.0)]

    made = torch.stack([tokens.tokens(affect) for affect in corners]).flatten(1)

    assert (torch.pdist(made) > 0.1).all()


def test_what_was_saved_is_read_back_bit_for_bit(saved: Path) -> None:
    tokens = new_tokens()

    loaded = AffectTokens.load(saved, SHAPE, base_model="elsewhere/musicgen-small")

    affect = Affect(0.3, -0.7)
    assert torch.equal(loaded.tokens(affect), tokens.tokens(affect))
    assert loaded.provenance == TRAINING
    assert loaded.licence == "cc0-1.0"
    assert (loaded.name, loaded.sha256) == (
        "calm.safetensors",
        hashlib.sha256(saved.read_bytes()).hexdigest(),
    )
    assert not any(weight.requires_grad for weight in loaded.parameters())


def test_the_same_weights_make_the_same_file(saved: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.safetensors"
    AffectTokens.load(saved, SHAPE).save(again)

    assert again.read_bytes() == saved.read_bytes()


def test_the_card_says_what_the_file_is(saved: Path) -> None:
    assert card_of(saved) == {
        "kind": "affect_tokens",
        "version": 1,
        "base_model": "facebook/musicgen-small",
        "note": "400 steps on a test's own numbers, seed 3",
        "licence": "cc0-1.0",
        "n_tokens": 4,
        "n_features": 18,
        "frequencies": [0.5, 1.0, 2.0, 4.0],
        "width": 256,
        "text_dim": 48,
    }


def test_conditioning_by_tokens_without_a_file_says_what_to_write() -> None:
    with pytest.raises(ModelError) as refused:
        AffectTokens.load(None, SHAPE)

    assert str(refused.value) == (
        'engine.options.affect_tokens: conditioning "tokens" needs a trained file, and none is named;'
        ' write its path as "affect_tokens", or take "tokens" out of conditioning'
    )


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"nowhere\.safetensors: there is no such file"):
        AffectTokens.load(tmp_path / "nowhere.safetensors", SHAPE)


def test_a_damaged_file_is_named(saved: Path) -> None:
    saved.write_bytes(saved.read_bytes()[:-100])

    with pytest.raises(ModelError, match=r"calm\.safetensors: it cannot be read"):
        AffectTokens.load(saved, SHAPE)


def test_a_file_of_something_else_is_named(tmp_path: Path) -> None:
    path = tmp_path / "steering.safetensors"
    write_trained(path, "steering", {"valence": torch.zeros(2, 64)}, {}, TRAINING)
    plain = tmp_path / "plain.safetensors"
    plain.write_bytes(safetensors.torch.save({"mlp.0.weight": torch.zeros(2, 2)}))

    with pytest.raises(ModelError, match="it holds 'steering', not 'affect_tokens'"):
        AffectTokens.load(path, SHAPE)
    with pytest.raises(ModelError, match="it has no card of isopath's"):
        AffectTokens.load(plain, SHAPE)


def test_a_file_for_another_text_width_is_refused_with_both(saved: Path) -> None:
    with pytest.raises(ModelError, match=r"text states of width 48, the model's have 768"):
        AffectTokens.load(saved, replace(SHAPE, text_dim=768))


def test_a_file_for_another_base_model_is_refused_with_both(saved: Path) -> None:
    with pytest.raises(
        ModelError, match=r"made for facebook/musicgen-small, the model is facebook/musicgen-large"
    ):
        AffectTokens.load(saved, SHAPE, base_model="facebook/musicgen-large")


def test_a_missing_extra_misshapen_or_damaged_tensor_is_named(saved: Path) -> None:
    whole = contents(saved)
    cases = {
        "mlp.4.bias is missing": {name: t for name, t in whole.items() if name != "mlp.4.bias"},
        "mlp.6.bias does not belong here": {**whole, "mlp.6.bias": torch.zeros(3)},
        "mlp.2.weight has shape 256×255, not 256×256": {**whole, "mlp.2.weight": torch.zeros(256, 255)},
        "mlp.0.bias holds 1 value": {
            **whole,
            "mlp.0.bias": whole["mlp.0.bias"].clone().index_fill_(0, torch.tensor([3]), math.nan),
        },
    }

    for problem, tensors in cases.items():
        with pytest.raises(ModelError, match=problem):
            AffectTokens.load(rewritten(saved, tensors), SHAPE)


@pytest.mark.parametrize(
    ("size", "value", "problem"),
    [
        ("n_tokens", 0, "its card has n_tokens = 0, not a whole number from 1 to 64"),
        ("width", "wide", "its card has width = 'wide'"),
        ("frequencies", [0.5, "x"], "which do not go together"),
        ("n_features", 10, "n_features 10, which do not go together"),
    ],
)
def test_a_card_that_does_not_hold_together_is_named(
    saved: Path, size: str, value: object, problem: str
) -> None:
    with pytest.raises(ModelError, match=problem):
        AffectTokens.load(rewritten(saved, contents(saved), **{size: value}), SHAPE)
