"""Sums over the pairs of one person (or one person's session), for a sample and its bootstrap draws.

Every agreement statistic is a function of such sums. A draw's weight of a pair is the product of how
often its participant and its clip were drawn, so the sums come from one small matrix product per
moment, clips × (clip by group), and no array of draws × pairs is ever made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

_DENSE_FILL = 0.2
"""From this share of filled cells on, a dense product is the faster one."""


@dataclass(frozen=True)
class GroupSums:
    """Moments of pairs, summed within groups.

    Args:
        group: shape [n], each pair's group, 0 to n_groups − 1.
        clip: shape [n], each pair's clip; None where clips are not drawn.
        moments: shape [n], one array a moment.
    """

    group: Indices
    clip: Indices | None
    moments: Sequence[Floats]

    @property
    def n_groups(self) -> int:
        """Number of groups."""
        return int(self.group.max()) + 1

    def weighted(self, clips: Floats | None) -> Floats:
        """Sums in every draw.

        Args:
            clips: shape [n_draws, n_clips], how often each clip was drawn; None where clips are not
                drawn, or for the sample itself.

        Returns:
            Shape [n_moments, n_draws, n_groups]; n_draws is 1 for None.
        """
        if clips is None:
            sums = [np.bincount(self.group, moment, self.n_groups) for moment in self.moments]
            return np.array(sums, dtype=float)[:, None, :]
        # Transposed, the product runs along the draws, which lie side by side in memory.
        drawn = np.ascontiguousarray(clips.T)
        return np.stack([np.asarray(table @ drawn).T for table in self._tables])

    @cached_property
    def _tables(self) -> list[Floats] | list[csr_array]:
        if self.clip is None:
            raise ValueError("these groups have no clips to draw")
        shape = (self.n_groups, int(self.clip.max()) + 1)
        sparse = [csr_array((moment, (self.group, self.clip)), shape=shape) for moment in self.moments]
        if len(self.group) >= _DENSE_FILL * shape[0] * shape[1]:
            return [np.asarray(table.toarray(), dtype=float) for table in sparse]
        return sparse
