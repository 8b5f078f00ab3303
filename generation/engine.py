"""What an engine is.

An engine turns plans into sound; it knows nothing of files, loudness targets,
the record or the study. `generation/registry.py` says which engines there are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from study.session import SessionPlan

Progress = Callable[[float], None]
"""Called with the share of the work done, 0 to 1, never decreasing."""


@dataclass(frozen=True)
class SessionAudio:
    """One session's sound, before loudness and files.

    Args:
        plan: what it was made for.
        samples: float32, shape [n_samples, 2], at `SAMPLE_RATE_HZ`;
            n_samples = round(duration_s × SAMPLE_RATE_HZ) ± 1.
        models: name to version or SHA-256 of everything that shaped the sound.
        licences: name to licence of the same.
        notes: what a reader of the manifest should know.
    """

    plan: SessionPlan
    samples: NDArray[np.float32]
    models: Mapping[str, str]
    licences: Mapping[str, str]
    notes: tuple[str, ...] = field(default=())


class MusicEngine(Protocol):
    """Makes music for paths with planned affect."""

    @property
    def name(self) -> str:
        """As the protocol names it."""

    @property
    def version(self) -> str:
        """Changes whenever the same plan would give other samples."""

    def generate(self, plans: Sequence[SessionPlan], progress: Progress) -> Iterator[SessionAudio]:
        """The plans' sound, in plan order, each as soon as it is ready.

        The same plan gives the same samples, whatever the other plans are.
        """


class AffectJudge(Protocol):
    """Audio in, affect out; satisfied by the predictors of `analysis.mer`."""

    @property
    def name(self) -> str:
        """The predictor's name."""

    def judge(self, samples: NDArray[np.float32], sample_rate_hz: int) -> tuple[float, float]:
        """Mean valence and arousal in [-1, 1] of one clip, shape [n_samples, n_channels]."""
