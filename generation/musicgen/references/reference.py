"""What the two reference engines share: they know words only, and one stream of chance for a clip."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from typing import Any

import torch
from transformers import PreTrainedTokenizerBase

from generation.clips.clip import ModelCard
from generation.engine import Progress
from generation.musicgen.text import T5_LONGEST_TOKENS
from generation.musicgen.trained.adapters import Merged
from generation.musicgen.weights.checkpoint import Checkpoint
from study.errors import DeviceError, OutOfRange


def reference_card(
    checkpoint: Checkpoint,
    adapters: Merged,
    rendering: Mapping[str, Any],
    libraries: Sequence[str],
    notes: Sequence[str] = (),
) -> ModelCard:
    """Weights and adapters with digests and licences, and what ran them.

    Args:
        rendering: device, dtype and what else shaped the run.
        libraries: distributions whose versions join it.
        notes: of this engine alone.
    """
    models = {**checkpoint.models, **adapters.sha256}
    licences = {**checkpoint.licences, **adapters.licences}
    versions = {"python": platform.python_version()} | {name: version(name) for name in libraries}
    shared = (
        "near ties are not counted: the library draws for itself",
        "clips were made one by one: a library draws a whole batch from one stream of chance",
    )
    shaped = {**rendering, **adapters.part_taken.rendering, "libraries": versions}
    return ModelCard(models, licences, shaped, (*shared, *notes))


def tokens_of(prompt: str, tokenizer: PreTrainedTokenizerBase) -> list[int]:
    """The prompt as T5 reads it, whole; an empty one is the token that ends every prompt.

    Raises:
        OutOfRange: the prompt is longer than T5 reads; nothing is cut off.
    """
    tokens: list[int] = tokenizer(prompt, verbose=False)["input_ids"]
    longest = min(tokenizer.model_max_length, T5_LONGEST_TOKENS)
    if len(tokens) > longest:
        raise OutOfRange(
            f"prompt {prompt[:40]!r}…", f"{len(tokens)} tokens, T5 reads {longest}", "shorten the prompt"
        )
    return tokens


@contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Let torch draw from this seed, and afterwards go on as if it had not.

    Args:
        seed: 63-bit.
    """
    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        yield


@contextmanager
def within_memory(device: torch.device, what: str) -> Iterator[None]:
    """Tell a device that is full as a refusal.

    Args:
        what: should have fitted.

    Raises:
        DeviceError: the device's memory ran out inside.
    """
    try:
        yield
    except torch.OutOfMemoryError as problem:
        raise DeviceError(
            f"device {device}",
            f"{what} does not fit in its memory ({problem})",
            "free memory there, make shorter clips, or take a smaller model or a larger device",
        ) from problem


def part_of(progress: Progress, done: int, total: int) -> Progress:
    """Progress of one clip as a part of all of them.

    Args:
        done: clips made before it.
    """

    def report(share: float) -> None:
        progress((done + share) / total)

    return report
