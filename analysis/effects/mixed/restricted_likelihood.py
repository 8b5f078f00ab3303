"""The restricted likelihood of a linear model whose covariance is linear in its parameters.

V of each person is Σ_j θ_j D_j with known D_j, so every derivative is exact. People with the
same D_j share their inverse and enter by their sums of products: the likelihood takes as long
for ten thousand as for ten.

Sources: Patterson & Thompson (1971), Biometrika 58, 545-554; Gilmour, Thompson & Cullis (1995),
Biometrics 51, 1440-1450 (the derivatives).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.result_row import NotEstimable

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Block:
    """People whose outcomes have covariances of one size.

    Args:
        derivatives: shape [g, q, k, k]: dV/dθ of each pattern of k outcomes.
        count: shape [g], people of each pattern.
        products: shape [g, k, k, p + 1, p + 1]: sums over people of the outer product of their
            rows a and b of (design, outcome).
    """

    derivatives: Floats
    count: Floats
    products: Floats


@dataclass(frozen=True)
class StandardForm:
    """A regression in units that are numerically kind: orthonormal columns, outcome of unit spread.

    Args:
        rows: shape [n, p + 1]: orthonormal design, then least-squares residuals in `scale`.
        triangle: R of the design's QR decomposition.
        ordinary: least-squares coefficients in the units given.
        scale: residual standard deviation of least squares.
    """

    rows: Floats
    triangle: Floats
    ordinary: Floats
    scale: float


def standard_form(outcome: Floats, design: Floats) -> StandardForm:
    """Least squares first.

    Args:
        outcome: shape [n], without missing values; design: shape [n, p].

    Raises:
        NotEstimable: too few outcomes, a singular design, or an outcome that does not vary.
    """
    n, p = design.shape
    if n - p < 1:
        raise NotEstimable(f"{n} outcome(s) for {p} coefficients: too few to estimate")
    norms = np.linalg.norm(design, axis=0)
    if int(np.linalg.matrix_rank(design / np.where(norms > 0, norms, 1.0))) < p:
        raise NotEstimable("covariates repeat each other or the arms in this sample (singular design)")
    q, triangle = np.linalg.qr(design)
    projected = q.T @ outcome
    residuals = outcome - q @ projected
    scale = math.sqrt(float(residuals @ residuals) / (n - p))
    if not scale > 1e-10 * max(1.0, float(np.abs(outcome).max())):
        raise NotEstimable("the outcome does not vary within arms, so no interval can be given")
    return StandardForm(
        np.column_stack([q, residuals / scale]), triangle, np.linalg.solve(triangle, projected), scale
    )


@dataclass(frozen=True)
class Evaluation:
    """The deviance and its derivatives in θ, in the units of the standard form.

    Args:
        gradient: shape [q]; hessian: shape [q, q].
        coefficients: shape [p]; inverse: (X'V⁻¹X)⁻¹, shape [p, p].
        weights: X'V⁻¹D_jV⁻¹X, shape [q, p, p].
    """

    deviance: float
    gradient: Floats
    hessian: Floats
    coefficients: Floats
    inverse: Floats
    weights: Floats


def evaluate(parameters: Floats, blocks: Sequence[Block]) -> Evaluation | None:
    """Deviance (without its constant) and exact derivatives at θ; None where V is not positive definite."""
    size = blocks[0].products.shape[-1]
    inverses, log_determinants = [], 0.0
    cross = np.zeros((size, size))
    for block in blocks:
        covariance = np.einsum("q,gqab->gab", parameters, block.derivatives)
        try:
            roots = np.linalg.cholesky(covariance)
        except np.linalg.LinAlgError:
            return None
        diagonals = np.diagonal(roots, axis1=1, axis2=2)
        log_determinants += float(block.count @ (2 * np.log(diagonals).sum(axis=1)))
        inverse = np.linalg.inv(covariance)
        inverses.append(inverse)
        cross += (inverse.ravel() @ block.products.reshape(-1, size * size)).reshape(size, size)
    try:
        root = np.linalg.cholesky(cross[:-1, :-1])
    except np.linalg.LinAlgError:
        return None
    c = np.asarray(np.linalg.inv(cross[:-1, :-1]), dtype=float)
    coefficients = c @ cross[:-1, -1]
    residual = np.append(-coefficients, 1.0)
    deviance = (
        log_determinants + 2 * float(np.log(np.diagonal(root)).sum()) + float(residual @ cross @ residual)
    )
    padded = np.zeros((size, size))
    padded[:-1, :-1] = c
    outer = np.outer(residual, residual)
    q = len(parameters)
    weights, traces, curvature = np.zeros((q, size, size)), np.zeros(q), np.zeros((q, q))
    for block, w in zip(blocks, inverses, strict=True):
        flat = block.products.reshape(-1, size * size)
        shape = block.products.shape[:3]
        spread = w @ (flat @ padded.ravel()).reshape(shape) @ w
        fit = w @ (flat @ outer.ravel()).reshape(shape) @ w
        kernel = 2 * (spread + fit) - block.count[:, None, None] * w
        dw = block.derivatives @ w[:, None]
        dk = block.derivatives @ kernel[:, None]
        wdw = w[:, None] @ dw
        weights += (np.moveaxis(wdw, 1, 0).reshape(q, -1) @ flat).reshape(q, size, size)
        traces += np.einsum("g,gqaa->q", block.count, dw)
        curvature += np.moveaxis(dw, 1, 0).reshape(q, -1) @ (
            np.moveaxis(dk, 1, 0).swapaxes(-1, -2).reshape(q, -1).T
        )
    inner = weights[:, :-1, :-1]
    turned = c @ inner
    pulls = weights[:, :-1] @ residual
    gradient = traces - np.einsum("jpp->j", turned) - np.einsum("p,jpq,q->j", residual, weights, residual)
    hessian = curvature - np.einsum("jpr,krp->jk", turned, turned) - 2 * pulls @ c @ pulls.T
    return Evaluation(deviance, gradient, (hessian + hessian.T) / 2, coefficients, c, inner)
