"""Missing reports, drawn many times from what is known of the people they are missing from.

Valence and arousal of the report after listening are drawn together, from a
normal regression on both axes of the report before and on the stratification
factors, fitted within the arm: each arm keeps its own slopes and its own
spread (Sullivan et al. 2018, Stat. Methods Med. Res. 27, 2610-2626). Every
endpoint is then computed from the drawn report, so that all endpoints of a
person rest on the same draw. A missing report before listening is drawn too,
in turn with the regression (Gibbs sampling), where the arm can tell of it.

A drawn value may lie outside [−1, 1]. It is neither clipped nor drawn again:
either would move means and shrink spread (von Hippel 2013, Sociol. Methods Res.
42, 105-138). It stands for no report; it carries information to the means.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.effects.endpoint import AT_TARGET, Outcome
from analysis.effects.estimate import covariates_of
from analysis.effects.linear_model import indicator_columns
from analysis.missing.completed_fits import CompletedDesign
from analysis.missing.imputation_model import ArmRegression, points, regress_within_arm
from analysis.result_row import NotEstimable
from study.analysis_plan import Strategy
from study.protocol import StudyProtocol

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

NEVER_IMPUTED = ("not yet given", "data erased")
"""Reports that may still come, and those that were taken back."""


@dataclass(frozen=True)
class Imputed:
    """Completed data sets of one endpoint.

    Args:
        people: whose outcome is known or drawn.
        values: the endpoint, shape [imputations, n].
        pre: the report before listening, shape [1, n, 2], or [imputations, n, 2] where some were drawn.
        is_drawn: the endpoint rests on a draw, shape [n].
        post_is_drawn: the report after listening does, shape [n].
        left_out: reason to number of outcomes that are neither known nor drawn.
        refused: arm to the reason why its missing outcomes could not be drawn.
    """

    people: tuple[Outcome, ...]
    values: Floats
    pre: Floats
    is_drawn: Flags
    post_is_drawn: Flags
    left_out: Mapping[str, int]
    refused: Mapping[str, str]

    def design(self, protocol: StudyProtocol) -> CompletedDesign:
        """Arms and the protocol's covariates.

        Raises:
            UnknownName: the protocol lists a covariate there is no column for.
        """
        covariates_of(protocol, ())
        columns: dict[str, Floats] = {}
        for name in protocol.analysis.covariates:
            if name in ("pre_valence", "pre_arousal"):
                columns[name] = self.pre[:, :, ("pre_valence", "pre_arousal").index(name)]
            elif any(stratum.factor == name for stratum in protocol.allocation.strata):
                indicators = indicator_columns(name, [person.stratum[name] for person in self.people])
                columns |= {level: column[None, :] for level, column in indicators.items()}
        return CompletedDesign(tuple(person.arm for person in self.people), columns)

    def check_arms(self, arms: Sequence[str]) -> None:
        """Raise NotEstimable where missing outcomes of one of these arms could not be drawn."""
        for arm in arms:
            if arm in self.refused:
                raise NotEstimable(self.refused[arm])


def impute(
    protocol: StudyProtocol, outcomes: Sequence[Outcome], endpoint: str, reference: str | None = None
) -> Imputed:
    """Complete the data of a parallel design.

    The same arguments give the same draws; other endpoints of the same
    outcomes rest on the same draws.

    Args:
        outcomes: of all allocated persons, one each.
        endpoint: a key of `ENDPOINTS`.
        reference: an arm: whoever left another one is drawn as if from this (jump to
            reference); None: everyone from their own arm (missing at random).
    """
    left_out: Counter[str] = Counter()
    people: list[Outcome] = []
    composite = _composite_events(protocol, endpoint)
    for outcome in outcomes:
        reason = _why_never(protocol, outcome, endpoint, composite)
        if reason is None:
            people.append(outcome)
        else:
            left_out[reason] += 1
    models = _models(protocol, people, composite)
    refused: dict[str, str] = {}
    kept: list[Outcome] = []
    for person in people:
        if person.values[endpoint] is not None:
            kept.append(person)
            continue
        try:
            for arm in _arms_needed(person, reference):
                model = models[arm]
                if isinstance(model, NotEstimable):
                    refused[person.arm] = str(model)
                    raise model
                model.check(person)
            kept.append(person)
        except NotEstimable as problem:
            left_out[str(problem)] += 1
    return _completed(protocol, kept, endpoint, reference, models, dict(left_out), refused)


def endpoint_array(protocol: StudyProtocol, endpoint: str, pre: Floats, post: Floats) -> Floats:
    """An endpoint of many reports, as `endpoint_values` of one; NaN without a direction.

    Args:
        pre, post: valence and arousal, shape […, 2], not bound to [−1, 1].
    """
    target = np.array([protocol.target.valence, protocol.target.arousal])
    if endpoint in ("valence", "arousal"):
        return np.asarray(post[..., ("valence", "arousal").index(endpoint)])
    short = post - target
    if endpoint == "distance":
        return np.asarray(np.hypot(short[..., 0], short[..., 1]))
    start = pre if protocol.start is None else np.array([protocol.start.valence, protocol.start.arousal])
    length = np.linalg.norm(target - start, axis=-1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        direction = np.where(length > 1e-9, (target - start) / length, np.nan)
    return np.asarray((short * direction).sum(axis=-1))


def seeded(protocol: StudyProtocol, what: str) -> np.random.Generator:
    """A generator that is a function of the protocol's hash and of what is drawn."""
    digest = hashlib.sha256(f"{protocol.sha256}/{what}".encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:16], "big"))


