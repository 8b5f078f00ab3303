"""The mixed model of repeated measures: a linear model of all visits, their covariance unstructured.

Nobody is left out for a visit that is missing, and none is filled in: each person enters with
the visits they have, which is valid where what is missing depends on what was observed
(missing at random). No other covariance is tried where this one cannot be had.

Sources: Mallinckrodt, Lane, Schnell, Peng & Mancuso (2008), Drug Inf. J. 42, 303-319; Jennrich
& Schluchter (1986), Biometrics 42, 805-820.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.effects.mixed.restricted_fit import (
    RestrictedFit,
    cholesky_squares,
    fit_restricted,
    lower_triangle,
    matrix_of,
)
from analysis.effects.mixed.restricted_likelihood import Block, standard_form
from analysis.result_row import NotEstimable

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

SINGULAR = 1e-8
"""Smallest eigenvalue of the visits' correlation matrix that is taken for a covariance."""


@dataclass(frozen=True)
class RepeatedFit:
    """A fitted model of repeated measures.

    Args:
        fit: coefficients and what their uncertainty rests on.
        visit_covariance: between the visits of one person, shape [visits, visits], in squared
            units of the outcome.
    """

    fit: RestrictedFit
    visit_covariance: Floats


def fit_mmrm(outcome: Floats, person: Indices, visit: Indices, design: Floats) -> RepeatedFit:
    """A linear model of every outcome there is, by restricted maximum likelihood.

    Args:
        outcome: shape [n], without missing values.
        person: shape [n], any numbers.
        visit: shape [n], from 0 without gaps; a person has each visit at most once.
        design: shape [n, p].

    Raises:
        NotEstimable: too few people, two visits that nobody made both, a singular design or
            covariance, or no convergence.
    """
    form = standard_form(outcome, design)
    people, rows_of = np.unique(person, return_inverse=True)
    visits = int(visit.max()) + 1
    there = np.zeros((len(people), visits), dtype=bool)
    there[rows_of, visit] = True
    _check_pairs(there)
    dense = np.zeros((len(people), visits, form.rows.shape[1]))
    dense[rows_of, visit] = form.rows
    residuals = np.zeros(visits)
    for number in range(visits):
        own = form.rows[visit == number, -1]
        residuals[number] = np.sqrt(np.mean(own**2))
    if not (residuals > 1e-8).all():
        raise NotEstimable("the outcome does not vary within arms at one of the sessions")
    start = np.array([residuals[row] if row == column else 0.0 for row, column in lower_triangle(visits)])
    found = fit_restricted(form, design, _blocks(dense, there), cholesky_squares(visits), start)
    covariance = matrix_of(found.parameters, visits)
    spread = np.sqrt(np.diagonal(covariance))
    if float(np.linalg.eigvalsh(covariance / np.outer(spread, spread))[0]) < SINGULAR:
        raise NotEstimable("the covariance of the sessions is singular in this sample")
    return RepeatedFit(found, covariance)


def _check_pairs(there: NDArray[np.bool_]) -> None:
    together = there.astype(np.intp).T @ there
    first, second = np.nonzero(together < 2)
    if len(first):
        raise NotEstimable(
            "the covariance of two sessions needs 2 or more people who have the outcome of both "
            f"(sessions {first[0] + 1} and {second[0] + 1} have {together[first[0], second[0]]})"
        )


def _blocks(dense: Floats, there: NDArray[np.bool_]) -> list[Block]:
    """One block for each number of visits made; in it, a pattern for each set of visits."""
    patterns, pattern_of = np.unique(there, axis=0, return_inverse=True)
    units = _unit_matrices(there.shape[1])
    by_size: dict[int, list[tuple[Floats, float, Floats]]] = {}
    for number, pattern in enumerate(patterns):
        made = np.flatnonzero(pattern)
        rows = dense[pattern_of.ravel() == number][:, made]
        m, k, p = rows.shape
        flat = rows.reshape(m, k * p)
        products = (flat.T @ flat).reshape(k, p, k, p).transpose(0, 2, 1, 3)
        by_size.setdefault(k, []).append((units[:, made][:, :, made], float(m), products))
    return [
        Block(
            np.stack([unit for unit, _, _ in group]),
            np.array([count for _, count, _ in group]),
            np.ascontiguousarray(np.stack([products for _, _, products in group])),
        )
        for group in by_size.values()
    ]


def _unit_matrices(size: int) -> Floats:
    """dΣ/dθ of an unstructured Σ: a one (and its mirror image) for each entry of the lower triangle."""
    matrices = np.zeros((size * (size + 1) // 2, size, size))
    for number, (row, column) in enumerate(lower_triangle(size)):
        matrices[number, row, column] = matrices[number, column, row] = 1.0
    return matrices
