"""Jump to reference against its closed forms.

No published output was found for one report after listening per person; the
witnesses are closed forms. Without covariates the estimate tends, with the
number of imputations, to the share who stayed in the arm times the difference
of observed means (White, Royes & Best 2020, J. Biopharm. Stat. 30, 334-350;
Carpenter, Roger & Kenward 2013). With covariates it tends to the analysis of
data completed by the reference arm's least-squares line, here by statsmodels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from statsmodels.formula.api import ols

from analysis.effects.endpoint import Outcome
from analysis.missing.imputed_effects import estimate_imputed
from analysis.missing.reference import jump_to_reference
from analysis.result_row import ResultRow
from study.affect import Affect
from study.path import PathKind
from study.protocol import StudyProtocol
from tests.analysis.incomplete_study import made_protocol, people, person
from tests.analysis.made_study import make_protocol


def jumped(protocol: StudyProtocol, outcomes: Sequence[Outcome]) -> ResultRow:
    """The primary contrast under jump to reference."""
    return jump_to_reference(protocol, outcomes, protocol.analysis.primary_contrast)


def value(row: ResultRow) -> float:
    """An estimate that is there."""
    assert row.estimate is not None, row.reason
    return row.estimate


def same_before(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """The same people, all having felt alike before, so that nothing is adjusted for."""
    return [person(number, one.arm, Affect(-0.3, -0.3), one.post) for number, one in enumerate(outcomes)]


def test_without_covariates_the_estimate_is_the_share_who_stayed_times_the_difference() -> None:
    protocol = made_protocol(covariates=(), imputations=4000)
    outcomes = same_before(people(200, drop_out=(0.3, 0.0)))
    first = [one.post.valence for one in outcomes if one.arm == "iso" and one.post]
    second = [one.post.valence for one in outcomes if one.arm == "target_only" and one.post]
    stayed = len(first) / 100

    row = jumped(protocol, outcomes)

    # Monte-Carlo error of the mean of 4000 imputations: 0.0002.
    assert value(row) == pytest.approx(stayed * (np.mean(first) - np.mean(second)), abs=0.001)
    assert row.extra["reference_arm"] == "target_only"
    assert row.extra["n_imputed_by_arm"] == [100 - len(first), 0]


def test_with_covariates_the_estimate_is_that_of_data_completed_by_the_references_line() -> None:
    protocol = made_protocol(imputations=3000)
    outcomes = people(160, drop_out=(0.3, 0.2))
    table = pd.DataFrame(
        {
            "iso": [float(one.arm == "iso") for one in outcomes],
            "home": [float(one.stratum["site"] == "home") for one in outcomes],
            "v": [one.pre.valence for one in outcomes if one.pre],
            "a": [one.pre.arousal for one in outcomes if one.pre],
            "post": [one.post.valence if one.post else np.nan for one in outcomes],
        }
    )
    line = ols("post ~ v + a + home", table[(table["iso"] == 0) & table["post"].notna()]).fit()
    table["post"] = table["post"].fillna(line.predict(table))
    expected = ols("post ~ iso + v + a", table).fit().params["iso"]

    assert value(jumped(protocol, outcomes)) == pytest.approx(expected, abs=0.002)


def test_the_estimate_lies_between_none_and_that_under_missing_at_random() -> None:
    protocol, outcomes = made_protocol(), people(160, drop_out=(0.3, 0.1))

    at_random = value(estimate_imputed(protocol, outcomes, "valence").contrasts[0])

    assert 0.05 < value(jumped(protocol, outcomes)) < at_random - 0.02


def test_the_share_of_information_that_is_lost_stays_as_under_missing_at_random() -> None:
    # Cro, Carpenter & Kenward (2019): information-anchored; the error is not below that of the full data.
    protocol, outcomes = made_protocol(imputations=400), people(300, drop_out=(0.3, 0.0))
    full = estimate_imputed(protocol, people(300, drop_out=(0, 0)), "valence").contrasts[0]
    at_random = estimate_imputed(protocol, outcomes, "valence").contrasts[0]

    ratio = jumped(protocol, outcomes).extra["se"] / at_random.extra["se"]

    assert 0.9 < ratio < 1.15
    assert jumped(protocol, outcomes).extra["se"] > full.extra["se"]


def test_an_arm_that_everyone_left_becomes_the_reference() -> None:
    protocol = made_protocol()
    outcomes = [
        replace(one, post=None, values=dict.fromkeys(one.values), missing="withdrew")
        if one.arm == "iso"
        else one
        for one in people(120, drop_out=(0, 0))
    ]

    row = jumped(protocol, outcomes)

    assert value(row) == pytest.approx(0, abs=0.02)
    assert row.ci_low is not None
    assert row.ci_high is not None
    assert row.ci_low < 0 < row.ci_high


def test_a_reference_nobody_stayed_in_gives_a_reason() -> None:
    protocol = made_protocol()
    outcomes = [
        replace(one, post=None, values=dict.fromkeys(one.values), missing="withdrew")
        if one.arm == "target_only"
        else one
        for one in people(120)
    ]

    row = jumped(protocol, outcomes)

    assert row.estimate is None
    assert row.reason == "nobody in arm target_only has the outcome, so there is nothing to impute from"


def test_the_protocol_may_name_a_third_arm_as_the_reference() -> None:
    protocol = made_protocol(reference="silence", covariates=(), imputations=2000)
    arms = make_protocol((PathKind.ISO, PathKind.TARGET_ONLY, PathKind.SILENCE)).arms
    protocol = replace(protocol, arms=arms)
    rng = np.random.default_rng(6)
    silent = [
        person(500 + i, "silence", Affect(-0.3, -0.3), Affect(float(rng.normal(-0.5, 0.1)), 0.0))
        for i in range(60)
    ]
    outcomes = [*same_before(people(200, drop_out=(0.3, 0.0))), *silent]
    first = [one.post.valence for one in outcomes if one.arm == "iso" and one.post]
    second = [one.post.valence for one in outcomes if one.arm == "target_only" and one.post]
    third = [one.post.valence for one in silent if one.post]
    stayed = len(first) / 100

    row = jumped(protocol, outcomes)

    expected = stayed * np.mean(first) + (1 - stayed) * np.mean(third) - np.mean(second)
    assert value(row) == pytest.approx(expected, abs=0.002)
    assert row.extra["reference_arm"] == "silence"
