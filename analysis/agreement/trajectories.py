"""Whether report and prediction move together within one person's session.

The correlation is that of Bland & Altman (1995), BMJ 310, 446 (repeated-measures correlation): each
session's own means are taken out of both first. Two series that merely drift along the same planned path
correlate that way too (100 % false positives at r = .29 where nothing was shared), so it stands beside
the correlation of what is left when each session's own straight line in time is taken out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from analysis.agreement.group_sums import GroupSums
from analysis.agreement.resampling import Resampling

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

FEWEST_REPORTS: Mapping[bool, int] = {False: 3, True: 4}
"""In one session, raw and detrended: below this a session tells nothing."""


@dataclass(frozen=True)
class Trajectories:
    """Reports with their predictions, session by session.

    Args:
        x, y: shape [n].
        time_s: shape [n], seconds into the session.
        session: shape [n], which person's session each pair is of, 0 to n_sessions − 1.
        design: what is drawn; all sessions of a person are drawn together.
    """

    x: Floats
    y: Floats
    time_s: Floats
    session: Indices
    design: Resampling

    @cached_property
    def sums(self) -> GroupSums:
        """Moments by session: number, x, y, x², y², xy, t, t², xt, yt, with t from its mean."""
        x, y, t = self.x, self.y, (self.time_s - self.time_s.mean()) / max(float(self.time_s.std()), 1e-9)
        moments = (np.ones_like(x), x, y, x**2, y**2, x * y, t, t**2, x * t, y * t)
        return GroupSums(self.session, self.design.clip, moments)

    @cached_property
    def person(self) -> Indices:
        """Each session's participant."""
        owner = np.zeros(self.sums.n_groups, dtype=np.intp)
        owner[self.session] = self.design.person
        return owner

    def n_pairs(self, detrend: bool) -> int:
        """Pairs in sessions with reports enough."""
        return int(np.bincount(self.session)[self.is_used(detrend)].sum())

    def without_trend(self) -> tuple[Floats, Floats]:
        """What is left of x and y, shape [n] each, without each session's straight line in time."""
        counts = np.bincount(self.session).astype(float)

        def centred(values: Floats) -> Floats:
            return np.asarray(values - (np.bincount(self.session, values) / counts)[self.session])

        t = centred(self.time_s)
        stt = np.bincount(self.session, t**2)
        rest = []
        for values in (centred(self.x), centred(self.y)):
            slope = np.divide(
                np.bincount(self.session, values * t), stt, out=np.zeros_like(stt), where=stt > 1e-9
            )
            rest.append(values - slope[self.session] * t)
        return rest[0], rest[1]

    def is_used(self, detrend: bool) -> NDArray[np.bool_]:
        """Which sessions have reports enough."""
        return np.asarray(np.bincount(self.session) >= FEWEST_REPORTS[detrend])

    def r(self, people: Floats, clips: Floats | None, detrend: bool) -> Floats:
        """The pooled correlation within sessions.

        Args:
            people: shape [n_draws, n_people], how often each participant counts.
            clips: shape [n_draws, n_clips], how often each clip counts; None where clips are not drawn.
            detrend: take each session's straight line in time out of both first.

        Returns:
            Shape [n_draws]; NaN where one of the two does not vary within any session.
        """
        n, x, y, x2, y2, xy, t, t2, xt, yt = self.sums.weighted(clips)
        with np.errstate(divide="ignore", invalid="ignore"):
            sxx, syy, sxy = (_about_means(*terms) for terms in ((x2, x, x, n), (y2, y, y, n), (xy, x, y, n)))
            raw_xx, raw_yy = sxx, syy
            if detrend:
                stt, sxt, syt = (
                    _about_means(*terms) for terms in ((t2, t, t, n), (xt, x, t, n), (yt, y, t, n))
                )
                sloped = stt > 1e-9
                sxx = sxx - np.where(sloped, sxt**2 / stt, 0.0)
                syy = syy - np.where(sloped, syt**2 / stt, 0.0)
                sxy = sxy - np.where(sloped, sxt * syt / stt, 0.0)
            weights = np.where(self.is_used(detrend), people[:, self.person], 0.0)
            total_xx, total_yy, total_xy, whole_xx, whole_yy = (
                (weights * part).sum(axis=1) for part in (sxx, syy, sxy, raw_xx, raw_yy)
            )
            # What is left of a straight line is rounding, not variation.
            varied = (total_xx > 1e-12 + 1e-10 * whole_xx) & (total_yy > 1e-12 + 1e-10 * whole_yy)
            return np.asarray(np.where(varied, total_xy / np.sqrt(total_xx * total_yy), np.nan), dtype=float)


def _about_means(product: Floats, one: Floats, other: Floats, n: Floats) -> Floats:
    """Sums of products about the means; 0 for a session no report of which was drawn."""
    return np.where(n > 0, product - one * other / n, 0.0)
