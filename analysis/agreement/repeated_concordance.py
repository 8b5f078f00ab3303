"""Concordance where every person is measured at the same several occasions.

King, Chinchilli & Carrasco (2007), Stat. Med. 26, 3095-3113, with equal weights (D = I): at each
occasion people are compared with each other, so that a course over time that everybody shares counts
neither for nor against agreement; one minus the squared disagreement, over what it would be if the two
were independent, both summed over occasions. With one occasion it is Lin's coefficient. Where
reports are missing, an occasion counts as much as the pairs it has.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from analysis.agreement.resampling import Resampling

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]


@dataclass(frozen=True)
class Occasions:
    """Pairs by the occasion of the study they were measured at.

    Args:
        x, y: shape [n].
        occasion: shape [n].
        design: what is drawn.
    """

    x: Floats
    y: Floats
    occasion: Indices
    design: Resampling

    @cached_property
    def members(self) -> tuple[Indices, ...]:
        """The pairs of each occasion that 2 or more people were measured at."""
        order = np.argsort(self.occasion, kind="stable")
        edges = np.flatnonzero(np.diff(self.occasion[order])) + 1
        found = (np.asarray(group, dtype=np.intp) for group in np.split(order, edges))
        return tuple(group for group in found if len(np.unique(self.design.person[group])) > 1)

    @property
    def n_pairs(self) -> int:
        """Number of pairs compared."""
        return sum(len(group) for group in self.members)

    def concordance(self, people: Floats, clips: Floats | None) -> Floats:
        """The coefficient in every draw.

        Args:
            people: shape [n_people, n_draws], how often each participant counts.
            clips: shape [n_clips, n_draws], how often each clip counts; None where clips are not drawn.

        Returns:
            Shape [n_draws]; NaN where one of the two is the same for everyone at each occasion.
        """
        agreed, possible, least = (np.zeros(people.shape[1]) for _ in range(3))
        for group in self.members:
            weights = people[self.design.person[group]]
            if clips is not None and self.design.clip is not None:
                weights = weights * clips[self.design.clip[group]]
            x, y = self.x[group], self.y[group]
            moments = np.stack([np.ones_like(x), x, y, x**2, y**2, x * y])
            n, sum_x, sum_y, sum_xx, sum_yy, sum_xy = np.einsum("mn,nd->md", moments, weights)
            with np.errstate(divide="ignore", invalid="ignore"):
                sxx, syy, sxy, shift = (
                    np.where(n > 0, term, 0.0)
                    for term in (
                        sum_xx - sum_x**2 / n,
                        sum_yy - sum_y**2 / n,
                        sum_xy - sum_x * sum_y / n,
                        (sum_x - sum_y) ** 2 / n,
                    )
                )
            agreed += 2 * sxy
            possible += sxx + syy + shift
            least += np.minimum(sxx, syy)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(np.where(least > 1e-12, agreed / possible, np.nan), dtype=float)
