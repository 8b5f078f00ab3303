"""Where tags lie on the plane: a table with a source for every place.

The installed one is ``tag_affect.json``; its rule, its sources with their licences and what is wrong with
word norms stand in it. A lab's own may be a JSON file of the same form, or a CSV of word norms from 1 to 9.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from study.affect import Affect
from study.errors import IsopathError, OutOfRange, StorageError, refuse

DEFAULT = "default"
COLUMNS = ("MoodTag", "Valence", "Arousal")
_INSTALLED = "tag_affect.json"


@dataclass(frozen=True)
class SourcedPlace:
    """A place and who says so."""

    affect: Affect
    source: str


@dataclass(frozen=True)
class TagPlace:
    """Where music with a tag lies.

    Args:
        affect: perceived; None where no source gives a place.
        source: a name of `TagTable.sources`, or why there is no place.
        kind: ``feeling``, ``character`` (of the sound) or ``theme`` (what the music is for); empty where the
            table does not say.
        also: what other sources say of it.
    """

    affect: Affect | None
    source: str
    kind: str = ""
    also: tuple[SourcedPlace, ...] = ()


@dataclass(frozen=True)
class TagTable:
    """Tags and their places.

    Args:
        name: for cards.
        sha256: of the file's bytes.
        tags: tag, in lower case, to its place.
        sources: name to citation and licence, one sentence each.
    """

    name: str
    sha256: str
    tags: Mapping[str, TagPlace]
    sources: Mapping[str, str]

    def affect_of(self, tag: str) -> Affect | None:
        """The place of a tag, whatever its case; None where it has none or is not in the table."""
        place = self.tags.get(tag.casefold())
        return None if place is None else place.affect


def load_tag_table(name_or_path: str) -> TagTable:
    """The installed table (``default``), or a lab's own.

    Args:
        name_or_path: ``default``, a JSON file of the installed one's form, or a CSV with the columns MoodTag,
            Valence and Arousal from 1 to 9 (5 is the middle), other columns ignored.

    Raises:
        StorageError: no such file, or none of these.
        OutOfRange: a value outside its scale, a tag named twice; all of them together.
    """
    if name_or_path == DEFAULT:
        content = (files(__package__) / _INSTALLED).read_bytes()
        return _from_json(content, _INSTALLED)
    try:
        content = Path(name_or_path).read_bytes()
    except OSError as problem:
        raise StorageError(
            name_or_path,
            f"cannot be read ({problem.strerror})",
            f"write {DEFAULT}, or the path of a JSON or CSV file",
        ) from problem
    return (_from_csv if name_or_path.lower().endswith(".csv") else _from_json)(content, name_or_path)


def _from_json(content: bytes, where: str) -> TagTable:
    try:
        table: Mapping[str, Any] = json.loads(content)
        entries: Mapping[str, Mapping[str, Any]] = table["tags"]
        sources = {
            name: f"{source['citation']} ({source['licence']})" for name, source in table["sources"].items()
        }
        name = f"{table['name']} {table['version']}"
        places = _every(
            [(f"{where}::tags.{tag}", tag, _reading(entry)) for tag, entry in entries.items()], where
        )
    except (AttributeError, KeyError, TypeError, ValueError) as problem:
        raise _no_table(where, f"{type(problem).__name__} {problem}") from problem
    unknown = sorted({place.source for place in places.values() if place.affect} - set(sources))
    if unknown:
        raise StorageError(
            where, f"places are from {', '.join(unknown)}, of which it has no source", "add it to sources"
        )
    return TagTable(name, hashlib.sha256(content).hexdigest(), places, sources)


def _reading(entry: Mapping[str, Any]) -> Callable[[], TagPlace]:
    def read() -> TagPlace:
        kind = str(entry.get("kind", ""))
        if entry["valence"] is None:
            return TagPlace(None, str(entry["reason"]), kind)
        others = tuple(SourcedPlace(_affect(other), str(other["source"])) for other in entry.get("also", ()))
        return TagPlace(_affect(entry), str(entry["source"]), kind, others)

    return read


def _affect(entry: Mapping[str, Any]) -> Affect:
    return Affect(float(entry["valence"]), float(entry["arousal"]))


def _from_csv(content: bytes, where: str) -> TagTable:
    try:
        rows = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""))
        missing = [column for column in COLUMNS if column not in (rows.fieldnames or ())]
        if missing:
            raise _no_table(where, f"there is no column {', '.join(missing)}")
        source = Path(where).name
        read = [
            (f"{where}::line {rows.line_num}", str(row["MoodTag"] or ""), _rating(row, source))
            for row in rows
        ]
    except (UnicodeDecodeError, csv.Error) as problem:
        raise _no_table(where, str(problem)) from problem
    places = _every(read, where)
    cited = {source: f"{source}, ratings from 1 to 9 as (x - 5) / 4 (licence not stated)"}
    return TagTable(source, hashlib.sha256(content).hexdigest(), places, cited)


def _rating(row: Mapping[str, str | None], source: str) -> Callable[[], TagPlace]:
    def read() -> TagPlace:
        values = {}
        for column in COLUMNS[1:]:
            text = row[column] or ""
            try:
                value = float(text)
            except ValueError:
                value = float("nan")
            if not 1.0 <= value <= 9.0:
                raise OutOfRange(column, f"{text!r} is no rating from 1 to 9", "mend it, or take the row out")
            values[column] = (value - 5.0) / 4.0
        return TagPlace(Affect(values["Valence"], values["Arousal"]), source)

    return read


def _every(entries: list[tuple[str, str, Callable[[], TagPlace]]], where: str) -> dict[str, TagPlace]:
    """Every tag's place, by its name in lower case; refuses all that is wrong at once."""
    places: dict[str, TagPlace] = {}
    refusals: list[IsopathError] = []
    for place_of_entry, tag, read in entries:
        key = tag.strip().casefold()
        if not key or key in places:
            told = "names no tag" if not key else f"{tag!r} is named twice"
            refusals.append(OutOfRange(place_of_entry, told, "name each tag once"))
            continue
        try:
            places[key] = read()
        except OutOfRange as refusal:
            refusals.append(OutOfRange(f"{place_of_entry}.{refusal.where}", refusal.problem, refusal.remedy))
    refuse(refusals)
    if not places:
        raise _no_table(where, "there is no tag in it")
    return places


def _no_table(where: str, reason: str) -> StorageError:
    return StorageError(
        where,
        f"is no table of tags ({reason})",
        "use the form of the installed tag_affect.json, or a CSV with the columns " + ", ".join(COLUMNS),
    )
