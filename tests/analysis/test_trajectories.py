"""Reports within a session move along a line of their arm, and what is not known of it is said."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from analysis.effects.trajectories import UNIT, probed_instrument, trajectory_rows
from analysis.result_row import ResultRow
from analysis.tables.build import StudyTables, build_tables
from study.affect import Affect
from study.events import PlaybackStarted, PlaybackStopped, SelfReportSubmitted, StopReason, StudyInitialised
from study.instruments import Instrument, Perspective
from study.path import PathKind
from study.protocol import Assessment, Design, Phase, StudyProtocol
from tests.analysis.made_study import MadeStudy, make_protocol, simulate

PRE, MINUTES = Affect(-0.5, 0.5), 4.0


def tables_of(study: MadeStudy) -> StudyTables:
    return build_tables(study.protocol, study.events, study.manifests, study.predictions)


def drifting(
    protocol: StudyProtocol,
    people: int,
    slopes: dict[str, float],
    seed: int = 1,
    spread: tuple[float, float, float] = (0.1, 0.1, 0.05),
) -> MadeStudy:
    """People whose valence moves by their arm's slope in ten minutes and by their own deviations.

    Args:
        spread: SD of intercepts, of slopes and of noise.
    """
    rng = np.random.default_rng(seed)
    study = MadeStudy(protocol)
    study.add(StudyInitialised(protocol.study_id, "{}", "0" * 64, "isopath"))
    groups = [group.group_id for group in protocol.allocation.groups]
    for index in range(people):
        who, arm = f"sub-{index + 1:03d}", groups[index % len(groups)]
        study.enrol(who)
        begin, slope = rng.normal(0, spread[0]), slopes.get(arm, 0.0) + rng.normal(0, spread[1])

        def felt(at_s: float, begin: float = begin, slope: float = slope) -> Affect:
            return Affect(float(begin + slope * at_s / 600 + rng.normal(0, spread[2])), 0.3)

        study.report(who, "ses-01", Phase.PRE, felt(0.0))
        study.allocate(who, arm)
        for at_s in protocol.probes_at_s:
            study.report(who, "ses-01", Phase.PROBE, felt(at_s), at_s)
        study.report(who, "ses-01", Phase.POST, felt(protocol.duration_s))
    return study


def found(rows: tuple[ResultRow, ...], row_id: str) -> ResultRow:
    return next(row for row in rows if row.row_id == row_id)


def test_a_planted_slope_of_each_arm_and_their_difference_are_recovered() -> None:
    protocol = make_protocol()
    study = drifting(protocol, 80, {"iso": 0.6, "target_only": 0.2})

    rows = trajectory_rows(protocol, tables_of(study))

    for row_id, planted in (
        ("trajectory:valence:slope:iso", 0.6),
        ("trajectory:valence:slope:target_only", 0.2),
        ("trajectory:valence:difference:iso_vs_target_only", 0.4),
    ):
        row = found(rows, row_id)
        assert row.ci_low is not None
        assert row.ci_high is not None
        assert row.ci_low < planted < row.ci_high
        assert row.ci_high - row.ci_low < 0.2
        assert row.unit == UNIT
    difference = found(rows, "trajectory:valence:difference:iso_vs_target_only")
    assert difference.p_value is not None
    assert difference.p_value < 0.001
    assert (difference.n, difference.extra["n_reports"]) == (80, 400)
    assert difference.extra["arms"] == ["iso", "target_only"]


def test_with_the_same_times_for_all_the_slopes_are_those_of_a_t_test_of_peoples_own_lines() -> None:
    # Balanced growth curves: the mixed model's slopes are the mean least-squares slopes, and their
    # difference is Student's t on n − 2 (Laird & Ware 1982; Fitzmaurice, Laird & Ware 2011, 8.8).
    from scipy import stats

    protocol = make_protocol()
    study = drifting(protocol, 30, {"iso": 0.5}, spread=(0.1, 0.3, 0.03))
    table = tables_of(study).self_reports
    times = np.array([0.0, 60, 120, 180, 240]) / 600
    own = table.groupby(["arm", "participant_id"])["valence"].apply(
        lambda values: float(np.polyfit(times, values.to_numpy(dtype=float), 1)[0])
    )
    expected = stats.ttest_ind(own["iso"], own["target_only"])

    row = found(
        trajectory_rows(protocol, tables_of(study)), "trajectory:valence:difference:iso_vs_target_only"
    )

    assert row.estimate == pytest.approx(own["iso"].mean() - own["target_only"].mean())
    assert row.extra["df"] == pytest.approx(28.0, rel=1e-5)
    assert row.p_value == pytest.approx(expected.pvalue, rel=1e-4)


def test_the_slope_of_an_arm_is_never_tested() -> None:
    protocol = make_protocol()
    rows = trajectory_rows(protocol, tables_of(drifting(protocol, 20, {"iso": 0.5})))

    assert {row.p_value for row in rows if row.extra["kind"] == "slope"} == {None}


def test_slopes_that_nobody_differs_in_are_a_singular_fit_and_say_so() -> None:
    protocol = make_protocol()
    study = drifting(protocol, 30, {"iso": 0.5}, seed=7, spread=(0.1, 0.0, 0.05))

    row = found(trajectory_rows(protocol, tables_of(study)), "trajectory:valence:slope:iso")

    assert row.estimate is not None
    assert row.extra["singular"] is True
    assert "singular fit: the variance of the random effects of people" in row.extra["note"]


def test_whoever_stopped_gave_the_last_report_when_they_stopped() -> None:
    protocol = make_protocol()
    study = drifting(protocol, 12, {"iso": 0.5, "target_only": 0.5}, spread=(0.1, 0.05, 0.02))
    late = trajectory_rows(protocol, tables_of(study))
    for index in (1, 3, 5, 7):
        who = f"sub-{index:03d}"
        study.render(who, 1, PRE)
        study.add(PlaybackStarted(0.0), who, "ses-01")
        study.add(PlaybackStopped(190.0, StopReason.CHOSE_TO_STOP), who, "ses-01")

    early = trajectory_rows(protocol, tables_of(study))

    before = found(late, "trajectory:valence:slope:iso").estimate
    after = found(early, "trajectory:valence:slope:iso").estimate
    assert before is not None
    assert after is not None
    assert after > before + 0.01


def test_a_time_lapse_tells_slopes_in_planned_minutes() -> None:
    protocol = make_protocol()
    planned = found(
        trajectory_rows(protocol, tables_of(drifting(protocol, 20, {"iso": 0.5}))),
        "trajectory:valence:slope:iso",
    )
    hurried = protocol.lasting(24.0)
    # The same reports, at seconds of a tenth.
    study = drifting(protocol, 20, {"iso": 0.5})
    study.protocol = hurried
    events = [
        replace(event, event=replace(report, probe_at_s=report.probe_at_s / 10))
        if isinstance(report := event.event, SelfReportSubmitted) and report.probe_at_s is not None
        else event
        for event in study.events
    ]
    tables = build_tables(hurried, events, {}, {})

    row = found(trajectory_rows(hurried, tables), "trajectory:valence:slope:iso")

    assert row.estimate == pytest.approx(planned.estimate)


def test_a_protocol_that_asks_nothing_during_a_session_has_no_trajectories() -> None:
    protocol = replace(make_protocol(probes_at_s=()), assessments=make_protocol().assessments[::2])

    assert probed_instrument(protocol) is None
    assert trajectory_rows(protocol, tables_of(drifting(protocol, 4, {}))) == ()


def test_another_felt_instrument_makes_the_line_where_the_endpoints_is_not_probed() -> None:
    made = make_protocol()
    grid = Instrument("grid", "affect_grid", Perspective.FELT)
    heard = Instrument("heard", "affect_grid", Perspective.PERCEIVED)
    protocol = replace(
        made,
        instruments=(*made.instruments, heard, grid),
        assessments=(
            made.assessments[0],
            Assessment(Phase.PROBE, ("heard", "grid"), (60.0, 120.0)),
            made.assessments[2],
        ),
    )

    assert probed_instrument(made) == "slider"
    assert probed_instrument(protocol) == "grid"


def test_sessions_of_a_crossover_have_their_own_deviations_and_arms() -> None:
    protocol = make_protocol(design=Design.CROSSOVER)
    study = simulate(protocol, 24, effect=0.8)

    rows = trajectory_rows(protocol, tables_of(study))
    row = found(rows, "trajectory:valence:difference:iso_vs_target_only")

    assert row.reason is None
    assert row.n == 24
    assert row.extra["n_reports"] == 24 * 2 * 5
    assert row.p_value is not None
    assert row.p_value < 0.01
    assert "of each person and of each session" in row.method


def test_sessions_that_differ_count_as_sessions_and_not_as_their_reports() -> None:
    # Each session of a person has a slope of its own: the arms' difference is as sure as the paired
    # differences of those slopes are, not as the many reports would make it.
    from scipy import stats

    protocol = make_protocol(design=Design.CROSSOVER)
    study, rng = MadeStudy(protocol), np.random.default_rng(2)
    study.add(StudyInitialised(protocol.study_id, "{}", "0" * 64, "isopath"))
    times = np.array([0.0, *protocol.probes_at_s, protocol.duration_s]) / 600
    own: dict[str, list[float]] = {"iso": [], "target_only": []}
    for index in range(30):
        who, group = f"sub-{index:03d}", ("ab", "ba")[index % 2]
        study.enrol(who)
        for number in (1, 2):
            slope = rng.normal(0, 0.5)
            felt = rng.normal(0, 0.1) + slope * times + rng.normal(0, 0.02, 5)
            session = f"ses-{number:02d}"
            study.report(who, session, Phase.PRE, Affect(float(felt[0]), 0.1))
            if number == 1:
                study.allocate(who, group)
            for at_s, value in zip(protocol.probes_at_s, felt[1:-1], strict=True):
                study.report(who, session, Phase.PROBE, Affect(float(value), 0.1), at_s)
            study.report(who, session, Phase.POST, Affect(float(felt[-1]), 0.1))
            arm = ("iso", "target_only")[(index + number + 1) % 2]
            own[arm].append(float(np.polyfit(times, felt, 1)[0]))
    expected = stats.ttest_rel(own["iso"], own["target_only"])

    row = found(
        trajectory_rows(protocol, tables_of(study)), "trajectory:valence:difference:iso_vs_target_only"
    )

    assert row.estimate == pytest.approx(np.mean(own["iso"]) - np.mean(own["target_only"]), abs=0.02)
    assert row.estimate is not None
    assert row.estimate / row.extra["se"] == pytest.approx(expected.statistic, rel=0.1)
    assert 20 < row.extra["df"] < 62


def test_an_arm_without_anybody_is_a_reason_and_the_others_stand() -> None:
    protocol = make_protocol((PathKind.ISO, PathKind.TARGET_ONLY, PathKind.SILENCE))
    study = drifting(make_protocol(), 20, {"iso": 0.5})
    study.protocol = protocol

    rows = trajectory_rows(protocol, tables_of(study))

    assert found(rows, "trajectory:valence:slope:iso").estimate is not None
    assert found(rows, "trajectory:valence:slope:silence").reason == (
        "nobody in arm silence reported at two times of a session"
    )
    assert found(rows, "trajectory:valence:difference:iso_vs_silence").estimate is None


def test_an_axis_on_which_all_say_the_same_is_a_reason_and_the_other_axis_stands() -> None:
    protocol = make_protocol()
    rows = trajectory_rows(protocol, tables_of(drifting(protocol, 20, {"iso": 0.5})))

    assert found(rows, "trajectory:arousal:slope:iso").reason == (
        "the outcome does not vary within arms, so no interval can be given"
    )
    assert found(rows, "trajectory:valence:slope:iso").reason is None


@pytest.mark.parametrize(("people", "told"), [(0, "nobody has reported within a session yet"), (1, None)])
def test_nobody_and_one_person_are_rows_and_no_crash(people: int, told: str | None) -> None:
    protocol = make_protocol()
    rows = trajectory_rows(protocol, tables_of(drifting(protocol, people, {})))

    assert len(rows) == 6
    for row in rows:
        assert row.reason == told if told else True
    assert found(rows, "trajectory:valence:difference:iso_vs_target_only").estimate is None
