"""Both corpora on disk, with their tables: composed, games, and both together without any place."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from generation.audio import SAMPLE_RATE_HZ
from generation.grid.request import GridTarget
from generation.training.tracks import Split
from study.folder import write_whole
from tests.nano.composed import HELD_OUT, ComposedClip, compose_all, composed_clips, composed_rows
from tests.nano.game_music import LICENCES, GameTrack, chosen, cut_all, game_rows, game_tracks, have_packages
from tests.nano.scale import Scale
from tests.nano.stages import Stages

COLUMNS = ("path", "valence", "arousal", "prompt", "split", "licence")


@dataclass(frozen=True)
class Corpora:
    """What is learned from.

    Args:
        root: the tables' folder, to which their paths are relative.
        clips: of the composed corpus.
        tracks: of game music; empty where no package could be had.
        missing: package to why it could not be had.
        damaged: track to what is wrong with its file; it is left out.
    """

    root: Path
    clips: tuple[ComposedClip, ...]
    tracks: tuple[GameTrack, ...]
    missing: Mapping[str, str]
    damaged: Mapping[str, str]

    @property
    def composed(self) -> Path:
        """Table of the composed corpus."""
        return self.root / "composed.csv"

    @property
    def games(self) -> Path:
        """Table of the game music."""
        return self.root / "games.csv"

    @property
    def all(self) -> Path:
        """Table of all music, without places; its words say what is played and nothing of emotion."""
        return self.root / "all.csv"

    def paths_of(self, split: Split) -> list[Path]:
        """The sound of one split of both."""
        of: list[ComposedClip | GameTrack] = [*self.clips, *self.tracks]
        return [self.root / one.path for one in of if one.split is split]

    def facts(self, scale: Scale) -> dict[str, Any]:
        """For docs/generator.json."""
        packages = [
            {
                "name": package.name,
                "version": package.version,
                "size_mb": package.size_mb,
                "licence": LICENCES.get(package.name, "not stated"),
                "tracks": sum(track.package == package.name for track in self.tracks),
                "missing": self.missing.get(package.name),
            }
            for package in chosen(scale.packages)
        ]
        return {
            "composed": {
                "clips": len(self.clips),
                "clip_s": scale.window_s,
                "splits": _counts(self.clips),
                "held_out": HELD_OUT,
            },
            "games": {
                "tracks": len(self.tracks),
                "longest_s": scale.track_s,
                "splits": _counts(self.tracks),
                "damaged": dict(self.damaged),
                "packages": packages,
            },
            "sample_rate_hz": SAMPLE_RATE_HZ,
        }


def make_corpora(
    scale: Scale,
    targets: Sequence[GridTarget],
    folder: Path,
    packages: Path,
    debs: Path | None,
    jobs: int,
    stages: Stages,
) -> Corpora:
    """Compose, fetch, cut, and write the tables.

    Args:
        targets: of the evaluation; nothing is composed near one.
        folder: of the corpora.
        packages: cache of Debian packages; `debs`: a folder that may hold them already.
    """
    folder.mkdir(parents=True, exist_ok=True)
    clips = composed_clips(scale.n_composed, [target.affect for target in targets])
    with stages.stage("composing", len(clips)) as advance:
        compose_all(clips, scale.window_s, folder, jobs, advance)
    wanted = chosen(scale.packages)
    with stages.stage("packages (MB)", sum(package.size_mb for package in wanted)) as advance:
        done: dict[str, int] = {}

        def fetched(name: str, megabytes: int) -> None:
            advance(megabytes - done.get(name, 0))
            done[name] = megabytes

        roots, missing = have_packages(scale.packages, packages, debs, fetched)
    tracks = game_tracks(roots, scale.tracks_per_package)
    with stages.stage("cutting game music", len(tracks)) as advance:
        damaged = cut_all(tracks, scale.track_s, folder, jobs, advance)
    tracks = tuple(track for track in tracks if track.path not in damaged)
    corpora = Corpora(folder, clips, tracks, missing, damaged)
    composed, games = composed_rows(clips), game_rows(tracks)
    _write(corpora.composed, composed, COLUMNS)
    _write(corpora.games, games, ("path", "prompt", "split", "licence"))
    plain = [{**row, "prompt": clip.kind} for row, clip in zip(composed, clips, strict=True)]
    _write(corpora.all, [*plain, *games], ("path", "prompt", "split", "licence"))
    return corpora


def _write(path: Path, rows: Iterable[Mapping[str, str]], columns: Sequence[str]) -> None:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    content = text.getvalue().encode()
    if not path.is_file() or path.read_bytes() != content:
        write_whole(path, content)


def _counts(of: Sequence[ComposedClip | GameTrack]) -> dict[str, int]:
    return {split.value: sum(one.split is split for one in of) for split in Split}
