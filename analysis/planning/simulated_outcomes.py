"""Outcomes of simulated studies, drawn straight from a protocol and a stated truth, without a record.

For a person in arm g at session k of K, on each axis, with z standard normal:

    pre   = m + s₀ z, one draw for the first session (in a crossover one for each,
            of which the share c of the variance is the person's)
    post  = μ + ρ (s / s₀) (pre − m) + √(1 − ρ²) s h_g z', the share c of the variance
            of z' being the person's wherever there are several sessions
    then moved by Δ_g w_k + (k − 1) D in the endpoint's own unit: along its axis
    (valence, arousal), along u (projected progress) or away from the target (distance)

with w_k = k/K over the sessions of a parallel design, else 1. Nothing can be
reported beyond ±1, so every report is cut off there: a ceiling where μ is near
it. Whoever drops out stays away: at each session with a probability whose logit
is linear in what was last reported (missing at random), plus the arm's own part.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from analysis.effects.endpoint import Outcome, endpoint_values
from analysis.planning.allocation_draws import Indices, draw_groups, draw_strata
from study.affect import Affect
from study.protocol import Design, StudyProtocol

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

DROPPED_OUT = "dropped out (simulated)"

_SMALLEST_LENGTH = 1e-9


@dataclass(frozen=True)
class Scenario:
    """What is true of the people and arms of simulated studies.

    Args:
        endpoint: whose unit the moves are in.
        moves: Δ, arm to how far it moves the endpoint; an arm not named is not moved.
        pre_mean: m, valence and arousal.
        pre_sd: s₀ on each axis.
        post_mean: μ, valence and arousal.
        post_sd: s on each axis.
        correlation: ρ of `pre` and `post`, valence and arousal.
        spread: h, arm to a factor on the spread that `pre` does not explain; 1 where not named.
        person_share: c, 0 to 1.
        drift: D, from session to session.
        drop_out: share of those allocated who give no outcome at the last session, where
            nothing else moves it.
        drop_out_by_mood: log odds for each standard deviation by which the last report was worse.
        drop_out_by_arm: arm to what it adds to the log odds.
    """

    endpoint: str
    moves: Mapping[str, float]
    pre_mean: tuple[float, float]
    post_mean: tuple[float, float]
    post_sd: float
    pre_sd: float = 0.22
    correlation: tuple[float, float] = (0.5, 0.5)
    spread: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    person_share: float = 0.5
    drift: float = 0.0
    drop_out: float = 0.0
    drop_out_by_mood: float = 0.0
    drop_out_by_arm: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True)
class SimulatedStudies:
    """Several simulated studies of one protocol, of the same number of people.

    Args:
        group: index into the allocation's groups, shape [replicates, n].
        stratum: index of the level of each factor, shape [replicates, n, n_factors].
        arm: index into the protocol's arms, shape [replicates, n, n_sessions].
        pre, post: valence and arousal, shape [replicates, n, n_sessions, 2].
        missing: no `post`, shape [replicates, n, n_sessions].
        mark: tells these studies from others of the protocol, for draws that their analysis makes.
    """

    protocol: StudyProtocol
    group: Indices
    stratum: Indices
    arm: Indices
    pre: Floats
    post: Floats
    missing: Flags
    mark: int

    @property
    def replicates(self) -> int:
        """How many studies."""
        return int(self.group.shape[0])

    def first(self, people: int) -> SimulatedStudies:
        """The same studies when only so many have come."""
        return SimulatedStudies(
            self.protocol,
            self.group[:, :people],
            self.stratum[:, :people],
            self.arm[:, :people],
            self.pre[:, :people],
            self.post[:, :people],
            self.missing[:, :people],
            self.mark,
        )

    def protocol_of(self, replicate: int) -> StudyProtocol:
        """The protocol as one study's analysis sees it: with a hash, and so draws, of its own."""
        name = f"{self.protocol.sha256}/{self.mark}/{replicate}"
        return replace(self.protocol, sha256=hashlib.sha256(name.encode()).hexdigest())

    def values(self, endpoint: str) -> Floats:
        """The endpoint of everyone, shape [replicates, n, n_sessions]; NaN where it cannot be had."""
        found = endpoint_of(self.protocol, endpoint, self.pre, self.post)
        return np.where(self.missing, np.nan, found)

    def outcomes(self, replicate: int) -> tuple[Outcome, ...]:
        """One study's outcomes, as `outcomes_of` gives them of a record."""
        sessions = self.post.shape[2]
        if self.protocol.design is Design.CROSSOVER:
            return self._outcomes(replicate, {k + 1: k for k in range(sessions)})
        return self._outcomes(replicate, {1: sessions - 1})

    def visits(self, replicate: int) -> tuple[Outcome, ...]:
        """One study's visits, as `visits_of` gives them of a record."""
        return self._outcomes(replicate, {k + 1: k for k in range(self.post.shape[2])})

    def _outcomes(self, replicate: int, sessions: Mapping[int, int]) -> tuple[Outcome, ...]:
        protocol = self.protocol
        factors = protocol.allocation.strata
        found = []
        for person in range(self.group.shape[1]):
            at = (replicate, person)
            stratum = {f.factor: f.levels[self.stratum[(*at, j)]] for j, f in enumerate(factors)}
            group = protocol.allocation.groups[self.group[at]].group_id
            for period, session in sessions.items():
                pre = Affect(*map(float, self.pre[(*at, session)]))
                gone = bool(self.missing[(*at, session)])
                post = None if gone else Affect(*map(float, self.post[(*at, session)]))
                found.append(
                    Outcome(
                        f"sub-{person + 1:05d}",
                        group,
                        protocol.arms[self.arm[(*at, session)]].arm_id,
                        period,
                        stratum,
                        pre,
                        post,
                        endpoint_values(protocol.start, protocol.target, pre, post),
                        DROPPED_OUT if gone else None,
                    )
                )
        return tuple(found)


