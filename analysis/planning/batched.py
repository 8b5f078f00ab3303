"""The protocol's primary model fitted to many simulated studies at once.

The very formulas of `analysis.effects.linear_model` (HC3 errors in parallel
designs; classical within-person errors in crossovers, where sweeping out each
person's mean is the same as an effect for each person: Frisch & Waugh 1933,
Lovell 1963), written for a stack of studies. A study in which a covariate does
not vary, a design is singular or one person alone decides a coefficient is left
to `estimate_endpoint` itself, and so is every model that has no such form.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from analysis.chosen_model import estimate_endpoint
from analysis.planning.simulated_outcomes import Flags, SimulatedStudies
from study.analysis_plan import Model
from study.protocol import Design, StudyProtocol

Floats = NDArray[np.float64]

_CONDITION = 1e8
_LEVERAGE = 1 - 1e-8


@dataclass(frozen=True)
class Estimates:
    """The contrasts of many studies; NaN where one was not estimable.

    Args:
        value, se, df: shape [replicates, n_contrasts].
        analysed: outcomes in the model (persons; in a crossover, periods), shape [replicates].
    """

    value: Floats
    se: Floats
    df: Floats
    analysed: Floats

    @property
    def p_value(self) -> Floats:
        """Two-sided, against 0."""
        return np.asarray(2 * stats.t.sf(np.abs(self.value / self.se), self.df), dtype=float)

    def interval(self, level: float = 0.95) -> tuple[Floats, Floats]:
        """Limits with a t reference."""
        half = stats.t.ppf(0.5 + level / 2, self.df) * self.se
        return self.value - half, self.value + half


def has_batched_form(protocol: StudyProtocol) -> bool:
    """Whether the protocol's model can be fitted to a stack of studies."""
    analysis = protocol.analysis
    match analysis.model:
        case Model.ANCOVA:
            return analysis.missing.method == "complete_cases"
        case Model.WITHIN_PERSON:
            return True
        case _:
            return False


def estimate_studies(studies: SimulatedStudies, endpoint: str) -> Estimates:
    """Every contrast of every study, by the protocol's own model.

    Args:
        endpoint: a key of `ENDPOINTS`.
    """
    if not has_batched_form(studies.protocol):
        return estimate_one_by_one(studies, endpoint, range(studies.replicates))
    crossover = studies.protocol.design is Design.CROSSOVER
    found, done = (_within_person if crossover else _covariance)(studies, endpoint)
    left = [int(index) for index in np.flatnonzero(~done)]
    if left:
        slow = estimate_one_by_one(studies, endpoint, left)
        for name in ("value", "se", "df", "analysed"):
            getattr(found, name)[left] = getattr(slow, name)
    return found


def estimate_one_by_one(studies: SimulatedStudies, endpoint: str, replicates: Sequence[int]) -> Estimates:
    """The same by `estimate_endpoint`, study by study."""
    values, errors, dfs, analysed = [], [], [], []
    for replicate in replicates:
        outcomes, visits = studies.outcomes(replicate), studies.visits(replicate)
        effects = estimate_endpoint(studies.protocol_of(replicate), outcomes, visits, endpoint)
        values.append([_number(row.estimate) for row in effects.contrasts])
        errors.append([_number(row.extra.get("se")) for row in effects.contrasts])
        dfs.append([_number(row.extra.get("df")) for row in effects.contrasts])
        analysed.append(float(sum(row.n for row in effects.arms)))
    return Estimates(np.array(values), np.array(errors), np.array(dfs), np.array(analysed))


def _number(value: object) -> float:
    return float(value) if isinstance(value, (int, float)) else float("nan")


def _covariance(studies: SimulatedStudies, endpoint: str) -> tuple[Estimates, Flags]:
    """Analysis of covariance with HC3 errors, and which studies it could be done for."""
    protocol = studies.protocol
    outcome = studies.values(endpoint)[:, :, -1]
    kept = np.isfinite(outcome)
    n = kept.sum(axis=1)
    arm = studies.arm[:, :, -1]
    arms = [(arm == index) & kept for index in range(len(protocol.arms))]
    covariates = _covariate_columns(studies)
    centred, varies = [], np.ones(len(n), dtype=bool)
    for column in covariates:
        mean = np.where(kept, column, 0.0).sum(axis=1) / np.maximum(n, 1)
        rest = np.where(kept, column - mean[:, None], 0.0)
        varies &= np.abs(rest).max(axis=1, initial=0.0) > 1e-10
        centred.append(rest)
    design = np.stack([*(one.astype(float) for one in arms), *centred], axis=2)
    p = design.shape[2]
    done = varies & (n > p) & np.all([one.any(axis=1) for one in arms], axis=0)
    gram = design.swapaxes(1, 2) @ design
    done &= _is_regular(gram)
    inverse = _inverse(gram, done)
    y = np.where(kept, outcome, 0.0)
    coefficients = (inverse @ (design.swapaxes(1, 2) @ y[:, :, None]))[:, :, 0]
    residual = np.where(kept, y - (design @ coefficients[:, :, None])[:, :, 0], 0.0)
    leverage = ((design @ inverse) * design).sum(axis=2)
    done &= leverage.max(axis=1, initial=0.0) < _LEVERAGE
    share = residual / np.where(leverage < _LEVERAGE, 1 - leverage, 1.0)
    weighted = design * share[:, :, None]
    covariance = inverse @ (weighted.swapaxes(1, 2) @ weighted) @ inverse
    weights = _contrast_weights(protocol, p)
    return _read(coefficients, covariance, weights, n - p, n), done


