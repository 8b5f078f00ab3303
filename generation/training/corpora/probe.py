"""Every track of a corpus decoded once: which are there, whole and heard, and how long they really are."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace
from pathlib import Path

from generation.engine import Progress
from generation.training.corpora.decoded_store import DecodedStore, FileMark
from generation.training.corpora.decoding import SILENCE_DB, Decoded, decode
from generation.training.tracks import Corpus, Fault, FaultKind, Track

SHORTEST_S = 1.0
"""A track shorter than this is none."""

OTHER_LENGTH_S, OTHER_LENGTH_SHARE = 1.0, 0.02
"""A length is another than the stated one where it differs by more than both."""


def probed(corpus: Corpus, kept_in: Path, progress: Progress, jobs: int | None = None) -> Corpus:
    """Decode every track once and take from the corpus what cannot be used.

    Several files are decoded at a time, each a piece at a time; threads do, since the decoders let others
    run. What was found is kept by path, size and time of change: a second run, or one after a kill, decodes
    only the rest, and tries those again that could not be read.

    Args:
        kept_in: a folder; made where there is none.
        jobs: how many at a time; None: as many as there are processors here.

    Returns:
        the corpus with lengths and sample rates as decoded; its further faults MISSING, UNREADABLE (with the
        reader's words), TOO_SHORT (under a second), SILENT; and OTHER_LENGTH for a track that is kept
        although it is not as long as its table says.

    Raises:
        StorageError: `kept_in` cannot be written.
    """
    store = DecodedStore(kept_in)
    known = dict(store.read())
    marks = {track.track_id: _mark(track.path) for track in corpus.tracks}
    waiting = sorted({mark for mark in marks.values() if isinstance(mark, FileMark)} - known.keys())
    done, total = len(marks) - len(waiting), max(len(marks), 1)
    # Closed at once where a run is stopped: its threads would go on to the last file.
    with store.appending() as keep, contextlib.closing(_decoded(waiting, jobs)) as results:
        for number, (mark, decoded) in enumerate(results, start=1):
            known[mark] = decoded
            # A disk or a decoder may have failed for once.
            if decoded.problem is None:
                keep(mark, decoded)
            progress((done + number) / total)
    progress(1.0)
    found = {name: known[mark] if isinstance(mark, FileMark) else mark for name, mark in marks.items()}
    return _judged(corpus, found)


def _mark(path: Path) -> FileMark | str:
    # What is there and no file (a folder, a pipe) goes to the reader, which says so.
    try:
        return FileMark.of(path)
    except FileNotFoundError:
        return "is a link to a file that is not there" if path.is_symlink() else "there is no such file"
    except OSError as problem:
        return (problem.strerror or str(problem)).lower()


def _judged(corpus: Corpus, found: Mapping[str, Decoded | str]) -> Corpus:
    tracks: list[Track] = []
    faults: list[Fault] = []
    for track in corpus.tracks:
        decoded = found[track.track_id]
        fault = _fault(track, decoded)
        if fault is not None:
            faults.append(fault)
        if isinstance(decoded, Decoded) and (fault is None or fault.is_kept):
            length_s, rate_hz = decoded.duration_s, decoded.sample_rate_hz
            tracks.append(replace(track, duration_s=length_s, sample_rate_hz=rate_hz))
    return replace(corpus, tracks=tuple(tracks), faults=(*corpus.faults, *faults))


def _fault(track: Track, decoded: Decoded | str) -> Fault | None:
    def fault(kind: FaultKind, problem: str, is_kept: bool = False) -> Fault:
        return Fault(track.track_id, str(track.path), kind, problem, is_kept)

    if isinstance(decoded, str):
        return fault(FaultKind.MISSING, decoded)
    if decoded.problem is not None:
        return fault(FaultKind.UNREADABLE, decoded.problem)
    length_s = decoded.duration_s
    if length_s < SHORTEST_S:
        return fault(FaultKind.TOO_SHORT, f"lasts {length_s:.3f} s, less than {SHORTEST_S:g} s")
    if decoded.is_silent:
        return fault(FaultKind.SILENT, f"no sample reaches {SILENCE_DB:g} dB of full scale")
    stated_s = track.duration_s
    if stated_s is not None and is_other_length(stated_s, length_s):
        problem = f"lasts {length_s:.1f} s; the table says {stated_s:.1f} s"
        return fault(FaultKind.OTHER_LENGTH, problem, is_kept=True)
    return None


def is_other_length(stated_s: float, length_s: float) -> bool:
    """Whether a length differs from the stated one by more than a second and by more than 2 %."""
    off_s = abs(length_s - stated_s)
    return off_s > OTHER_LENGTH_S and off_s > OTHER_LENGTH_SHARE * stated_s


def _decoded(
    waiting: Sequence[FileMark], jobs: int | None
) -> Generator[tuple[FileMark, Decoded], None, None]:
    pool = ThreadPoolExecutor(jobs or os.cpu_count() or 1, "decoding")
    running = {pool.submit(decode, Path(mark.path)): mark for mark in waiting}
    try:
        for future in as_completed(running):
            yield running[future], future.result()
    finally:
        # Whoever stops here waits for the files in hand only.
        pool.shutdown(cancel_futures=True)
