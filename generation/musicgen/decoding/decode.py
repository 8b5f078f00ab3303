"""From clips to codes: the loop over positions.

The whole step stays on the device: embedding, layers, guidance, draw, delay
pattern and write-back. On a GPU it is recorded as a CUDA graph and replayed;
the host waits once, at the end.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from generation.engine import Progress
from generation.musicgen.decoding.attention import choose_attention
from generation.musicgen.decoding.batch import Batch, BatchSizes, ClipInput, check_clips
from generation.musicgen.decoding.cache import (
    BucketReader,
    FilledReader,
    KernelReader,
    Reader,
    WholeReader,
    in_buckets,
)
from generation.musicgen.decoding.decoder import Decoder
from generation.musicgen.decoding.delay import sequence_length, undelayed
from generation.musicgen.decoding.graphs import StepGraphs
from generation.musicgen.decoding.sampling import ROUNDING, Draw, choose, guided
from study.errors import DeviceError, ModelError

__all__ = ["ClipInput", "DecodeLoop", "Decoded", "Draw"]

_STEPS_PER_REPORT = 50


@dataclass(frozen=True)
class Decoded:
    """A batch of clips as tokens.

    Args:
        codes: int16, shape [clips, codebooks, n_frames], the prefix included.
        near_ties: int64, shape [clips]: draws that rounding could have decided otherwise.
    """

    codes: NDArray[np.int16]
    near_ties: NDArray[np.int64]


class DecodeLoop:
    """Decodes batches of clips with one decoder.

    The tensors of the last batch are kept, and its graphs with them, for the
    next batch of the same sizes; new weights in the decoder's storage are
    used by both. In float32 a clip's codes do not depend on its neighbours,
    near ties aside.

    Args:
        decoder: with its weights loaded.
        attention: one of `generation.musicgen.decoding.attention.ATTENTIONS`.
        graphs: whether steps are captured; None: on a GPU.

    Attributes:
        attention: what is used: ``plain`` or ``triton``.
        reads_buckets: whether plain steps read whole buckets, the position known to the device only, as
            graphs need it; tests set it without graphs.

    Raises:
        UnknownName, DeviceError: see `choose_attention`; or graphs were asked for without a GPU.
    """

    def __init__(self, decoder: Decoder, attention: str = "auto", graphs: bool | None = None) -> None:
        on_gpu = decoder.device.type == "cuda"
        if graphs and not on_gpu:
            raise DeviceError("graphs", f"{decoder.device} cannot capture", "use a GPU, or graphs=False")
        self._decoder = decoder
        self._kernel = choose_attention(attention, decoder.shape, decoder.device, decoder.dtype)
        self.attention = "plain" if self._kernel is None else "triton"
        self._captures = on_gpu if graphs is None else graphs
        self.reads_buckets = self._captures
        self._batch: Batch | None = None
        self._graphs: StepGraphs | None = None

    def decode(self, clips: Sequence[ClipInput], n_frames: int, draw: Draw, progress: Progress) -> Decoded:
        """The clips' codes, as one batch.

        Args:
            clips: all with the same prefix length.
            n_frames: of every clip, the prefix included.
            progress: called at every step on a CPU; on a GPU about every 50th, without waiting for it.

        Raises:
            OutOfRange, ModelError: the clips do not fit the decoder, or its logits are not numbers.
            DeviceError: too little memory.
        """
        check_clips(self._decoder.shape, clips, n_frames)
        sizes = BatchSizes.of(self._decoder.shape, clips, n_frames, draw)
        try:
            with torch.inference_mode(), _whole_float32():
                batch = self._batch_of(sizes)
                batch.fill(self._decoder, clips, n_frames)
                self._read_prefix(batch, clips[0].n_prefix)
                self._take_steps(batch, clips[0].n_prefix, n_frames, draw, progress)
                return self._decoded(batch, n_frames)
        except torch.OutOfMemoryError as problem:
            self.release()
            raise DeviceError(
                str(self._decoder.device),
                f"too little memory for {len(clips)} clips of {n_frames} frames",
                "ask for fewer clips at once (batch_clips)",
            ) from problem

    def release(self) -> None:
        """Give the last batch's memory back; the next decode allocates its own."""
        self._batch = None
        self._graphs = None

    def _batch_of(self, sizes: BatchSizes) -> Batch:
        if self._batch is None or self._batch.sizes != sizes:
            self.release()
            self._batch = Batch(self._decoder, sizes)
            self._graphs = StepGraphs(self._decoder.device) if self._captures else None
        return self._batch

    def _read_prefix(self, batch: Batch, n_prefix: int) -> None:
        """Fill the cache with the positions before the first step's, in one pass."""
        if n_prefix:
            positions = torch.arange(n_prefix, device=batch.tokens.device)
            self._run(batch, batch.tokens[:n_prefix].transpose(0, 1), positions, WholeReader(batch.cache))

    def _take_steps(self, batch: Batch, first: int, n_frames: int, draw: Draw, progress: Progress) -> None:
        last = sequence_length(self._decoder.shape, n_frames) - 1
        if self._graphs is not None:
            for length in sorted({self._length(batch, position) for position in range(first, last)}):
                step = partial(self._step, batch, draw, length)
                self._graphs.capture((length, draw), step, batch.counters)
        watch = _Watch(self._decoder.device, last - first, progress)
        for position in range(first, last):
            length = self._length(batch, position)
            if self._graphs is None:
                self._step(batch, draw, length)
            else:
                self._graphs.replay((length, draw))
            watch.step_taken()
        watch.finish()

    def _length(self, batch: Batch, position: int) -> int:
        """How much of the cache the step at `position` may read."""
        if self._kernel is not None:
            return batch.sizes.capacity
        return in_buckets(position + 1) if self.reads_buckets else position + 1

    def _reader(self, batch: Batch, length: int) -> Reader:
        if self._kernel is not None:
            return KernelReader(batch.cache, batch.position, self._kernel)
        if self.reads_buckets:
            return BucketReader(batch.cache, batch.position, length)
        return FilledReader(batch.cache, length - 1)

    def _step(self, batch: Batch, draw: Draw, length: int) -> None:
        """One position for every clip; nothing in it depends on the device's data."""
        now = batch.tokens.index_select(0, batch.position).transpose(0, 1)
        states = self._run(batch, now, batch.position, self._reader(batch, length))
        logits = self._decoder.logits(states)
        logits = logits.view(batch.sizes.rows_per_clip, batch.sizes.n_clips, *logits.shape[2:])
        following = batch.position + 1
        keys = batch.keys.index_select(0, following)[0]
        drawn = choose(guided(logits, draw), keys, draw, ROUNDING[self._decoder.dtype])
        is_open = batch.is_open.index_select(0, following)[0]
        given = batch.tokens.index_select(0, following)[0]
        batch.tokens.index_copy_(0, following, torch.where(is_open, drawn.tokens, given)[None])
        batch.near_ties.add_((drawn.is_near_tie & is_open).sum(-1))
        batch.is_finite.logical_and_(drawn.is_finite.all(-1))
        batch.position.add_(1)

    def _run(self, batch: Batch, tokens: Tensor, positions: Tensor, reader: Reader) -> Tensor:
        """States [rows, n, hidden_size] of the clips' tokens [clips, n, codebooks]."""
        states = self._decoder.embed(tokens, positions).repeat(batch.sizes.rows_per_clip, 1, 1)
        return self._decoder.run(states, reader, batch.text, batch.steering)

    def _decoded(self, batch: Batch, n_frames: int) -> Decoded:
        if not bool(batch.is_finite.all()):
            # What is in the cache would spoil the next batch.
            self.release()
            raise ModelError(
                "decoder",
                f"its logits were not finite in {self._decoder.dtype}",
                "use float32 or bfloat16; if it happens there too, the weights or the adapter are broken",
            )
        codes = undelayed(self._decoder.shape, batch.tokens, n_frames).to("cpu", torch.int16)
        return Decoded(codes.numpy(), batch.near_ties.to("cpu").numpy().copy())


class _Watch:
    """Reports steps as they are done, without making the host wait for the device."""

    def __init__(self, device: torch.device, n_steps: int, progress: Progress) -> None:
        self._device = device
        self._n_steps = n_steps
        self._progress = progress
        self._n_taken = 0
        self._under_way: deque[tuple[torch.Event, float]] = deque()

    def step_taken(self) -> None:
        """A step was made (on a CPU) or queued (on a GPU)."""
        self._n_taken += 1
        share = self._n_taken / self._n_steps
        if self._device.type != "cuda":
            self._progress(share)
        elif self._n_taken % _STEPS_PER_REPORT == 0:
            event = torch.Event(self._device)
            event.record(torch.cuda.current_stream(self._device))
            self._under_way.append((event, share))
            while self._under_way and self._under_way[0][0].query():
                self._progress(self._under_way.popleft()[1])

    def finish(self) -> None:
        """Wait for the device, once."""
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)
            self._progress(1.0)


@contextmanager
def _whole_float32() -> Iterator[None]:
    """Multiply float32 matrices in float32, not in TF32, whose 10 bits would change the codes."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)
