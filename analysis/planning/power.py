"""The chance that a study of so many people shows what it set out to show.

Each simulated study is analysed by the protocol's own model and decided by its
own rules: level, multiplicity, margin and looks before the end.
"""

from __future__ import annotations

import copyreg
import math
import multiprocessing
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from analysis.effects.looks.group_sequential import boundaries
from analysis.planning.batched import Estimates, estimate_studies, has_batched_form
from analysis.planning.simulated_outcomes import Flags, Scenario, SimulatedStudies, draw_studies
from analysis.planning.truth import rng_of
from study.analysis_plan import Aim
from study.protocol import StudyProtocol

Floats = NDArray[np.float64]


def _read_only(content: dict[Any, Any]) -> MappingProxyType[Any, Any]:
    return MappingProxyType(content)


# A protocol crosses to other processes whole; its read-only mappings cannot by themselves.
copyreg.pickle(MappingProxyType, lambda mapping: (_read_only, (dict(mapping),)))

_CHUNK = 250
_SMALL_CHUNK = 25
_STACK = 250_000


@dataclass(frozen=True)
class PowerPoint:
    """What simulation says of one number of people.

    Args:
        people: allocated.
        replicates: simulated studies.
        power: share that showed it; error: its Monte-Carlo standard error.
        half_width: mean half width of the 95 % interval of the primary contrast; None where none had one.
        analysed: mean number of outcomes in the model.
        not_estimable: share without an estimate (they count as not showing it).
        stopped_early: share that crossed a boundary before the last look; 0 without looks.
    """

    people: int
    replicates: int
    power: float
    error: float
    half_width: float | None
    analysed: float
    not_estimable: float
    stopped_early: float


@dataclass(frozen=True)
class Task:
    """Some simulated studies, enough for another process to make and decide them.

    Args:
        scale: of moves, one for each study; None is 1 for all.
        seed_text: with the protocol's hash, fixes the draws.
    """

    protocol: StudyProtocol
    scenario: Scenario
    people: int
    replicates: int
    seed_text: str
    scale: Floats | None = None


@dataclass(frozen=True)
class Decided:
    """What became of some simulated studies, each array of shape [replicates]."""

    shown: Flags
    early: Flags
    half_width: Floats
    analysed: Floats


Run = Callable[[Sequence[Task]], Iterable[Decided]]


