"""Ceilings: real music with known places, cut and levelled as the clips are, beside them in the grid.

What a predictor hears there is the most that can be asked of it for generated music: an axis on which it
does not hear the corpus itself cannot be measured with it.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from generation.audio import SAMPLE_RATE_HZ, integrated_loudness, read_audio, true_peak_dbtp
from generation.clip_grid import ClipGrid, GridClip, GridSystem, Part, Role
from generation.clips.joins import faded_at_the_ends
from generation.grid.level import levelled, system_gain
from generation.grid.request import SHORTEST_CLIP_S
from generation.grid.trained_run import TrainedRun
from generation.musicgen.trained.part_taken import read_marks
from generation.stimuli import stereo_at_rate
from generation.training.labelled_file import LabelledSound, LabelledSounds, read_labelled
from generation.training.tracks import Split
from study.affect import Affect
from study.errors import AudioError
from study.folder import write_whole

MOST_CUTS = 100
"""Of a trained run's validation windows: enough for a correlation, few enough to be heard in minutes."""


@dataclass(frozen=True)
class Cut:
    """A piece of real music whose place is known.

    Args:
        path: of the sound file.
        onset_s, duration_s: of the piece.
        affect: its place.
        target_id: cuts of one track share it; intervals are clustered by it.
    """

    path: Path
    onset_s: float
    duration_s: float
    affect: Affect
    target_id: str


@dataclass(frozen=True)
class Ceiling:
    """A ceiling before its cuts are made.

    Args:
        name: of its folder; title: for tables.
        took_part: predictor to its part in the places.
        licences: of the music.
        notes: where the places are from.
    """

    name: str
    title: str
    cuts: tuple[Cut, ...]
    took_part: Mapping[str, tuple[Part, ...]]
    licences: Mapping[str, str]
    notes: tuple[str, ...]


def add_ceiling(
    folder: Path,
    grid: ClipGrid,
    name: str,
    title: str,
    clips: Sequence[Cut],
    took_part: Mapping[str, tuple[Part, ...]],
    licences: Mapping[str, str] = MappingProxyType({}),
    notes: Sequence[str] = (),
) -> ClipGrid:
    """Cut the music, write it beside the clips under one gain, and write the manifest anew.

    Cuts fade in and out as an engine's clips do, so that both are heard alike. A file that cannot be used is
    a fault of the grid. A ceiling of the same name is replaced.

    Raises:
        AudioError: not one cut could be made.
        StorageError: the folder cannot be written.
    """
    with tempfile.TemporaryDirectory(dir=folder, prefix=".cuts.") as raw:
        cuts, faults = _cut_all(clips, Path(raw))
        if not cuts:
            first = faults[0] if faults else "there is no labelled music"
            raise AudioError(f"ceiling {name}", f"nothing could be cut ({first})", "leave the ceiling out")
        gain = system_gain([one.loudness_lufs for one in cuts], [one.true_peak_dbtp for one in cuts])
        (folder / name).mkdir(exist_ok=True)
        made = [_write(folder, name, number, one, gain.gain_db) for number, one in enumerate(cuts)]
    system = GridSystem(
        name=name,
        title=title,
        took_part=took_part,
        role=Role.CEILING,
        licences=licences,
        notes=(*notes, gain.sentence),
    )
    added = replace(
        grid,
        systems=(*(one for one in grid.systems if one.name != name), system),
        clips=(*(one for one in grid.clips if one.system != name), *made),
        faults=(*grid.faults, *(f"ceiling {name}: {fault}" for fault in faults)),
    )
    added.write(folder)
    return added


