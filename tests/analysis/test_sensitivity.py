"""What the results say of missing outcomes: whole where it can be, with a reason where it cannot."""

from __future__ import annotations

import json
import time
from dataclasses import replace

import pytest

from analysis.effects.endpoint import AT_TARGET, Outcome
from analysis.missing.sensitivity import missing_data_of
from analysis.result_row import PRIMARY_ESTIMAND
from study.affect import Affect
from study.path import PathKind
from study.protocol import Design
from tests.analysis.incomplete_study import TARGET, made_protocol, people, person
from tests.analysis.made_study import make_protocol


def gone(one: Outcome) -> Outcome:
    """The same person without a report after listening."""
    return replace(one, post=None, values=dict.fromkeys(one.values), missing="withdrew")


def test_without_missing_outcomes_there_is_nothing_to_say() -> None:
    assert missing_data_of(made_protocol(), people(40, drop_out=(0, 0))) is None
    assert missing_data_of(made_protocol(), ()) is None


def test_who_started_at_the_target_has_no_outcome_to_miss() -> None:
    outcomes = (*people(40, drop_out=(0, 0)), person(99, "iso", TARGET, Affect(0.1, 0.1)))

    assert missing_data_of(made_protocol("projected_progress"), outcomes) is None
    with_one_more = missing_data_of(
        made_protocol("projected_progress"), (*outcomes, person(100, "iso", Affect(0, 0), None))
    )
    assert with_one_more is not None
    assert with_one_more["reasons"] == {"withdrew": 1}
    assert AT_TARGET not in with_one_more["reasons"]


def test_three_assumptions_stand_beside_each_other() -> None:
    outcomes = people(120, drop_out=(0.3, 0.1))

    found = missing_data_of(made_protocol("projected_progress"), outcomes)

    assert found is not None
    assert json.loads(json.dumps(found)) == found
    assert found["reason"] is None
    assert found["imputations"] == 50
    assert found["n_missing"] == sum(one.post is None for one in outcomes) > 20
    (imputed,), (reference,) = found["imputed"], found["reference"]
    assert imputed["row_id"] == "missing:imputed:iso_vs_target_only"
    assert reference["row_id"] == "missing:reference:iso_vs_target_only"
    assert imputed["estimand"] == reference["estimand"] == PRIMARY_ESTIMAND
    assert {"contrast_id", "arms", "df", "fraction_missing", "se"} <= set(imputed)
    assert reference["reference_arm"] == "target_only"
    assert 0 < reference["estimate"] < imputed["estimate"]
    assert 0 < imputed["fraction_missing"] < 0.5
    tipping = found["tipping"]
    assert set(tipping["points"][0]) == {"delta", "estimate", "ci_low", "ci_high", "p_value", "concluded"}
    assert tipping["points"][0]["estimate"] == imputed["estimate"]


def test_a_crossover_says_why_nothing_was_drawn() -> None:
    protocol = make_protocol(design=Design.CROSSOVER)
    missing = person(1, "iso", Affect(0, 0), None)

    found = missing_data_of(protocol, (missing, *people(20, drop_out=(0, 0))))

    assert found is not None
    assert found["reason"].startswith("outcomes are drawn in parallel designs only")
    assert (found["n_missing"], found["imputations"]) == (1, 0)
    assert (found["imputed"], found["reference"], found["tipping"]) == ([], [], None)


def test_a_principal_stratum_says_why_nothing_was_drawn() -> None:
    protocol = made_protocol()
    estimand = replace(protocol.analysis.estimand, intercurrent_events={"stopped_early": "principal_stratum"})
    protocol = replace(protocol, analysis=replace(protocol.analysis, estimand=estimand))

    found = missing_data_of(protocol, people(40))

    assert found is not None
    assert found["reason"] == "a principal stratum is not estimable, so nothing was drawn for it"


def test_reports_that_are_still_to_come_are_counted_and_not_drawn() -> None:
    waiting = person(99, "iso", Affect(0, 0), None, "not yet given")

    found = missing_data_of(made_protocol(), (*people(40, drop_out=(0, 0)), waiting))

    assert found is not None
    assert found["reasons"] == {"not yet given": 1}
    assert found["reason"] == "none of the missing outcomes can be drawn: not yet given"


def test_an_arm_without_any_outcome_is_drawn_from_the_reference_only() -> None:
    outcomes = tuple(gone(one) if one.arm == "iso" else one for one in people(80, drop_out=(0, 0)))

    found = missing_data_of(made_protocol(), outcomes)

    why = "nobody in arm iso has the outcome, so there is nothing to impute from"
    assert found is not None
    assert found["n_missing"] == 40
    assert (found["imputed"][0]["estimate"], found["imputed"][0]["reason"]) == (None, why)
    assert found["reference"][0]["estimate"] == pytest.approx(0, abs=0.05)
    assert found["tipping"]["reason"] == why


def test_a_study_without_any_outcome_gives_reasons() -> None:
    found = missing_data_of(made_protocol(), tuple(gone(one) for one in people(40)))

    assert found is not None
    assert found["n_missing"] == 40
    for part in ("imputed", "reference"):
        assert found[part][0]["estimate"] is None
        assert "nothing to impute from" in found[part][0]["reason"]
    assert found["tipping"]["tips_at"] is None


def test_two_people_give_reasons() -> None:
    both = people(2, drop_out=(0, 0))

    found = missing_data_of(made_protocol(), (gone(both[0]), both[1]))

    assert found is not None
    assert (
        found["imputed"][0]["reason"]
        == "nobody in arm iso has the outcome, so there is nothing to impute from"
    )
    assert (
        found["reference"][0]["reason"]
        == "arm target_only: 1 outcome(s) for 1 coefficients are too few to impute from"
    )


def test_equal_answers_give_a_reason() -> None:
    arms = ("iso", "target_only")
    same = [person(i, arms[i % 2], Affect(0.0, 0.0), Affect(0.1, 0.1)) for i in range(30)]

    found = missing_data_of(made_protocol(), (*same, gone(same[0])))

    assert found is not None
    assert "does not vary within arms" in found["imputed"][0]["reason"]
    assert "does not vary within arms" in found["tipping"]["reason"]


def test_a_contrast_of_other_arms_is_kept_where_one_arm_cannot_be_drawn() -> None:
    protocol = made_protocol()
    three = make_protocol((PathKind.ISO, PathKind.TARGET_ONLY, PathKind.SILENCE), endpoint="valence")
    spec = replace(protocol.analysis, contrasts=three.analysis.contrasts)
    protocol = replace(protocol, arms=three.arms, analysis=spec)
    left = [person(500 + i, "silence", Affect(0.01 * i, 0.0), None) for i in range(10)]

    found = missing_data_of(protocol, (*people(80), *left))

    assert found is not None
    music, silence = found["imputed"]
    assert music["reason"] is None
    assert silence["reason"] == "nobody in arm silence has the outcome, so there is nothing to impute from"


@pytest.mark.parametrize(("n", "limit_s"), [(80, 1.5), (1000, 5.0)])
def test_it_takes_no_longer_than_a_reader_waits(n: int, limit_s: float) -> None:
    outcomes = people(n, without_pre=0.03)
    began = time.perf_counter()

    assert missing_data_of(made_protocol("projected_progress"), outcomes) is not None

    assert time.perf_counter() - began < limit_s
