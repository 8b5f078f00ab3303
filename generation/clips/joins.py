"""Clips that overlap become one session, joined where it is least audible.

Nothing is turned up or down: clips keep their relative levels, because
loudness carries arousal. For each pair two things are chosen:

1. The shift: the later clip is moved by up to 0.4 s so that the onsets of both
   agree best in the overlap (Pearson correlation of onset strength), or stays
   where they hardly agree anywhere.
2. The crossfade: 2 to 4 s, where what sounds of both is least audible (`_audible`, `_least`).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from generation.audio import SAMPLE_RATE_HZ
from generation.clips.clip import Stereo
from generation.clips.schedule import LARGEST_SHIFT_S, NOISY_END_S
from generation.clips.seams import HOP, HOP_S, Texture, Usual, measured_seam, texture
from generation.loudness import block_loudness
from generation.stimuli import END_FADE_S
from study.errors import AudioError
from study.manifest import Seam

FADES_S = (2.0, 2.5, 3.0, 3.5, 4.0)
BEGINNING_FADE_S = 0.01
_NOISY = round(NOISY_END_S * SAMPLE_RATE_HZ)
#: Onsets that correlate less have no common beat, and are not moved to pretend one.
_LEAST_AGREEMENT = 0.3
#: A difference of so many LU between the clips costs as much as an onset stronger than 95 % of theirs.
_LEVEL_LU = 3.0
_QUIETEST_LUFS = -70.0


@dataclass(frozen=True)
class _Placed:
    """A clip in the session: its first sample's place, what it sounds like, how it changes."""

    first: int
    samples: Stereo
    texture: Texture

    @property
    def heard_until(self) -> int:
        return self.first + len(self.samples) - _NOISY


@dataclass(frozen=True)
class _Fade:
    first: int
    last: int
    shift: int
    usual: Usual


def join_clips(
    clips: Iterable[Stereo], onsets: Sequence[int], n_samples: int
) -> tuple[Stereo, tuple[Seam, ...]]:
    """The clips as one session of exactly `n_samples`, and what was done at each seam.

    The session begins as its first clip does (10 ms of fade against a click)
    and fades out over its last 3 s.

    Args:
        clips: in order; only two are held at a time.
        onsets: where each was planned to begin, in samples; each overlaps the next.
        n_samples: of the session.

    Raises:
        AudioError: the clips do not reach the session's end, or leave a gap.
    """
    session = np.zeros((n_samples, 2), dtype=np.float32)
    fades: list[_Fade] = []
    written = 0
    current: _Placed | None = None
    for onset, samples in zip(onsets, clips, strict=True):
        following = _Placed(onset, samples, texture(samples))
        if current is None:
            current = following
            continue
        fade = _chosen_fade(current, following, written)
        following = _Placed(onset + fade.shift, samples, following.texture)
        _write(session, current, written, fade.first)
        _crossfade(session, current, following, fade)
        fades.append(fade)
        current, written = following, fade.last
    if current is None or current.first + len(current.samples) < n_samples:
        raise AudioError("session", "its clips end before it does", "report this to the engine's makers")
    _write(session, current, written, n_samples)
    seams = tuple(
        measured_seam(session, fade.first, fade.last, fade.shift / SAMPLE_RATE_HZ, fade.usual)
        for fade in fades
    )
    return faded_at_the_ends(session), seams


def stream_seams(session: Stereo, boundaries: Sequence[int]) -> tuple[Seam, ...]:
    """Where clips continue one another: nothing was faded or moved, and it is measured all the same.

    Args:
        boundaries: the sample at which each clip but the first begins to be its own.
    """
    edges = [0, *boundaries, len(session)]
    parts = [texture(session[first:last]) for first, last in itertools.pairwise(edges)]
    return tuple(
        measured_seam(session, at, at, 0.0, Usual.of(before, after))
        for at, (before, after) in zip(boundaries, itertools.pairwise(parts), strict=True)
    )


