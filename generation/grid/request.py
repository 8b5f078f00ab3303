"""What a grid of clips is asked to hold: systems × targets × seeds."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from generation.clip_grid import Part, Role
from study.affect import Affect
from study.errors import IsopathError, OutOfRange, ProtocolErrors, Refusals, refuse
from study.path import AffectPath, PathKind, Waypoint
from study.protocol import EngineSpec
from study.protocol_file.text import shown
from study.session import SessionPlan

LOUDNESS_LUFS = -23.0
"""Mean over a system's clips: EBU R 128, as for sessions."""

SHORTEST_CLIP_S, LONGEST_CLIP_S = 1.0, 30.0
"""A clip is one take: MusicGen makes no more than 30 s of it."""

MOST_TARGETS, MOST_SEEDS, LARGEST_SEED = 20, 1000, 2**31
REACH = 0.75
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*")
_TARGET_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9+._-]*")


@dataclass(frozen=True)
class GridTarget:
    """A place of the plane that music is made for, and its id: letters, digits, and + . _ - inside it."""

    target_id: str
    affect: Affect


@dataclass(frozen=True)
class Seeds:
    """Clips for each target: `count` of them, numbered from `first`."""

    count: int = 2
    first: int = 0


@dataclass(frozen=True)
class SystemSpec:
    """A way of making music, before anything is made.

    Args:
        name: of its folder: letters, digits, hyphens.
        title: for tables.
        engine, options: as a protocol writes them.
        role: of `generation.clip_grid.Role`; a ceiling is added by `generation.grid.ceiling`.
        took_part: what cannot be known from the options; the rest is found (`generation.grid.parts`).
        ceilings: names of the ceilings it is held against; empty: all.
    """

    name: str
    title: str
    engine: str
    options: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    role: Role = Role.SYSTEM
    took_part: Mapping[str, tuple[Part, ...]] = field(default_factory=lambda: MappingProxyType({}))
    ceilings: tuple[str, ...] = ()


def square(n: int, reach: float = REACH) -> tuple[GridTarget, ...]:
    """n × n targets, evenly from -reach to reach on both axes; one target lies in the middle.

    Four by four at the default reach are the centres of sixteen equal cells of the plane. An even n puts no
    target on an axis, so that each has its quadrant.

    Raises:
        OutOfRange: n is not in 1 to 20, or reach not in (0, 1].
    """
    problems: list[IsopathError] = []
    if not 1 <= n <= MOST_TARGETS:
        problems.append(
            OutOfRange("targets", f"{n} is not in 1 to {MOST_TARGETS}", "write 4 for 4 × 4 targets")
        )
    if not 0.0 < reach <= 1.0:
        problems.append(OutOfRange("targets.reach", f"{reach:g} is not in (0, 1]", f"write {REACH:g}"))
    refuse(problems)
    steps = [0.0] if n == 1 else [reach * (2 * k / (n - 1) - 1) for k in range(n)]
    # + 0.0: no id has a minus zero.
    places = [(round(v, 6) + 0.0, round(a, 6) + 0.0) for v in steps for a in steps]
    return tuple(GridTarget(f"v{v:+.2f}_a{a:+.2f}", Affect(v, a)) for v, a in places)


@dataclass(frozen=True)
class GridRequest:
    """Everything that decides what a grid holds.

    Args:
        name: for titles.
        systems: in the order of tables.
        targets: each with an id of its own.
        clip_s: of every clip, 1 to 30.

    Raises:
        OutOfRange, Refusals: all that cannot be, each by its place in the request.
    """

    name: str
    systems: tuple[SystemSpec, ...]
    targets: tuple[GridTarget, ...] = field(default_factory=lambda: square(4))
    seeds: Seeds = Seeds()
    clip_s: float = 10.0

    def __post_init__(self) -> None:
        problems = [
            *system_problems(self.systems),
            *target_problems(self.targets),
            *seed_problems(self.seeds),
            *clip_problems(self.clip_s),
        ]
        refuse(problems)

    @property
    def wanted(self) -> tuple[WantedClip, ...]:
        """The clips of each system, by target and seed."""
        return tuple(
            WantedClip(target, number)
            for target in self.targets
            for number in range(self.seeds.first, self.seeds.first + self.seeds.count)
        )

    def plan(self, system: SystemSpec, wanted: WantedClip) -> SessionPlan:
        """What its engine is asked for: a session of one waypoint."""
        place = wanted.target.affect
        return SessionPlan(
            participant_id=system.name,
            session_id=wanted.clip_id,
            arm_id="grid",
            path=AffectPath(PathKind.CONSTANT, (Waypoint(0.0, self.clip_s, place),)),
            start=place,
            target=place,
            clip_s=self.clip_s,
            seed=wanted.seed,
            loudness_lufs=LOUDNESS_LUFS,
            engine=EngineSpec(system.engine, dict(system.options)),
        )


