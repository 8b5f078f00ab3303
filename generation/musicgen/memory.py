"""How much memory clips take, how many fit, and which devices there are.

Keys and values are nearly all of it: they grow with the clips, the weights do
not. Everything else is counted roughly and upwards.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

import torch

from generation.musicgen.decoding.cache import in_buckets
from generation.musicgen.shape import DecoderShape
from study.errors import DeviceError, UnknownName

ROOM_FOR_THE_CODEC = 1_500_000_000
"""Bytes: EnCodec decoding 30 s at 32 kHz. Measured on a CPU with Meta's sizes: 1.2 GB."""

TEXT_TOKENS = 64
"""Words and affect tokens of one clip that are counted on; our prompts take 20 to 40."""

PREFIX_FRAMES = 600
"""The longest prefix that is counted on, 12 s; it is read in one pass, all of its states at once."""

_SHARE = {"cuda": 0.92, "cpu": 0.5}
"""Of what is free. A CPU's memory is shared with whatever else runs there."""

_LOGIT_COPIES = 8
"""Float32 copies of a row's logits alive at once: guided, cut to the top k, noise, sorted, ..."""


def device_of(name: str) -> torch.device:
    """The device a person named: ``cpu``, ``cuda`` (the first GPU) or ``cuda:N``.

    Raises:
        UnknownName: not the name of a device.
        DeviceError: no such GPU; it says which there are.
    """
    if name == "cpu":
        return torch.device("cpu")
    matched = re.fullmatch(r"cuda(?::(\d{1,3}))?", name)
    if matched is None:
        raise UnknownName("--device", f"{name!r} is not a device", "write cpu, cuda or cuda:N")
    number, there = int(matched[1] or 0), _gpus()
    if not there:
        raise DeviceError(
            f"--device {name}",
            "no GPU was found",
            "write --device cpu, or run where nvidia-smi shows one",
        )
    if number >= len(there):
        known = ", ".join(f"cuda:{index} ({gpu})" for index, gpu in enumerate(there))
        raise DeviceError(
            f"--device {name}", f"there is no such GPU here; there is {known}", "write one of these"
        )
    return torch.device("cuda", number)


def _gpus() -> list[str]:
    if not torch.cuda.is_available():
        return []
    return [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]


def decoder_parameters(shape: DecoderShape) -> int:
    """Numbers in the decoder and the projection of the text: 0.420 G for MusicGen small."""
    width, tokens = shape.hidden_size, shape.n_codebooks * shape.codebook_size
    attention = 2 * 4 * width * width
    layer = attention + 2 * width * shape.ffn_dim + 3 * 2 * width
    embeddings = (tokens + shape.n_codebooks) * width
    text = (shape.text_dim + 1) * width if shape.text_dim != width else 0
    return shape.n_layers * layer + embeddings + tokens * width + 2 * width + text


def cache_bytes_per_position(shape: DecoderShape, dtype: torch.dtype) -> int:
    """Bytes of keys and values for one position of one row: 98 kB for small in two bytes."""
    return 2 * shape.n_layers * shape.hidden_size * dtype.itemsize


def clip_bytes(
    shape: DecoderShape,
    n_frames: int,
    rows_per_clip: int,
    dtype: torch.dtype,
    text_tokens: int = TEXT_TOKENS,
) -> int:
    """Bytes one clip takes on the device while it is decoded: cache, text, logits, states of a prefix.

    Args:
        n_frames: of the clip; its steps are `n_delays` - 1 more.
        rows_per_clip: 1 without guidance, 2 with it, 3 with a scale of the affect's own.
            All but the null row have keys and values of the text.
    """
    capacity = in_buckets(n_frames + shape.n_delays - 1)
    rows_with_text = max(1, rows_per_clip - 1)
    positions = rows_per_clip * capacity + rows_with_text * text_tokens
    logits = rows_per_clip * shape.n_codebooks * shape.codebook_size * 4 * _LOGIT_COPIES
    # A layer's input, its norm and two of what lies between; the feed-forward block before and after gelu.
    states = rows_per_clip * min(n_frames, PREFIX_FRAMES) * (4 * shape.hidden_size + 2 * shape.ffn_dim)
    return positions * cache_bytes_per_position(shape, dtype) + logits + states * dtype.itemsize


