"""What an engine is, and the register of engines.

An engine turns plans into sound; it knows nothing of files, loudness targets,
the record or the study. Others can plug in through the entry-point group
``isopath.engines``: a callable that takes the protocol's options and returns
a `MusicEngine`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from study.errors import UnknownName
from study.protocol import EngineSpec
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


def load_engine(spec: EngineSpec) -> MusicEngine:
    """The engine a protocol names, with its options.

    Raises:
        UnknownName: no such engine, or an option it does not have.
    """
    if spec.name == "composer":
        from generation.composer.engine import ComposerEngine

        return ComposerEngine.from_options(spec.options)
    for entry in entry_points(group="isopath.engines"):
        if entry.name == spec.name:
            engine: MusicEngine = entry.load()(spec.options)
            return engine
    raise UnknownName(
        "engine.name", f"{spec.name!r} is not an engine", "write one of " + ", ".join(engine_names())
    )


def engine_names() -> tuple[str, ...]:
    """The embedded engine and every plugged-in one."""
    return ("composer", *sorted(entry.name for entry in entry_points(group="isopath.engines")))
