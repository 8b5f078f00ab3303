"""Agreement of felt, generated and planned: the unit, the coverage, and what is kept apart."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from analysis.agreement.clip_permutation import clip_permutation
from analysis.agreement.concordance import concordance, limits_of_agreement
from analysis.agreement.pair_sets import numbered, pair_sets, unpaired_counts
from analysis.agreement.pair_statistics import Pairs, bootstrap_pairs
from analysis.agreement.resampling import PARTICIPANT, PARTICIPANT_AND_CLIP, resampling_of
from analysis.agreement.rows import agreement_rows, estimate_set
from analysis.agreement.trajectories import Trajectories
from analysis.result_row import ResultRow
from analysis.tables.build import StudyTables, build_tables
from study.affect import Affect
from study.events import PlaybackEnded, PlaybackStarted, SelfReportSubmitted
from study.instruments import Instrument, Perspective
from study.path import PathKind
from study.protocol import Phase
from tests.analysis.made_study import MadeStudy, make_protocol, simulate


def tables_of(study: MadeStudy) -> StudyTables:
    return build_tables(study.protocol, study.events, study.manifests, study.predictions)


def rows_of(study: MadeStudy, set_id: str) -> dict[tuple[str, str], ResultRow]:
    one = next(s for s in pair_sets(tables_of(study)) if s.set_id == set_id)
    found = estimate_set(study.protocol, one)
    return {(r.extra["axis"], r.extra["statistic"]): r for r in agreement_rows(study.protocol, one, found)}


def test_everyone_with_sound_of_their_own_makes_participants_the_unit() -> None:
    assert resampling_of(["a", "a", "b"], ["x", "y", "z"]).unit == PARTICIPANT


def test_one_clip_heard_by_two_people_makes_participants_and_clips_the_units() -> None:
    found = resampling_of(["a", "a", "b"], ["x", "y", "y"])

    assert found.unit == PARTICIPANT_AND_CLIP
    assert (found.n_people, found.n_clips) == (2, 2)


def test_the_unit_is_read_from_the_sound_that_was_rendered_and_named_in_the_row() -> None:
    own, shared = simulate(make_protocol(start=None), 6), MadeStudy(make_protocol())
    for number in range(6):
        who = f"sub-{number}"
        shared.enrol(who)
        shared.report(who, "ses-01", Phase.PRE, Affect(-0.5, 0.5))
        shared.allocate(who, "iso")
        shared.render(who, 1, Affect(-0.5, 0.5), own=False)
        shared.report(who, "ses-01", Phase.POST, Affect(0.1 * number, -0.1))
    _play_all(shared)

    assert (
        rows_of(own, "felt_vs_generated:post:slider")["valence", "ccc"].extra["resampled_unit"] == PARTICIPANT
    )
    row = rows_of(shared, "felt_vs_planned:post:slider")["valence", "ccc"]
    assert row.extra["resampled_unit"] == PARTICIPANT_AND_CLIP
    assert "clips were shared" in row.method


def test_drawing_participants_alone_rejects_a_true_zero_where_clips_are_shared_and_two_ways_do_not() -> None:
    """Two-way draws and the permutation of clips keep their level; participants as the only unit do not."""
    rng = np.random.default_rng(11)
    people, clips, repetitions = 20, 16, 60
    person = [f"p{i}" for i in range(people) for _ in range(clips)]
    clip = [f"c{j}" for _ in range(people) for j in range(clips)]
    both = resampling_of(person, clip)
    alone = replace(both, unit=PARTICIPANT, clip=None)
    rejected = dict.fromkeys((PARTICIPANT, PARTICIPANT_AND_CLIP, "permutation"), 0)
    for repetition in range(repetitions):
        reported = np.tile(rng.normal(0, 1, clips), people) + rng.normal(0, 0.5, people * clips)
        predicted = np.tile(rng.normal(0, 1, clips), people)
        for design in (both, alone):
            ccc = bootstrap_pairs(Pairs(reported, predicted, design), f"{repetition}")["ccc"]
            assert ccc.ci_low is not None
            assert ccc.ci_high is not None
            rejected[design.unit] += not ccc.ci_low < 0 < ccc.ci_high
        permuted = clip_permutation(reported, predicted, numbered(clip), f"{repetition}")
        rejected["permutation"] += permuted.p_value <= 0.05

    assert rejected[PARTICIPANT] / repetitions > 0.4
    assert rejected[PARTICIPANT_AND_CLIP] / repetitions < 0.15
    assert rejected["permutation"] / repetitions < 0.12


def test_the_bootstrap_interval_of_concordance_covers_the_truth_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(5)
    people, each, repetitions, covered = 40, 4, 120, 0
    person = [f"p{i}" for i in range(people) for _ in range(each)]
    design = resampling_of(person, [f"{who}-{i}" for i, who in enumerate(person)])
    # Var(x) = .36 + .04 + .09, Var(y) = .36 + .05, cov = .36, shift .1.
    truth = 2 * 0.36 / (0.49 + 0.41 + 0.01)
    for repetition in range(repetitions):
        signal = rng.normal(0, 0.6, people * each)
        x = 0.1 + signal + np.repeat(rng.normal(0, 0.2, people), each) + rng.normal(0, 0.3, people * each)
        y = signal + rng.normal(0, np.sqrt(0.05), people * each)
        found = bootstrap_pairs(Pairs(x, y, design), f"{repetition}")["ccc"]
        assert found.ci_low is not None
        assert found.ci_high is not None
        covered += found.ci_low <= truth <= found.ci_high

    assert covered / repetitions >= 0.88


def test_a_shared_drift_correlates_within_persons_until_the_trend_is_removed() -> None:
    rng = np.random.default_rng(8)
    people, times, repetitions = 30, np.linspace(60.0, 360.0, 6), 40
    person = [f"p{i}" for i in range(people) for _ in times]
    time_s = np.tile(times, people)
    design = resampling_of(person, [str(i) for i in range(len(person))])
    rejected = {"within_r": 0, "within_r_detrended": 0}
    for repetition in range(repetitions):
        x = time_s / 360 + rng.normal(0, 0.3, len(time_s))
        y = time_s / 360 + rng.normal(0, 0.05, len(time_s))
        sessions = Trajectories(x, y, time_s, numbered(person), design)
        found = bootstrap_pairs(Pairs(x, y, design, None, sessions), f"{repetition}")
        for name in rejected:
            one = found[name]
            assert one.ci_low is not None
            assert one.ci_high is not None
            rejected[name] += not one.ci_low < 0 < one.ci_high

    assert rejected["within_r"] == repetitions
    assert rejected["within_r_detrended"] / repetitions <= 0.15


def test_one_pair_per_person_of_own_sound_also_carries_the_published_intervals() -> None:
    study = simulate(make_protocol(), 16)
    rows = rows_of(study, "felt_vs_generated:post:slider")
    pairs = tables_of(study).pairs
    post = pairs[pairs["phase"] == "post"]
    x, y = post["valence"].to_numpy(dtype=float), post["valence_pred"].to_numpy(dtype=float)
    ccc, limits = concordance(x, y), limits_of_agreement(x - y)

    assert rows["valence", "ccc"].estimate == pytest.approx(ccc.estimate)
    assert rows["valence", "ccc"].extra["analytic_ci"] == (ccc.ci_low, ccc.ci_high)
    assert rows["valence", "bias"].estimate == pytest.approx(limits.bias)
    assert rows["valence", "limit_low"].estimate == pytest.approx(limits.low)
    assert rows["valence", "limit_high"].estimate == pytest.approx(limits.high)
    assert rows["valence", "mae"].estimate == pytest.approx(np.abs(x - y).mean())


def test_several_pairs_per_person_carry_no_interval_that_assumes_independence() -> None:
    rows = rows_of(simulate(make_protocol(), 8), "felt_vs_generated:probe:slider")
    analytic = {statistic for (_, statistic), row in rows.items() if row.extra["analytic_ci"] is not None}

    assert analytic == {"bias", "limit_low", "limit_high"}


def test_planted_agreement_of_generated_with_planned_is_found() -> None:
    row = rows_of(simulate(make_protocol(), 10), "generated_vs_planned:clips")["valence", "ccc"]

    assert row.estimate is not None
    assert row.estimate > 0.95
    assert row.n == 80


def test_felt_and_perceived_reports_are_never_pooled() -> None:
    protocol = make_protocol()
    protocol = replace(
        protocol,
        instruments=(*protocol.instruments, Instrument("music", "affect_grid", Perspective.PERCEIVED)),
    )
    study = simulate(protocol, 6)
    for number in range(1, 7):
        affect = Affect(0.5, -0.25)
        study.add(
            SelfReportSubmitted(
                Phase.POST, "music", Perspective.PERCEIVED, {"valence": 7.0, "arousal": 4.0}, affect, {}, ()
            ),
            f"sub-{number:03d}",
            "ses-01",
        )
    sets = {s.set_id: s for s in pair_sets(tables_of(study))}

    assert len(sets["felt_vs_generated:post:slider"].frame) == 6
    assert len(sets["perceived_vs_generated:post:music"].frame) == 6
    assert sets["perceived_vs_generated:post:music"].first == "perceived"


def test_a_silent_arm_has_no_pairs_and_the_reports_are_counted() -> None:
    study = simulate(make_protocol((PathKind.SILENCE, PathKind.NOISE)), 6)
    tables = tables_of(study)

    assert all(len(one.frame) == 0 for one in pair_sets(tables))
    assert sum(unpaired_counts(tables).values()) == 6 * 4


def test_too_few_pairs_give_a_reason_and_too_few_people_no_interval() -> None:
    few = rows_of(simulate(make_protocol(), 2), "felt_vs_generated:post:slider")["valence", "ccc"]
    some = rows_of(simulate(make_protocol(), 4), "felt_vs_generated:post:slider")["valence", "bias"]

    assert few.reason == "2 pair(s): agreement needs 3 or more"
    assert some.estimate is not None
    assert some.ci_low is None
    assert some.reason is not None
    assert "an interval needs 5 or more" in some.reason


def test_the_same_protocol_and_data_give_the_same_interval() -> None:
    first, second = (
        rows_of(simulate(make_protocol(), 8), "felt_vs_generated:probe:slider") for _ in range(2)
    )

    assert first == second


def _play_all(study: MadeStudy) -> None:
    """Put a whole playback before each post report, keeping rows in order."""
    kept, study.events = study.events, []
    for recorded in kept:
        if isinstance(recorded.event, SelfReportSubmitted) and recorded.event.phase is Phase.POST:
            study.add(PlaybackStarted(0.0), recorded.participant_id, recorded.session_id)
            study.add(PlaybackEnded(240.0), recorded.participant_id, recorded.session_id)
        study.add(recorded.event, recorded.participant_id, recorded.session_id)