def faded_at_the_ends(session: Stereo) -> Stereo:
    """The session with 10 ms of fade at its beginning and 3 s at its end, in place."""
    beginning = _curve(min(round(BEGINNING_FADE_S * SAMPLE_RATE_HZ), len(session) // 4))
    end = _curve(min(round(END_FADE_S * SAMPLE_RATE_HZ), len(session) // 4))
    session[: len(beginning)] *= beginning
    session[len(session) - len(end) :] *= end[::-1]
    return session


def _write(session: Stereo, clip: _Placed, first: int, last: int) -> None:
    session[first:last] = clip.samples[first - clip.first : last - clip.first]


def _crossfade(session: Stereo, before: _Placed, after: _Placed, fade: _Fade) -> None:
    """Equal power: the squares of both gains sum to one."""
    rising = _curve(fade.last - fade.first)
    ending = before.samples[fade.first - before.first : fade.last - before.first]
    beginning = after.samples[fade.first - after.first : fade.last - after.first]
    session[fade.first : fade.last] = ending * rising[::-1] + beginning * rising


def _curve(n_samples: int) -> NDArray[np.float32]:
    phase = (np.arange(n_samples) + 0.5) / max(n_samples, 1)
    return np.sin(phase * (np.pi / 2)).astype(np.float32)[:, None]


def _chosen_fade(before: _Placed, after: _Placed, written: int) -> _Fade:
    shift = _shift(before, after)
    moved = _Placed(after.first + shift, after.samples, after.texture)
    earliest, latest = max(moved.first, written), before.heard_until
    if latest <= earliest:
        raise AudioError("session", "two of its clips do not overlap", "report this to the engine's makers")
    usual = Usual.of(*(clip.texture.between(0, len(clip.samples) - _NOISY) for clip in (before, after)))
    audible = _audible(before, moved, earliest, latest, usual)
    lengths = [round(s / HOP_S) for s in FADES_S if round(s / HOP_S) <= len(audible)] or [len(audible)]
    _, first, length = min(_least(audible, length) for length in lengths)
    begin = earliest + first * HOP
    return _Fade(begin, min(begin + length * HOP, latest), shift, usual)


def _shift(before: _Placed, after: _Placed) -> int:
    """Samples by which the later clip moves; 0 where no shift makes the onsets agree."""
    largest = round(LARGEST_SHIFT_S / HOP_S)
    found: dict[int, float] = {}
    for shift in range(-largest, largest + 1):
        begin = (after.first - before.first) // HOP + shift
        ending = before.texture.onset[max(begin, 0) : (len(before.samples) - _NOISY) // HOP]
        beginning = after.texture.onset[max(-begin, 0) :][: len(ending)]
        found[shift] = _correlation(ending[: len(beginning)], beginning)
    best = max(found, key=lambda shift: (found[shift], -abs(shift)))
    return best * HOP if found[best] >= _LEAST_AGREEMENT else 0


def _correlation(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """Pearson's, or 0 where there is too little to compare: a second is the least in which beats agree."""
    if len(x) * HOP_S < 1.0:
        return 0.0
    x, y = x - x.mean(), y - y.mean()
    spread = float(np.sqrt((x @ x) * (y @ y)))
    return float(x @ y) / spread if spread > 1e-6 * len(x) else 0.0


def _least(audible: NDArray[np.float64], length: int) -> tuple[float, int, int]:
    """The cost of the best crossfade of so many frames, its first frame, and the length again.

    A crossfade costs the mean of its frames, weighted by how much of both clips
    sounds there: the product of both gains, sin(2θ)/2, greatest in the middle.
    """
    weight = np.sin(np.pi * (np.arange(length) + 0.5) / length)
    cost = np.correlate(audible, weight / weight.sum(), "valid")
    first = int(cost.argmin())
    return float(cost[first]), first, length


def _audible(
    before: _Placed, after: _Placed, earliest: int, latest: int, usual: Usual
) -> NDArray[np.float64]:
    """The cost of each frame of the overlap, shape [n_frames].

    The stronger of both clips' onsets over the usual one, the same of flux, and
    the difference of their momentary loudness over 3 LU.
    """
    parts = [clip.texture.between(earliest - clip.first, latest - clip.first) for clip in (before, after)]
    count = min(len(part.onset) for part in parts)
    onset = np.maximum(*(part.onset[:count] for part in parts)) / usual.onset
    flux = np.maximum(*(part.flux[:count] for part in parts)) / usual.flux
    times = (earliest + np.arange(count) * HOP) / SAMPLE_RATE_HZ
    loudness = [_momentary(clip, earliest, latest, times) for clip in (before, after)]
    return onset + flux + np.abs(loudness[1] - loudness[0]) / _LEVEL_LU


def _momentary(
    clip: _Placed, earliest: int, latest: int, times_s: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Loudness of blocks of 0.4 s in LUFS (EBU Tech 3341), read at each time."""
    begin = max(earliest - SAMPLE_RATE_HZ, clip.first)
    blocks = block_loudness(clip.samples[begin - clip.first : latest - clip.first], SAMPLE_RATE_HZ)
    centres = begin / SAMPLE_RATE_HZ + 0.2 + 0.1 * np.arange(len(blocks))
    return np.interp(times_s, centres, np.maximum(blocks, _QUIETEST_LUFS))
