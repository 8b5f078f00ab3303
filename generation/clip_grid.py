"""A grid of clips made to evaluate generators: systems × targets × seeds, and the manifest beside them.

A folder holds ``grid.json`` and the clips it names. Whoever scores it needs nothing else: neither the
engines that made the clips nor their weights.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any

from study.affect import Affect
from study.canonical import plain
from study.errors import StorageError
from study.folder import write_whole

GRID_FILE = "grid.json"
GRID_VERSION = 1


class Part(StrEnum):
    """How a predictor took part in a system, so that it may carry no claim about it."""

    LABELS = "labels"
    SELECTION = "selection"
    CHOICE = "choice among candidates"
    SHARED_CUES = "shared cues"


class Role(StrEnum):
    """What a system is there for."""

    SYSTEM = "system"
    BASE = "base"
    CEILING = "ceiling"


@dataclass(frozen=True)
class GridSystem:
    """One way of making music for a point of the plane.

    Args:
        name: of its folder: letters, digits, hyphens.
        title: for tables, e.g. ``LoRA + continuous V/A``.
        engine, options: as a protocol names them; empty for a ceiling, whose clips nobody generated here.
        took_part: predictor to the parts it had.
        role: base: what the others are compared with; ceiling: real music with known places, which says what
            a predictor can hear at all.
        models, licences: as in a session's manifest.
        notes: what a reader should know.
        ceilings: names of the ceilings it is held against, those of the music it was made of; empty: all.
    """

    name: str
    title: str
    engine: str = ""
    options: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    took_part: Mapping[str, tuple[Part, ...]] = field(default_factory=lambda: MappingProxyType({}))
    role: Role = Role.SYSTEM
    models: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    licences: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    notes: tuple[str, ...] = ()
    ceilings: tuple[str, ...] = ()


@dataclass(frozen=True)
class GridClip:
    """One clip of the grid.

    Args:
        system: name of a `GridSystem`.
        target_id: clips of one target, of whatever system, share it; intervals are clustered by it.
        target: the place it was made for.
        seed: its only source of chance.
        stim_file: relative to the manifest.
        sha256: of the file's bytes.
        loudness_lufs: integrated; None where it is silent.
        prompt: the words it was made from; None where there were none.
    """

    system: str
    target_id: str
    target: Affect
    seed: int
    stim_file: str
    sha256: str
    duration_s: float
    loudness_lufs: float | None
    prompt: str | None = None


@dataclass(frozen=True)
class ClipGrid:
    """All clips of one evaluation.

    Args:
        name: for titles.
        systems: in the order of tables.
        clips: by system, target and seed.
        made_with: library to version; device.
        faults: what could not be made, each a sentence.
    """

    name: str
    systems: tuple[GridSystem, ...]
    clips: tuple[GridClip, ...]
    made_with: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    faults: tuple[str, ...] = ()
    grid_version: int = GRID_VERSION

    def of(self, system: str) -> tuple[GridClip, ...]:
        """The clips of one system."""
        return tuple(clip for clip in self.clips if clip.system == system)

    def write(self, folder: Path) -> None:
        """Write ``grid.json``, whole or not at all.

        Raises:
            StorageError: the folder cannot be written.
        """
        text = json.dumps(plain(self), indent=1, sort_keys=True, allow_nan=False, ensure_ascii=False)
        write_whole(folder / GRID_FILE, (text + "\n").encode())

    @classmethod
    def read(cls, folder: Path) -> ClipGrid:
        """Read what `write` wrote; the clips themselves are not looked at.

        Raises:
            StorageError: no such file, or not one of this version.
        """
        path = folder / GRID_FILE
        try:
            fields = json.loads(path.read_text(encoding="utf-8"))
            if fields["grid_version"] != GRID_VERSION:
                raise StorageError(
                    str(path),
                    f"is of version {fields['grid_version']}, not {GRID_VERSION}",
                    "make the grid again with this isopath",
                )
            systems = tuple(_system(system) for system in fields["systems"])
            clips = tuple(
                GridClip(**{**clip, "target": Affect(**clip["target"])}) for clip in fields["clips"]
            )
            return cls(**{**fields, "systems": systems, "clips": clips, "faults": tuple(fields["faults"])})
        except OSError as problem:
            raise StorageError(
                str(path), f"cannot be read ({problem.strerror})", "name a grid's folder"
            ) from problem
        except (KeyError, TypeError, ValueError) as problem:
            raise StorageError(
                str(path), f"is no manifest of a grid ({problem})", "make the grid again"
            ) from problem


def _system(fields: Mapping[str, Any]) -> GridSystem:
    took_part = {name: tuple(Part(part) for part in parts) for name, parts in fields["took_part"].items()}
    sentences = {name: tuple(fields.get(name, ())) for name in ("notes", "ceilings")}
    read = {"took_part": took_part, "role": Role(fields["role"]), **sentences}
    return GridSystem(**{**fields, **read})
