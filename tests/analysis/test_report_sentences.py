"""Sentences written from numbers: each case with its hedge, in both languages."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from analysis.effects.multiplicity import EXPLORATORY, NOT_REJECTED, NOT_TESTED, REJECTED
from analysis.report.sentences import (
    agreement_sentence,
    both_axes_sentence,
    difference_sentences,
    equivalence_sentence,
    interim_sentences,
    tipping_sentence,
)
from analysis.report.summary import summary_text
from analysis.results import Results
from analysis.words import ENGLISH, LANGUAGES, Words
from tests.analysis.made_study import make_protocol, simulate
from tests.analysis.test_report import results_of

FORBIDDEN = {
    "en": ("no effect", "proof", "prove", "effective", "works", "significant", "trend toward"),
    "de": ("keine Wirkung", "kein Effekt", "beweist", "wirksam", "wirkt", "signifikant"),
}


@cache
def made() -> Results:
    return results_of(simulate(make_protocol(), 12))


def results_with(decision: str = REJECTED, **row: Any) -> tuple[Results, dict[str, Any]]:
    """Results whose primary row and decision are these."""
    first = {**made().primary["contrasts"][0], **row}
    ledger = [{**made().ledger[0], "decision": decision}]
    return replace(made(), primary={**made().primary, "row": first}, ledger=ledger), first


def said(decision: str = REJECTED, words: Words = ENGLISH, **row: Any) -> str:
    return " ".join(difference_sentences(*results_with(decision, **row), words))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("low", "high", "p_value", "decision"),
    [
        (0.10, 0.52, 0.004, REJECTED),
        (0.10, 0.52, 0.00001, REJECTED),
        (-0.9, 1.4, 0.7, NOT_REJECTED),
        (-0.01, 0.01, 0.9, NOT_REJECTED),
        (0.01, 0.6, 0.045, NOT_REJECTED),
        (-0.1, 0.4, 0.2, NOT_TESTED),
        (-0.1, 0.4, 0.2, EXPLORATORY),
        (None, None, None, EXPLORATORY),
    ],
)
def test_no_sentence_claims_more_or_less_than_its_interval(
    language: str, low: float | None, high: float | None, p_value: float | None, decision: str
) -> None:
    text = said(
        decision,
        Words(language),
        estimate=0.2,
        ci_low=low,
        ci_high=high,
        p_value=p_value,
        reason=None if low is not None else "one person",
    )

    assert not [claim for claim in FORBIDDEN[language] if claim in text]


def test_a_wide_interval_tells_what_it_agrees_with_and_that_this_is_not_sameness() -> None:
    text = said(NOT_REJECTED, estimate=0.2, ci_low=-0.9, ci_high=1.4, p_value=0.7)

    assert "Differences from −0.90 to 1.40 agree with these data" in text
    assert "nor that the two are the same" in text
    assert "not rejected; that is no evidence that there is none" in text


def test_a_small_p_is_a_guard_against_chance_and_nothing_else() -> None:
    text = said(REJECTED, estimate=0.3, ci_low=0.1, ci_high=0.5, p_value=0.0001)

    assert (
        "A difference of zero lies outside the interval, from 0.10 to 0.50; how large the difference" in text
    )
    assert "guards against chance, under the model's assumptions, and against nothing else" in text


def test_an_interval_that_is_not_adjusted_is_told_apart_from_the_decision() -> None:
    text = said(NOT_REJECTED, estimate=0.3, ci_low=0.02, ci_high=0.6, p_value=0.04)

    assert "The interval is not adjusted for the number of tests; the decision is." in text


@pytest.mark.parametrize(
    ("decision", "expected"),
    [
        (NOT_TESTED, "is not tested, since an earlier test did not open the gate"),
        (EXPLORATORY, "exploratory: nothing is concluded"),
    ],
)
def test_a_contrast_that_decides_nothing_says_so(decision: str, expected: str) -> None:
    assert expected in said(decision, estimate=0.3, ci_low=0.1, ci_high=0.5, p_value=0.01)


def test_the_direction_is_told_by_the_endpoint_and_the_sign() -> None:
    assert "0.20 units less far along than" in said(estimate=-0.2, ci_low=-0.3, ci_high=-0.1)
    assert "closer to the target" in said(endpoint="distance", estimate=-0.2, ci_low=-0.3, ci_high=-0.1)
    assert "moved by mere spread" in said(endpoint="distance", estimate=-0.2, ci_low=-0.3, ci_high=-0.1)


def test_without_an_estimate_the_reason_stands_alone() -> None:
    text = said(estimate=None, ci_low=None, ci_high=None, p_value=None, reason="nobody has the outcome yet")

    assert text == "No difference between the arms can be given: nobody has the outcome yet."


def test_of_shuffled_arms_nothing_is_said_but_that_they_are() -> None:
    results, row = results_with(estimate=0.3, ci_low=0.1, ci_high=0.5)
    shuffled = replace(results, simulated=False, shuffled="Arms were dealt anew.")

    assert difference_sentences(shuffled, row, ENGLISH) == ["Arms were dealt anew."]
    assert not re.search(r"further along|rejected", summary_text(shuffled))


@pytest.mark.parametrize(
    ("aim", "concluded", "expected", "never"),
    [
        ("equivalence", True, "equivalent is not identical", "not shown"),
        ("equivalence", False, "Equivalence is not shown; that by itself does not show a difference", "are"),
        ("non_inferiority", True, "That does not say that it is better", "not shown"),
        ("non_inferiority", False, "does not show that iso is worse", "by the margin of"),
    ],
)
def test_only_a_test_against_the_margin_speaks_of_equivalence(
    aim: str, concluded: bool, expected: str, never: str
) -> None:
    row = {
        "label": "iso − target only",
        "arms": ["iso", "target_only"],
        "aim": aim,
        "margin": 0.3,
        "estimate": 0.05,
        "ci_low": -0.1,
        "ci_high": 0.2,
        "ci_level": 0.9,
        "concluded": concluded,
        "reason": None,
    }
    text = equivalence_sentence(made(), row, ENGLISH)

    assert expected in text
    assert f" {never} " not in text
    assert "90% CI [−0.10, 0.20]" in text


def test_equivalence_that_cannot_be_tested_is_not_told_as_failed() -> None:
    row = {"label": "a − b", "estimate": None, "ci_low": None, "reason": "the outcome does not vary"}

    assert "is not estimable: the outcome does not vary" in equivalence_sentence(made(), row, ENGLISH)


def test_a_tipping_point_is_left_to_the_reader_to_judge() -> None:
    points = [{"delta": -0.4}, {"delta": 0.0}]
    tipping = {"label": "a − b", "reason": None, "tips_at": -0.3, "points": points}

    assert "changes once the imputed outcomes are shifted by −0.30" in tipping_sentence(tipping, ENGLISH)
    assert "for the reader to judge" in tipping_sentence(tipping, ENGLISH)
    assert "by −0.40 to 0.00 does not change" in tipping_sentence({**tipping, "tips_at": None}, ENGLISH)
    assert tipping_sentence({**tipping, "reason": "none drawn"}, ENGLISH) == "not estimable: none drawn"


def test_a_boundary_that_was_not_crossed_shows_no_absence_and_one_crossed_warns_of_size() -> None:
    look = {"look": 1, "taken": True, "statistic_z": 3.1, "boundary_z": 2.797, "crossed": True}
    last = {**look, "look": 2, "taken": False}
    interim = {"looks": [look, last], "repeated_ci": None}
    none = {
        "looks": [{**look, "taken": False}, {**last, "taken": True, "crossed": False}],
        "repeated_ci": [-0.1, 0.5],
    }

    assert "too large" in interim_sentences(interim, ENGLISH)[0]
    assert (
        "no absence"
        in interim_sentences({**interim, "looks": [{**look, "crossed": False}, last]}, ENGLISH)[0]
    )
    assert interim_sentences(none, ENGLISH) == [
        "No look before the end is on record.",
        "The last test: the statistic 3.10 did not cross the boundary 2.80 that the looks have left; "
        "that shows no absence of a difference.",
        "The interval that holds at all looks together: [−0.10, 0.50].",
    ]


def test_agreement_is_told_by_bias_and_limits_and_felt_keeps_its_name() -> None:
    rows = {
        "bias": {"estimate": 0.2, "ci_low": 0.1, "ci_high": 0.3, "reason": None},
        "limit_low": {"estimate": -0.5},
        "limit_high": {"estimate": 0.9},
    }

    assert agreement_sentence("felt", "generated", "valence", rows, ENGLISH) == (
        "Valence: felt minus generated (MER) is 0.20, 95% CI [0.10, 0.30] on average; about 19 of 20 single "
        "differences lie between −0.50 and 0.90 (limits of agreement)."
    )
    assert agreement_sentence("felt", "generated", "valence", {}, ENGLISH) is None


def test_both_axes_are_told_with_their_statistic_and_its_reference() -> None:
    row = {
        "label": "a − b",
        "p_value": 0.012,
        "t_squared": 9.876,
        "f_value": 4.6,
        "df": [2, 33],
        "reason": None,
    }

    assert both_axes_sentence(row, ENGLISH) == "a − b: Hotelling's T² = 9.88, F(2, 33) = 4.60, p = .012."
    assert both_axes_sentence(row, Words("en", "lancet")).endswith("p=0·012.")
