"""Windows of sound files heard by a judge: file by file here, or several files at once in processes."""

from __future__ import annotations

import math
import multiprocessing
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from generation.engine import AffectJudge
from generation.training.labels.heard_store import Heard, WindowMark
from generation.training.labels.window_sound import read_windows
from study.errors import AudioError, DeviceError

Keep = Callable[[WindowMark, Heard], None]
Span = tuple[float, float]
"""onset_s, duration_s."""


def hear_files(
    files: Mapping[Path, Sequence[WindowMark]], judge: AffectJudge, keep: Keep, jobs: int
) -> Iterator[tuple[Path, str | None]]:
    """Let a judge hear the windows of every file, those of one file from one reading of it.

    Args:
        files: windows of each, by rising onset.
        keep: called with each window as soon as it is known here: after it was heard, or, with several
            processes, after its file was.
        jobs: processes; 1 hears here.

    Returns:
        Each file when it is done, in any order, and why its later windows could not be read; None: all were.

    Raises:
        ModelError: the judge's weights are not here.
        DeviceError: a process was killed.
    """
    if min(jobs, len(files)) <= 1:
        for path, marks in files.items():
            yield path, _hear_here(path, marks, judge, keep)
        return
    # "spawn": a forked child would inherit the locks of running threads.
    context = multiprocessing.get_context("spawn")
    try:
        with ProcessPoolExecutor(min(jobs, len(files)), context, _stop_silently) as pool:
            futures = {
                pool.submit(_hear_apart, path, [mark[1:] for mark in marks], judge): path
                for path, marks in files.items()
            }
            try:
                for future in as_completed(futures):
                    path = futures[future]
                    heard, problem = future.result()
                    for mark, one in zip(files[path], heard, strict=False):
                        keep(mark, one)
                    yield path, problem
            finally:
                for future in futures:
                    future.cancel()
    except BrokenProcessPool as death:
        raise DeviceError(
            f"predictor {judge.name}",
            "one of its processes was killed",
            "give it fewer processes if memory ran out, and run the command again; what was heard is kept",
        ) from death


def _hear_here(path: Path, marks: Sequence[WindowMark], judge: AffectJudge, keep: Keep) -> str | None:
    try:
        for mark, one in zip(marks, _heard(path, [mark[1:] for mark in marks], judge), strict=True):
            keep(mark, one)
    except AudioError as refusal:
        return refusal.problem
    return None


def _hear_apart(path: Path, spans: Sequence[Span], judge: AffectJudge) -> tuple[list[Heard], str | None]:
    heard: list[Heard] = []
    try:
        heard.extend(_heard(path, spans, judge))
    except AudioError as refusal:
        return heard, refusal.problem
    return heard, None


def _heard(path: Path, spans: Sequence[Span], judge: AffectJudge) -> Iterator[Heard]:
    sample_rate_hz, sounds = read_windows(path, spans)
    for samples in sounds:
        yield _judged(judge, samples, sample_rate_hz)


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


def _stop_silently() -> None:
    """Let Ctrl-C end this process at once; who called it says what there is to say."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