def power_of(
    protocol: StudyProtocol,
    scenario: Scenario,
    people: int,
    replicates: int,
    what: str,
    scale: Floats | None = None,
    run: Run | None = None,
    progress: Callable[[float], None] | None = None,
) -> PowerPoint:
    """Power at one number of people.

    Args:
        what: names the draws; the same name, the same draws.
        scale: of moves, one for each study.
        run: decides the tasks, as `workers` gives it; None is here.
    """
    # A stack of large studies must fit into memory.
    size = min(_CHUNK, max(1, _STACK // people)) if has_batched_form(protocol) else _SMALL_CHUNK
    tasks = [
        Task(
            protocol,
            scenario,
            people,
            min(size, replicates - start),
            f"{what}/{people}/{start}",
            None if scale is None else scale[start : start + size],
        )
        for start in range(0, replicates, size)
    ]
    parts = []
    for part in map(decide, tasks) if run is None else run(tasks):
        parts.append(part)
        if progress is not None:
            progress(len(parts) / len(tasks))
    return _point(people, parts)


def decide(task: Task) -> Decided:
    """Make and decide the studies of one task."""
    rng = rng_of(task.protocol, task.seed_text)
    studies = draw_studies(task.protocol, task.scenario, task.people, task.replicates, rng, task.scale)
    estimates = estimate_studies(studies, task.protocol.analysis.endpoint)
    primary = primary_index(task.protocol)
    low, high = estimates.interval()
    half_width = ((high - low) / 2)[:, primary]
    if task.protocol.analysis.interim is None:
        shown = shown_by(task.protocol, estimates)
        return Decided(shown, np.zeros_like(shown), half_width, estimates.analysed)
    return _with_looks(task.protocol, studies, estimates, half_width)


def primary_index(protocol: StudyProtocol) -> int:
    """The primary contrast's place among the protocol's contrasts."""
    return next(i for i, contrast in enumerate(protocol.analysis.contrasts) if contrast.is_primary)


def shown_by(protocol: StudyProtocol, estimates: Estimates) -> Flags:
    """Which studies showed what the primary contrast aims at, shape [replicates].

    Superiority: its null hypothesis is rejected, two-sided, after the protocol's
    multiplicity. Equivalence: both one-sided tests reject at alpha. Non-inferiority: the
    one-sided test rejects at half of alpha.
    """
    alpha, primary = protocol.analysis.alpha, primary_index(protocol)
    if _has_family(protocol):
        levels = [
            _shown(protocol, estimates, alpha / left) for left in range(1, estimates.value.shape[1] + 1)
        ]
        return np.asarray(_holm_of_levels(np.stack(levels))[:, primary], dtype=bool)
    return np.asarray(_shown(protocol, estimates, alpha)[:, primary], dtype=bool)


def _has_family(protocol: StudyProtocol) -> bool:
    return protocol.analysis.multiplicity == "holm"


def _shown(protocol: StudyProtocol, estimates: Estimates, alpha: float) -> Flags:
    """Which contrasts would show their aim alone at this level, shape [replicates, n_contrasts]."""
    found = np.zeros(estimates.value.shape, dtype=bool)
    for index, contrast in enumerate(protocol.analysis.contrasts):
        value, se, df = (part[:, index] for part in (estimates.value, estimates.se, estimates.df))
        if contrast.aim is Aim.SUPERIORITY:
            found[:, index] = estimates.p_value[:, index] <= alpha
            continue
        margin = contrast.margin or 0.0
        above = stats.t.sf((value + margin) / se, df)
        below = stats.t.cdf((value - margin) / se, df)
        if contrast.aim is Aim.EQUIVALENCE:
            found[:, index] = np.maximum(above, below) <= alpha
        else:
            worse = below if protocol.analysis.higher_is_better is False else above
            found[:, index] = worse <= alpha / 2
    return found


def _with_looks(
    protocol: StudyProtocol, studies: SimulatedStudies, last: Estimates, half_width: Floats
) -> Decided:
    """Looks at the first of those allocated, in the order of arrival; a study that crosses has shown it.

    At a look only the primary contrast is tested; under Holm's procedure it has shown it where its
    looks would cross at the level that is left to it (Maurer & Bretz 2013).
    """
    interim, endpoint = protocol.analysis.interim, protocol.analysis.endpoint
    assert interim is not None
    people = studies.group.shape[1]
    seen = [min(people, math.ceil(share * people - 1e-9)) for share in interim.looks[:-1]]
    before = [estimate_studies(studies.first(number), endpoint) for number in seen]

    def crossed(alpha: float) -> tuple[Flags, Flags]:
        """Which contrasts ever crossed, shape [replicates, n_contrasts], and the primary one early."""
        bounds = boundaries(interim.spending, interim.looks, alpha)
        early = np.zeros(studies.replicates, dtype=bool)
        for bound, estimates in zip(bounds, before, strict=False):
            early |= _shown(protocol, estimates, bound.nominal_p)[:, primary]
        ever = _shown(protocol, last, bounds[-1].nominal_p)
        ever[:, primary] |= early
        return ever, early

    primary = primary_index(protocol)
    alpha = protocol.analysis.alpha
    ever, early = crossed(alpha)
    shown = ever[:, primary]
    if _has_family(protocol):
        count = ever.shape[1]
        levels = np.stack([ever, *(crossed(alpha / left)[0] for left in range(2, count + 1))])
        shown = _holm_of_levels(levels)[:, primary]
    return Decided(shown, early, half_width, last.analysed)


def _holm_of_levels(levels: Flags) -> Flags:
    """Holm's procedure from decisions at alpha, alpha / 2, …, shape [n levels, replicates, n_contrasts]."""
    count, replicates, _ = levels.shape
    rejected = np.zeros(levels.shape[1:], dtype=bool)
    for _ in range(count):
        left = np.maximum(count - rejected.sum(axis=1), 1)
        rejected |= levels[left - 1, np.arange(replicates)]
    return rejected


@contextmanager
def workers(jobs: int) -> Iterator[Run]:
    """Something that decides tasks in so many processes, in order."""
    if jobs <= 1:
        yield lambda tasks: map(decide, tasks)
        return
    with ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn")) as pool:
        yield lambda tasks: pool.map(decide, tasks)


def _point(people: int, parts: Sequence[Decided]) -> PowerPoint:
    shown = np.concatenate([part.shown for part in parts])
    half_width = np.concatenate([part.half_width for part in parts])
    estimable = np.isfinite(half_width)
    power = float(shown.mean())
    return PowerPoint(
        people,
        len(shown),
        power,
        math.sqrt(max(power * (1 - power), 1 / len(shown)) / len(shown)),
        float(half_width[estimable].mean()) if estimable.any() else None,
        float(np.concatenate([part.analysed for part in parts]).mean()),
        float(1 - estimable.mean()),
        float(np.concatenate([part.early for part in parts]).mean()),
    )
