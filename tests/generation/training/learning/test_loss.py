"""The loss counts every code of every frame once, at the position that predicts it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from generation.training.learning.conditioned import ConditionedDecoder
from generation.training.learning.loss import delay_inputs, delay_loss, delay_targets
from tests.generation.training.learning.tiny_training import checkpoint_of, tiny_recipe

pytestmark = pytest.mark.torch

FRAMES = 7


def by_hand(
    logits: NDArray[np.float64], codes: NDArray[np.int64], lengths: list[int], lag: list[int]
) -> list[float]:
    """Cross-entropy of each codebook, written out: frame f of codebook c is predicted at f + lag(c)."""
    means = []
    for codebook, delay in enumerate(lag):
        losses = []
        for row, length in enumerate(lengths):
            for frame in range(length):
                scores = logits[row, codebook, frame + delay]
                probability = np.exp(scores) / np.exp(scores).sum()
                losses.append(-np.log(probability[codes[row, codebook, frame]]))
        means.append(float(np.mean(losses)))
    return means


@pytest.mark.parametrize(("stereo", "lag"), [(False, [0, 1, 2, 3]), (True, [0, 0, 1, 1, 2, 2, 3, 3])])
def test_the_loss_is_each_codebooks_cross_entropy(stereo: bool, lag: list[int]) -> None:
    shape, lengths = checkpoint_of(stereo).shape, [FRAMES, 4]
    generator = torch.Generator().manual_seed(0)
    codes = torch.randint(0, 2048, (2, len(lag), FRAMES), generator=generator)
    codes[1, :, 4:] = shape.special_token
    logits = torch.randn((2, len(lag), FRAMES + 3, 2048), generator=generator)

    found = delay_loss(logits, codes, shape)

    expected = by_hand(logits.double().numpy(), codes.numpy(), lengths, lag)
    assert found.tolist() == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("stereo", [False, True])
def test_the_loss_is_transformers_own_for_labels_that_are_delayed(stereo: bool) -> None:
    """Its labels are (batch, time, codebooks) and already delayed: it shifts by one and delays nothing."""
    checkpoint = checkpoint_of(stereo)
    model = ConditionedDecoder.of_recipe(checkpoint, tiny_recipe()).train(False)
    codes = torch.randint(0, 2048, (2, checkpoint.shape.n_codebooks, FRAMES))
    text, is_text = torch.randn(2, 3, 48), torch.ones((2, 3), dtype=torch.bool)
    untold = torch.zeros(2, 2), torch.zeros(2, dtype=torch.bool)

    found = model(codes, text, is_text, *untold).mean().detach()

    assert model.language.enc_to_dec_proj is not None
    labels = delay_targets(codes, checkpoint.shape).transpose(1, 2)
    expected = model.language.decoder(
        labels=labels, encoder_hidden_states=model.language.enc_to_dec_proj(text), use_cache=False
    ).loss.detach()
    assert float(found) == pytest.approx(float(expected), rel=1e-6)


@pytest.mark.parametrize("stereo", [False, True])
def test_the_last_frames_codes_teach_too(stereo: bool) -> None:
    shape = checkpoint_of(stereo).shape
    codes = torch.randint(0, 2048, (1, shape.n_codebooks, FRAMES))
    logits = torch.zeros((1, shape.n_codebooks, FRAMES + 3, 2048), requires_grad=True)

    delay_loss(logits, codes, shape).sum().backward()

    assert logits.grad is not None
    has_gradient = logits.grad[0].abs().amax(-1) > 0
    assert has_gradient.sum(1).tolist() == [FRAMES] * shape.n_codebooks
    for codebook in range(shape.n_codebooks):
        delay = codebook // shape.audio_channels
        assert has_gradient[codebook, delay : delay + FRAMES].all()


def test_inputs_and_targets_are_one_sequence_a_position_apart() -> None:
    """Written out for two frames of four codebooks; S is the special token."""
    shape, S = checkpoint_of().shape, 2048
    codes = torch.tensor([[[1, 2], [3, 4], [5, 6], [7, 8]]])

    assert delay_inputs(codes, shape)[0].tolist() == [
        [S, 1, 2, S, S], [S, S, 3, 4, S], [S, S, S, 5, 6], [S, S, S, S, 7],
    ]  # fmt: skip
    assert delay_targets(codes, shape)[0].tolist() == [
        [1, 2, S, S, S], [S, 3, 4, S, S], [S, S, 5, 6, S], [S, S, S, 7, 8],
    ]  # fmt: skip


def test_padding_changes_no_rows_loss() -> None:
    checkpoint = checkpoint_of()
    model = ConditionedDecoder.of_recipe(checkpoint, tiny_recipe()).train(False)
    short = torch.randint(0, 2048, (1, 4, 5))
    padded = torch.cat((short, torch.full((1, 4, 6), 2048)), dim=2)
    told = torch.randn(1, 3, 48), torch.ones((1, 3), dtype=torch.bool), torch.zeros(1, 2), torch.ones(1) > 0

    assert model(padded, *told).tolist() == pytest.approx(model(short, *told).tolist(), rel=1e-5)