def ceiling_from_run(run: TrainedRun, name: str, clip_s: float, most: int = MOST_CUTS) -> Ceiling | None:
    """The labelled windows of a training's validation split, as a ceiling.

    A window longer than the grid's clips gives its middle. Of more than `most` windows, those whose track and
    onset have the smallest SHA-256 are taken, whatever their places: it is the corpus that is heard.

    Args:
        name: of `generation.grid.trained_run.ceiling_names`.

    Returns:
        None where the training's windows have no places.

    Raises:
        StorageError: what it keeps is damaged.
        ModelError: its marks cannot be read.
    """
    kept = read_labelled(run.crops)
    labelled = kept.of(Split.VALIDATION)
    cuts = [cut for sound in labelled for cut in _cuts_of(sound, clip_s)]
    if not cuts:
        return None
    taken = set(sorted(range(len(cuts)), key=lambda number: _order(cuts[number]))[:most])
    return Ceiling(
        name=name,
        title=f"validation music of {run.name}",
        cuts=tuple(cut for number, cut in enumerate(cuts) if number in taken),
        took_part=_labellers(kept, run),
        licences={f"music {number}": licence for number, licence in enumerate(kept.licences, start=1)},
        notes=(
            f"{len(taken)} of {len(cuts)} labelled windows of the validation split,"
            " by hash of track and onset",
            f"places: {kept.source} ({kept.perspective})",
        ),
    )


def _labellers(kept: LabelledSounds, run: TrainedRun) -> Mapping[str, tuple[Part, ...]]:
    of_places = (Part.LABELS, Part.SHARED_CUES)
    marks = read_marks(run.made).predictors
    found = {name: tuple(part for part in of_places if part in parts) for name, parts in marks.items()}
    if kept.predictor is not None:
        found[kept.predictor] = (Part.LABELS,)
    return {name: parts for name, parts in sorted(found.items()) if parts}


def _cuts_of(sound: LabelledSound, clip_s: float) -> Iterator[Cut]:
    crop, affect = sound.labelled.crop, sound.labelled.affect
    length = min(clip_s, crop.duration_s)
    if affect is not None and length >= SHORTEST_CLIP_S:
        onset_s = crop.onset_s + (crop.duration_s - length) / 2
        yield Cut(sound.path, onset_s, length, affect, crop.track_id)


def _order(cut: Cut) -> str:
    return hashlib.sha256(f"{cut.target_id}/{cut.onset_s:.3f}".encode()).hexdigest()


@dataclass(frozen=True)
class _RawCut:
    cut: Cut
    file: Path
    loudness_lufs: float | None
    true_peak_dbtp: float | None


def _cut_all(cuts: Iterable[Cut], raw: Path) -> tuple[list[_RawCut], list[str]]:
    """Every cut on disk, since a hundred of them are a gigabyte; and what could not be cut."""
    made: list[_RawCut] = []
    faults: list[str] = []
    for cut in cuts:
        try:
            samples = _samples(cut)
        except AudioError as refusal:
            faults.append(f"{refusal.where}: {refusal.problem}")
            continue
        file = raw / f"{len(made)}.npy"
        np.save(file, samples)
        made.append(_RawCut(cut, file, integrated_loudness(samples, SAMPLE_RATE_HZ), true_peak_dbtp(samples)))
    return made, faults


def _write(folder: Path, name: str, number: int, one: _RawCut, gain_db: float) -> GridClip:
    samples: NDArray[np.float32] = np.load(one.file)
    content, lufs = levelled(samples, gain_db)
    stim_file = f"{name}/{number:04d}.flac"
    write_whole(folder / stim_file, content)
    return GridClip(
        system=name,
        target_id=one.cut.target_id,
        target=one.cut.affect,
        seed=number,
        stim_file=stim_file,
        sha256=hashlib.sha256(content).hexdigest(),
        duration_s=len(samples) / SAMPLE_RATE_HZ,
        loudness_lufs=lufs,
    )


def _samples(cut: Cut) -> NDArray[np.float32]:
    samples, rate_hz = read_audio(cut.path)
    first, length = round(cut.onset_s * rate_hz), round(cut.duration_s * rate_hz)
    # A decoder may find a few samples fewer than a data set states.
    if first + length > len(samples) + round(0.1 * rate_hz):
        raise AudioError(
            str(cut.path),
            f"ends at {len(samples) / rate_hz:.2f} s, before the window from {cut.onset_s:g} s does",
            "run the training's data stage again",
        )
    piece = stereo_at_rate(samples[first : first + length], rate_hz)
    return faded_at_the_ends(piece.copy())
