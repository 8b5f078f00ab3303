"""Procedures that decide: margins, looks before the end, several contrasts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from analysis.chosen_model import estimate_endpoint
from analysis.effects.multiplicity import make_ledger
from analysis.planning.batched import estimate_studies
from analysis.planning.power import Task, decide, shown_by
from study.protocol import StudyProtocol
from tests.simulation.contrasts import stacks
from tests.simulation.designs import Truth
from tests.simulation.measured import AT_5, AT_MOST_5, POWER, TYPE_I, Finding, Tally

STOPPED_EARLY = "ended at a look before the last"
FAMILYWISE = "chance of any false rejection"


@dataclass(frozen=True)
class Margined:
    """Equivalence or non-inferiority, at the margin and where arms do not differ.

    Args:
        at_margin: a truth in which the arms differ by exactly the margin.
        bar: of the type-I error.
    """

    protocol: StudyProtocol
    people: int
    at_margin: Truth
    equal: Truth
    bar: tuple[float, float]

    def run(self, replicates: int, seed: int) -> Sequence[Finding]:
        """Type-I error at the margin, and power."""
        tally = Tally()
        for quantity, under, truth in (
            (TYPE_I, "arms differ by the margin", self.at_margin),
            (POWER, "arms do not differ", self.equal),
        ):
            scenario = truth()
            for studies in stacks(self.protocol, scenario, self.people, replicates, seed, under):
                estimates = estimate_studies(studies, self.protocol.analysis.endpoint)
                tally.add(quantity, under, shown_by(self.protocol, estimates))
        return tally.findings({TYPE_I: self.bar})


@dataclass(frozen=True)
class Looked:
    """A study with looks before the end: all looks together keep the level."""

    protocol: StudyProtocol
    people: int
    null: Truth
    different: Truth

    def run(self, replicates: int, seed: int) -> Sequence[Finding]:
        """Type-I error and power over all looks, and how often a look ends the study."""
        tally = Tally()
        for quantity, under, truth in (
            (TYPE_I, "no arm is moved", self.null),
            (POWER, "arms truly differ", self.different),
        ):
            scenario = truth()
            for start in range(0, replicates, 400):
                size = min(400, replicates - start)
                found = decide(Task(self.protocol, scenario, self.people, size, f"{under}/{seed}/{start}"))
                tally.add(quantity, under, found.shown)
                tally.add(STOPPED_EARLY, under, found.early)
        return tally.findings({TYPE_I: AT_5})


@dataclass(frozen=True)
class Family:
    """Several contrasts of three arms, decided by the ledger.

    Args:
        truths: each with its name, and which contrasts (by id) are of arms that do not differ in it.
    """

    protocol: StudyProtocol
    people: int
    truths: Sequence[tuple[str, Truth, Callable[[str], bool]]]

    def run(self, replicates: int, seed: int) -> Sequence[Finding]:
        """Chance of rejecting any true hypothesis, and the primary contrast's power."""
        tally = Tally()
        for under, truth, is_true in self.truths:
            scenario = truth()
            for studies in stacks(self.protocol, scenario, self.people, replicates, seed, under):
                for study in range(studies.replicates):
                    effects = estimate_endpoint(
                        self.protocol, studies.outcomes(study), (), self.protocol.analysis.endpoint
                    )
                    spec = self.protocol.analysis
                    ledger = make_ledger(spec.multiplicity, spec.alpha, effects.contrasts, [])
                    rejected = [
                        entry.row_id.partition(":")[2]
                        for entry in ledger
                        if entry.adjusted_p is not None and entry.adjusted_p <= spec.alpha
                    ]
                    tally.add(FAMILYWISE, under, float(any(is_true(name) for name in rejected)))
                    primary = spec.primary_contrast.contrast_id
                    if not is_true(primary):
                        tally.add(POWER, under, float(primary in rejected))
        return tally.findings({FAMILYWISE: AT_MOST_5})