def draw_studies(
    protocol: StudyProtocol,
    scenario: Scenario,
    people: int,
    replicates: int,
    rng: np.random.Generator,
    scale: Floats | None = None,
) -> SimulatedStudies:
    """Simulated studies of a protocol.

    Args:
        people: allocated in each.
        scale: shape [replicates], by which each study's moves are multiplied, for a truth
            that is itself uncertain; None is 1.
    """
    stratum = draw_strata(protocol.allocation, people, replicates, rng)
    group = draw_groups(protocol.allocation, stratum, rng)
    arm = _arm_table(protocol)[group]
    sessions = arm.shape[2]
    several = sessions > 1
    each = protocol.design is Design.CROSSOVER
    share = scenario.person_share if several else 0.0
    mood = _noise(rng, (replicates, people), sessions, share) if each else None
    if mood is None:
        mood = np.repeat(rng.standard_normal((replicates, people, 1, 2)), sessions, axis=2)
    pre = np.clip(np.array(scenario.pre_mean) + scenario.pre_sd * mood, -1.0, 1.0)
    noise = _noise(rng, (replicates, people), sessions, share)
    names = [one.arm_id for one in protocol.arms]
    moves = np.array([scenario.moves.get(name, 0.0) for name in names])[arm]
    if scale is not None:
        moves = moves * scale[:, None, None]
    number = np.arange(1, sessions + 1)
    if several and not each:
        moves = moves * number / sessions
    moves = moves + scenario.drift * (number - 1)
    spread = np.array([scenario.spread.get(name, 1.0) for name in names])[arm]
    post = respond(protocol, scenario, pre, noise, moves, spread)
    everybody = np.zeros(arm.shape, dtype=bool)
    mark = int(rng.integers(2**62))
    all_here = SimulatedStudies(protocol, group, stratum, arm, pre, post, everybody, mark)
    return replace(all_here, missing=_drop_outs(scenario, all_here, names, rng))


def respond(
    protocol: StudyProtocol, scenario: Scenario, pre: Floats, noise: Floats, moves: Floats, spread: Floats
) -> Floats:
    """What is reported after listening; see the module's formula.

    Args:
        pre, noise: shape [..., 2]; noise is standard normal.
        moves, spread: shape [...].
    """
    rho = np.array(scenario.correlation)
    explained = rho * scenario.post_sd / scenario.pre_sd * (pre - np.array(scenario.pre_mean))
    unexplained = np.sqrt(1 - rho**2) * scenario.post_sd * spread[..., None] * noise
    post = np.array(scenario.post_mean) + explained + unexplained
    moved = post + moves[..., None] * _direction(protocol, scenario.endpoint, pre, post)
    return np.asarray(np.clip(moved, -1.0, 1.0), dtype=float)


