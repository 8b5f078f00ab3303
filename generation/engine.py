"""What an engine is.

An engine turns plans into sound; it knows nothing of files, loudness targets,
the record or the study. `generation/registry.py` says which engines there are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol, Self, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from generation.sound_blocks import Sound, in_memory
from study.manifest import Seam, Take
from study.session import SessionPlan

Progress = Callable[[float], None]
"""Called with the share of the work done, 0 to 1, never decreasing."""


@dataclass(frozen=True)
class SessionAudio:
    """One session's sound, before loudness and files.

    Args:
        plan: what it was made for.
        sound: float32, shape [n_samples, 2], at `SAMPLE_RATE_HZ`;
            n_samples = round(duration_s × SAMPLE_RATE_HZ) ± 1. An array; of a `DiskEngine` that
            works in a folder, blocks on disk.
        models: name to version or SHA-256 of everything that shaped the sound.
        licences: name to licence of the same.
        notes: what a reader of the manifest should know.
        takes, seams, rendering: as in the manifest; empty for an engine that makes no clips.
    """

    plan: SessionPlan
    sound: Sound
    models: Mapping[str, str]
    licences: Mapping[str, str]
    notes: tuple[str, ...] = field(default=())
    takes: tuple[Take, ...] = ()
    seams: tuple[Seam, ...] = ()
    rendering: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def samples(self) -> NDArray[np.float32]:
        """The sound in memory, shape [n_samples, 2]."""
        return in_memory(self.sound)


class AffectJudge(Protocol):
    """Audio in, affect out; `analysis.mer.judge` makes one of any predictor.

    A judge travels to other processes: it must pickle.
    """

    @property
    def name(self) -> str:
        """The predictor's name."""

    def judge(self, samples: NDArray[np.float32], sample_rate_hz: int) -> tuple[float, float]:
        """Mean valence and arousal in [-1, 1] of one clip, shape [n_samples, n_channels]."""


class MusicEngine(Protocol):
    """Makes music for paths with planned affect."""

    @property
    def name(self) -> str:
        """As the protocol names it."""

    @property
    def version(self) -> str:
        """Changes whenever the same plan would give other samples."""

    def generate(
        self, plans: Sequence[SessionPlan], progress: Progress, judge: AffectJudge | None = None
    ) -> Iterator[SessionAudio]:
        """The plans' sound, in plan order, each as soon as it is ready.

        The same plan gives the same samples, whatever the other plans are.

        Args:
            judge: chooses among candidates, for engines that make several.
        """


@dataclass(frozen=True)
class Placement:
    """Where an engine runs: this machine's affair, not the protocol's.

    Args:
        device: ``cpu``, ``cuda`` or ``cuda:N``.
        batch_clips: at most so many clips at once; None: as many as fit in memory.
        models_dir: where weights are kept; None: `generation.musicgen.store.model_store`'s default.
    """

    device: str = "cpu"
    batch_clips: int | None = None
    models_dir: Path | None = None


@runtime_checkable
class PlaceableEngine(MusicEngine, Protocol):
    """An engine that can run elsewhere than on a CPU, and whose batches span sessions."""

    def placed(self, placement: Placement) -> Self:
        """The same engine on that device; nothing heavy is loaded before `generate`."""


@runtime_checkable
class DiskEngine(MusicEngine, Protocol):
    """An engine that can keep a session on disk, and not in memory, while it is made."""

    def working_in(self, folder: Path) -> Self:
        """The same engine, whose sound lies in a temporary file without a name on that folder's disk.

        It then raises StorageError where that disk has no room.
        """
