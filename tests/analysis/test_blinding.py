"""The blinding indices against published values, and what the results say of people's guesses."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from analysis.blinding.guesses import SEVERAL, blinding_of
from analysis.blinding.indices import bang_index, james_index
from analysis.result_row import NotEstimable
from analysis.tables.build import StudyTables, build_tables
from study.protocol import Design, StudyProtocol
from tests.analysis.made_study import MadeStudy, make_protocol


def test_both_indices_are_those_of_the_r_package() -> None:
    # BI 1.2.0 (Schwartz & Mercaldo) as documented with its port BlindingIndex.jl:
    # x = [48 22; 4 30; 330 319]; bi(x)
    #   James     0.896  0.011   0.875  0.918
    #   Treatment 0.115  0.018   0.08   0.15
    #   Placebo   0.022  0.019  -0.016  0.06
    james = james_index(np.array([[48, 22], [4, 30]]), np.array([330, 319]))
    treatment, placebo = bang_index(48, 4, 330), bang_index(30, 22, 319)

    assert [round(x, 3) for x in (james.estimate, james.se, james.ci_low, james.ci_high)] == [
        0.896,
        0.011,
        0.875,
        0.918,
    ]
    assert [round(x, 3) for x in (treatment.estimate, treatment.se)] == [0.115, 0.018]
    assert [round(x, 2) for x in (treatment.ci_low, treatment.ci_high)] == [0.08, 0.15]
    assert [round(x, 3) for x in (placebo.estimate, placebo.se, placebo.ci_low)] == [0.022, 0.019, -0.016]
    assert round(placebo.ci_high, 2) == 0.06


def test_bangs_index_of_the_crisp_trial() -> None:
    # Bang, Ni & Davis (2004), a cholesterol trial: on treatment 82 right, 25 wrong, 170 did not know.
    index = bang_index(82, 25, 170)

    assert index.estimate == pytest.approx((82 - 25) / 277)
    assert index.se**2 == pytest.approx(
        (82 / 277 * 195 / 277 + 25 / 277 * 252 / 277 + 2 * 82 / 277 * 25 / 277) / 277
    )


@pytest.mark.parametrize(
    ("guesses", "unknown", "expected"),
    [
        ([[20, 0], [0, 20]], [0, 0], 0.0),
        ([[10, 10], [10, 10]], [0, 0], 0.5),
        ([[0, 0], [0, 0]], [20, 20], 1.0),
        ([[0, 20], [20, 0]], [0, 0], 1.0),
    ],
    ids=["all right", "by chance", "nobody knew", "all wrong"],
)
def test_jamess_index_runs_from_all_right_over_chance_to_nobody_knew(
    guesses: list[list[int]], unknown: list[int], expected: float
) -> None:
    assert james_index(np.array(guesses), np.array(unknown)).estimate == pytest.approx(expected)


def test_jamess_standard_error_is_that_of_simulated_trials() -> None:
    # 4,000 multinomial trials of the same cells; the standard deviation of their indices: 0.0219.
    cells = np.array([[82, 27], [25, 29], [170, 83]])
    rng = np.random.default_rng(4)
    drawn = rng.multinomial(cells.sum(), cells.ravel() / cells.sum(), size=4000).reshape(-1, 3, 2)
    spread = np.std([james_index(one[:2], one[2]).estimate for one in drawn])

    assert james_index(cells[:2], cells[2]).se == pytest.approx(spread, rel=0.04)


def test_with_three_arms_guessing_by_chance_is_zero() -> None:
    assert bang_index(10, 20, 5, arms=3).estimate == pytest.approx(0.0)
    assert bang_index(0, 20, 0, arms=3).estimate == pytest.approx(-0.5)
    assert bang_index(20, 0, 0, arms=3).estimate == pytest.approx(1.0)


def test_where_nobody_answered_there_is_no_index() -> None:
    with pytest.raises(NotEstimable):
        bang_index(0, 0, 0)
    with pytest.raises(NotEstimable):
        james_index(np.zeros((2, 2), dtype=np.int64), np.zeros(2, dtype=np.int64))
    with pytest.raises(NotEstimable, match="all guessed the same"):
        james_index(np.array([[9, 0], [0, 0]]), np.zeros(2, dtype=np.int64))


def no_tables(protocol: StudyProtocol) -> StudyTables:
    return build_tables(protocol, MadeStudy(protocol).events, {}, {})


def tables_with(protocol: StudyProtocol, guesses: list[tuple[str, str, str | None]]) -> StudyTables:
    """Participant, arm and guess, in the order given."""
    empty = no_tables(protocol)
    answers = pd.DataFrame(
        [
            {
                "participant_id": who,
                "session_id": "ses-01",
                "arm": arm,
                "sequence": row,
                "measures": "arm_guess",
                "answer_option": guess,
            }
            for row, (who, arm, guess) in enumerate(guesses)
        ]
    ).astype({"arm": "string", "answer_option": "string", "measures": "string"})
    return replace(empty, questionnaire_answers=answers)


def test_a_person_counts_once_with_their_last_guess_and_a_blank_is_left_out() -> None:
    protocol = make_protocol()
    one, two = (arm.arm_id for arm in protocol.arms[:2])
    tables = tables_with(
        protocol,
        [
            ("sub-1", one, two),
            ("sub-1", one, one),
            ("sub-2", one, "do_not_know"),
            ("sub-3", one, None),
            ("sub-4", two, one),
            ("sub-4", two, None),
        ],
    )

    found = blinding_of(protocol, tables)

    first = next(arm for arm in found["arms"] if arm["arm"] == one)
    assert first["guesses"][0] == {"arm": one, "people": 1}
    assert (first["unknown"], first["unanswered"]) == (1, 1)
    rows = {row["row_id"]: row for row in found["rows"]}
    assert (rows[f"bang_{one}"]["estimate"], rows[f"bang_{one}"]["n"]) == (0.5, 2)
    assert (rows[f"bang_{two}"]["estimate"], rows[f"bang_{two}"]["wrong"]) == (-1.0, 1)
    assert rows["james"]["n"] == 3
    assert rows["james"]["unit"] == "1"


def test_in_a_crossover_arms_have_an_index_and_the_whole_has_none() -> None:
    protocol = replace(make_protocol(), design=Design.CROSSOVER)
    arm = protocol.arms[0].arm_id

    found = blinding_of(protocol, tables_with(protocol, [("sub-1", arm, arm)]))

    james = found["rows"][-1]
    assert (james["estimate"], james["reason"]) == (None, SEVERAL)
    assert found["rows"][0]["estimate"] == 1.0


def test_where_nobody_was_asked_there_is_nothing() -> None:
    protocol = make_protocol()

    assert blinding_of(protocol, no_tables(protocol)) == {"rows": [], "arms": []}
