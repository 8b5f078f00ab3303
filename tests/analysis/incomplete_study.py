"""Outcomes of made-up people, some of them missing, for the tests of what is done about that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from analysis.effects.endpoint import Outcome, endpoint_values
from study.affect import Affect
from study.analysis_plan import Aim, MissingSpec
from study.protocol import StudyProtocol
from tests.analysis.made_study import make_protocol

Floats = NDArray[np.float64]

TARGET = Affect(0.6, -0.4)
ARMS = ("iso", "target_only")


def made_protocol(
    endpoint: str = "valence",
    covariates: tuple[str, ...] = ("pre_valence", "pre_arousal"),
    imputations: int = 50,
    reference: str | None = None,
    aim: Aim = Aim.SUPERIORITY,
    margin: float | None = None,
    higher_is_better: bool | None = True,
) -> StudyProtocol:
    """Arms iso and target_only, with what the protocol says of missing data."""
    protocol = make_protocol(endpoint=endpoint, covariates=covariates)
    contrast = replace(protocol.analysis.primary_contrast, aim=aim, margin=margin)
    spec = replace(
        protocol.analysis,
        contrasts=(contrast,),
        missing=MissingSpec("multiple_imputation", imputations, reference),
        higher_is_better=higher_is_better,
    )
    return replace(protocol, analysis=spec)


def person(
    number: int,
    arm: str,
    pre: Affect | None,
    post: Affect | None,
    missing: str | None = None,
    site: str | None = "home",
) -> Outcome:
    """One person's outcome."""
    values = endpoint_values(None, TARGET, pre, post)
    if pre is None or post is None:
        missing = missing or "withdrew"
    return Outcome(f"sub-{number:04d}", arm, arm, 1, {"site": site}, pre, post, values, missing)


def people(
    n: int,
    seed: int = 1,
    effect: float = 0.2,
    drop_out: Sequence[float] = (0.25, 0.25),
    by_pre: float = 0.0,
    without_pre: float = 0.0,
    spread: float = 0.2,
    slope: float = 0.5,
) -> tuple[Outcome, ...]:
    """Two arms in turn; the first ends `effect` higher on both axes.

    Args:
        drop_out: share without a report after listening, by arm, at the mean of `pre`.
        by_pre: how much the log odds of dropping out of the first arm grow with valence before
            (per unit); missing at random given the report before.
        without_pre: share without a report before listening.
    """
    rng = np.random.default_rng(seed)
    found = []
    for number in range(n):
        which = number % 2
        pre = np.clip(rng.normal(-0.3, 0.2, 2), -1, 1)
        post = 0.1 + slope * pre + effect * (which == 0) + rng.normal(0, spread, 2)
        post = np.clip(post, -1, 1)
        odds = np.log(drop_out[which] / (1 - drop_out[which])) if drop_out[which] > 0 else -np.inf
        odds += by_pre * (pre[0] + 0.3) * (which == 0)
        gone, late = rng.random() < 1 / (1 + np.exp(-odds)), rng.random() < without_pre
        found.append(
            person(
                number,
                ARMS[which],
                None if late else affect(pre),
                None if gone else affect(post),
                site=("clinic", "home")[number // 2 % 2],
            )
        )
    return tuple(found)


def affect(point: Floats) -> Affect:
    """A point as a report."""
    return Affect(float(point[0]), float(point[1]))
