"""How well windows are predicted that training never saw."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

import torch
from torch import Tensor

from generation.musicgen.text import TextEncoder
from generation.training.learning.batches import Chance, stream
from generation.training.learning.conditioned import ConditionedDecoder
from generation.training.learning.examples import Examples, Told, batch_of
from study.errors import OutOfRange


def chosen_windows(n_windows: int, at_most: int, seed: int) -> tuple[int, ...]:
    """The validation windows of a whole training: at most so many, drawn once, in their own order.

    Raises:
        OutOfRange: there is none to choose, or none is asked for.
    """
    if not n_windows:
        raise OutOfRange(
            "validation", "it has no window", "look at the data card, or raise data.validation_share"
        )
    if at_most < 1:
        raise OutOfRange("selection.validation_clips", f"{at_most} is below 1", "write a whole number from 1")
    drawn = stream(seed, Chance.VALIDATION).permutation(n_windows)[:at_most]
    return tuple(sorted(int(number) for number in drawn))


@torch.no_grad()
def summed_loss(
    model: ConditionedDecoder,
    windows: Examples,
    numbers: Sequence[int],
    text: TextEncoder,
    rows: int,
    device: torch.device,
    precision: Callable[[], AbstractContextManager[object]],
) -> Tensor:
    """Cross-entropy summed over frames, and frames; everything is told, nothing dropped out.

    Args:
        numbers: of the windows; none is allowed.
        rows: of a batch.
        precision: the autocast to compute in.

    Returns:
        float64, shape [2]; their quotient is the mean loss, nats a code.
    """
    total = torch.zeros(2, dtype=torch.float64)
    model.train(False)
    for first in range(0, len(numbers), rows):
        examples = [windows[number] for number in numbers[first : first + rows]]
        batch = batch_of(
            examples, [Told()] * len(examples), text, model.shape, model.affect_tokens is not None
        )
        with precision():
            loss = model(*batch.to(device).tensors).mean()
        n_frames = sum(example.codes.shape[1] for example in examples)
        total += torch.tensor([float(loss) * n_frames, n_frames], dtype=torch.float64)
    return total