def free_bytes(device: torch.device) -> int:
    """Bytes nobody uses on the device at this moment, what torch keeps in reserve included.

    Raises:
        DeviceError: the system does not tell.
    """
    if device.type == "cuda":
        free, _total = torch.cuda.mem_get_info(device)
        reserve = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return int(free) + int(reserve)
    meminfo = Path("/proc/meminfo")
    if meminfo.exists():
        matched = re.search(r"^MemAvailable:\s+(\d+) kB$", meminfo.read_text(encoding="ascii"), re.MULTILINE)
        if matched is not None:
            return int(matched[1]) * 1_024
    # Elsewhere only the whole is known (macOS), of which a share is taken all the same.
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError) as unknown:
        raise DeviceError(
            f"device {device}", "the system does not tell how much memory it has", "write batch_clips"
        ) from unknown


@dataclass(frozen=True)
class Demand:
    """What a batch of equal clips asks of a device.

    Args:
        n_frames, rows_per_clip: as in `clip_bytes`.
        weights_bytes: of weights that are still to be put there; 0 once they are.
    """

    shape: DecoderShape
    n_frames: int
    rows_per_clip: int
    dtype: torch.dtype
    device: torch.device
    weights_bytes: int

    def bytes_for(self, n_clips: int) -> int:
        """Bytes for that many clips at once, weights and codec included."""
        clip = clip_bytes(self.shape, self.n_frames, self.rows_per_clip, self.dtype)
        return n_clips * clip + self.weights_bytes + ROOM_FOR_THE_CODEC

    def clips_in(self, free: int) -> int:
        """How many clips fit in that many free bytes; 0 where not even one does."""
        left = int(free * _SHARE[self.device.type]) - self.bytes_for(0)
        return max(0, left // (self.bytes_for(1) - self.bytes_for(0)))

    def refusal(self, n_clips: int, free: int) -> DeviceError:
        """Why that many clips do not fit in that many free bytes, and how many do."""
        fitting = self.clips_in(free)
        clips = "1 clip needs" if n_clips == 1 else f"{n_clips} clips need"
        problem = (
            f"{clips} {self.bytes_for(n_clips) / 1e9:.1f} GB; {free / 1e9:.1f} GB are free, "
            f"{_SHARE[self.device.type]:.0%} of them may be used, which is room for {fitting or 'none'}"
        )
        if fitting:
            remedy = f"write batch_clips {fitting} or fewer"
        else:
            two_bytes = "" if self.dtype.itemsize == 2 else ", dtype bfloat16"
            remedy = f"free memory there, or take a smaller model{two_bytes} or shorter clips"
        return DeviceError(f"device {self.device}", problem, remedy)


def most_clips(
    shape: DecoderShape,
    n_frames: int,
    rows_per_clip: int,
    dtype: torch.dtype,
    device: torch.device,
    weights_bytes: int,
) -> int:
    """How many clips fit at once, from 1; the arguments are those of `Demand`.

    Ask before the first clip is made: a cache in use does not count as free.

    Raises:
        DeviceError: not even one fits.
    """
    demand = Demand(shape, n_frames, rows_per_clip, dtype, device, weights_bytes)
    free = free_bytes(device)
    clips = demand.clips_in(free)
    if clips < 1:
        raise demand.refusal(1, free)
    return clips


def check_fits(
    n_clips: int,
    shape: DecoderShape,
    n_frames: int,
    rows_per_clip: int,
    dtype: torch.dtype,
    device: torch.device,
    weights_bytes: int,
) -> None:
    """Refuse more clips than fit at once; the other arguments are those of `Demand`.

    Raises:
        DeviceError: they do not fit; it says how many do.
    """
    demand = Demand(shape, n_frames, rows_per_clip, dtype, device, weights_bytes)
    free = free_bytes(device)
    if n_clips > demand.clips_in(free):
        raise demand.refusal(n_clips, free)
