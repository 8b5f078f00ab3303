"""Protocols and truths that the methods are tried on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from analysis.planning.simulated_outcomes import Scenario
from analysis.planning.truth import with_difference, with_sd
from study.analysis_plan import Aim, InterimSpec, MissingSpec, Model
from study.path import PathKind
from study.protocol import Design, StudyProtocol
from tests.analysis.made_study import make_protocol

Truth = Callable[[], Scenario]
"""Makes a scenario; it is set to its spread and difference only when somebody simulates it."""

ARMS = ("iso", "target_only")
SD = 0.4
DIFFERENCE = 0.2
"""Half a standard deviation."""

_PRE, _POST = (-0.45, 0.4), (0.18, -0.08)


def parallel(endpoint: str = "projected_progress", **analysis: Any) -> StudyProtocol:
    """Two arms, one session, two strata, blocks of two and four."""
    return _analysed(make_protocol(multiplicity="none", endpoint=endpoint), **analysis)


def two_to_one() -> StudyProtocol:
    """The same with twice as many in the second arm."""
    protocol = parallel()
    first, second = protocol.allocation.groups
    groups = (first, replace(second, weight=2))
    return replace(protocol, allocation=replace(protocol.allocation, groups=groups, block_sizes=(3, 6)))


def three_arms(multiplicity: str) -> StudyProtocol:
    """Three arms, each compared with the first and the other two with each other."""
    kinds = (PathKind.ISO, PathKind.TARGET_ONLY, PathKind.SILENCE)
    protocol = make_protocol(kinds, multiplicity=multiplicity)
    last = replace(
        protocol.analysis.contrasts[1],
        contrast_id="target_only_vs_silence",
        arm_ids=("target_only", "silence"),
    )
    return _analysed(protocol, contrasts=(*protocol.analysis.contrasts, last))


def crossover() -> StudyProtocol:
    """Two arms in two periods."""
    return make_protocol(design=Design.CROSSOVER, multiplicity="none")


def sessions(count: int, model: Model) -> StudyProtocol:
    """Two arms, several sessions."""
    return replace(parallel(model=model), session_count=count)


def imputing() -> StudyProtocol:
    """The primary analysis by multiple imputation."""
    return parallel(missing=MissingSpec("multiple_imputation", 50))


def aiming(aim: Aim, margin: float) -> StudyProtocol:
    """A contrast that aims at less than a difference."""
    protocol = parallel()
    contrast = replace(protocol.analysis.contrasts[0], aim=aim, margin=margin)
    return _analysed(protocol, contrasts=(contrast,), higher_is_better=True)


def looking(looks: tuple[float, ...], spending: str) -> StudyProtocol:
    """Looks before the end."""
    return parallel(interim=InterimSpec(looks, spending))


def plain(protocol: StudyProtocol, **changes: Any) -> Scenario:
    """People whose outcome spreads by 0.4 and hardly meets the ends of the scale."""
    rough = Scenario(protocol.analysis.endpoint, {}, _PRE, _POST, SD)
    return replace(with_sd(protocol, rough, _SD.get(protocol.analysis.endpoint, SD)), **changes)


def ceiling(protocol: StudyProtocol, **changes: Any) -> Scenario:
    """People who end near the pleasant, deactivated corner: every third report or so is cut off."""
    rough = Scenario(protocol.analysis.endpoint, {}, _PRE, (0.85, -0.7), 0.45)
    return replace(rough, **changes)


def moved(protocol: StudyProtocol, truth: Truth, by: float = DIFFERENCE) -> Scenario:
    """The same with arms that truly differ."""
    return with_difference(protocol, truth(), ARMS, by)


_SD: Mapping[str, float] = {"distance": 0.25}


def _analysed(protocol: StudyProtocol, **analysis: Any) -> StudyProtocol:
    return replace(protocol, analysis=replace(protocol.analysis, **analysis))
