"""MTG-Jamendo as its own downloader leaves it.

A table of all tracks (``autotagging_moodtheme.tsv``), three split files, and the sound in folders ``00`` …
``99``: ``<id>.mp3``, or ``<id>.low.mp3`` of the smaller download. Source: Bogdanov et al. (2019), The
MTG-Jamendo dataset for automatic music tagging, ML4MD workshop at ICML; the README of
github.com/MTG/mtg-jamendo-dataset, which states the licences.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from generation.training.corpora.jamendo_licences import FILE_NAME, find_licences, read_licences
from generation.training.corpora.jamendo_rows import CATEGORY, Row, read_rows, take
from generation.training.corpora.table_file import folder_of_sound
from generation.training.recipe import DataRecipe
from generation.training.tracks import Corpus, Split, Track
from study.errors import IsopathError, StorageError, refuse
from study.folder import file_sha256

_OFFICIAL_SPLIT = Path("splits") / "split-0"
_LICENCE_OF_TABLES = "CC BY-NC-SA 4.0"


def read_jamendo(data: DataRecipe) -> Corpus:
    """The tracks of the table that are in a split; no sound is opened.

    Every row of the table is a track or a fault; a track of a split file that the table does not have, or
    has with another path, is a fault too. Tags are the table's: split files leave out those that some split
    lacks.

    Args:
        data: its `path` is the table; its `splits` the folder of the split files, or None: beside the table,
            or in ``splits/split-0`` there.

    Raises:
        IsopathError: a table or a split file that is none, or is not there; all that is wrong, at once.
    """
    table = Path(data.path)
    root = folder_of_sound(data.audio, table)
    splits = _split_files(table, data.splits)
    whole, parts = _read_all(table, splits)
    taken = take(whole, parts, root)
    licence_file = find_licences([table.parent, table.absolute().parent.parent, root])
    licences = {} if licence_file is None else read_licences(licence_file)
    tracks, lesser = _as_downloaded(taken.tracks, root, licences)
    files = [table, *splits.values(), *([] if licence_file is None else [licence_file])]
    return Corpus(
        name=_name(table, splits[Split.TRAIN].resolve().parent),
        root=root,
        tracks=tracks,
        faults=tuple(taken.faults),
        licences={
            "metadata": _LICENCE_OF_TABLES,
            "audio": "Creative Commons, one for each track"
            + (f" (no {FILE_NAME} was found)" if licence_file is None else f", from {FILE_NAME}"),
        },
        sha256={path.name: file_sha256(path) for path in files},
        notes=(_what_sound(len(tracks), lesser), *_tags_left(taken.other_tags)),
    )


def _name(table: Path, split_folder: Path) -> str:
    name = f"mtg-jamendo {table.stem.removeprefix('autotagging_')}"
    return f"{name} {split_folder.name}" if split_folder.name.startswith("split-") else name


def _split_files(table: Path, folder: str | None) -> Mapping[Split, Path]:
    places = [table.parent, table.parent / _OFFICIAL_SPLIT] if folder is None else [Path(folder)]
    for place in places:
        files = {split: place / f"{table.stem}-{split}.tsv" for split in Split}
        missing = [path for path in files.values() if not path.exists()]
        if len(missing) < len(files):
            remedy = "put all three files of a split side by side"
            refuse([StorageError(str(path), "there is no such split file", remedy) for path in missing])
            return files
    where = f"beside it or in {_OFFICIAL_SPLIT}" if folder is None else f"in {folder}"
    raise StorageError(
        str(table),
        f"there are no split files ({table.stem}-train.tsv, …) {where}",
        "write their folder as data.splits: they keep every artist in one split",
    )


def _read_all(
    table: Path, splits: Mapping[Split, Path]
) -> tuple[Sequence[Row], Mapping[Split, Sequence[Row]]]:
    refusals: list[IsopathError] = []
    found: dict[Path, Sequence[Row]] = {}
    for path in (table, *splits.values()):
        try:
            found[path] = read_rows(path)
        except IsopathError as refusal:
            refusals.append(refusal)
    refuse(refusals)
    return found[table], {split: found[path] for split, path in splits.items()}


def _as_downloaded(
    tracks: Sequence[Track], root: Path, licences: Mapping[str, str]
) -> tuple[tuple[Track, ...], int]:
    """The tracks with their licences and the files that are there; how many of them are of lower quality."""
    found = []
    lesser = 0
    for track in tracks:
        low = track.path.with_suffix(".low" + track.path.suffix)
        is_lesser = not track.path.exists() and low.exists()
        lesser += is_lesser
        licence = licences.get(track.path.relative_to(root).as_posix(), track.licence)
        found.append(replace(track, path=low if is_lesser else track.path, licence=licence))
    return tuple(found), lesser


def _what_sound(n_tracks: int, lesser: int) -> str:
    return (
        f"Of {n_tracks:,} tracks, {lesser:,} are read from the smaller download (<id>.low.mp3); the others "
        "are looked for as <id>.mp3."
    )


def _tags_left(other_tags: Counter[str]) -> tuple[str, ...]:
    if not other_tags:
        return ()
    told = ", ".join(f"{count:,} of {category}" for category, count in sorted(other_tags.items()))
    return (f"Tags that are no {CATEGORY} are not used: {told}.",)
