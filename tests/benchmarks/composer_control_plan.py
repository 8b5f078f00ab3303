"""What was promised before the measurement: the grid, the seeds and the bars."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from study.errors import OutOfRange

PLAN_FILE = Path(__file__).with_name("composer_control_plan.json")
REPOSITORY = Path(__file__).parents[2]
_WATCHED = ("generation/composer", "analysis/mer", "tests/benchmarks")

AXES = ("valence", "arousal")


@dataclass(frozen=True)
class CueBar:
    """What one measure is held to.

    Args:
        axis: which it should follow; None where it is only to fall and to rise.
        at_least: Spearman's rho with that axis.
        signs: axis to the sign that its rho must have.
    """

    axis: str | None
    at_least: float
    signs: Mapping[str, int]


@dataclass(frozen=True)
class ControlPlan:
    """The plan file, read.

    Args:
        sha256: of the file.
        grid: values of valence and of arousal, in the plane.
        session_s: length of the composed session, held at one place.
        excerpt_s: the part of it that is measured, without its opening and its ending.
        bars: measure to bar.
        cross_talk_at_most: absolute rho of a measure with the axis that it should not follow.
        beside: measures without a bar.
    """

    sha256: str
    grid: tuple[float, ...]
    session_s: float
    excerpt_s: tuple[float, float]
    reporting_seeds: tuple[int, ...]
    tuning_seeds: tuple[int, ...]
    bars: Mapping[str, CueBar]
    cross_talk_at_most: float
    beside: tuple[str, ...]
    predictors: tuple[str, ...]

    @property
    def measures(self) -> tuple[str, ...]:
        """Those with a bar, then those without."""
        return (*self.bars, *self.beside)


def load_plan(path: Path = PLAN_FILE) -> ControlPlan:
    """The plan as it stands in the file."""
    content = path.read_bytes()
    told: dict[str, Any] = json.loads(content)
    first_s, last_s = told["excerpt_s"]
    plan = ControlPlan(
        sha256=hashlib.sha256(content).hexdigest(),
        grid=tuple(told["grid"]),
        session_s=told["session_s"],
        excerpt_s=(first_s, last_s),
        reporting_seeds=tuple(told["reporting_seeds"]),
        tuning_seeds=tuple(told["tuning_seeds"]),
        bars={name: _bar(bar) for name, bar in told["cues"].items()},
        cross_talk_at_most=told["cross_talk_at_most"],
        beside=tuple(told["beside"]["measures"]),
        predictors=tuple(told["beside"]["predictors"]),
    )
    if set(plan.reporting_seeds) & set(plan.tuning_seeds):
        raise OutOfRange(
            path.name, "a seed is both for tuning and for reporting", "use other seeds for the report"
        )
    return plan


def check_ready_to_report(plan: ControlPlan, earlier: Path) -> str:
    """The commit that a report would be of.

    Args:
        earlier: the report's JSON file, where there is one.

    Raises:
        OutOfRange: the plan or the code is not committed as it stands, or the plan is not the one that an
            earlier report was made under.
    """
    where = str(PLAN_FILE.relative_to(REPOSITORY))
    committed = _git("show", f"HEAD:{where}")
    if hashlib.sha256(committed).hexdigest() != plan.sha256:
        raise OutOfRange(where, "it is not as committed", "commit the plan before the reporting run")
    if changed := _git("status", "--porcelain", "--", *_WATCHED).decode().strip():
        raise OutOfRange("the working tree", f"changed since its commit:\n{changed}", "commit it first")
    if earlier.exists():
        before = json.loads(earlier.read_text(encoding="utf-8"))["plan_sha256"]
        if before != plan.sha256:
            raise OutOfRange(
                where,
                f"a report was made under another plan ({before[:12]}…)",
                f"go back to that plan, or remove {earlier.name} and say in the change why",
            )
    return _git("rev-parse", "HEAD").decode().strip()


def _bar(told: Mapping[str, Any]) -> CueBar:
    if "axis" in told:
        return CueBar(told["axis"], told["at_least"], {told["axis"]: 1})
    return CueBar(None, 0.0, {told["falls_with"]: -1, told["rises_with"]: 1})


def _git(*arguments: str) -> bytes:
    done = subprocess.run(["git", *arguments], cwd=REPOSITORY, capture_output=True, check=False)
    if done.returncode:
        raise OutOfRange("git", done.stderr.decode().strip(), "report from a checkout of the repository")
    return done.stdout
