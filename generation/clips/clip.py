"""What a clip is, and what a model must do to make clips.

A session of clips is planned, joined and judged the same way whichever model
makes them; `generation/clips/engine.py` does that for any `ClipModel`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from generation.engine import Progress
from study.affect import Affect

Codes = NDArray[np.int16]
"""Codec tokens, shape [codebooks, frames], each in [0, codebook_size)."""

Stereo = NDArray[np.float32]
"""Samples, shape [n_samples, 2], at `generation.audio.SAMPLE_RATE_HZ`."""


@dataclass(frozen=True)
class ClipRequest:
    """One clip to make.

    Args:
        affect: what it is meant to express.
        prompt: the words, already written for that affect.
        seed: 63-bit; the only source of chance.
        n_frames: codec frames in all, the prefix included.
        prefix: frames to continue from; None begins anew.
    """

    affect: Affect
    prompt: str
    seed: int
    n_frames: int
    prefix: Codes | None = None


@dataclass(frozen=True)
class Clip:
    """A clip as tokens.

    Args:
        codes: shape [codebooks, request.n_frames], the prefix first, unchanged.
        near_ties: draws that rounding could have decided otherwise.
    """

    request: ClipRequest
    codes: Codes
    near_ties: int


@dataclass(frozen=True)
class ModelCard:
    """What made the clips, for the manifest.

    Args:
        models: name to version, revision or SHA-256 of weights and adapters.
        licences: name to licence of the same.
        rendering: device, dtype, library versions, attention, whatever shaped the run.
        notes: what a reader of the manifest should know.
    """

    models: Mapping[str, str]
    licences: Mapping[str, str]
    rendering: Mapping[str, Any]
    notes: tuple[str, ...] = ()


class ClipModel(Protocol):
    """Makes clips from words, affect and a seed."""

    @property
    def card(self) -> ModelCard:
        """What made the clips; complete once something was made."""

    @property
    def frame_rate_hz(self) -> int:
        """Codec frames a second."""

    @property
    def longest_s(self) -> float:
        """The longest clip, prefix included."""

    def most_clips(self, n_frames: int) -> int:
        """How many clips of that length fit in memory at once, from 1.

        Raises:
            DeviceError: not even one does, or the device is not there.
        """

    def generate(self, requests: Sequence[ClipRequest], progress: Progress) -> list[Clip]:
        """The clips, in order, as one batch.

        Args:
            requests: at most `most_clips`, all with the same `n_frames` and the same prefix length.
            progress: called at every step, without waiting for the device.

        Raises:
            ModelError, DeviceError: weights, adapter, prompt or memory will not do.
        """

    def sound(self, codes: Sequence[Codes]) -> list[Stereo]:
        """Tokens decoded to samples, each clip on its own: n_frames / frame_rate_hz seconds.

        The samples of a clip do not depend on the others.
        """
