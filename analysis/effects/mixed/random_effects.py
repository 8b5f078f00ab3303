"""Linear models with random intercepts and slopes, by restricted maximum likelihood.

Each random term gives every unit (a person, or a session of a person) its own deviations from
the fixed effects, with a covariance that is the same for all units. A covariance at the edge
(a variance of zero, a correlation of one) is a maximum like any other and is said.

Sources: Laird & Ware (1982), Biometrics 38, 963-974; Bates, Mächler, Bolker & Walker (2015),
J. Stat. Softw. 67 (1) (Cholesky factors, singular fits).
"""

from __future__ import annotations

from collections.abc import Sequence
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
from analysis.effects.mixed.restricted_likelihood import Block, StandardForm, standard_form
from analysis.result_row import NotEstimable

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

SINGULAR = 1e-4
"""A random standard deviation below this many residual ones is zero (Bates et al. 2015, `isSingular`)."""


@dataclass(frozen=True)
class RandomTerm:
    """Deviations of units from the fixed effects.

    Args:
        name: of the unit, for people.
        unit: shape [n], the unit of each outcome; a unit belongs to one person.
        design: shape [n, q], such as 1 and time.
    """

    name: str
    unit: Indices
    design: Floats


@dataclass(frozen=True)
class RandomEffectsFit:
    """A fitted model.

    Args:
        fit: coefficients and what their uncertainty rests on.
        random_covariances: of each term, shape [q, q], in squared units of the outcome (per unit of
            the design).
        residual_variance: within units.
        singular: names of the terms whose covariance is at the edge.
    """

    fit: RestrictedFit
    random_covariances: tuple[Floats, ...]
    residual_variance: float
    singular: tuple[str, ...]

    @property
    def singular_note(self) -> str | None:
        """What a reader must know of a singular fit; None where it is not."""
        if not self.singular:
            return None
        return (
            f"singular fit: the variance of the random effects of {' and '.join(self.singular)} was "
            "estimated at its edge (zero, or a correlation of one), so errors may be too small"
        )


def fit_random_effects(
    outcome: Floats, person: Indices, design: Floats, terms: Sequence[RandomTerm]
) -> RandomEffectsFit:
    """A linear mixed model with independent residuals.

    Args:
        outcome: shape [n], without missing values.
        person: shape [n]; people are independent.
        design: of the fixed effects, shape [n, p].
        terms: random effects.

    Raises:
        NotEstimable: too few outcomes to tell the random effects from noise, a singular design, or
            no convergence.
    """
    form = standard_form(outcome, design)
    sizes = [term.design.shape[1] for term in terms]
    spans = [np.sqrt((term.design**2).mean(axis=0)) for term in terms]
    scaled = [term.design / span for term, span in zip(terms, spans, strict=True)]
    blocks = _blocks(form.rows, person, [term.unit for term in terms], scaled)
    found = _highest(form, design, blocks, sizes)
    covariances, singular, at = [], [], 0
    residual_sd = abs(float(found.factors[-1]))
    for term, size, span in zip(terms, sizes, spans, strict=True):
        count = size * (size + 1) // 2
        factor = np.zeros((size, size))
        factor[np.tril_indices(size)] = found.factors[at : at + count]
        if float(np.linalg.svd(factor, compute_uv=False)[-1]) < SINGULAR * residual_sd:
            singular.append(term.name)
        covariances.append(matrix_of(found.parameters[at : at + count], size) / np.outer(span, span))
        at += count
    return RandomEffectsFit(found, tuple(covariances), float(found.parameters[-1]), tuple(singular))


