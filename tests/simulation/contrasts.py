"""Methods whose result is a contrast with an interval, on simulated studies."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from analysis.effects.bivariate import estimate_both_axes
from analysis.missing.reference import jump_to_reference
from analysis.planning.batched import Estimates, estimate_studies, has_batched_form
from analysis.planning.power import primary_index
from analysis.planning.simulated_outcomes import Scenario, SimulatedStudies, draw_studies
from analysis.planning.truth import true_difference
from study.protocol import StudyProtocol
from tests.simulation.designs import ARMS, Truth
from tests.simulation.measured import AT_5, BIAS, COVERAGE, OF_95, POWER, TYPE_I, Finding, Tally

NULL, DIFFERENT = "no arm is moved", "arms truly differ"
TRUTH_PAIRS = 100_000

_STACK = 400


@dataclass(frozen=True)
class Contrasted:
    """A method tried where no arm is moved and where they are.

    Args:
        people: allocated in each study.
        null, different: the two truths.
        has_bars: whether the bars are promised.
    """

    protocol: StudyProtocol
    people: int
    null: Truth
    different: Truth
    has_bars: bool = True

    def run(self, replicates: int, seed: int) -> Sequence[Finding]:
        """Type-I error, coverage under both truths, power and bias."""
        tally = Tally()
        for under, truth_of in ((NULL, self.null), (DIFFERENT, self.different)):
            scenario = truth_of()
            truth = true_difference(self.protocol, scenario, ARMS, pairs=TRUTH_PAIRS).value
            for studies in stacks(self.protocol, scenario, self.people, replicates, seed, under):
                found = estimate_studies(studies, self.protocol.analysis.endpoint)
                add_contrast(tally, self.protocol, found, under, truth)
        return tally.findings({TYPE_I: AT_5, COVERAGE: OF_95} if self.has_bars else {})


def add_contrast(tally: Tally, protocol: StudyProtocol, found: Estimates, under: str, truth: float) -> None:
    """The primary contrast of a stack of studies."""
    primary = primary_index(protocol)
    low, high = (limit[:, primary] for limit in found.interval())
    estimable = np.isfinite(low)
    rejected = np.where(estimable, found.p_value[:, primary] <= protocol.analysis.alpha, np.nan)
    tally.add(TYPE_I if under == NULL else POWER, under, rejected)
    tally.add(COVERAGE, under, np.where(estimable, (low <= truth) & (truth <= high), np.nan))
    tally.add(BIAS, under, found.value[:, primary] - truth)


def stacks(
    protocol: StudyProtocol, scenario: Scenario, people: int, replicates: int, seed: int, what: str
) -> Iterator[SimulatedStudies]:
    """Simulated studies, a stack at a time; the seed and the name fix them."""
    size = _STACK if has_batched_form(protocol) else 50
    name = hashlib.sha256(f"{protocol.sha256}/{what}/{seed}".encode()).digest()
    rng = np.random.default_rng(int.from_bytes(name[:16], "big"))
    for start in range(0, replicates, size):
        yield draw_studies(protocol, scenario, people, min(size, replicates - start), rng)


@dataclass(frozen=True)
class BothAxes:
    """Hotelling's T² where no arm is moved, and where they are."""

    protocol: StudyProtocol
    people: int
    null: Truth
    different: Truth

    def run(self, replicates: int, seed: int) -> Sequence[Finding]:
        """Type-I error and power."""
        tally = Tally()
        for under, truth_of in ((NULL, self.null), (DIFFERENT, self.different)):
            scenario = truth_of()
            for studies in stacks(self.protocol, scenario, self.people, replicates, seed, under):
                p_values = [self._p_value(studies, study) for study in range(studies.replicates)]
                tally.add(TYPE_I if under == NULL else POWER, under, np.array(p_values) <= 0.05)
        return tally.findings({TYPE_I: AT_5})

    def _p_value(self, studies: SimulatedStudies, study: int) -> float:
        rows = estimate_both_axes(self.protocol, studies.outcomes(study))
        return next(row.p_value or math.nan for row in rows if row.row_id.startswith("both_axes:iso_vs"))


@dataclass(frozen=True)
class JumpedToReference:
    """Jump to reference, whose truth is that of people who are like the reference arm once they left.

    Everybody in an arm is moved alike, so the true difference is that of those who stay times
    the share of the first arm that does.
    """

    protocol: StudyProtocol
    people: int
    null: Truth
    different: Truth

    def run(self, replicates: int, seed: int) -> Sequence[Finding]:
        """Type-I error, coverage and power, without bars: Rubin's variance is meant to be wider."""
        tally = Tally()
        (contrast,) = self.protocol.analysis.contrasts
        for under, truth_of in ((NULL, self.null), (DIFFERENT, self.different)):
            scenario = truth_of()
            truth = self._truth(scenario)
            for studies in stacks(self.protocol, scenario, self.people, replicates, seed, under):
                for study in range(studies.replicates):
                    protocol = studies.protocol_of(study)
                    row = jump_to_reference(protocol, studies.outcomes(study), contrast)
                    if row.estimate is None or row.ci_low is None or row.ci_high is None:
                        continue
                    tally.add(TYPE_I if under == NULL else POWER, under, float((row.p_value or 0.0) <= 0.05))
                    tally.add(COVERAGE, under, float(row.ci_low <= truth <= row.ci_high))
                    tally.add(BIAS, under, row.estimate - truth)
        return tally.findings({})

    def _truth(self, scenario: Scenario) -> float:
        everyone = true_difference(self.protocol, scenario, ARMS, pairs=TRUTH_PAIRS).value
        large = draw_studies(self.protocol, scenario, 20_000, 5, np.random.default_rng(0))
        stayed = ~large.missing[:, :, -1][large.arm[:, :, -1] == 0]
        return everyone * float(stayed.mean())