def endpoint_of(protocol: StudyProtocol, endpoint: str, pre: Floats, post: Floats) -> Floats:
    """One of `endpoint_values` for many people at once.

    Args:
        pre, post: shape [..., 2].

    Returns:
        Shape [...]; NaN where there is no direction.
    """
    target = np.array([protocol.target.valence, protocol.target.arousal])
    match endpoint:
        case "valence":
            return np.asarray(post[..., 0], dtype=float)
        case "arousal":
            return np.asarray(post[..., 1], dtype=float)
        case "distance":
            return np.asarray(np.hypot(*np.moveaxis(post - target, -1, 0)), dtype=float)
        case _:
            return np.asarray(((post - target) * _way(protocol, pre)).sum(axis=-1), dtype=float)


def _direction(protocol: StudyProtocol, endpoint: str, pre: Floats, post: Floats) -> Floats:
    """The unit vector along which the endpoint grows fastest, shape [..., 2]."""
    match endpoint:
        case "valence":
            return np.array([1.0, 0.0])
        case "arousal":
            return np.array([0.0, 1.0])
        case "distance":
            away = post - np.array([protocol.target.valence, protocol.target.arousal])
            length = np.hypot(*np.moveaxis(away, -1, 0))[..., None]
            return np.asarray(away / np.maximum(length, _SMALLEST_LENGTH), dtype=float)
        case _:
            return np.nan_to_num(_way(protocol, pre))


def _way(protocol: StudyProtocol, pre: Floats) -> Floats:
    start = pre if protocol.start is None else np.array([protocol.start.valence, protocol.start.arousal])
    way = np.array([protocol.target.valence, protocol.target.arousal]) - start
    length = np.hypot(*np.moveaxis(way, -1, 0))
    return np.asarray(way / np.where(length > _SMALLEST_LENGTH, length, np.nan)[..., None], dtype=float)


def _noise(rng: np.random.Generator, shape: tuple[int, int], sessions: int, share: float) -> Floats:
    own = rng.standard_normal((*shape, sessions, 2))
    if not share:
        return own
    return math.sqrt(share) * rng.standard_normal((*shape, 1, 2)) + math.sqrt(1 - share) * own


def _arm_table(protocol: StudyProtocol) -> Indices:
    """Index of the arm by group and session, shape [n_groups, n_sessions]."""
    names = [arm.arm_id for arm in protocol.arms]
    groups = protocol.allocation.groups
    if protocol.design is Design.CROSSOVER:
        return np.array([[names.index(arm) for arm in group.arm_ids] for group in groups], dtype=np.intp)
    return np.array(
        [[names.index(group.arm_ids[0])] * protocol.session_count for group in groups], dtype=np.intp
    )


def _drop_outs(
    scenario: Scenario, studies: SimulatedStudies, names: list[str], rng: np.random.Generator
) -> Flags:
    missing = studies.missing.copy()
    if scenario.drop_out <= 0:
        return missing
    sessions = missing.shape[2]
    hazard = 1 - (1 - scenario.drop_out) ** (1 / sessions)
    by_arm = np.array([scenario.drop_out_by_arm.get(name, 0.0) for name in names])
    gone = np.zeros(missing.shape[:2], dtype=bool)
    for session in range(sessions):
        logit = math.log(hazard / (1 - hazard)) + scenario.drop_out_by_mood * _worse(
            scenario, studies, session
        )
        logit = logit + by_arm[studies.arm[:, :, session]]
        gone |= rng.random(gone.shape) < 1 / (1 + np.exp(-logit))
        missing[:, :, session] = gone
    return missing


def _worse(scenario: Scenario, studies: SimulatedStudies, session: int) -> Floats:
    """How much worse than others people last reported, in standard deviations, shape [replicates, n].

    Before the first session (in a crossover, before each) that is how far `pre` is from the
    target; later it is the endpoint itself, so that what is missing is so at random given it.
    """
    protocol = studies.protocol
    if session == 0 or protocol.design is Design.CROSSOVER:
        last = endpoint_of(protocol, "distance", studies.pre[:, :, session], studies.pre[:, :, session])
    else:
        before = studies.pre[:, :, session], studies.post[:, :, session - 1]
        sign = 1.0 if scenario.endpoint in ("distance", "arousal") else -1.0
        last = sign * endpoint_of(protocol, scenario.endpoint, *before)
    return np.asarray(
        np.nan_to_num((last - np.nanmean(last)) / max(float(np.nanstd(last)), _SMALLEST_LENGTH))
    )
