"""Agreement of reports with predictions, where the law they are drawn from is known.

Predictions y of clips are normal around 0; a report on a clip is
x = b + k y + (the clip's own) + (the person's own) + noise, so that every
statistic of the pairs has a value in the population, given by the moments of x and y.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from analysis.agreement.clip_permutation import clip_permutation
from analysis.agreement.concordance import concordance, limits_of_agreement
from analysis.agreement.intraclass import intraclass
from analysis.agreement.pair_statistics import Pairs, bootstrap_pairs
from analysis.agreement.repeated_correlation import repeated_correlation
from analysis.agreement.repeated_limits import recovered_limits_of_agreement
from analysis.agreement.resampling import PARTICIPANT, Resampling, resampling_of
from analysis.agreement.trajectories import Trajectories
from tests.simulation.measured import AT_5, OF_95, TYPE_I, Finding, Tally

COVERED = ("ccc", "icc_a1", "bias", "limit_low", "limit_high", "mae", "slope", "intercept")

Interval = tuple[float | None, float | None]


@dataclass(frozen=True)
class Law:
    """How pairs come about.

    Args:
        people, reports: numbers; reports of each person.
        clips: number of clips that people share; None where every report has sound of its own.
        relation: k; shift: b.
        prediction_sd, clip_sd, person_sd, noise_sd: of y, and of the three parts of x.
        drift: how far both move along a straight line over a session.
    """

    people: int
    reports: int
    clips: int | None = None
    relation: float = 0.6
    shift: float = 0.1
    prediction_sd: float = 0.3
    clip_sd: float = 0.0
    person_sd: float = 0.15
    noise_sd: float = 0.2
    drift: float = 0.0

    def truths(self) -> dict[str, float]:
        """The population's value of each statistic."""
        vy = self.prediction_sd**2
        rest = self.clip_sd**2 + self.person_sd**2 + self.noise_sd**2
        vx, cov = self.relation**2 * vy + rest, self.relation * vy
        gap = math.sqrt((1 - self.relation) ** 2 * vy + rest)
        ccc = 2 * cov / (vx + vy + self.shift**2)
        b = self.shift
        mae = gap * math.sqrt(2 / math.pi) * math.exp(-(b**2) / (2 * gap**2))
        mae += b * (1 - 2 * float(stats.norm.cdf(-b / gap)))
        return {
            "ccc": ccc,
            "icc_a1": ccc,
            "bias": b,
            "limit_low": b - 1.96 * gap,
            "limit_high": b + 1.96 * gap,
            "mae": mae,
            "slope": self.relation,
            "intercept": b,
        }

    def draw(self, rng: np.random.Generator) -> Pairs:
        """One study's pairs, resampled as the design asks."""
        n = self.people * self.reports
        person = np.repeat(np.arange(self.people), self.reports)
        if self.clips is None:
            clip = np.arange(n)
        else:
            clip = np.concatenate([rng.permutation(self.clips)[: self.reports] for _ in range(self.people)])
        count = n if self.clips is None else self.clips
        time = np.tile(np.linspace(-0.5, 0.5, self.reports) if self.reports > 1 else [0.0], self.people)
        y = self.prediction_sd * rng.standard_normal(count)[clip] + self.drift * time
        x = self.shift + self.relation * (y - self.drift * time) + self.drift * time
        x = x + self.clip_sd * rng.standard_normal(count)[clip]
        x = x + self.person_sd * rng.standard_normal(self.people)[person]
        x = x + self.noise_sd * rng.standard_normal(n)
        design = resampling_of([f"p{one}" for one in person], [f"c{one}" for one in clip])
        trajectories = None
        if self.reports >= 4:
            trajectories = Trajectories(x, y, 600 * time, person, design)
        return Pairs(x, y, design, None, trajectories)


def seeded(law: Law, seed: int) -> np.random.Generator:
    """The generator of a law's draws."""
    return np.random.default_rng([seed, law.people, law.reports, law.clips or 0])


