"""Clips that overlap become one session, joined where it is least audible.

Nothing is turned up or down: clips keep their relative levels, because
loudness carries arousal. For each pair two things are chosen:
the shift that makes the beats of both meet, and the place and length of the
crossfade (`generation.clips.crossfade`).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from generation.audio import SAMPLE_RATE_HZ
from generation.clips.clip import Stereo
from generation.clips.crossfade import Crossfade, PlacedClip, choose_crossfade
from generation.clips.seams import Usual, measured_seam, texture
from generation.stimuli import END_FADE_S
from study.errors import AudioError
from study.manifest import Seam

BEGINNING_FADE_S = 0.01


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
    fades: list[Crossfade] = []
    written = 0
    current: PlacedClip | None = None
    for onset, samples in zip(onsets, clips, strict=True):
        following = PlacedClip(onset, samples, texture(samples))
        if current is None:
            current = following
            continue
        fade = choose_crossfade(current, following, written)
        following = PlacedClip(onset + fade.shift, samples, following.texture)
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


def _write(session: Stereo, clip: PlacedClip, first: int, last: int) -> None:
    session[first:last] = clip.samples[first - clip.first : last - clip.first]


def _crossfade(session: Stereo, before: PlacedClip, after: PlacedClip, fade: Crossfade) -> None:
    """Equal power: the squares of both gains sum to one."""
    rising = _curve(fade.last - fade.first)
    ending = before.samples[fade.first - before.first : fade.last - before.first]
    beginning = after.samples[fade.first - after.first : fade.last - after.first]
    session[fade.first : fade.last] = ending * rising[::-1] + beginning * rising


def _curve(n_samples: int) -> NDArray[np.float32]:
    phase = (np.arange(n_samples) + 0.5) / max(n_samples, 1)
    return np.sin(phase * (np.pi / 2)).astype(np.float32)[:, None]
