"""What one window of music teaches, and windows of different lengths as one batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from generation.clips.clip import Codes
from generation.musicgen.shape import DecoderShape
from generation.musicgen.text import TextEncoder
from study.affect import Affect
from study.errors import ModelError, OutOfRange


@dataclass(frozen=True)
class Example:
    """One window.

    Args:
        codes: int16, shape [codebooks, frames].
        words: the text encoder's prompt; empty: none.
        affect: where it lies; None: unknown, and the model is not told.
    """

    codes: Codes
    words: str
    affect: Affect | None


class Examples(Protocol):
    """Windows by number, read when they are asked for."""

    def __len__(self) -> int:
        """How many there are."""

    def __getitem__(self, number: int, /) -> Example:
        """One of them."""

    @property
    def affects(self) -> NDArray[np.float64] | None:
        """Valence and arousal of each, shape [n, 2], NaN where unknown; None where none has any."""


@dataclass(frozen=True)
class Told:
    """What of an example's labels the model is told."""

    words: bool = True
    affect: bool = True


@dataclass(frozen=True)
class Batch:
    """Rows for `generation.training.learning.conditioned.ConditionedDecoder`.

    Args:
        codes: int64, shape [rows, codebooks, frames of the longest]; the special token pads.
        text, is_text, affect, hears_affect: as in `ConditionedDecoder.logits`.
    """

    codes: Tensor
    text: Tensor
    is_text: Tensor
    affect: Tensor
    hears_affect: Tensor

    def to(self, device: torch.device) -> Batch:
        """The same on a device."""
        return Batch(*(getattr(self, name).to(device) for name in self.__dataclass_fields__))

    @property
    def tensors(self) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """In the order of `ConditionedDecoder.forward`."""
        return self.codes, self.text, self.is_text, self.affect, self.hears_affect


def batch_of(
    examples: Sequence[Example],
    told: Sequence[Told],
    text: TextEncoder,
    shape: DecoderShape,
    has_affect: bool = True,
) -> Batch:
    """Examples as rows, each told what `told` leaves of it.

    Decoding knows three ways to hear: words (the empty prompt is one ``</s>``), words with affect after
    them, and nothing at all. So an example whose words are dropped hears the empty prompt beside its affect;
    without an affect it hears nothing.

    Args:
        has_affect: whether the model has affect tokens at all.

    Raises:
        ModelError: codes of another codec.
        OutOfRange: a window longer than the decoder's positions, without frames, or a prompt longer than the
            text encoder reads.
    """
    n_frames = max(example.codes.shape[1] for example in examples)
    codes = torch.full((len(examples), shape.n_codebooks, n_frames), shape.special_token)
    affect = torch.zeros((len(examples), 2))
    hears_affect = torch.zeros(len(examples), dtype=torch.bool)
    heard: list[Tensor | None] = []
    for row, (example, telling) in enumerate(zip(examples, told, strict=True)):
        _check(example, shape)
        codes[row, :, : example.codes.shape[1]] = torch.from_numpy(example.codes.astype(np.int64))
        point = example.affect if has_affect and telling.affect else None
        if point is not None:
            affect[row] = torch.tensor([point.valence, point.arousal])
            hears_affect[row] = True
        if telling.words:
            heard.append(text.states(example.words))
        else:
            heard.append(None if point is None else text.states(""))
    states = torch.zeros(
        (len(examples), max([1, *(len(row) for row in heard if row is not None)]), shape.text_dim)
    )
    is_text = torch.zeros(states.shape[:2], dtype=torch.bool)
    for row, words in enumerate(heard):
        if words is not None:
            states[row, : len(words)] = words
            is_text[row, : len(words)] = True
    return Batch(codes, states, is_text, affect, hears_affect)


def _check(example: Example, shape: DecoderShape) -> None:
    codebooks, n_frames = example.codes.shape
    longest = shape.max_positions - shape.n_delays
    if not 1 <= n_frames <= longest:
        raise OutOfRange(
            "data.crop_s",
            f"a window of {n_frames} frames; the decoder reads 1 to {longest}",
            "cut other windows",
        )
    low, high = int(example.codes.min()), int(example.codes.max())
    if codebooks != shape.n_codebooks or low < 0 or high >= shape.codebook_size:
        raise ModelError(
            "tokens",
            f"{codebooks} codebooks with codes from {low} to {high}; the decoder has {shape.n_codebooks}"
            f" of {shape.codebook_size}",
            "make the tokens with this model's codec",
        )