def _highest(
    form: StandardForm, design: Floats, blocks: Sequence[Block], sizes: Sequence[int]
) -> RestrictedFit:
    """The higher of the maxima found from small and from large random effects; few people may have both."""
    parts = [cholesky_squares(size) for size in [*sizes, 1]]
    total = sum(len(part) for part in parts)
    squares, at = np.zeros((total, total, total)), 0
    for part in parts:
        span = slice(at, at + len(part))
        squares[span, span, span] = part
        at += len(part)
    triangle = np.array(
        [row == column for size in sizes for row, column in lower_triangle(size)], dtype=float
    )
    found, problems = [], []
    for random_sd, residual_sd in ((0.5, 0.7), (3.0, 0.3)):
        try:
            start = np.append(random_sd * triangle, residual_sd)
            found.append(fit_restricted(form, design, blocks, squares, start))
        except NotEstimable as problem:
            problems.append(problem)
    if not found:
        raise problems[0]
    return min(found, key=lambda fit: fit.deviance)


def _blocks(
    rows: Floats, person: Indices, units: Sequence[Indices], designs: Sequence[Floats]
) -> list[Block]:
    """The likelihood in coordinates in which most outcomes are plain residuals.

    For each person, Q of the QR decomposition of all random columns Z turns the outcomes into as
    many rows as Z has independent columns, with covariance Q'(Σ Z G Z')Q + σ²I, and into rows
    with covariance σ²I that need only be summed.
    """
    width = rows.shape[1]
    grouped: dict[bytes, tuple[Floats, float, Floats]] = {}
    left, left_rows = np.zeros((width, width)), 0
    order = np.argsort(person, kind="stable")
    cuts = np.flatnonzero(np.diff(person[order])) + 1
    turns: dict[bytes, tuple[Floats, Floats]] = {}
    for mine in np.split(order, cuts):
        parts = [
            (np.unique(unit[mine], return_inverse=True)[1], design[mine])
            for unit, design in zip(units, designs, strict=True)
        ]
        key = b"".join(array.tobytes() for part in parts for array in part)
        if key not in turns:
            turns[key] = _turn(parts)
        basis, derivatives = turns[key]
        turned = basis.T @ rows[mine]
        left += rows[mine].T @ rows[mine] - turned.T @ turned
        left_rows += len(mine) - basis.shape[1]
        k = basis.shape[1]
        flat = turned.ravel()
        products = np.outer(flat, flat).reshape(k, width, k, width).transpose(0, 2, 1, 3)
        if key in grouped:
            _, count, sums = grouped[key]
            grouped[key] = (derivatives, count + 1, sums + products)
        else:
            grouped[key] = (derivatives, 1.0, products)
    if left_rows < 1:
        raise NotEstimable("nobody has enough outcomes to tell their random effects from noise")
    by_size: dict[int, list[tuple[Floats, float, Floats]]] = {}
    for entry in grouped.values():
        by_size.setdefault(entry[0].shape[-1], []).append(entry)
    plain = np.zeros((1, len(next(iter(grouped.values()))[0]), 1, 1))
    plain[0, -1] = 1.0
    return [
        *(
            Block(
                np.stack([entry[0] for entry in entries]),
                np.array([entry[1] for entry in entries]),
                np.stack([entry[2] for entry in entries]),
            )
            for entries in by_size.values()
        ),
        Block(plain, np.array([float(left_rows)]), left[None, None, None]),
    ]


def _turn(parts: Sequence[tuple[Indices, Floats]]) -> tuple[Floats, Floats]:
    """Q of one person's random columns, shape [n, k], and Q' dV/dθ_j Q, shape [q, k, k]."""
    columns, derivatives = [], []
    for unit, design in parts:
        own = [np.where((unit == one)[:, None], design, 0.0) for one in range(int(unit.max()) + 1)]
        columns += own
        for row, column in lower_triangle(design.shape[1]):
            outer = np.zeros((len(unit), len(unit)))
            for z in own:
                outer += np.outer(z[:, row], z[:, column])
            derivatives.append(outer if row == column else outer + outer.T)
    left, values, _ = np.linalg.svd(np.column_stack(columns), full_matrices=False)
    basis = left[:, values > 1e-10 * float(values[0])]
    turned = [basis.T @ matrix @ basis for matrix in derivatives]
    return basis, np.stack([*turned, np.eye(basis.shape[1])])
