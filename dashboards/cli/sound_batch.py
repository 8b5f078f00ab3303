"""Many sound files heard in a row: one bad file is named, and the others are heard all the same."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dashboards.cli.progress import LateBar
from generation.sound_file import SUFFIXES
from study.errors import AudioError

if TYPE_CHECKING:
    from analysis.mer.files import HeardFile
    from analysis.mer.predictor import AffectPredictor


def sounds_of(paths: Sequence[Path]) -> tuple[list[Path], list[AudioError]]:
    """The files as named, each folder replaced by every sound in it and below, in order of name.

    Sounds in folders are known by their endings; what is hidden and what lies
    behind links to folders is left out.

    Returns:
        the files, each once; a refusal of every folder without sound.
    """
    found: list[Path] = []
    refused = []
    for path in paths:
        if not path.is_dir():
            found.append(path)
            continue
        inside = _sounds_below(path)
        found += inside
        if not inside:
            refused.append(
                AudioError(
                    str(path),
                    "no sound in this folder",
                    "name one with files that end in " + ", ".join(SUFFIXES),
                )
            )
    return list(dict.fromkeys(found)), refused


def _sounds_below(folder: Path) -> list[Path]:
    found = []
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [
            Path(place, name)
            for name in names
            if name.lower().endswith(SUFFIXES) and not name.startswith(".")
        ]
    return sorted(found)


def hear_all(
    predictors: Sequence[AffectPredictor], paths: Sequence[Path]
) -> tuple[list[HeardFile], list[AudioError]]:
    """What was heard, and what was refused, both in the order of `paths`."""
    from analysis.mer.files import hear_file

    heard, refused = [], []
    with LateBar(len(paths)) as bar:
        for path in paths:
            try:
                heard.append(hear_file(predictors, path, bar.named(shown_path(path.name))))
            except AudioError as problem:
                refused.append(problem)
            except Exception as fault:
                # A fault of a predictor is told with the file that brought it out, and the batch goes on.
                refused.append(
                    AudioError(
                        str(path),
                        f"hearing it failed: {type(fault).__name__}: {fault}",
                        "report this with the file to whoever made the predictor",
                    )
                )
            bar.finish_file()
    return heard, refused


def shown_path(path: Path | str) -> str:
    """A file's name for people: bytes that are no UTF-8 are written out."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")
