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
            clips: shape [n_clips, n_draws], how often each clip was drawn; None where clips are not
                drawn, or for the sample itself.

        Returns:
            Shape [n_moments, n_groups, n_draws]; n_draws is 1 for None.
        """
        if clips is None:
            sums = [np.bincount(self.group, moment, self.n_groups) for moment in self.moments]
            return np.array(sums, dtype=float)[:, :, None]
        return np.asarray(self._table @ clips).reshape(len(self.moments), self.n_groups, -1)

    @cached_property
    def _table(self) -> csr_array:
        """Moments of each group and clip, shape [n_moments × n_groups, n_clips]."""
        if self.clip is None:
            raise ValueError("these groups have no clips to draw")
        count, n_clips = len(self.moments), int(self.clip.max()) + 1
        rows = np.concatenate([self.group + place * self.n_groups for place in range(count)])
        # Sparse even where most cells are full: nearly as fast as a dense product on one core, and
        # without its threads, which wait in a busy loop for each other in products this small.
        return csr_array(
            (np.concatenate(self.moments), (rows, np.tile(self.clip, count))),
            shape=(count * self.n_groups, n_clips),
        )
