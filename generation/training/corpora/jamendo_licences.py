"""The licence of each track of MTG-Jamendo, from the data set's ``audio_licenses.txt``.

A block for each track: its path, whose it is, the licence with its address, and a line between blocks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from generation.training.corpora.table_file import table_text

FILE_NAME = "audio_licenses.txt"

_PATH = re.compile(r"\d+/\d+\.mp3")
_DEED = re.compile(r"creativecommons\.org/licenses/([a-z+-]+)/([\d.]+)(?:/([a-z-]+))?", re.IGNORECASE)


def find_licences(folders: Sequence[Path]) -> Path | None:
    """The first of these folders' licence files; None where there is none."""
    return next((path for folder in folders if (path := folder / FILE_NAME).is_file()), None)


def read_licences(path: Path) -> Mapping[str, str]:
    """Path of a track, as the table writes it, to its licence.

    A licence of Creative Commons is named in short, with its version and country; another as it is written.

    Raises:
        StorageError: the file cannot be read.
    """
    found: dict[str, str] = {}
    track: str | None = None
    for line in map(str.strip, table_text(path).splitlines()):
        deed = _DEED.search(line)
        if _PATH.fullmatch(line):
            track = line
        elif track is not None and (deed is not None or line.lower().startswith("available under")):
            found[track] = _short(deed) if deed is not None else line
    return found


def _short(deed: re.Match[str]) -> str:
    code, version, country = deed.groups()
    return " ".join(["CC", code.upper(), version, *([] if country is None else [country.upper()])])
