"""The model of repeated measures on 1,000 people and 4 visits, beside statsmodels' MixedLM on the same data.

MixedLM has no unstructured covariance; it fits a random intercept and slope over visits, which is the
nearest it offers. The same random effects are fitted here too, so that like is compared with like.

    python -m tests.benchmarks.mixed_models
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.effects.mixed.mmrm import fit_mmrm
from analysis.effects.mixed.random_effects import RandomTerm, fit_random_effects
from analysis.effects.mixed.satterthwaite import estimate_combination
from tests.benchmarks.figures import Bar, Report, Row

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

PEOPLE, VISITS, REPEATS = 1_000, 4, 5
ASKED_S = 10.0


@dataclass(frozen=True)
class Visits:
    """A trial of two arms with a baseline, 15 % of its visits missing."""

    outcome: Floats
    person: Indices
    visit: Indices
    design: Floats

    @property
    def random_design(self) -> Floats:
        """An intercept and a slope over visits."""
        return np.column_stack([np.ones(len(self.visit)), self.visit.astype(float)])


def make_visits(people: int = PEOPLE, visits: int = VISITS, seed: int = 1) -> Visits:
    """Arm and baseline at each visit, people who differ in level and slope."""
    rng = np.random.default_rng(seed)
    person, visit = np.repeat(np.arange(people), visits), np.tile(np.arange(visits), people)
    arm, baseline = np.arange(people) % 2, rng.normal(size=people)
    own = rng.normal(size=(people, 2)) * [0.8, 0.3]
    outcome = (
        own[person, 0]
        + own[person, 1] * visit
        + 0.5 * baseline[person]
        + 0.1 * arm[person] * visit
        + rng.normal(size=people * visits)
    )
    at = np.equal.outer(visit, np.arange(visits)).astype(float)
    design = np.hstack(
        [
            at * (arm[person] == 0)[:, None],
            at * (arm[person] == 1)[:, None],
            at * (baseline - baseline.mean())[person, None],
        ]
    )
    kept = rng.random(people * visits) > 0.15
    return Visits(outcome[kept], person[kept], visit[kept], design[kept])


def fastest_s(run: Callable[[], object], repeats: int = REPEATS) -> float:
    """The shortest of several runs."""
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        run()
        times.append(time.perf_counter() - begin)
    return min(times)


def measure(people: int = PEOPLE, visits: int = VISITS, repeats: int = REPEATS) -> Report:
    """Seconds of each model, and how many times longer statsmodels takes."""
    from statsmodels.regression.mixed_linear_model import MixedLM

    given = make_visits(people, visits)
    last = np.zeros(given.design.shape[1])
    last[[2 * visits - 1, visits - 1]] = 1.0, -1.0

    def repeated_measures() -> object:
        found = fit_mmrm(given.outcome, given.person, given.visit, given.design)
        return estimate_combination(found.fit, last)

    def random_effects() -> object:
        term = RandomTerm("person", given.person, given.random_design)
        found = fit_random_effects(given.outcome, given.person, given.design, [term])
        return estimate_combination(found.fit, last)

    def theirs() -> object:
        with warnings.catch_warnings():
            # It doubts convergence now and then; its time is what is asked here.
            warnings.simplefilter("ignore")
            model = MixedLM(given.outcome, given.design, given.person, given.random_design)
            return model.fit(reml=True)

    seconds = {
        "mmrm": fastest_s(repeated_measures, repeats),
        "random effects": fastest_s(random_effects, repeats),
        "statsmodels MixedLM": fastest_s(theirs, max(1, repeats // 2)),
    }
    rows: list[Row] = [
        {"model": name, "ms": 1_000 * taken, "MixedLM / it": seconds["statsmodels MixedLM"] / taken}
        for name, taken in seconds.items()
    ]
    conditions: dict[str, float | str] = {
        "people": str(people),
        "visits": str(visits),
        "outcomes": str(len(given.outcome)),
    }
    return Report(
        conditions, rows, [Bar("seconds of the model of repeated measures", seconds["mmrm"], ASKED_S, False)]
    )


if __name__ == "__main__":
    print(measure().as_text())
