"""The sample size of a protocol: found by simulation, with the power curve and the formula beside it.

Power is simulated at a handful of numbers of people around the formula's, and
the curve probit(power) = a + b √n is fitted to all of them by maximum
likelihood: for a test of a mean it is straight but for the t distribution's
tails. The sample size is the smallest number from which the fitted curve has
the wanted power that whole blocks can fill; it is simulated once more by itself.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from analysis.effects.endpoint import ENDPOINTS, endpoint_method
from analysis.effects.endpoint_rows import label_of
from analysis.planning.allocation_draws import smallest_fillable
from analysis.planning.assumptions import PUBLISHED, Assumptions, assumptions_of, movable
from analysis.planning.batched import has_batched_form
from analysis.planning.closed_form import ClosedForm, closed_form_of
from analysis.planning.power import PowerPoint, Run, power_of, workers
from analysis.planning.power_curve import Curve, fit_curve
from analysis.planning.truth import rng_of, true_difference
from analysis.result_row import json_ready
from study.analysis_plan import Aim
from study.errors import OutOfRange
from study.protocol import StudyProtocol

Progress = Callable[[str, float], None]

REPLICATES = 1000
FEWEST_PEOPLE = 8
MOST_PEOPLE = 20_000

_AROUND = (0.6, 0.8, 1.0, 1.25, 1.6)
_ROUNDS = 4


@dataclass(frozen=True)
class Point:
    """One number of people.

    Args:
        simulated: by simulation, at the planned difference.
        assurance: the same with the difference drawn anew for each study; None where it is certain.
        closed_form: the formula's power.
        fitted: the fitted curve's; None where none was fitted.
    """

    simulated: PowerPoint
    assurance: PowerPoint | None
    closed_form: float
    fitted: float | None


@dataclass(frozen=True)
class Plan:
    """A protocol's sample size and what it rests on.

    Args:
        people: allocated, filling whole blocks; None where none up to `MOST_PEOPLE` suffices, or only
            the numbers asked for were simulated.
        people_error: Monte-Carlo standard error of the curve's crossing.
        points: every number of people simulated, ascending.
        truth: the scenario's true difference, and its Monte-Carlo error.
        searched: whether a sample size was looked for.
    """

    protocol: StudyProtocol
    assumptions: Assumptions
    replicates: int
    people: int | None
    people_error: float | None
    points: tuple[Point, ...]
    curve: Curve | None
    closed_form: ClosedForm
    truth: tuple[float, float]
    searched: bool

    def to_plain(self) -> dict[str, Any]:
        """As JSON values."""
        protocol, contrast = self.protocol, self.protocol.analysis.primary_contrast
        found: dict[str, Any] = {
            "study_id": protocol.study_id,
            "protocol_sha256": protocol.sha256,
            "endpoint": protocol.analysis.endpoint,
            "endpoint_label": ENDPOINTS[protocol.analysis.endpoint],
            "endpoint_method": endpoint_method(protocol),
            "model": str(protocol.analysis.model),
            "contrast": label_of(contrast),
            "aim": str(contrast.aim),
            "margin": contrast.margin,
            "alpha": protocol.analysis.alpha,
            "multiplicity": protocol.analysis.multiplicity,
            "power": self.assumptions.planning.power,
            "people": self.people,
            "people_error": self.people_error,
            "protocol_people": protocol.sample_size,
            "replicates": self.replicates,
            "assumptions": [vars(one) for one in self.assumptions.said],
            "true_difference": {"value": self.truth[0], "monte_carlo_error": self.truth[1]},
            "closed_form": {
                "formula": self.closed_form.formula,
                "people": self.closed_form.people,
            },
            "context": [
                {"finding": finding, "people_by_formula": self._people_at(d)}
                for finding, d in PUBLISHED.items()
            ],
            "curve": [self._row(point) for point in self.points],
        }
        plain: dict[str, Any] = json_ready(found)
        return plain

    def _people_at(self, standardised: float) -> float | None:
        if self.protocol.analysis.primary_contrast.aim is not Aim.SUPERIORITY:
            return None
        planning = self.assumptions.planning
        return closed_form_of(self.protocol, planning, standardised * planning.sd).people

    @staticmethod
    def _row(point: Point) -> dict[str, Any]:
        return {
            **vars(point.simulated),
            "fitted": point.fitted,
            "closed_form": point.closed_form,
            "assurance": None if point.assurance is None else point.assurance.power,
            "assurance_error": None if point.assurance is None else point.assurance.error,
        }


def plan_study(
    protocol: StudyProtocol,
    people: Sequence[int] = (),
    difference: float | None = None,
    power: float | None = None,
    replicates: int = REPLICATES,
    jobs: int | None = None,
    progress: Progress | None = None,
) -> Plan:
    """The sample size of a protocol, by simulation of it and of its analysis.

    The same arguments give the same plan: every draw is seeded from the protocol's hash.

    Args:
        people: simulate these numbers alone instead of searching.
        difference, power: instead of the protocol's.
        replicates: simulated studies for each number of people.
        jobs: processes, for models that are fitted study by study; None is as many as cores.

    Raises:
        OutOfRange: figures with which nothing can be shown.
    """
    if replicates < 50:
        raise OutOfRange("--replicates", f"{replicates} says too little", "write 200 or more")
    for number in people:
        if not FEWEST_PEOPLE <= number <= MOST_PEOPLE:
            raise OutOfRange(
                "--people", f"{number} people cannot be planned", f"write {FEWEST_PEOPLE} to {MOST_PEOPLE}"
            )
    assumptions = assumptions_of(protocol, difference, power)
    closed = closed_form_of(protocol, assumptions.planning, assumptions.difference)
    truth = true_difference(protocol, assumptions.scenario, protocol.analysis.primary_contrast.arm_ids)
    count = 1 if has_batched_form(protocol) else jobs or os.cpu_count() or 1
    with workers(count) as run:
        study = _Simulated(protocol, assumptions, replicates, run, progress)
        chosen, curve = (None, None) if people else _search(study, closed)
        # The number that the protocol plans is of interest whatever the search finds.
        own = protocol.sample_size if FEWEST_PEOPLE <= protocol.sample_size <= MOST_PEOPLE else None
        for wanted in people or (chosen, own):
            if wanted is not None:
                study.at(wanted)
        points = tuple(
            Point(
                found,
                study.assured(number),
                closed.power_at(number),
                None if curve is None else curve.power(number),
            )
            for number, found in sorted(study.found.items())
        )
    return Plan(
        protocol,
        assumptions,
        replicates,
        chosen,
        None if curve is None else curve.people_error(assumptions.planning.power),
        points,
        curve,
        closed,
        (truth.value, truth.error),
        not people,
    )


class _Simulated:
    """Power by number of people, each simulated once."""

    def __init__(
        self,
        protocol: StudyProtocol,
        assumptions: Assumptions,
        replicates: int,
        run: Run,
        progress: Progress | None,
    ) -> None:
        self.protocol, self.assumptions, self.replicates = protocol, assumptions, replicates
        self.found: dict[int, PowerPoint] = {}
        self._run, self._progress = run, progress

    def at(self, people: int) -> PowerPoint:
        """At the planned difference."""
        if people not in self.found:
            self.found[people] = power_of(
                self.protocol,
                self.assumptions.scenario,
                people,
                self.replicates,
                "plan",
                run=self._run,
                progress=self._told(f"{people} people"),
            )
        return self.found[people]

    def assured(self, people: int) -> PowerPoint | None:
        """With the difference drawn anew for each study."""
        planning = self.assumptions.planning
        if planning.difference_sd <= 0:
            return None
        scenario, by = movable(self.protocol, self.assumptions)
        rng = rng_of(self.protocol, f"plan/difference/{people}")
        drawn = self.assumptions.difference + planning.difference_sd * rng.standard_normal(self.replicates)
        return power_of(
            self.protocol,
            scenario,
            people,
            self.replicates,
            "assurance",
            drawn / by,
            self._run,
            self._told(f"{people} people, difference uncertain"),
        )

    def _told(self, what: str) -> Callable[[float], None]:
        def told(share: float) -> None:
            if self._progress is not None:
                self._progress(what, share)

        return told


def _search(study: _Simulated, closed: ClosedForm) -> tuple[int | None, Curve | None]:
    """The smallest fillable number of people with the wanted power, and the curve it was read from."""
    spec, wanted = study.protocol.allocation, study.assumptions.planning.power
    guess = closed.people or float(study.protocol.sample_size)
    curve = None
    for _ in range(_ROUNDS):
        guess = min(max(guess, FEWEST_PEOPLE), MOST_PEOPLE)
        for share in _AROUND:
            study.at(_fillable(study, share * guess))
        curve = fit_curve(list(study.found.values()))
        crossing = None if curve is None else curve.people(wanted)
        least, most = min(study.found), max(study.found)
        if crossing is not None and (least <= crossing <= most or crossing <= FEWEST_PEOPLE):
            return smallest_fillable(spec, max(math.ceil(crossing - 1e-9), FEWEST_PEOPLE)), curve
        # The curve crosses outside what was simulated: look there.
        best = max(point.power for point in study.found.values())
        guess = crossing if crossing is not None else guess * (2.5 if best < wanted else 0.4)
        if guess > MOST_PEOPLE:
            break
    return None, curve


def _fillable(study: _Simulated, people: float) -> int:
    number = min(max(math.ceil(people), FEWEST_PEOPLE), MOST_PEOPLE)
    return smallest_fillable(study.protocol.allocation, number)