def _composite_events(protocol: StudyProtocol, endpoint: str) -> frozenset[str]:
    """Events whose value stands in the place of a report."""
    if endpoint != protocol.analysis.endpoint:
        return frozenset()
    strategies = protocol.analysis.estimand.intercurrent_events
    return frozenset(event for event, strategy in strategies.items() if strategy == Strategy.COMPOSITE)


def _why_never(
    protocol: StudyProtocol, outcome: Outcome, endpoint: str, composite: frozenset[str]
) -> str | None:
    """Why an outcome is neither known nor drawn; None where it may be."""
    if None in outcome.stratum.values():
        return "stratification data erased"
    if outcome.values[endpoint] is not None:
        return None
    if outcome.missing in NEVER_IMPUTED or composite & set(outcome.events):
        return outcome.missing or AT_TARGET
    start = protocol.start or outcome.pre
    has_direction = start is None or start.distance_to(protocol.target) > 1e-9
    return None if endpoint != "projected_progress" or has_direction else AT_TARGET


def _arms_needed(person: Outcome, reference: str | None) -> list[str]:
    """Whose regressions a person's missing reports are drawn from."""
    arms = [person.arm] if person.pre is None else []
    if person.post is None:
        arms.append(reference or person.arm)
    return arms


def _models(
    protocol: StudyProtocol, people: Sequence[Outcome], composite: frozenset[str]
) -> dict[str, ArmRegression | NotEstimable]:
    """The regression within each arm, or why there is none."""
    found: dict[str, ArmRegression | NotEstimable] = {}
    for arm in protocol.arms:
        # Who met an event of the composite strategy has an outcome of another kind than a report.
        mine = [p for p in people if p.arm == arm.arm_id and not composite & set(p.events)]
        rng = seeded(protocol, f"imputation/{arm.arm_id}")
        try:
            found[arm.arm_id] = regress_within_arm(
                rng, arm.arm_id, mine, protocol.analysis.missing.imputations
            )
        except NotEstimable as problem:
            found[arm.arm_id] = problem
    return found


def _completed(
    protocol: StudyProtocol,
    people: Sequence[Outcome],
    endpoint: str,
    reference: str | None,
    models: Mapping[str, ArmRegression | NotEstimable],
    left_out: Mapping[str, int],
    refused: Mapping[str, str],
) -> Imputed:
    draws = protocol.analysis.missing.imputations
    is_drawn = np.array([person.values[endpoint] is None for person in people], dtype=bool)
    post_is_drawn = is_drawn & np.array([person.post is None for person in people], dtype=bool)
    pre = points([person.pre for person in people])[None]
    post = np.repeat(points([person.post for person in people])[None], draws, axis=0)
    if any(person.pre is None for person in people):
        pre = np.repeat(pre, draws, axis=0)
    for index, person in enumerate(people):
        model = models[person.arm]
        if person.pre is None and isinstance(model, ArmRegression):
            pre[:, index] = model.drawn_pre[person.participant_id]
    for arm, model in models.items():
        here = [i for i, person in enumerate(people) if post_is_drawn[i] and (reference or person.arm) == arm]
        if here and isinstance(model, ArmRegression):
            rng = seeded(protocol, f"imputation/{arm}/reports")
            post[:, here] = model.simulate([people[i] for i in here], pre[:, here], rng)
    known = np.array([person.values[endpoint] or 0.0 for person in people], dtype=float)
    values = np.where(is_drawn, endpoint_array(protocol, endpoint, pre, post), known)
    return Imputed(tuple(people), values, pre, is_drawn, post_is_drawn, left_out, refused)
