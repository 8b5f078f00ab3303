"""A crossover's parts against published analyses.

- Cochran & Cox (1957), Experimental Designs, table 4.10 (two machines, ten trials): SAS PROC GLM
  of ``time = machine trial row`` prints machine F 15.22, p .0045; row F 3.08; mean square error
  21.025 on 8 degrees of freedom.
- Schütz's two-way crossover (12 subjects, logarithms), ``aov(logAval ~ aperiod + seqa + trta +
  Error(subjid))`` in R prints trta F .073, p .7921; aperiod F 3.784, p .0804; seqa F .014, p .907;
  residual mean square .005417 on 10.
- Montgomery, Design and Analysis of Experiments, rocket propellant: a 5 × 5 Latin square, batches
  as persons and operators as periods: treatments F 7.73, operators F 3.52, error mean square 10.67
  on 12.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from analysis.effects.crossover import crossover_rows
from analysis.effects.endpoint import Outcome
from analysis.effects.estimate import estimate_effects
from analysis.result_row import PRIMARY_ESTIMAND, ResultRow
from study.affect import Affect
from study.analysis_plan import Contrast
from study.path import PathKind
from study.protocol import AllocationGroup, Design, StudyProtocol
from tests.analysis.made_study import make_protocol

Measured = Mapping[Any, tuple[str, Sequence[float]]]
"""Person to what they were given and what was measured, in order of the periods."""

MACHINES = {
    1: ("AB", (30, 14)),
    2: ("BA", (21, 21)),
    3: ("AB", (22, 5)),
    4: ("BA", (13, 22)),
    5: ("BA", (13, 18)),
    6: ("AB", (29, 17)),
    7: ("BA", (7, 16)),
    8: ("AB", (12, 14)),
    9: ("AB", (23, 8)),
    10: ("BA", (24, 23)),
}
TEST_FIRST = zip(
    (28.39, 33.36, 24.29, 28.61, 59.49, 42.30), (35.44, 33.40, 24.65, 31.77, 65.29, 37.01), strict=True
)
REFERENCE_FIRST = zip(
    (39.86, 32.75, 34.97, 45.44, 27.87, 24.26), (49.42, 36.78, 34.81, 45.54, 28.23, 25.71), strict=True
)
SCHUTZ = {
    **{f"tr{n}": ("AB", tuple(map(math.log, pair))) for n, pair in enumerate(TEST_FIRST)},
    **{f"rt{n}": ("BA", tuple(map(math.log, pair))) for n, pair in enumerate(REFERENCE_FIRST)},
}
PROPELLANT = {
    1: ("ABCDE", (24, 20, 19, 24, 24)),
    2: ("BCDEA", (17, 24, 30, 27, 36)),
    3: ("CDEAB", (18, 38, 26, 27, 21)),
    4: ("DEABC", (26, 31, 26, 23, 22)),
    5: ("EABCD", (22, 30, 20, 29, 31)),
}


def trial_protocol(sequences: Sequence[str], compared: Sequence[str]) -> StudyProtocol:
    """A crossover of arms named by letters; valence is what is measured."""
    protocol = make_protocol(
        (PathKind.ISO, PathKind.TARGET_ONLY), Design.CROSSOVER, covariates=(), endpoint="valence"
    )
    letters = sorted(set("".join(sequences)))
    contrasts = tuple(
        Contrast(pair, (pair[0], pair[1]), is_primary=index == 0) for index, pair in enumerate(compared)
    )
    return replace(
        protocol,
        arms=tuple(replace(protocol.arms[0], arm_id=letter) for letter in letters),
        session_count=len(sequences[0]),
        allocation=replace(
            protocol.allocation,
            groups=tuple(AllocationGroup(name, tuple(name), 1) for name in sequences),
            strata=(),
        ),
        analysis=replace(protocol.analysis, contrasts=contrasts),
    )


def outcomes(measured: Measured) -> list[Outcome]:
    found = []
    for who, (sequence, values) in measured.items():
        for period, (arm, value) in enumerate(zip(sequence, values, strict=True), start=1):
            kept = {"projected_progress": None, "distance": None, "valence": float(value), "arousal": None}
            pre = Affect(0, 0)
            found.append(Outcome(str(who), sequence, arm, period, {}, pre, pre, kept, None))
    return found


def rows_of(protocol: StudyProtocol, people: Sequence[Outcome]) -> dict[str, ResultRow]:
    return {row.row_id: row for row in crossover_rows(protocol, people)}


def f_of(row: ResultRow) -> float:
    assert row.estimate is not None
    return float((row.estimate / row.extra["se"]) ** 2)


def test_treatment_and_period_are_those_of_proc_glm() -> None:
    rows = rows_of(trial_protocol(["AB", "BA"], ["AB"]), outcomes(MACHINES))
    treatment, period = rows["crossover:treatment:AB"], rows["crossover:period"]

    assert f_of(treatment) == pytest.approx(15.22, abs=5e-3)
    assert treatment.p_value == pytest.approx(0.0045, abs=5e-5)
    assert treatment.estimate == pytest.approx(8.0)
    # Two means of ten: se² = 2 × mean square error / 10.
    assert treatment.extra["se"] ** 2 * 5 == pytest.approx(21.025)
    assert treatment.extra["df"] == 8
    assert f_of(period) == pytest.approx(3.08, abs=5e-3)
    assert period.estimate == pytest.approx(-3.6)


def test_treatment_period_and_sequence_are_those_that_r_prints() -> None:
    rows = rows_of(trial_protocol(["AB", "BA"], ["AB"]), outcomes(SCHUTZ))
    treatment, period, sequence = (
        rows[name] for name in ("crossover:treatment:AB", "crossover:period", "crossover:sequence")
    )

    assert f_of(treatment) == pytest.approx(0.073, abs=5e-4)
    assert treatment.p_value == pytest.approx(0.7921, abs=5e-5)
    assert treatment.extra["se"] ** 2 * 6 == pytest.approx(0.005417, abs=5e-7)
    assert f_of(period) == pytest.approx(3.784, abs=5e-4)
    assert period.p_value == pytest.approx(0.0804, abs=5e-5)
    assert f_of(sequence) == pytest.approx(0.014, abs=5e-4)
    assert sequence.p_value == pytest.approx(0.907, abs=5e-4)
    assert sequence.extra["df"] == 10


def test_a_latin_square_of_five_periods_is_montgomerys() -> None:
    compared = ["DA", "AB", "AC", "AE"]
    rows = rows_of(trial_protocol([s for s, _ in PROPELLANT.values()], compared), outcomes(PROPELLANT))
    treatment, period = rows["crossover:treatment:DA"], rows["crossover:period"]

    # Montgomery's formulation means: D 29.8, A 28.6.
    assert treatment.estimate == pytest.approx(1.2)
    assert treatment.extra["se"] ** 2 * 5 / 2 == pytest.approx(10.67, abs=5e-3)
    assert treatment.extra["df"] == 12
    assert period.extra["f_value"] == pytest.approx(3.52, abs=5e-3)
    assert period.extra["df"] == [4, 12]
    assert period.p_value == pytest.approx(0.0404, abs=5e-4)
    assert period.estimate is None
    # One person a sequence: nothing is left to compare sequences by.
    assert rows["crossover:sequence"].reason == "5 persons in 5 sequences: too few to compare them"


def test_the_treatment_row_is_the_primary_contrast_beside_the_raw_within_person_difference() -> None:
    protocol, people = trial_protocol(["AB", "BA"], ["AB"]), outcomes(MACHINES)
    (contrast,) = estimate_effects(protocol, people, "valence").contrasts
    row = rows_of(protocol, people)["crossover:treatment:AB"]

    assert [row.estimate, row.ci_low, row.ci_high] == [contrast.estimate, contrast.ci_low, contrast.ci_high]
    # 16, 0, 17, 9, 5, 12, 9, −2, 15, −1: sum 80, sum of squares 1106.
    assert row.extra["within_person_n"] == 10
    assert row.extra["within_person_mean"] == pytest.approx(8.0)
    assert row.extra["within_person_sd"] == pytest.approx(math.sqrt(466 / 9))
    assert (row.n, row.estimand) == (10, PRIMARY_ESTIMAND)


def test_sequence_says_what_it_cannot_tell_apart_and_leaves_the_treatment_alone() -> None:
    carried = {who: (s, (y[0], y[1] + (40 if s == "AB" else 0))) for who, (s, y) in MACHINES.items()}
    protocol = trial_protocol(["AB", "BA"], ["AB"])
    rows = rows_of(protocol, outcomes(carried))
    (contrast,) = estimate_effects(protocol, outcomes(carried), "valence").contrasts

    assert (rows["crossover:sequence"].p_value or 1) < 0.001
    assert "never used to choose" in rows["crossover:sequence"].extra["note"]
    assert rows["crossover:treatment:AB"].estimate == contrast.estimate


def test_three_sequences_are_compared_by_an_f_test_of_person_means() -> None:
    """Person means 2, 4 | 6, 8 | 10, 12: between 64 on 2, within 6 on 3, F = 16."""
    people = {
        f"{sequence}{n}": (sequence, (mean - 1, mean + 1, mean))
        for sequence, means in {"ABC": (2, 4), "BCA": (6, 8), "CAB": (10, 12)}.items()
        for n, mean in enumerate(means)
    }
    row = rows_of(trial_protocol(["ABC", "BCA", "CAB"], ["AB"]), outcomes(people))["crossover:sequence"]

    assert row.extra["f_value"] == pytest.approx(16.0)
    assert row.extra["df"] == [2, 3]
    assert [entry["mean"] for entry in row.extra["means"]] == [3, 7, 11]


def test_a_person_without_every_period_counts_for_treatment_and_not_for_sequence() -> None:
    people = {
        f"{sequence}{n}": (
            sequence,
            tuple(3 * n + ord(arm) % 5 + period for period, arm in enumerate(sequence)),
        )
        for sequence in ("ABC", "BCA", "CAB")
        for n in range(3)
    }
    noisy = [
        replace(o, values={**o.values, "valence": (o.values["valence"] or 0) + 0.1 * (i * 7 % 5)})
        for i, o in enumerate(outcomes(people))
    ]
    rows = rows_of(trial_protocol(["ABC", "BCA", "CAB"], ["AB"]), noisy[:-1])

    assert rows["crossover:sequence"].n == 8
    assert rows["crossover:treatment:AB"].n == 9


def test_a_parallel_design_has_no_such_rows() -> None:
    assert crossover_rows(make_protocol(), []) == ()


@pytest.mark.parametrize(
    ("measured", "reason"),
    [
        ({}, "nobody has the outcome yet"),
        ({1: MACHINES[1]}, "too few"),
        ({1: MACHINES[1], 2: MACHINES[2]}, "too few"),
        ({n: ("AB", values) for n, (_, values) in MACHINES.items()}, "singular"),
        ({n: (s, (5, 5)) for n, (s, _) in MACHINES.items()}, "does not vary"),
    ],
)
def test_what_cannot_be_estimated_says_why(measured: Measured, reason: str) -> None:
    rows = rows_of(trial_protocol(["AB", "BA"], ["AB"]), outcomes(measured))

    assert reason in (rows["crossover:treatment:AB"].reason or "")
    for row in rows.values():
        assert row.estimate is None or row.row_id == "crossover:sequence"
        assert row.reason or row.row_id == "crossover:sequence"


def test_a_sequence_nobody_had_is_named() -> None:
    rows = rows_of(
        trial_protocol(["AB", "BA"], ["AB"]), outcomes({n: ("AB", v) for n, (_, v) in MACHINES.items()})
    )

    assert rows["crossover:sequence"].reason == "nobody of sequence BA has an outcome in every period"