@dataclass(frozen=True)
class Bootstrap:
    """The percentile bootstrap over the design's unit, or over participants though clips are shared."""

    law: Law
    participants_alone: bool = False

    def run(self, replicates: int, seed: int) -> Sequence[Finding]:
        """Coverage of every statistic."""
        tally, rng, truths = Tally(), seeded(self.law, seed), self.law.truths()
        for study in range(replicates):
            pairs = replace(self.law.draw(rng), trajectories=None)
            if self.participants_alone:
                pairs = replace(pairs, design=Resampling(PARTICIPANT, pairs.design.person, None))
            found = bootstrap_pairs(pairs, f"{seed}/{study}")
            for name in COVERED:
                low, high = found[name].ci_low, found[name].ci_high
                if low is not None and high is not None:
                    tally.add(f"coverage: {name}", "agreement as told", float(low <= truths[name] <= high))
        return tally.findings({f"coverage: {name}": OF_95 for name in COVERED})


@dataclass(frozen=True)
class Published:
    """Intervals by formula, beside the bootstrap."""

    law: Law

    def run(self, replicates: int, seed: int) -> Sequence[Finding]:
        """Coverage of each."""
        tally, rng, truths = Tally(), seeded(self.law, seed), self.law.truths()
        for _ in range(replicates):
            pairs = self.law.draw(rng)
            difference = pairs.x - pairs.y
            intervals: dict[str, Interval] = {}
            if self.law.reports == 1:
                ccc, limits = concordance(pairs.x, pairs.y), limits_of_agreement(difference)
                icc = intraclass(np.column_stack([pairs.x, pairs.y]))
                intervals = {"ccc": (ccc.ci_low, ccc.ci_high), "icc_a1": icc.single_ci}
            else:
                limits = recovered_limits_of_agreement(difference, pairs.design.person)
            none = (None, None)
            intervals["bias"] = limits.bias_ci or none
            intervals |= {"limit_low": limits.low_ci or none, "limit_high": limits.high_ci or none}
            for name, (low, high) in intervals.items():
                if low is not None and high is not None:
                    tally.add(f"coverage: {name}", "agreement as told", float(low <= truths[name] <= high))
        return tally.findings({f"coverage: {name}": OF_95 for name in COVERED})


def permuted(pairs: Pairs, seed_text: str) -> bool | None:
    """Whether permuting clips rejects no relation."""
    if pairs.design.clip is None:
        return None
    return clip_permutation(pairs.x, pairs.y, pairs.design.clip, seed_text).p_value <= 0.05


def slope_interval(pairs: Pairs, seed_text: str) -> bool | None:
    """Whether the bootstrap interval of the slope leaves out 0."""
    found = bootstrap_pairs(replace(pairs, trajectories=None), seed_text)["slope"]
    return None if found.ci_low is None or found.ci_high is None else found.ci_low > 0 or found.ci_high < 0


def slope_of_participants(pairs: Pairs, seed_text: str) -> bool | None:
    """The same with participants drawn alone though clips are shared."""
    alone = Resampling(PARTICIPANT, pairs.design.person, None)
    return slope_interval(replace(pairs, design=alone), seed_text)


def within(detrend: bool) -> Callable[[Pairs, str], bool | None]:
    """Whether the interval of the within-person correlation leaves out 0."""
    name = "within_r_detrended" if detrend else "within_r"

    def rejects(pairs: Pairs, seed_text: str) -> bool | None:
        found = bootstrap_pairs(pairs, seed_text)[name]
        return (
            None if found.ci_low is None or found.ci_high is None else found.ci_low > 0 or found.ci_high < 0
        )

    return rejects


def repeated(pairs: Pairs, seed_text: str) -> bool | None:
    """Whether repeated-measures correlation rejects."""
    return repeated_correlation(pairs.x, pairs.y, pairs.design.person).p_value <= 0.05


@dataclass(frozen=True)
class Unrelated:
    """A test of a relation where there is none.

    Args:
        rejects: whether one study's pairs reject; None where it cannot be said.
    """

    law: Law
    rejects: Callable[[Pairs, str], bool | None]

    def run(self, replicates: int, seed: int) -> Sequence[Finding]:
        """Type-I error."""
        tally, rng = Tally(), seeded(self.law, seed)
        for study in range(replicates):
            verdict = self.rejects(self.law.draw(rng), f"{seed}/{study}")
            if verdict is not None:
                tally.add(TYPE_I, "reports and predictions share nothing but their course", float(verdict))
        return tally.findings({TYPE_I: AT_5})