def _within_person(studies: SimulatedStudies, endpoint: str) -> tuple[Estimates, Flags]:
    """Arm and period effects within persons, and which studies it could be done for."""
    protocol = studies.protocol
    outcome = studies.values(endpoint)
    kept = np.isfinite(outcome)
    kept &= (kept.sum(axis=2) > 1)[:, :, None]
    replicates, _, sessions = outcome.shape
    arms = [studies.arm == index for index in range(len(protocol.arms))]
    periods = [np.broadcast_to(np.arange(sessions) == k, kept.shape) for k in range(1, sessions)]
    axes = {"pre_valence": 0, "pre_arousal": 1}
    moods = [studies.pre[..., axes[name]] for name in protocol.analysis.covariates if name in axes]
    # Without the first arm: the persons' effects hold one level.
    columns = [*(one.astype(float) for one in (*arms[1:], *periods)), *moods]
    swept = [_swept(column, kept).reshape(replicates, -1) for column in columns]
    design = np.stack(swept, axis=2)
    y = _swept(np.where(kept, outcome, 0.0), kept).reshape(replicates, -1)
    n = kept.sum(axis=(1, 2))
    df = n - kept.any(axis=2).sum(axis=1) - design.shape[2]
    done = (df > 0) & np.all([(one & kept).any(axis=(1, 2)) for one in arms], axis=0)
    gram = design.swapaxes(1, 2) @ design
    done &= _is_regular(gram)
    inverse = _inverse(gram, done)
    coefficients = (inverse @ (design.swapaxes(1, 2) @ y[:, :, None]))[:, :, 0]
    residual = y - (design @ coefficients[:, :, None])[:, :, 0]
    variance = (residual**2).sum(axis=1) / np.maximum(df, 1)
    weights = _contrast_weights(protocol, design.shape[2] + 1)[:, 1:]
    return _read(coefficients, variance[:, None, None] * inverse, weights, df, n), done


def _covariate_columns(studies: SimulatedStudies) -> list[Floats]:
    axes = {"pre_valence": 0, "pre_arousal": 1}
    factors = [factor.factor for factor in studies.protocol.allocation.strata]
    columns: list[Floats] = []
    for name in studies.protocol.analysis.covariates:
        if name in axes:
            columns.append(studies.pre[:, :, -1, axes[name]])
        else:
            levels = studies.stratum[:, :, factors.index(name)]
            count = len(studies.protocol.allocation.strata[factors.index(name)].levels)
            columns.extend((levels == level).astype(float) for level in range(1, count))
    return columns


def _swept(column: Floats, kept: Flags) -> Floats:
    """A column without its persons' means."""
    mine = np.where(kept, column, 0.0)
    mean = mine.sum(axis=2) / np.maximum(kept.sum(axis=2), 1)
    return np.where(kept, mine - mean[:, :, None], 0.0)


def _is_regular(gram: Floats) -> Flags:
    scale = np.sqrt(np.maximum(np.einsum("rii->ri", gram), 1e-300))
    return np.asarray(np.linalg.cond(gram / (scale[:, :, None] * scale[:, None, :])) < _CONDITION)


def _inverse(gram: Floats, done: Flags) -> Floats:
    safe = np.where(done[:, None, None], gram, np.eye(gram.shape[1]))
    return np.asarray(np.linalg.inv(safe), dtype=float)


def _contrast_weights(protocol: StudyProtocol, p: int) -> Floats:
    names = [arm.arm_id for arm in protocol.arms]
    weights = np.zeros((len(protocol.analysis.contrasts), p))
    for row, contrast in zip(weights, protocol.analysis.contrasts, strict=True):
        row[names.index(contrast.arm_ids[0])], row[names.index(contrast.arm_ids[1])] = 1.0, -1.0
    return weights


def _read(
    coefficients: Floats, covariance: Floats, weights: Floats, df: NDArray[np.intp], n: NDArray[np.intp]
) -> Estimates:
    value = coefficients @ weights.T
    variance = np.einsum("cp,rpq,cq->rc", weights, covariance, weights)
    each = np.repeat(df[:, None].astype(float), len(weights), axis=1)
    return Estimates(value, np.sqrt(np.maximum(variance, 0.0)), each, n.astype(float))
