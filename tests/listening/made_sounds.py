"""Sounds made here, each by its recipe: controlled scores, composed music, joined clips, noise, pauses."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from generation.audio import SAMPLE_RATE_HZ
from generation.clips.joins import join_clips
from generation.composer.cues import CUE_NAMES
from generation.composer.engine import ComposerEngine
from generation.composer.palettes import INSTRUMENTS
from generation.composer.sound.sampler import shared_sampler
from generation.composer.writing.percussion import BRUSH, CLOSED_HAT, KICK
from study.affect import Affect
from study.manifest import Seam
from study.path import AffectPath, PathKind, Waypoint
from study.session import SessionPlan
from tests.analysis.mer.controlled_audio import Knobs, sound_of

Samples = NDArray[np.float32]
Point = tuple[float, float]


class Sound(Protocol):
    """Something to hear."""

    @property
    def sound_id(self) -> str:
        """Unique name."""

    def mark(self) -> str:
        """Changes whenever the samples may."""

    def sound(self) -> tuple[Samples, int]:
        """Samples, float32, shape [n_samples, n_channels], and their rate in Hz."""


def source_mark(*modules: str) -> str:
    """Hash of the text of modules; of a package, of all that lies in it."""
    digest = hashlib.sha256()
    for module in modules:
        spec = importlib.util.find_spec(module)
        if spec is None or spec.origin is None:
            raise ModuleNotFoundError(module)
        origin = Path(spec.origin)
        files = sorted(origin.parent.rglob("*.py")) if origin.name == "__init__.py" else [origin]
        for path in files:
            digest.update(path.read_bytes())
    return digest.hexdigest()


@cache
def _played_by() -> str:
    return source_mark(
        "generation.composer", "generation.clips", "tests.analysis.mer.controlled_audio", __name__
    )


@dataclass(frozen=True)
class ControlledSound:
    """The controlled score with its knobs set, with or without drums."""

    knobs: Knobs
    drums: bool = False

    @property
    def sound_id(self) -> str:
        """Every knob, so that no two settings share a name."""
        k = self.knobs
        return (
            f"knobs/{k.instrument}-{k.mode}-tonic{k.tonic}-seed{k.seed}-t{k.transpose_semitones:+d}"
            f"-r{k.notes_per_s:g}-g{k.gain_db:+g}-a{k.articulation:g}-d{k.dissonance}-s{k.duration_s:g}"
            + ("-drums" if self.drums else "")
        )

    def mark(self) -> str:
        """Hash of what plays it."""
        return _played_by() + self.sound_id

    def sound(self) -> tuple[Samples, int]:
        """Samples, shape [n_samples, 2], at 32 kHz."""
        samples = sound_of(self.knobs)
        return (
            samples + _drums(len(samples), self.knobs.notes_per_s) if self.drums else samples
        ), SAMPLE_RATE_HZ


_DRUM_GAIN = 0.35
_PATTERN: Sequence[tuple[int, float]] = ((KICK, 0.9), (CLOSED_HAT, 0.5), (BRUSH, 0.8), (CLOSED_HAT, 0.5))


@lru_cache(maxsize=4)
def _drums(n_samples: int, strokes_per_s: float) -> Samples:
    """A kick, hat, brush, hat pattern of the composer's brush kit, one stroke a note."""
    mono = np.zeros(n_samples, dtype=np.float32)
    sampler, kit = shared_sampler(), INSTRUMENTS["brushes"]
    for number in range(int(n_samples / SAMPLE_RATE_HZ * strokes_per_s)):
        drum, touch = _PATTERN[number % len(_PATTERN)]
        first = round(number / strokes_per_s * SAMPLE_RATE_HZ)
        stroke = sampler.note(kit, drum, 0.25, touch)[: n_samples - first]
        mono[first : first + len(stroke)] += _DRUM_GAIN * stroke
    return np.stack([mono, mono], axis=1)


_COMPOSED_GAIN = 0.7


@dataclass(frozen=True)
class ComposedSound:
    """Music of the embedded composer along a path.

    Args:
        name: what it is made for, part of its id.
        points: valence and arousal, each held equally long.
        cue: the only cue that follows the path, the others held neutral; None lets all follow.
    """

    name: str
    points: tuple[Point, ...]
    duration_s: float
    seed: int
    palette: str = "chamber"
    cue: str | None = None

    @property
    def sound_id(self) -> str:
        """Its recipe."""
        path = "_".join(f"{v:+.2f},{a:+.2f}" for v, a in self.points)
        how = f"{self.palette}-{self.cue or 'all'}-seed{self.seed}-{self.duration_s:g}s"
        return f"composed/{self.name}-{how}-{path}"

    def mark(self) -> str:
        """Hash of what plays it."""
        return _played_by() + self.sound_id

    def sound(self) -> tuple[Samples, int]:
        """Samples, shape [n_samples, 2], at 32 kHz."""
        weights = {} if self.cue is None else {cue: float(cue == self.cue) for cue in CUE_NAMES}
        engine = ComposerEngine(self.palette, weights)
        (audio,) = engine.generate([self._plan()], lambda _: None)
        # One gain for all: what is meant to be louder stays louder.
        return audio.samples * np.float32(_COMPOSED_GAIN), SAMPLE_RATE_HZ

    def _plan(self) -> SessionPlan:
        step_s = self.duration_s / len(self.points)
        waypoints = tuple(Waypoint(k * step_s, step_s, Affect(*at)) for k, at in enumerate(self.points))
        return SessionPlan(
            participant_id="sub-01",
            session_id="ses-01",
            arm_id="composed",
            path=AffectPath(PathKind.ISO, waypoints),
            start=Affect(*self.points[0]),
            target=Affect(*self.points[-1]),
            clip_s=min(step_s, 30.0),
            seed=self.seed,
            loudness_lufs=-23.0,
        )