@dataclass(frozen=True)
class WantedClip:
    """One target and the number of a seed: what each system makes once."""

    target: GridTarget
    number: int

    @property
    def clip_id(self) -> str:
        """Unique within a system, and the name of its file."""
        return f"{self.target.target_id}_{self.number}"

    @property
    def seed(self) -> int:
        """63-bit, by SHA-256 of target and number: the same for every system, and for more seeds later."""
        digest = hashlib.sha256(f"grid/{self.target.target_id}/{self.number}".encode()).digest()
        return int.from_bytes(digest[:8], "big") >> 1


def system_problems(systems: Sequence[SystemSpec]) -> Iterator[IsopathError]:
    """What is wrong with names and roles; engines are looked at by `generation.grid.engines`."""
    if not systems:
        yield OutOfRange("systems", "none is named", "name one or more")
    names = [system.name.lower() for system in systems]
    for index, system in enumerate(systems):
        where = f"systems[{index}]"
        if not _NAME.fullmatch(system.name):
            yield OutOfRange(
                f"{where}.name", f"{shown(system.name)} is no name", "write letters, digits and hyphens"
            )
        elif names.index(system.name.lower()) < index:
            yield OutOfRange(
                f"{where}.name", f"{shown(system.name)} stands there twice", "give each its own name"
            )
        if not system.title.strip():
            yield OutOfRange(f"{where}.title", "is empty", "write what tables should call it")
        if system.role is Role.CEILING:
            yield OutOfRange(
                f"{where}.role", "a ceiling is music that nobody makes here", "write system or base"
            )


def target_problems(targets: Sequence[GridTarget]) -> Iterator[IsopathError]:
    """What is wrong with the ids."""
    if not targets:
        yield OutOfRange("targets", "none is named", "name one or more")
    ids = [target.target_id.lower() for target in targets]
    for index, target in enumerate(targets):
        where = f"targets[{index}].id"
        if not _TARGET_ID.fullmatch(target.target_id):
            yield OutOfRange(
                where,
                f"{shown(target.target_id)} is no id",
                "write letters, digits and + . _ - after the first",
            )
        elif ids.index(target.target_id.lower()) < index:
            yield OutOfRange(where, f"{shown(target.target_id)} stands there twice", "give each its own id")


def seed_problems(seeds: Seeds) -> Iterator[IsopathError]:
    """What is wrong with the numbers."""
    if not 1 <= seeds.count <= MOST_SEEDS:
        yield OutOfRange("seeds.count", f"{seeds.count} is not in 1 to {MOST_SEEDS}", "write for example 2")
    if not 0 <= seeds.first <= LARGEST_SEED:
        yield OutOfRange("seeds.first", f"{seeds.first} is not in 0 to {LARGEST_SEED}", "write 0")


def clip_problems(clip_s: float) -> Iterator[IsopathError]:
    """What is wrong with the length."""
    if not (math.isfinite(clip_s) and SHORTEST_CLIP_S <= clip_s <= LONGEST_CLIP_S):
        yield OutOfRange(
            "clip_s",
            f"{clip_s:g} is not a length from {SHORTEST_CLIP_S:g} to {LONGEST_CLIP_S:g} seconds",
            "write for example 10",
        )


def each_at(place: str, refusal: IsopathError) -> Iterator[IsopathError]:
    """What was refused, one by one, each with the place in the request before its own."""
    if isinstance(refusal, Refusals):
        for one in refusal.refusals:
            yield from each_at(place, one)
    elif isinstance(refusal, ProtocolErrors):
        for problem in refusal.problems:
            where = f"{place}{problem.file}::{problem.json_path}"
            yield OutOfRange(where, problem.problem, problem.remedy)
    else:
        # A protocol writes engine.name and engine.options.x, a system engine and options.x.
        where = refusal.where.replace("engine.name", "engine").replace("engine.options", "options")
        yield type(refusal)(f"{place}{where}", refusal.problem, refusal.remedy)
