"""The tensors of one batch of clips: allocated once, filled anew for every decode.

Rows are ordered by what they hear: all clips with everything, then (where the
affect has a scale of its own) all clips with the words only, then all clips
with nothing. Tokens, keys and counts are kept once a clip, not once a row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from generation.musicgen.decoding.attention import TextMemory
from generation.musicgen.decoding.cache import in_buckets, new_cache
from generation.musicgen.decoding.decoder import Decoder
from generation.musicgen.decoding.delay import OPEN, delayed, sequence_length
from generation.musicgen.decoding.sampling import Draw, noise_keys
from generation.musicgen.shape import DecoderShape
from study.errors import ModelError, OutOfRange

_TEXT_MULTIPLE = 16


@dataclass(frozen=True)
class ClipInput:
    """One clip to decode.

    Args:
        seed: from 0; the only source of chance.
        text: float32, shape [tokens, text_dim]: the text encoder's states, without padding.
        affect_tokens: float32, shape [m, text_dim], heard after the text.
        steering: float32, shape [layers, hidden_size], added to the residual stream after each layer
            of the row that hears everything.
        prefix: int64, shape [codebooks, p]: frames to continue from.
    """

    seed: int
    text: Tensor
    affect_tokens: Tensor | None = None
    steering: Tensor | None = None
    prefix: Tensor | None = None

    @property
    def n_prefix(self) -> int:
        """Frames that are given."""
        return 0 if self.prefix is None else self.prefix.shape[1]

    @property
    def heard(self) -> Tensor:
        """Text and affect tokens, shape [tokens, text_dim]."""
        return self.text if self.affect_tokens is None else torch.cat((self.text, self.affect_tokens))


@dataclass(frozen=True)
class BatchSizes:
    """What a batch's tensors are allocated for.

    Args:
        n_clips, rows_per_clip: 1 to 3 rows a clip.
        capacity: positions the cache can hold.
        n_text: tokens of text a row can hold.
        is_steered: whether any clip has steering vectors.
    """

    n_clips: int
    rows_per_clip: int
    capacity: int
    n_text: int
    is_steered: bool

    @classmethod
    def of(cls, shape: DecoderShape, clips: Sequence[ClipInput], n_frames: int, draw: Draw) -> BatchSizes:
        """The sizes for these clips, rounded up so that like batches share theirs."""
        longest = max(len(clip.heard) for clip in clips)
        has_affect_tokens = any(clip.affect_tokens is not None for clip in clips)
        return cls(
            n_clips=len(clips),
            rows_per_clip=draw.rows_per_clip(has_affect_tokens),
            capacity=in_buckets(sequence_length(shape, n_frames) - 1),
            n_text=-(-longest // _TEXT_MULTIPLE) * _TEXT_MULTIPLE,
            is_steered=any(clip.steering is not None for clip in clips),
        )

    @property
    def n_rows(self) -> int:
        """Rows of the decoder."""
        return self.n_clips * self.rows_per_clip

    @property
    def n_hearing(self) -> int:
        """Rows with text: all but the null rows."""
        return self.n_clips * max(self.rows_per_clip - 1, 1)


class Batch:
    """A batch's tensors, on the decoder's device.

    Attributes:
        tokens: int64, shape [capacity + 1, clips, codebooks].
        is_open: bool, the same shape: drawn, not given.
        keys: int64, the same shape: `generation.musicgen.decoding.sampling.noise_keys`.
        position: int64, shape [1]: where the next step reads.
        near_ties: int64, shape [clips].
        is_finite: bool, shape [clips].
        cache: `generation.musicgen.decoding.cache.new_cache`.
        text: what the hearing rows hear.
        steering: shape [layers, clips, 1, hidden_size], or None.
    """

    def __init__(self, decoder: Decoder, sizes: BatchSizes) -> None:
        self.sizes = sizes
        shape, device, dtype = decoder.shape, decoder.device, decoder.dtype
        table = (sizes.capacity + 1, sizes.n_clips, shape.n_codebooks)
        self.tokens = torch.zeros(table, dtype=torch.int64, device=device)
        self.is_open = torch.zeros(table, dtype=torch.bool, device=device)
        self.keys = torch.zeros(table, dtype=torch.int64, device=device)
        self.position = torch.zeros(1, dtype=torch.int64, device=device)
        self.near_ties = torch.zeros(sizes.n_clips, dtype=torch.int64, device=device)
        self.is_finite = torch.ones(sizes.n_clips, dtype=torch.bool, device=device)
        self.cache = new_cache(shape, sizes.n_rows, sizes.capacity, device, dtype)
        self.text = TextMemory.empty(shape, sizes.n_hearing, sizes.n_text, device, dtype)
        self.steering = (
            torch.zeros((shape.n_layers, sizes.n_clips, 1, shape.hidden_size), device=device, dtype=dtype)
            if sizes.is_steered
            else None
        )

    @property
    def counters(self) -> tuple[Tensor, Tensor, Tensor]:
        """What every step adds to."""
        return self.position, self.near_ties, self.is_finite

    def fill(self, decoder: Decoder, clips: Sequence[ClipInput], n_frames: int) -> None:
        """Make ready for the first step of these clips; `position` stands after the prefix."""
        shape, n_prefix = decoder.shape, clips[0].n_prefix
        none = torch.zeros((shape.n_codebooks, 0), dtype=torch.int64)
        prefix = torch.stack([none if clip.prefix is None else clip.prefix for clip in clips])
        sequence = delayed(shape, prefix, n_frames)
        keys = [torch.from_numpy(noise_keys(clip.seed, *sequence.shape[::2])) for clip in clips]
        self.tokens[: len(sequence)].copy_(sequence)
        self.is_open.zero_()
        self.is_open[: len(sequence)].copy_(sequence == OPEN)
        self.keys[: len(sequence)].copy_(torch.stack(keys, dim=1))
        self.position.fill_(n_prefix)
        self.near_ties.zero_()
        self.is_finite.fill_(True)
        decoder.hear(self.text, *self._heard(clips))
        if self.steering is not None:
            for number, clip in enumerate(clips):
                vectors = self.steering[:, number, 0]
                vectors.zero_() if clip.steering is None else vectors.copy_(clip.steering)

    def _heard(self, clips: Sequence[ClipInput]) -> tuple[Tensor, Tensor]:
        """Padded states [hearing rows, n_text, text_dim] and which of them are tokens."""
        rows = [clip.heard for clip in clips]
        if self.sizes.rows_per_clip == 3:
            rows += [clip.text for clip in clips]
        states = torch.zeros((len(rows), self.sizes.n_text, rows[0].shape[1]))
        is_token = torch.zeros((len(rows), self.sizes.n_text), dtype=torch.bool)
        for number, row in enumerate(rows):
            states[number, : len(row)] = row
            is_token[number, : len(row)] = True
        return states, is_token


def check_clips(shape: DecoderShape, clips: Sequence[ClipInput], n_frames: int) -> None:
    """Refuse what the decoder cannot do, before anything is computed.

    Raises:
        OutOfRange: no clips, or a length, prefix or seed that does not fit.
        ModelError: states or vectors of another model's size.
    """
    if not clips:
        raise OutOfRange("clips", "none were given", "ask for at least one")
    longest = shape.max_positions - shape.n_delays
    if not 1 <= n_frames <= longest:
        raise OutOfRange("n_frames", f"{n_frames} is outside 1 to {longest}", "ask for a shorter clip")
    n_prefix = clips[0].n_prefix
    if n_prefix >= n_frames:
        raise OutOfRange("prefix", f"{n_prefix} frames leave none of {n_frames}", "ask for a longer clip")
    for number, clip in enumerate(clips):
        _check_clip(shape, clip, f"clips[{number}]", n_prefix)


def _check_clip(shape: DecoderShape, clip: ClipInput, where: str, n_prefix: int) -> None:
    if clip.seed < 0:
        raise OutOfRange(f"{where}.seed", f"{clip.seed} is below 0", "give a seed of 63 bits")
    widths = {"text": (clip.text, shape.text_dim), "affect_tokens": (clip.affect_tokens, shape.text_dim)}
    for name, (states, width) in widths.items():
        if states is not None and (states.dim() != 2 or len(states) < 1 or states.shape[1] != width):
            found = list(states.shape)
            raise ModelError(
                f"{where}.{name}", f"has shape {found}, not [1 or more, {width}]", "encode it for this model"
            )
    expected = (shape.n_layers, shape.hidden_size)
    if clip.steering is not None and clip.steering.shape != expected:
        found = list(clip.steering.shape)
        raise ModelError(
            f"{where}.steering", f"has shape {found}, not {list(expected)}", "fit it for this model"
        )
    if clip.n_prefix != n_prefix or (clip.prefix is not None and len(clip.prefix) != shape.n_codebooks):
        raise OutOfRange(
            f"{where}.prefix",
            f"is not {shape.n_codebooks} codebooks of {n_prefix} frames, as the first clip's",
            "give every clip of a batch a prefix of the same length",
        )
    if clip.prefix is not None and n_prefix:
        low, high = int(clip.prefix.min()), int(clip.prefix.max())
        if low < 0 or high >= shape.codebook_size:
            raise OutOfRange(
                f"{where}.prefix",
                f"{low} to {high} is outside 0 to {shape.codebook_size - 1}",
                "give codec tokens",
            )
