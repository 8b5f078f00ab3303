"""The maximum of a restricted likelihood, by Newton-Raphson on Cholesky factors.

The covariance parameters are θ_j = φ' K_j φ with known K_j: φ holds the entries of Cholesky
factors (and the residual standard deviation), so that covariances stay positive semi-definite
and a variance may reach zero without a bound.

Source: Lindstrom & Bates (1988), J. Am. Stat. Assoc. 83, 1014-1022.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.effects.mixed.restricted_likelihood import Block, Evaluation, StandardForm, evaluate
from analysis.result_row import NotEstimable

Floats = NDArray[np.float64]

MOST_STEPS = 200
DECREMENT = 1e-6
"""A fit has converged where Newton's step promises less than this of the deviance."""


@dataclass(frozen=True)
class RestrictedFit:
    """A model at its maximum.

    Args:
        coefficients: shape [p].
        covariance: of the coefficients, shape [p, p].
        covariance_gradient: d covariance / dφ, shape [f, p, p].
        hessian: of the deviance in φ, shape [f, f].
        parameters: θ, shape [q], in squared units of the outcome.
        factors: φ, shape [f], in residual standard deviations.
        deviance: −2 restricted log-likelihood, with its constant (n − p) log 2π.
        steps: taken until it converged.
        fitted: X × coefficients, shape [n].
    """

    coefficients: Floats
    covariance: Floats
    covariance_gradient: Floats
    hessian: Floats
    parameters: Floats
    factors: Floats
    deviance: float
    steps: int
    fitted: Floats


def fit_restricted(
    form: StandardForm, design: Floats, blocks: Sequence[Block], squares: Floats, start: Floats
) -> RestrictedFit:
    """The maximum of the restricted likelihood, by Newton-Raphson with exact derivatives.

    Args:
        form: of the regression; `blocks` hold the products of its rows.
        design: as given to `standard_form`.
        squares: K, shape [q, f, f].
        start: φ to begin with, shape [f], in units of `form.scale`.

    Raises:
        NotEstimable: it does not converge, or the covariance becomes singular on the way.
    """
    factors = start.copy()
    at = evaluate(_parameters(factors, squares), blocks)
    if at is None:
        raise NotEstimable("the covariance is singular in this sample")
    for step in range(1, MOST_STEPS + 1):
        gradient, hessian = _in_factors(at, factors, squares)
        direction, promised = _newton_direction(gradient, hessian)
        if promised < DECREMENT:
            escape = _downhill(hessian)
            if escape is not None:
                factors = factors + escape
                at = evaluate(_parameters(factors, squares), blocks) or at
                continue
            return _in_given_units(form, design, *_polished(factors, at, blocks, squares), squares, step)
        length = 1.0
        while length > 1e-10:
            tried = factors + length * direction
            found = evaluate(_parameters(tried, squares), blocks)
            if found is not None and found.deviance < at.deviance - 1e-4 * length * promised:
                break
            length /= 2
        else:
            raise NotEstimable(
                "the restricted likelihood has no maximum: the covariance becomes singular in this sample "
                "(too few people, or outcomes that repeat each other)"
            )
        factors, at = tried, found
    raise NotEstimable(f"the restricted likelihood did not converge in {MOST_STEPS} steps")


def cholesky_squares(size: int) -> Floats:
    """K of a covariance matrix L L', shape [q, q, q]; parameters are its lower triangle, row by row."""
    index = {pair: number for number, pair in enumerate(lower_triangle(size))}
    squares = np.zeros((len(index), len(index), len(index)))
    for (row, column), number in index.items():
        for middle in range(column + 1):
            first, second = index[row, middle], index[column, middle]
            squares[number, first, second] += 0.5
            squares[number, second, first] += 0.5
    return squares


def lower_triangle(size: int) -> list[tuple[int, int]]:
    """Row and column of each entry of a lower triangle, row by row."""
    return [(row, column) for row in range(size) for column in range(row + 1)]


def matrix_of(entries: Floats, size: int) -> Floats:
    """The symmetric matrix whose lower triangle these are, row by row."""
    matrix = np.zeros((size, size))
    for value, (row, column) in zip(entries, lower_triangle(size), strict=True):
        matrix[row, column] = matrix[column, row] = value
    return matrix


def _parameters(factors: Floats, squares: Floats) -> Floats:
    parameters: Floats = np.einsum("jab,a,b->j", squares, factors, factors)
    return parameters


def _in_factors(at: Evaluation, factors: Floats, squares: Floats) -> tuple[Floats, Floats]:
    jacobian = 2 * squares @ factors
    bend = 2 * np.einsum("j,jab->ab", at.gradient, squares)
    return jacobian.T @ at.gradient, jacobian.T @ at.hessian @ jacobian + bend


def _newton_direction(gradient: Floats, hessian: Floats) -> tuple[Floats, float]:
    """A direction of descent, and what a quadratic with its curvature turned upward promises of it."""
    values, vectors = np.linalg.eigh(hessian)
    steep = np.maximum(np.abs(values), 1e-8 * max(1.0, float(np.abs(values).max())))
    along = vectors.T @ gradient
    return -vectors @ (along / steep), float((along**2 / steep).sum()) / 2


def _polished(
    factors: Floats, at: Evaluation, blocks: Sequence[Block], squares: Floats
) -> tuple[Floats, Evaluation]:
    """Two more whole steps; near a maximum each squares what is left of the error."""
    for _ in range(2):
        direction, _ = _newton_direction(*_in_factors(at, factors, squares))
        found = evaluate(_parameters(factors + direction, squares), blocks)
        if found is None or found.deviance > at.deviance + 1e-9 * max(1.0, abs(at.deviance)):
            break
        factors, at = factors + direction, found
    return factors, at


def _downhill(hessian: Floats) -> Floats | None:
    """A step off a saddle, where a factor of zero hides that its variance should be above zero."""
    values, vectors = np.linalg.eigh(hessian)
    if values[0] >= -1e-6 * max(1.0, float(np.abs(values).max())):
        return None
    return 0.1 * vectors[:, 0]


def _in_given_units(
    form: StandardForm,
    design: Floats,
    factors: Floats,
    at: Evaluation,
    squares: Floats,
    steps: int,
) -> RestrictedFit:
    n, p = design.shape
    _, hessian = _in_factors(at, factors, squares)
    back = np.linalg.inv(form.triangle)
    jacobian = 2 * squares @ factors
    turned = np.einsum("pr,jrs,st->jpt", at.inverse, at.weights, at.inverse)
    gradient = form.scale**2 * np.einsum("pr,jrs,ts->jpt", back, turned, back)
    coefficients = form.ordinary + form.scale * back @ at.coefficients
    constant = (n - p) * math.log(2 * math.pi * form.scale**2)
    return RestrictedFit(
        coefficients,
        form.scale**2 * back @ at.inverse @ back.T,
        np.einsum("jf,jpt->fpt", jacobian, gradient),
        hessian,
        form.scale**2 * _parameters(factors, squares),
        factors,
        at.deviance + constant + 2 * float(np.log(np.abs(np.diagonal(form.triangle))).sum()),
        steps,
        design @ coefficients,
    )