_BEFORE_S, _AFTER_S = 4.0, 10.0


@dataclass(frozen=True)
class JoinedSound:
    """Composed clips of one aim and several seeds, joined as a session of clips is."""

    point: Point
    seeds: tuple[int, ...]
    palette: str = "chamber"
    clip_s: float = 34.0
    overlap_s: float = 4.0

    @property
    def sound_id(self) -> str:
        """Its recipe."""
        seeds = "-".join(map(str, self.seeds))
        return (
            f"joined/{self.palette}-{self.point[0]:+.2f},{self.point[1]:+.2f}-seeds{seeds}-{self.clip_s:g}s"
        )

    def mark(self) -> str:
        """Hash of what plays it."""
        return _played_by() + self.sound_id

    def sound(self) -> tuple[Samples, int]:
        """Samples, shape [n_samples, 2], at 32 kHz."""
        return self.joined()[0], SAMPLE_RATE_HZ

    def joined(self) -> tuple[Samples, tuple[Seam, ...]]:
        """Samples, and where the clips meet."""
        return _joined(self)


@lru_cache(maxsize=1)
def _joined(session: JoinedSound) -> tuple[Samples, tuple[Seam, ...]]:
    # A piece's beginning and end are no part of a clip.
    cut = slice(round(_BEFORE_S * SAMPLE_RATE_HZ), round((_BEFORE_S + session.clip_s) * SAMPLE_RATE_HZ))
    whole_s = _BEFORE_S + session.clip_s + _AFTER_S
    clips = [
        ComposedSound("clip", (session.point,), whole_s, seed, session.palette).sound()[0][cut]
        for seed in session.seeds
    ]
    hop = round((session.clip_s - session.overlap_s) * SAMPLE_RATE_HZ)
    onsets = [number * hop for number in range(len(clips))]
    return join_clips(clips, onsets, onsets[-1] + round((session.clip_s - 1.0) * SAMPLE_RATE_HZ))


@dataclass(frozen=True)
class PlainSound:
    """No music: white or pink noise, a single tone.

    Args:
        kind: white, pink or tone.
        seed: of the noise; of a tone, its place in octaves over 110 Hz.
    """

    kind: str
    seed: int
    duration_s: float = 30.0

    @property
    def sound_id(self) -> str:
        """Kind and seed."""
        return f"plain/{self.kind}-{self.seed}"

    def mark(self) -> str:
        """Hash of its recipe."""
        return _played_by() + self.sound_id

    def sound(self) -> tuple[Samples, int]:
        """Samples, shape [n_samples, 1], at 32 kHz, about -24 dBFS RMS."""
        n_samples = round(self.duration_s * SAMPLE_RATE_HZ)
        if self.kind == "tone":
            times_s = np.arange(n_samples) / SAMPLE_RATE_HZ
            samples = np.sin(2 * np.pi * 110.0 * 2.0**self.seed * times_s)
        else:
            samples = np.random.default_rng(self.seed).standard_normal(n_samples)
            if self.kind == "pink":
                spectrum = np.fft.rfft(samples)
                samples = np.fft.irfft(spectrum / np.sqrt(np.arange(1, len(spectrum) + 1)), n_samples)
        level = 10 ** (-24 / 20) / np.sqrt(np.mean(samples**2))
        return (samples * level).astype(np.float32)[:, None], SAMPLE_RATE_HZ


@dataclass(frozen=True)
class GapSound:
    """Composed music with a pause in its middle.

    Args:
        gap_s: length of the pause.
        hiss_dbfs: level of noise in the pause; None is digital silence.
    """

    gap_s: float = 15.0
    hiss_dbfs: float | None = None
    seed: int = 1
    around_s: float = 24.0
    point: Point = field(default=(0.3, 0.0))

    @property
    def sound_id(self) -> str:
        """Its recipe."""
        pause = "silent" if self.hiss_dbfs is None else f"{self.hiss_dbfs:g}dBFS"
        return f"gap/{self.gap_s:g}s-{pause}-seed{self.seed}"

    def mark(self) -> str:
        """Hash of what plays it."""
        return _played_by() + self.sound_id

    def sound(self) -> tuple[Samples, int]:
        """Samples, shape [n_samples, 2], at 32 kHz."""
        music, rate = ComposedSound("gap", (self.point,), 2 * self.around_s, self.seed).sound()
        gap = np.zeros((round(self.gap_s * rate), 2), dtype=np.float32)
        if self.hiss_dbfs is not None:
            noise = np.random.default_rng(self.seed).standard_normal(len(gap))[:, None]
            gap += (noise * 10 ** (self.hiss_dbfs / 20)).astype(np.float32)
        middle = len(music) // 2
        return np.concatenate([music[:middle], gap, music[middle:]]), rate

    @property
    def pause_s(self) -> tuple[float, float]:
        """Where the pause begins and ends."""
        return self.around_s, self.around_s + self.gap_s
