"""Places from a music emotion predictor that hears every window by itself."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from generation.engine import AffectJudge, Progress
from generation.training.corpora.decoded_store import FileMark
from generation.training.crops import Crop
from generation.training.labels.heard_store import Heard, HeardStore, WindowMark
from generation.training.labels.places import Places, without_place
from generation.training.labels.window_sound import read_windows
from generation.training.tracks import Fault, FaultKind, Track
from study.affect import Affect
from study.errors import AudioError

Keep = Callable[[WindowMark, Heard], None]


def heard_places(
    crops: Sequence[Crop], of_crops: Sequence[Track], judge: AffectJudge, kept_in: Path, progress: Progress
) -> Places:
    """Let a judge hear every window, those of one track from one reading of it.

    A window that the judge refuses has no place, nor have those that come after damage to their file.

    Args:
        of_crops: the track of each window.
        kept_in: folder; what was heard is kept there under the judge's version, the file's path, size and
            time of change, onset and duration, and is not heard again.

    Raises:
        StorageError: what is kept cannot be read or written.
        ModelError: the judge's weights are not here.
    """
    by_track: dict[str, list[int]] = {}
    for place, crop in enumerate(crops):
        by_track.setdefault(crop.track_id, []).append(place)
    affects: list[Affect | None] = [None] * len(crops)
    faults: list[Fault] = []
    store = HeardStore(kept_in, judge)
    known = dict(store.read())
    n_done = 0
    with store.appending() as keep:
        for places in by_track.values():
            ours = sorted(places, key=lambda place: crops[place].onset_s)
            track = of_crops[ours[0]]
            windows = [(crops[place].onset_s, crops[place].duration_s) for place in ours]
            heard, problem = _hear(track, windows, judge, known, keep)
            for place, one in zip(ours, heard, strict=True):
                affects[place] = None if one is None else _affect(one)
            faults += _faults(track, windows, heard, problem)
            n_done += len(ours)
            progress(n_done / len(crops))
    source = f"Valence and arousal are what the predictor {judge.name} heard in each window (perceived)."
    return Places(tuple(affects), tuple(faults), source, "perceived")


def _hear(
    track: Track,
    windows: Sequence[tuple[float, float]],
    judge: AffectJudge,
    known: dict[WindowMark, Heard],
    keep: Keep,
) -> tuple[list[Heard | None], str | None]:
    """What was heard in each window, None where its sound could not be read; and why it could not."""
    try:
        file = FileMark.of(track.path)
    except OSError as problem:
        return [None] * len(windows), f"it cannot be read ({str(problem.strerror).lower()})"
    marks = [WindowMark(file, *window) for window in windows]
    new = [mark for mark in marks if mark not in known]
    told = None
    try:
        if new:
            sample_rate_hz, sounds = read_windows(track.path, [(m.onset_s, m.duration_s) for m in new])
            for mark, samples in zip(new, sounds, strict=True):
                known[mark] = _judged(judge, samples, sample_rate_hz)
                keep(mark, known[mark])
    except AudioError as refusal:
        told = refusal.problem
    return [known.get(mark) for mark in marks], told


def _judged(judge: AffectJudge, samples: NDArray[np.float32], sample_rate_hz: int) -> Heard:
    try:
        valence, arousal = judge.judge(samples, sample_rate_hz)
    except AudioError as refusal:
        return Heard(None, None, refusal.problem)
    if not (math.isfinite(valence) and math.isfinite(arousal)):
        return Heard(None, None, "it gave no number")
    if max(abs(valence), abs(arousal)) > 1.0:
        # Nothing is clipped: a label at the edge would be one that nobody gave.
        told = f"it said valence {valence:.3f} and arousal {arousal:.3f}, outside [-1, 1]"
        return Heard(None, None, told)
    return Heard(valence, arousal)


def _affect(heard: Heard) -> Affect | None:
    if heard.valence is None or heard.arousal is None:
        return None
    return Affect(heard.valence, heard.arousal)


def _faults(
    track: Track,
    windows: Sequence[tuple[float, float]],
    heard: Sequence[Heard | None],
    problem: str | None,
) -> Iterator[Fault]:
    is_kept = any(one is not None and one.problem is None for one in heard)
    for (onset_s, duration_s), one in zip(windows, heard, strict=True):
        if one is not None and one.problem is not None:
            told = f"the predictor refused the {duration_s:g} s from {onset_s:g} s: {one.problem}"
            yield without_place(track, told, is_kept)
    n_unread = sum(one is None for one in heard)
    if n_unread:
        told = f"{problem}; {n_unread} of its {len(heard)} windows have no label"
        yield Fault(track.track_id, str(track.path), FaultKind.UNREADABLE, told, is_kept)
