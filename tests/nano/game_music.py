"""The second corpus: freely licensed game music from Debian packages, which nobody here made.

Only tracks of the half `calibrate` of tests/listening/tracks.csv: the other half stays unheard by whatever is
tuned here. The music is heard and learned from on this machine and is not distributed.
"""

from __future__ import annotations

import hashlib
import multiprocessing
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from generation.audio import SAMPLE_RATE_HZ, write_audio
from generation.sound_file import read_blocks
from generation.stimuli import stereo_at_rate
from generation.training.tracks import Split
from study.errors import AudioError
from tests.listening.packages import Advance, Package, have_all, listed
from tests.listening.tracks import LabelledTrack, load_tracks

HALF = "calibrate"
FOLDER = "games"
PROMPT = "game music"
GAIN = 0.5
"""One gain for all tracks, -6 dB: decoded Vorbis may pass full scale."""

LICENCES: Mapping[str, str] = {
    "asc-music": "GPL-2+",
    "enigma-data": "GPL-2+",
    "singularity-music": "CC BY-SA 3.0",
    "trackballs-data": "GPL-2+; c64revival, crazy and eurovision: Ethymonics Free Music License",
    "wesnoth-1.16-music": "GPL-2+",
}
"""As the packages' copyright files state them (usr/share/doc/<package>/copyright)."""


@dataclass(frozen=True)
class GameTrack:
    """One track of the corpus.

    Args:
        source: the file in its package.
    """

    package: str
    title: str
    source: Path
    split: Split

    @property
    def path(self) -> str:
        """Relative to the corpora's folder."""
        return f"{FOLDER}/{self.package}/{self.title}.flac"


def have_packages(
    names: Sequence[str], folder: Path, debs: Path | None, advance: Advance
) -> tuple[dict[str, Path], dict[str, str]]:
    """Package to the folder of its sound files, and package to why it cannot be had."""
    return have_all(chosen(names), folder, debs, advance)


def chosen(names: Sequence[str]) -> list[Package]:
    """The packages of these names, in the order of the list."""
    return [package for package in listed() if package.name in names]


def game_tracks(roots: Mapping[str, Path], most_per_package: int) -> tuple[GameTrack, ...]:
    """The tracks of the packages that are there, in the table's order, with their splits."""
    tracks: list[LabelledTrack] = []
    for package in roots:
        own = [track for track in load_tracks() if (track.package, track.half) == (package, HALF)]
        tracks += own[:most_per_package]
    splits = split_of(tracks)
    return tuple(
        GameTrack(track.package, track.title, roots[track.package] / track.path, splits[track.sound_id])
        for track in tracks
    )


def split_of(tracks: Sequence[LabelledTrack]) -> dict[str, Split]:
    """Of every eight tracks, in the order of a hash of their names, one for validation and two for test."""
    order = sorted(
        (track.sound_id for track in tracks), key=lambda name: hashlib.sha256(name.encode()).hexdigest()
    )
    return {
        name: {1: Split.VALIDATION, 3: Split.TEST, 6: Split.TEST}.get(number % 8, Split.TRAIN)
        for number, name in enumerate(order)
    }


def cut_all(
    tracks: Sequence[GameTrack], longest_s: float, root: Path, jobs: int, advance: Callable[[], None]
) -> dict[str, str]:
    """The beginning of every track that is not there yet, at 32 kHz.

    Returns:
        A track's path to what is wrong with its file; the others are there.
    """
    waiting = [track for track in tracks if not (root / track.path).is_file()]
    for _ in range(len(tracks) - len(waiting)):
        advance()
    damaged: dict[str, str] = {}
    with ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn")) as pool:
        cuts = {pool.submit(cut, track.source, root / track.path, longest_s): track for track in waiting}
        for future in as_completed(cuts):
            try:
                future.result()
            except AudioError as refusal:
                damaged[cuts[future].path] = refusal.problem
            advance()
    return damaged


def cut(source: Path, made: Path, longest_s: float) -> None:
    """One track's beginning, under the one gain."""
    rate_hz, blocks = read_blocks(source)
    wanted = round(longest_s * rate_hz)
    taken: list[np.ndarray] = []
    for block in blocks:
        taken.append(block[: wanted - sum(map(len, taken))])
        if sum(map(len, taken)) == wanted:
            break
    made.parent.mkdir(parents=True, exist_ok=True)
    sound = stereo_at_rate(np.concatenate(taken), rate_hz)
    write_audio(made, sound * np.float32(GAIN), SAMPLE_RATE_HZ)


def game_rows(tracks: Sequence[GameTrack]) -> list[dict[str, str]]:
    """The rows of the corpus's table; places are heard later."""
    return [
        {
            "path": track.path,
            "prompt": PROMPT,
            "split": track.split.value,
            "licence": LICENCES.get(track.package, "not stated"),
        }
        for track in tracks
    ]
