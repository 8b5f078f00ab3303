"""How unlike a collection of generated clips is to one of music with known places, whatever their affect.

Both distances are between musicnn's embeddings of windows of about three seconds.

Fréchet: |μ₁ − μ₂|² + tr(Σ₁ + Σ₂ − 2 (Σ₁Σ₂)^½), the distance of two Gaussians (Dowson & Landau, 1982, J.
Multivar. Anal. 12, 450-455), of embeddings as Kilgour et al. (2019, arXiv:1812.08466) do on VGGish. On
musicnn it is no FAD, and its values compare with no published ones. It is biased upward in small samples, so
N stands beside it, and it is refused where N does not exceed the dimension.

Kernel: MMD², the U-statistic of Gretton et al. (2012, J. Mach. Learn. Res. 13, 723-773, lemma 6) with a
Gaussian kernel whose bandwidth is the median distance in that music, times 100, as the Kernel Audio
Distance (Chung et al., 2025, arXiv:2502.15602). Windows of one clip are not independent: pairs within a clip
are left out, which keeps it unbiased. Around 0, below it too, where the collections are alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import linalg
from scipy.spatial.distance import cdist

from analysis.generator.heard import HeardClip

Floats = NDArray[np.float64]

KERNEL_SCALE = 100.0
"""Of KAD, for legible numbers."""
MOST_WINDOWS = 4000
"""Of one collection; of more, evenly spaced ones are taken, so that the matrix of distances stays small."""


@dataclass(frozen=True)
class Quality:
    """A system's distances from a ceiling.

    Args:
        system, ceiling: the collections.
        frechet: on musicnn embeddings, ≥ 0; None where it is refused.
        kernel: 100 × unbiased MMD²; None where it is not defined.
        n_clips, n_windows: of the system; `n_clips_ceiling`, `n_windows_ceiling`: of the ceiling.
        reason: why a number is missing.
    """

    system: str
    ceiling: str
    frechet: float | None
    kernel: float | None
    n_clips: int
    n_windows: int
    n_clips_ceiling: int
    n_windows_ceiling: int
    reason: str | None = None


@dataclass(frozen=True)
class Windows:
    """Embeddings of a collection.

    Args:
        vectors: shape [n_windows, d].
        clips: shape [n_windows], number of each window's clip.
    """

    vectors: Floats
    clips: NDArray[np.intp]

    @classmethod
    def of(cls, heard: Sequence[HeardClip]) -> Windows:
        """All windows of the clips that have embeddings."""
        mine = [one.embedding for one in heard if one.embedding is not None]
        if not mine:
            return cls(np.zeros((0, 0)), np.zeros(0, dtype=np.intp))
        clips = np.repeat(np.arange(len(mine)), [len(one) for one in mine])
        return cls(np.concatenate(mine).astype(float), clips.astype(np.intp))

    @property
    def n_clips(self) -> int:
        """Number of clips."""
        return len(np.unique(self.clips))

    def thinned(self) -> Windows:
        """At most `MOST_WINDOWS` of them, evenly spaced."""
        if len(self.vectors) <= MOST_WINDOWS:
            return self
        kept = np.linspace(0, len(self.vectors) - 1, MOST_WINDOWS).round().astype(np.intp)
        return Windows(self.vectors[kept], self.clips[kept])


def quality(
    system: str, ceiling: str, generated: Sequence[HeardClip], real: Sequence[HeardClip]
) -> Quality | None:
    """Both distances of a system from a ceiling; None where musicnn did not hear one of them."""
    ours, theirs = Windows.of(generated), Windows.of(real)
    if not len(ours.vectors) or not len(theirs.vectors):
        return None
    n, m, d = len(ours.vectors), len(theirs.vectors), ours.vectors.shape[1]
    reasons = []
    frechet = kernel = None
    if min(n, m) > d:
        frechet = frechet_distance(ours.vectors, theirs.vectors)
    else:
        reasons.append(f"Fréchet: {n} and {m} windows; more than {d} of each are needed")
    if min(ours.n_clips, theirs.n_clips) > 1:
        kernel = kernel_distance(ours, theirs)
    else:
        reasons.append("kernel: two or more clips of each are needed")
    return Quality(
        system, ceiling, frechet, kernel, ours.n_clips, n, theirs.n_clips, m, "; ".join(reasons) or None
    )


def frechet_distance(x: Floats, y: Floats) -> float:
    """Squared Fréchet distance of two Gaussians with the samples' moments (covariances with divisor n − 1).

    Args:
        x, y: shape [n, d] and [m, d], both longer than d.
    """
    shift = x.mean(axis=0) - y.mean(axis=0)
    first, second = np.atleast_2d(np.cov(x, rowvar=False)), np.atleast_2d(np.cov(y, rowvar=False))
    values, vectors = linalg.eigh(first)
    root = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
    # (Σ₁Σ₂)^½ has the trace of (Σ₁^½ Σ₂ Σ₁^½)^½, whose argument is symmetric.
    cross = np.sqrt(np.maximum(linalg.eigvalsh(root @ second @ root), 0.0)).sum()
    return max(float(shift @ shift + np.trace(first) + np.trace(second) - 2 * cross), 0.0)


def kernel_distance(x: Windows, y: Windows) -> float:
    """100 × unbiased MMD² with a Gaussian kernel; pairs of windows of one clip are left out.

    Args:
        x: generated; y: real, whose median distance is the bandwidth. Two or more clips of each.
    """
    x, y = x.thinned(), y.thinned()
    other_x, other_y = (one.clips[:, None] != one.clips[None, :] for one in (x, y))
    apart = cdist(y.vectors, y.vectors, "sqeuclidean")
    bandwidth = float(np.median(np.sqrt(apart[other_y]))) or 1.0

    def mean(squared: Floats, counted: NDArray[np.bool_] | None = None) -> float:
        kernel = np.exp(-squared / (2 * bandwidth**2))
        return float(kernel.mean() if counted is None else kernel[counted].mean())

    within_x = mean(cdist(x.vectors, x.vectors, "sqeuclidean"), other_x)
    between = mean(cdist(x.vectors, y.vectors, "sqeuclidean"))
    return KERNEL_SCALE * (within_x + mean(apart, other_y) - 2 * between)
