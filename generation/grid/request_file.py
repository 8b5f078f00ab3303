"""A systems file: what a grid is asked to hold, as JSON; read whole, or refused with everything wrong in it.

A JSON object:

- ``version``: 1.
- ``name``: for titles.
- ``targets``: n for n × n of them; or ``{"n", "reach"}``; or a list of ``{"id", "valence", "arousal"}``.
  Left out: 4.
- ``seeds``: how many, or ``{"count", "first"}``. Left out: 2 from 0.
- ``clip_s``: 1 to 30. Left out: 10.
- ``systems``: a list of ``name``, ``title``, ``engine``, and where wanted ``options`` (as a protocol writes
  ``engine.options``), ``role`` (``system`` or ``base``) and ``took_part`` (predictor to a list of the parts
  it had, where the files do not tell).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from generation.clip_grid import Part, Role
from generation.engine import Placement
from generation.grid.engines import load_system
from generation.grid.request import (
    REACH,
    GridRequest,
    GridTarget,
    Seeds,
    SystemSpec,
    clip_problems,
    each_at,
    seed_problems,
    square,
    system_problems,
    target_problems,
)
from study.affect import Affect
from study.errors import IsopathError, OutOfRange, StorageError, UnknownName, refuse
from study.protocol_file.text import did_you_mean, parse_text, shown, written

VERSION = 1
_FIELDS = ("version", "name", "targets", "seeds", "clip_s", "systems")
_SYSTEM_FIELDS = ("name", "title", "engine", "options", "role", "took_part")
_ROLES = (Role.SYSTEM, Role.BASE)


def read_request(path: Path) -> GridRequest:
    """Read a systems file.

    Raises:
        StorageError: it cannot be read.
        ProtocolErrors: it is no JSON.
        OutOfRange, UnknownName, Refusals: everything that is wrong in it, engines and their options included.
    """
    try:
        data = path.read_bytes()
    except OSError as problem:
        raise StorageError(
            str(path), f"cannot be read ({problem.strerror})", "name a systems file"
        ) from problem
    return parse_request(data, str(path))


def parse_request(data: bytes, file: str) -> GridRequest:
    """Read a systems file's bytes; see `read_request`.

    Args:
        file: for messages.
    """
    if not data.strip():
        raise OutOfRange(file, "the file is empty", "write a systems file as docs/evaluating.md shows it")
    text = parse_text(data, file)
    refuse([OutOfRange(f"{file}::{written(f.path)}", f.problem, f.remedy) for f in text.findings])
    reader = _Reader()
    request = reader.request(text.value)
    refuse([one for problem in reader.problems for one in each_at(_top(file, problem), problem)])
    if request is None:
        raise ValueError("a request without a problem was not read")
    return request


def _top(file: str, problem: IsopathError) -> str:
    return f"{file}::$." if problem.where else f"{file}::$"


@dataclass
class _Reader:
    """Reads field by field; what cannot be is in `problems`."""

    problems: list[IsopathError] = field(default_factory=list)

    def request(self, value: Any) -> GridRequest | None:
        if not isinstance(value, dict):
            self._no("", "is not an object { … }", "write one, as docs/evaluating.md shows it")
            return None
        self._known(value, "", _FIELDS)
        if value.get("version") != VERSION:
            self._no("version", f"is {shown(value.get('version'))}", f"write {VERSION}")
        name = self._text(value, "name", "")
        targets = self._targets(value.get("targets", 4))
        seeds = self._seeds(value.get("seeds", {}))
        clip_s = self._number(value.get("clip_s", 10.0), "clip_s")
        systems = self._systems(value.get("systems"))
        self.problems += clip_problems(clip_s) if clip_s is not None else ()
        if self.problems or clip_s is None:
            return None
        return GridRequest(name, systems, targets, seeds, clip_s)

    def _systems(self, value: Any) -> tuple[SystemSpec, ...]:
        if not isinstance(value, list) or not value:
            self._no("systems", "is not a list of one or more", "write a list [ … ]")
            return ()
        found = [self._system(one, f"systems[{index}]") for index, one in enumerate(value)]
        systems = tuple(one for one in found if one is not None)
        if len(systems) == len(value):
            self.problems += system_problems(systems)
        return systems

    def _system(self, value: Any, where: str) -> SystemSpec | None:
        if not isinstance(value, dict):
            self._no(where, "is not an object { … }", f"write {', '.join(_SYSTEM_FIELDS)}")
            return None
        self._known(value, where, _SYSTEM_FIELDS)
        texts = {name: self._text(value, name, where) for name in ("name", "title", "engine")}
        options = value.get("options", {})
        if not isinstance(options, dict):
            self._no(f"{where}.options", "is not an object { … }", "write it as a protocol's engine.options")
            options = {}
        role = value.get("role", Role.SYSTEM)
        if role not in _ROLES:
            self._no(f"{where}.role", f"is {shown(role)}", "write system or base")
            role = Role.SYSTEM
        took_part = self._took_part(value.get("took_part", {}), f"{where}.took_part")
        if not all(texts.values()):
            return None
        system = SystemSpec(texts["name"], texts["title"], texts["engine"], options, Role(role), took_part)
        self._try("", lambda: load_system(system, f"{where}.", Placement()))
        return system

    def _took_part(self, value: Any, where: str) -> Mapping[str, tuple[Part, ...]]:
        parts = [part.value for part in Part]
        is_right = isinstance(value, dict) and all(
            isinstance(each, list) and all(part in parts for part in each) for each in value.values()
        )
        if not is_right:
            self._no(
                where,
                "does not say which predictor had which parts",
                f'write for example {{"musicnn": ["labels"]}}; the parts are {", ".join(parts)}',
            )
            return {}
        return {name: tuple(map(Part, each)) for name, each in value.items()}

    def _targets(self, value: Any) -> tuple[GridTarget, ...]:
        if isinstance(value, list):
            found = [self._target(one, f"targets[{index}]") for index, one in enumerate(value)]
            targets = tuple(one for one in found if one is not None)
            self.problems += target_problems(targets) if len(targets) == len(value) else ()
            return targets
        if isinstance(value, dict):
            self._known(value, "targets", ("n", "reach"))
        spec = value if isinstance(value, dict) else {"n": value}
        n, reach = (
            self._whole(spec.get("n"), "targets"),
            self._number(spec.get("reach", REACH), "targets.reach"),
        )
        if n is None or reach is None:
            return ()
        return self._try("", lambda: square(n, reach)) or ()

    def _target(self, value: Any, where: str) -> GridTarget | None:
        if not isinstance(value, dict):
            self._no(where, "is not an object { … }", "write id, valence and arousal")
            return None
        self._known(value, where, ("id", "valence", "arousal"))
        target_id = self._text(value, "id", where)
        numbers = [self._number(value.get(axis), f"{where}.{axis}") for axis in ("valence", "arousal")]
        valence, arousal = numbers
        if valence is None or arousal is None:
            return None
        affect = self._try(f"{where}.", lambda: Affect(valence, arousal))
        return GridTarget(target_id, affect) if affect is not None and target_id else None

    def _seeds(self, value: Any) -> Seeds:
        if isinstance(value, dict):
            self._known(value, "seeds", ("count", "first"))
        spec = value if isinstance(value, dict) else {"count": value}
        count = self._whole(spec.get("count", Seeds.count), "seeds.count")
        first = self._whole(spec.get("first", Seeds.first), "seeds.first")
        if count is None or first is None:
            return Seeds()
        self.problems += seed_problems(Seeds(count, first))
        return Seeds(count, first)

    def _text(self, value: Mapping[str, Any], name: str, where: str) -> str:
        text = value.get(name)
        if isinstance(text, str) and text.strip():
            return text
        told = "is missing" if text is None else f"is {shown(text)}"
        self._no(f"{where}.{name}" if where else name, told, "write a text")
        return ""

    def _number(self, value: Any, where: str) -> float | None:
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return float(value)
        self._no(where, "is missing" if value is None else f"is {shown(value)}", "write a number")
        return None

    def _whole(self, value: Any, where: str) -> int | None:
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        self._no(where, "is missing" if value is None else f"is {shown(value)}", "write a whole number")
        return None

    def _known(self, value: Mapping[str, Any], where: str, known: tuple[str, ...]) -> None:
        for name in value:
            if name not in known:
                self.problems.append(
                    UnknownName(
                        f"{where}.{name}" if where else name,
                        "is not a field here",
                        did_you_mean(name, known) + f"delete it; the fields are {', '.join(known)}",
                    )
                )

    def _try(self, where: str, make: Callable[[], Any]) -> Any:
        try:
            return make()
        except IsopathError as refusal:
            self.problems += each_at(where, refusal)
            return None

    def _no(self, where: str, problem: str, remedy: str) -> None:
        self.problems.append(OutOfRange(where, problem, remedy))
