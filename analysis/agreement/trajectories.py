"""Whether report and prediction move together within one person's session.

The correlation is that of Bland & Altman (1995), BMJ 310, 446 (repeated-measures correlation): each
session's own means are taken out of both first. Two series that merely drift along the same planned path
correlate that way too (100 % false positives at r = .29 where nothing was shared), so it stands beside
the correlation of what is left when each session's own straight line in time is taken out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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

    def r(self, people: Floats, clips: Floats | None) -> tuple[Floats, Floats]:
        """The pooled correlation within sessions: raw, and without each session's straight line in time.

        Args:
            people: shape [n_people, n_draws], how often each participant counts.
            clips: shape [n_clips, n_draws], how often each clip counts; None where clips are not drawn.

        Returns:
            Two of shape [n_draws]; NaN where one of the two does not vary within any session.
        """
        n, x, y, x2, y2, xy, t, t2, xt, yt = self.sums.weighted(clips)
        weights = people[self.person]
        with np.errstate(divide="ignore", invalid="ignore"):
            raw = [_about_means(*terms) for terms in ((x2, x, x, n), (y2, y, y, n), (xy, x, y, n))]
            stt, sxt, syt = (_about_means(*terms) for terms in ((t2, t, t, n), (xt, x, t, n), (yt, y, t, n)))
            per_stt = np.where(stt > 1e-9, 1 / stt, 0.0)
            rest = [raw[0] - sxt**2 * per_stt, raw[1] - syt**2 * per_stt, raw[2] - sxt * syt * per_stt]
        return self._pooled(weights, raw, raw, False), self._pooled(weights, rest, raw, True)

    def _pooled(
        self, weights: Floats, parts: Sequence[Floats], raw: Sequence[Floats], detrend: bool
    ) -> Floats:
        """The correlation from each session's sums; `raw` are those before a line was taken out."""
        used = np.where(self.is_used(detrend)[:, None], weights, 0.0)
        sxx, syy, sxy = ((used * part).sum(axis=0) for part in parts)
        whole_xx, whole_yy = ((used * part).sum(axis=0) for part in raw[:2])
        # What is left of a straight line is rounding, not variation.
        varied = (sxx > 1e-12 + 1e-10 * whole_xx) & (syy > 1e-12 + 1e-10 * whole_yy)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(np.where(varied, sxy / np.sqrt(sxx * syy), np.nan), dtype=float)


def _about_means(product: Floats, one: Floats, other: Floats, n: Floats) -> Floats:
    """Sums of products about the means; 0 for a session no report of which was drawn."""
    return np.where(n > 0, product - one * other / n, 0.0)
