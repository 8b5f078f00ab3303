"""Group-sequential boundaries: how large a difference must be at each look at the arms.

Two-sided and symmetric. Under no difference the statistics z_1, z_2, … at information
t_1 < t_2 < … are normal with correlation √(t_j/t_k); B_k = z_k √t_k then has independent
increments. The chance of first crossing at each look is integrated over B by the recursion
of Armitage, McPherson & Rowe (1969, J. R. Stat. Soc. A 132, 235-244) with Gauss-Legendre
nodes (Jennison & Turnbull, 2000, Group Sequential Methods, ch. 19).

- ``obrien_fleming``: z_k = C / √t_k (O'Brien & Fleming, 1979, Biometrics 35, 549-556).
- ``pocock``: z_k = C (Pocock, 1977, Biometrika 64, 191-199).
- ``lan_demets_obrien_fleming``, ``lan_demets_pocock``: alpha spent as a function of the
  information actually reached (Lan & DeMets, 1983, Biometrika 70, 659-663), for any
  spacing and number of looks: 4 − 4 Φ(z_{α/4} / √t), which is 2 − 2 Φ(z_{α/4} / √t) on
  each side, and α ln(1 + (e − 1) t).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from scipy.optimize import brentq

from analysis.result_row import NotEstimable

Floats = NDArray[np.float64]

FIXED = ("obrien_fleming", "pocock")
"""Boundaries that hold for the looks as planned; the others follow the information reached."""

_FARTHEST_Z = 8.0
"""Beyond it lies less than 1e-14 of a normal distribution."""
_MOST_NODES = 1000


@dataclass(frozen=True)
class Boundary:
    """What one look is held against.

    Args:
        information: share of the planned information at the look.
        z: the look crosses where its statistic lies at or beyond ±z.
        nominal_p: the two-sided p-value of z.
        alpha_spent: chance, under no difference, of having crossed by this look.
    """

    information: float
    z: float
    nominal_p: float
    alpha_spent: float


def boundaries(
    spending: str, information: Sequence[float], alpha: float, is_final: bool = True
) -> tuple[Boundary, ...]:
    """The boundary of each look.

    Args:
        spending: see the module.
        information: at each look, above 0, ascending; above 1 where more was gathered than planned.
        alpha: two-sided level of all looks together, above 0 and below 1.
        is_final: the last look spends whatever is left of alpha, however much information there is.

    Raises:
        NotEstimable: information does not ascend.
    """
    if not information or any(
        later - earlier <= 1e-9 for earlier, later in zip((0.0, *information), information, strict=False)
    ):
        raise NotEstimable("information must grow from look to look")
    if spending in FIXED:
        shape = [1 / math.sqrt(t) if spending == "obrien_fleming" else 1.0 for t in information]
        return _of_shape(shape, information, alpha)
    spent = [spent_by(spending, t, alpha) for t in information]
    if is_final:
        spent[-1] = alpha
    return _spending(spent, information)


def spent_by(spending: str, information: float, alpha: float) -> float:
    """Alpha that a spending function allows by this information; all of it from 1 on."""
    t = min(information, 1.0)
    if spending == "lan_demets_pocock":
        return alpha * math.log(1 + (math.e - 1) * t)
    return 4 * float(stats.norm.sf(stats.norm.isf(alpha / 4) / math.sqrt(t)))


def crossing_chances(z: Sequence[float], information: Sequence[float]) -> Floats:
    """Chance of first crossing at each look under no difference, shape [n looks].

    Args:
        z: boundary of each look, above 0.
        information: at each look, ascending.
    """
    inside, found = _Inside(_nodes_for(information)), []
    for bound, t in zip(z, information, strict=True):
        found.append(inside.crossing(bound, t))
        inside.step(bound, t)
    return np.array(found)


def sequential_p(
    spending: str,
    information: Sequence[float],
    z: Sequence[float | None],
    is_final: bool = True,
) -> float:
    """The smallest overall alpha at which one of the looks would have crossed.

    It is at most alpha exactly where the looks crossed at level alpha, so that procedures for
    several tests may use it as they use a p-value (Maurer & Bretz, 2013, Stat. Biopharm. Res. 5,
    311-320).

    Args:
        z: the statistic of each look; None where there was none, or it must not count.
    """
    counted = [index for index, value in enumerate(z) if value is not None]
    sizes = {index: abs(z[index] or 0.0) for index in counted}
    if not sizes:
        return 1.0

    def excess(log_alpha: float) -> float:
        found = boundaries(spending, information, math.exp(log_alpha), is_final)
        return max(size - found[index].z for index, size in sizes.items())

    low, high = math.log(1e-12), math.log(0.9999)
    if excess(low) >= 0:
        return 1e-12
    if excess(high) <= 0:
        return 1.0
    return math.exp(float(brentq(excess, low, high, xtol=1e-7)))


def _of_shape(shape: Sequence[float], information: Sequence[float], alpha: float) -> tuple[Boundary, ...]:
    """Boundaries C × shape, C such that all looks together cross with chance alpha."""

    def excess(scale: float) -> float:
        return float(crossing_chances([scale * factor for factor in shape], information).sum()) - alpha

    # One look alone needs at least this; all looks crossed apart, at most the other.
    low = float(stats.norm.isf(alpha / 2)) * min(1.0, 1 / max(shape)) * 0.5
    high = float(stats.norm.isf(alpha / 2 / len(shape))) / min(shape) + 0.5
    scale = float(brentq(excess, max(low, 1e-9), high, xtol=1e-10))
    z = [scale * factor for factor in shape]
    return _with_chances(z, information, np.cumsum(crossing_chances(z, information)))


def _spending(spent: Sequence[float], information: Sequence[float]) -> tuple[Boundary, ...]:
    """Boundaries that cross for the first time with the chance newly spent at each look."""
    inside, z, before = _Inside(_nodes_for(information)), [], 0.0
    for t, total in zip(information, spent, strict=True):
        z.append(_bound(inside, t, total - before))
        inside.step(z[-1], t)
        before = total
    return _with_chances(z, information, np.asarray(spent, dtype=float))


def _bound(inside: _Inside, t: float, chance: float) -> float:
    def excess(z: float) -> float:
        return inside.crossing(z, t) - chance

    if excess(_FARTHEST_Z) >= 0:
        return _FARTHEST_Z
    return float(brentq(excess, 1e-9, _FARTHEST_Z, xtol=1e-10))


def _with_chances(z: Sequence[float], information: Sequence[float], spent: Floats) -> tuple[Boundary, ...]:
    return tuple(
        Boundary(t, bound, 2 * float(stats.norm.sf(bound)), float(total))
        for t, bound, total in zip(information, z, spent, strict=True)
    )


class _Inside:
    """The density of B among paths that have not crossed yet, at Gauss-Legendre nodes."""

    def __init__(self, n_nodes: int) -> None:
        self._n_nodes = n_nodes
        self._t = 0.0
        self._at: Floats = np.zeros(1)
        self._mass: Floats = np.ones(1)

    def crossing(self, z: float, t: float) -> float:
        """Chance that B first lies at or beyond ±z √t at information t."""
        step, edge = math.sqrt(t - self._t), z * math.sqrt(t)
        beyond = stats.norm.sf((edge - self._at) / step) + stats.norm.cdf((-edge - self._at) / step)
        return float(self._mass @ beyond)

    def step(self, z: float, t: float) -> None:
        """Go on to information t, without the paths that crossed there."""
        step, edge = math.sqrt(t - self._t), min(z, _FARTHEST_Z) * math.sqrt(t)
        nodes, weights = _gauss_legendre(self._n_nodes)
        at = nodes * edge
        moves = (at[:, None] - self._at[None, :]) / step
        density = np.exp(-0.5 * moves**2) / (math.sqrt(2 * math.pi) * step)
        self._mass = weights * edge * (density @ self._mass)
        self._at, self._t = at, t


def _nodes_for(information: Sequence[float]) -> int:
    """Nodes close enough to see the shortest step between two looks."""
    shortest = min(later - earlier for earlier, later in zip((0.0, *information), information, strict=False))
    return int(min(_MOST_NODES, max(96, math.ceil(30 * math.sqrt(max(information) / shortest)))))


@lru_cache(maxsize=8)
def _gauss_legendre(n: int) -> tuple[Floats, Floats]:
    nodes, weights = np.polynomial.legendre.leggauss(n)
    return nodes, weights
