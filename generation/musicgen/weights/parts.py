"""What a reader finds in a model's folder, whatever the layout."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

FindPart = Callable[[str], Path]
"""Gives the folder of a part that a checkpoint leaves out, e.g. ``t5-base``, or raises ModelError."""


@dataclass(frozen=True)
class Parts:
    """A whole model, read and checked.

    Args:
        config: transformers' ``MusicgenConfig`` as JSON.
        tensors: every tensor, under the names of transformers' MusicGen; the T5 embedding once,
            as ``text_encoder.shared.weight``.
        files: weight files, by the name they go by in manifests.
        tokenizer_folder: holds the text encoder's tokenizer.
    """

    config: Mapping[str, Any]
    tensors: Mapping[str, Tensor]
    files: Mapping[str, Path]
    tokenizer_folder: Path
