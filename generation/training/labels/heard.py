"""Places from a music emotion predictor that hears every window by itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from generation.engine import AffectJudge, Progress
from generation.training.corpora.decoded_store import FileMark
from generation.training.crops import Crop
from generation.training.labels.heard_store import Heard, HeardStore, WindowMark
from generation.training.labels.hearing import hear_files
from generation.training.labels.places import Places, without_place
from generation.training.tracks import Fault, FaultKind, Track
from study.affect import Affect


def heard_places(
    crops: Sequence[Crop],
    of_crops: Sequence[Track],
    judge: AffectJudge,
    kept_in: Path,
    progress: Progress,
    jobs: int = 1,
) -> Places:
    """Let a judge hear every window that it has not heard before.

    A window that the judge refuses has no place, nor have those that come after damage to their file.

    Args:
        of_crops: the track of each window.
        kept_in: folder; what was heard is kept there under the judge's version, the file's path, size and
            time of change, onset and duration.
        jobs: processes that hear; 1 hears here.

    Raises:
        StorageError: what is kept cannot be read or written.
        ModelError: the judge's weights are not here.
        DeviceError: a process was killed.
    """
    store = HeardStore(kept_in, judge)
    known = dict(store.read())
    problems: dict[Path, str | None] = {}
    marks = _marks(crops, of_crops, problems)
    new: dict[Path, list[WindowMark]] = {}
    for place in sorted(marks, key=lambda place: crops[place].onset_s):
        if marks[place] not in known:
            new.setdefault(of_crops[place].path, []).append(marks[place])
    n_new, n_done = sum(map(len, new.values())), 0
    with store.appending() as append:

        def keep(mark: WindowMark, heard: Heard) -> None:
            known[mark] = heard
            append(mark, heard)

        for path, problem in hear_files(new, judge, keep, jobs):
            problems[path] = problem
            n_done += len(new[path])
            progress((len(crops) - n_new + n_done) / len(crops))
    heard = [known.get(marks[place]) if place in marks else None for place in range(len(crops))]
    return Places(
        tuple(_affect(one) for one in heard),
        tuple(_faults(crops, of_crops, heard, problems)),
        f"Valence and arousal are what the predictor {judge.name} heard in each window (perceived).",
        "perceived",
    )


def _marks(
    crops: Sequence[Crop], of_crops: Sequence[Track], problems: dict[Path, str | None]
) -> dict[int, WindowMark]:
    """The mark of every window whose file is there; why the others' are not goes to `problems`."""
    files: dict[Path, FileMark] = {}
    for path in dict.fromkeys(track.path for track in of_crops):
        try:
            files[path] = FileMark.of(path)
        except OSError as problem:
            problems[path] = f"it cannot be read ({str(problem.strerror).lower()})"
    return {
        place: WindowMark(files[track.path], crop.onset_s, crop.duration_s)
        for place, (crop, track) in enumerate(zip(crops, of_crops, strict=True))
        if track.path in files
    }


def _affect(heard: Heard | None) -> Affect | None:
    if heard is None or heard.valence is None or heard.arousal is None:
        return None
    return Affect(heard.valence, heard.arousal)


def _faults(
    crops: Sequence[Crop],
    of_crops: Sequence[Track],
    heard: Sequence[Heard | None],
    problems: dict[Path, str | None],
) -> Iterator[Fault]:
    """What each track lost, in the order of tracks."""
    by_track: dict[str, list[int]] = {}
    for place, crop in enumerate(crops):
        by_track.setdefault(crop.track_id, []).append(place)
    for places in by_track.values():
        track = of_crops[places[0]]
        is_kept = any(_affect(heard[place]) is not None for place in places)
        for place in places:
            one, crop = heard[place], crops[place]
            if one is not None and one.problem is not None:
                told = (
                    f"the predictor refused the {crop.duration_s:g} s from {crop.onset_s:g} s: {one.problem}"
                )
                yield without_place(track, told, is_kept)
        n_unread = sum(heard[place] is None for place in places)
        if n_unread:
            told = f"{problems.get(track.path)}; {n_unread} of its {len(places)} windows have no label"
            yield Fault(track.track_id, str(track.path), FaultKind.UNREADABLE, told, is_kept)
