"""Rendering with another engine or model than the protocol names: a deviation, and recorded as one."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

from study.canonical import plain
from study.errors import IsopathError, UnknownName
from study.events import DeviationRecorded
from study.plugins import ENGINES, load_installed
from study.protocol import EngineSpec, StudyProtocol
from study.session import SessionPlan


@dataclass(frozen=True)
class EngineChoice:
    """What stands in for the protocol's engines.

    Another engine takes nothing over from the protocol's: its options are its own
    defaults and `model`. Another model of the same engine keeps the arm's other
    options, except the revision, which belonged to the planned model.

    Args:
        engine: its name; None for each arm's own.
        model: a name of the catalogue or a folder; None for each arm's own.
    """

    engine: str | None
    model: str | None

    def check(self, protocol: StudyProtocol) -> None:
        """Refuse a choice that some arm's music could not be made with, whoever is rendered.

        Raises:
            UnknownName, OutOfRange: no such engine, it has no models, or options do not go together.
        """
        if self.engine is not None:
            load_installed(ENGINES, self.engine, "--engine")
        for arm in protocol.arms:
            spec = self._used(arm.engine)
            if arm.path.kind.is_composed and spec != arm.engine:
                check_engine(spec, self.model)

    def applied(self, plan: SessionPlan) -> SessionPlan:
        """The plan as it is to be rendered; the same where the choice changes nothing."""
        used = self._used(plan.engine)
        return replace(plan, engine=used) if plan.path.kind.is_composed and used != plan.engine else plan

    def deviation(self, planned: SessionPlan) -> DeviationRecorded | None:
        """What the record says of a session of that plan; None where the choice changes nothing."""
        used = self.applied(planned).engine
        if used == planned.engine:
            return None
        given = [f"--engine {self.engine}"] * (self.engine is not None)
        given += [f"--model {self.model}"] * (self.model is not None)
        return DeviationRecorded(
            f"music by {_told(used)}, planned: {_told(planned.engine)}",
            f"isopath render was given {' '.join(given)}",
        )

    def _used(self, planned: EngineSpec) -> EngineSpec:
        options = dict(planned.options) if self.engine in (None, planned.name) else {}
        if self.model is not None and options.get("model") not in (self.model, _settled(self.model)):
            options.pop("revision", None)
            options["model"] = _settled(self.model)
        return EngineSpec(self.engine or planned.name, options)


def check_engine(spec: EngineSpec, model: str | None) -> None:
    """Refuse an engine that would not be made, in the words of the command line.

    Args:
        model: as ``--model`` was given.

    Raises:
        UnknownName, OutOfRange: as `generation.registry.load_engine`.
    """
    from generation.registry import load_engine

    try:
        load_engine(spec)
    except IsopathError as refusal:
        if model is not None and "'model' is not an option" in refusal.problem:
            problem, remedy = f"the engine {spec.name} has no models", "leave it out, or name an --engine"
        elif model is None and refusal.where == "engine.options.model":
            problem, remedy = f"the engine {spec.name} needs one", refusal.remedy
        else:
            raise
        raise UnknownName("--model", problem, remedy) from refusal


def _settled(model: str) -> str:
    """A folder by its whole path, so that it is the same one from anywhere."""
    return str(Path(model).resolve()) if Path(model).is_dir() else model


def _told(spec: EngineSpec) -> str:
    options = f" {json.dumps(plain(spec.options), sort_keys=True)}" if spec.options else ""
    return f"engine {spec.name}{options}"
