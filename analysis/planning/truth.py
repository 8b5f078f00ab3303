"""What is true of a scenario: the value its estimand has, and the scenario that has a wanted value.

The scale's ends cut reports off, so that a move of 0.2 is a difference of less
than 0.2. The true difference is therefore computed over a large population of
pairs of people with opposite noise (antithetic draws, the same for every arm),
which is exact where nothing is cut off.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from analysis.planning.simulated_outcomes import Scenario, endpoint_of, respond
from study.errors import OutOfRange
from study.protocol import Design, StudyProtocol

Floats = NDArray[np.float64]

POPULATION = 10_000
"""Pairs of people over whom a true value is computed."""


@dataclass(frozen=True)
class Truth:
    """A true value and how exactly it is known.

    Args:
        value: in the endpoint's unit.
        error: Monte-Carlo standard error.
    """

    value: float
    error: float


def rng_of(protocol: StudyProtocol, what: str) -> np.random.Generator:
    """The generator whose draws are fixed by the protocol and a name."""
    seed = hashlib.sha256(f"{protocol.sha256}/{what}".encode()).digest()
    return np.random.default_rng(int.from_bytes(seed[:16], "big"))


def true_difference(
    protocol: StudyProtocol,
    scenario: Scenario,
    arm_ids: tuple[str, str],
    endpoint: str | None = None,
    pairs: int = POPULATION,
) -> Truth:
    """The mean difference of two arms over everyone, at the last session (crossover: over sessions).

    Args:
        endpoint: which one; None is the scenario's own.
    """
    first, second = (
        _values(protocol, scenario, arm, endpoint or scenario.endpoint, pairs) for arm in arm_ids
    )
    differences = (first - second).mean(axis=0)
    differences = differences[np.isfinite(differences)]
    return Truth(float(differences.mean()), float(differences.std(ddof=1) / np.sqrt(len(differences))))


def true_mean(protocol: StudyProtocol, scenario: Scenario, arm_id: str) -> Truth:
    """The mean of the scenario's endpoint in one arm, over everyone."""
    means = _values(protocol, scenario, arm_id, scenario.endpoint, POPULATION).mean(axis=0)
    means = means[np.isfinite(means)]
    return Truth(float(means.mean()), float(means.std(ddof=1) / np.sqrt(len(means))))


def true_sd(protocol: StudyProtocol, scenario: Scenario, arm_id: str) -> float:
    """The standard deviation of the scenario's endpoint within one arm."""
    return float(np.nanstd(_values(protocol, scenario, arm_id, scenario.endpoint, POPULATION)))


def with_sd(protocol: StudyProtocol, scenario: Scenario, sd: float) -> Scenario:
    """The scenario whose endpoint has this standard deviation in an arm that is not moved.

    Raises:
        OutOfRange: the scale's ends leave no room for it.
    """
    still = replace(scenario, moves={}, spread={})
    arm = protocol.arms[0].arm_id

    def found(post_sd: float) -> float:
        return true_sd(protocol, replace(still, post_sd=post_sd), arm)

    if found(3.0) < sd:
        raise OutOfRange(
            "analysis.planning.sd",
            f"{sd:g} is more than this endpoint can vary between the ends of the scale",
            "write a standard deviation of 0.6 or less",
        )
    return replace(scenario, post_sd=_root(found, sd, 0.01, 3.0))


def with_difference(
    protocol: StudyProtocol, scenario: Scenario, arm_ids: tuple[str, str], difference: float
) -> Scenario:
    """The scenario in which two arms truly differ by this much: half up, half down, others unmoved.

    Raises:
        OutOfRange: the scale's ends leave no room for it.
    """

    def moved(by: float) -> Scenario:
        return replace(scenario, moves=halves(arm_ids, by))

    def found(by: float) -> float:
        return true_difference(protocol, moved(by), arm_ids).value

    if difference == 0:
        return moved(0.0)
    sign = 1.0 if difference > 0 else -1.0
    if sign * found(4 * sign) < abs(difference):
        raise OutOfRange(
            "analysis.planning.difference",
            f"{difference:g} is more than arms can differ between the ends of the scale",
            "write a smaller difference",
        )
    return moved(sign * _root(lambda by: sign * found(sign * by), abs(difference), 0.0, 4.0))


def halves(arm_ids: tuple[str, str], by: float) -> Mapping[str, float]:
    """Moves by which the first arm of a pair goes half up and the second half down."""
    return {arm_ids[0]: by / 2, arm_ids[1]: -by / 2}


def _values(protocol: StudyProtocol, scenario: Scenario, arm_id: str, endpoint: str, pairs: int) -> Floats:
    """The endpoint of pairs of people with opposite noise, shape [2, pairs]; the same people in every arm."""
    rng = rng_of(protocol, "truth")
    mood, noise = rng.standard_normal((2, pairs, 2))
    pre = np.clip(np.array(scenario.pre_mean) + scenario.pre_sd * mood, -1.0, 1.0)
    both = np.stack([noise, -noise])
    sessions = protocol.session_count
    # In a crossover every arm meets every session alike often; drift cancels but for the scale's ends.
    drift = scenario.drift * ((sessions - 1) / (2 if protocol.design is Design.CROSSOVER else 1))
    moves = np.full(both.shape[:-1], scenario.moves.get(arm_id, 0.0) + drift)
    spread = np.full(both.shape[:-1], scenario.spread.get(arm_id, 1.0))
    people = np.broadcast_to(pre, both.shape)
    return endpoint_of(protocol, endpoint, people, respond(protocol, scenario, people, both, moves, spread))


def _root(rising: Callable[[float], float], wanted: float, low: float, high: float) -> float:
    if rising(low) >= wanted:
        return low
    return float(optimize.brentq(lambda value: rising(value) - wanted, low, high, xtol=1e-7))
