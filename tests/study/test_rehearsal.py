"""A rehearsal is the study with simulated people: marked, repeatable, and never mistaken for one."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import pytest

from study.affect import Affect
from study.canonical import plain
from study.cohort import SimulatedClock
from study.errors import OutOfRange, RecordMismatch
from study.events import (
    ParticipantAllocated,
    ParticipantEnrolled,
    PlaybackLogged,
    QuestionnaireSubmitted,
    RehearsalStarted,
    SelfReportSubmitted,
    SoundChecked,
    SupportAnswered,
    SupportCause,
    SupportOffered,
)
from study.founding import Study, initialise_study, open_study
from study.listening import listening_of
from study.manifest import RenderManifest
from study.protocol import Phase
from study.rehearsal import begin_rehearsal, rehearse
from study.session import SessionPlan
from study.simulation import RESPONSE_SD, HeardMoments, Tendencies, post_affect, probe_affect
from study.step import Finished
from study.steps import next_step
from study.visits import began_at
from tests.study.conftest import EXAMPLES
from tests.study.every_step import with_every_step
from tests.study.walking import manifest_of

T = TypeVar("T")
SPEC = RehearsalStarted(participants=30, effect=0.5, agreement=0.6, seed=1, session_s=300.0)


def manifests_of(plans: Sequence[SessionPlan]) -> dict[tuple[str, str], RenderManifest]:
    return {(plan.participant_id, plan.session_id): manifest_of(plan) for plan in plans}


def quiet(_: str, __: int, ___: int) -> None:
    return


def begun(folder: Path, example: str = "iso_vs_target_only", spec: RehearsalStarted = SPEC) -> Study:
    """The example with every step there is: sound check, questionnaires, follow-ups, debriefing."""
    clock = SimulatedClock(datetime(2026, 3, 1, tzinfo=UTC))
    study = initialise_study(folder, EXAMPLES / f"{example}.json", "test", "test", clock)
    return begin_rehearsal(replace(study, protocol=with_every_step(study.protocol)), spec)


def opened_again(study: Study) -> Study:
    study.record.close()
    again = open_study(study.folder.root)
    return begin_rehearsal(replace(again, protocol=study.protocol), SPEC)


@pytest.fixture(scope="module")
def rehearsed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Study]:
    study = begun(tmp_path_factory.mktemp("rehearsed") / "study")
    rehearse(study, SPEC, manifests_of, quiet)
    yield study
    study.record.close()


def told(study: Study, kind: type[T]) -> list[tuple[str | None, T]]:
    """Who did what, of one kind."""
    found = study.record.events(kinds=[kind])
    return [(r.participant_id, r.event) for r in found if isinstance(r.event, kind)]


def story(study: Study) -> list[str]:
    """What happened to whom, without hashes and times."""
    return [
        json.dumps([r.kind, r.participant_id, r.session_id, plain(r.event)], sort_keys=True)
        for r in study.record.events()
        if r.kind not in ("StudyInitialised", "SessionRendered")
    ]


@pytest.mark.parametrize("example", ["iso_vs_target_only", "three_arm_silence", "crossover_2x2"])
def test_everyone_reaches_an_end_in_every_example(tmp_path: Path, example: str) -> None:
    spec = RehearsalStarted(12, 0.5, 0.6, 3, 300.0)
    study = begun(tmp_path / "study", example, spec)
    rehearse(study, spec, manifests_of, quiet)

    people = {r.participant_id for r in study.record.events() if r.participant_id}

    assert len(people) == 12
    for participant_id in people:
        assert isinstance(next_step(study.protocol, study.record.events(participant_id)), Finished)
    study.record.verify()
    study.record.close()


def test_every_simulated_participant_is_marked_as_one(rehearsed: Study) -> None:
    enrolled = [r.event for r in rehearsed.record.events(kinds=[ParticipantEnrolled])]

    assert len(enrolled) == SPEC.participants
    assert all(isinstance(e, ParticipantEnrolled) and e.simulated for e in enrolled)
    assert rehearsed.record.events()[1].kind == "RehearsalStarted"


def test_participants_do_what_people_do(rehearsed: Study) -> None:
    kinds = Counter(r.kind for r in rehearsed.record.events())

    assert kinds["ConsentDeclined"] > 0
    assert kinds["ParticipantDiscontinued"] > 0
    assert kinds["SelfReportMissed"] > 0
    assert any(event.missed_items for _, event in told(rehearsed, SelfReportSubmitted))
    assert kinds["DebriefRead"] > 0
    assert kinds["ParticipationMoved"] > 0
    done = Counter(entry.kind for _, log in told(rehearsed, PlaybackLogged) for entry in log.entries)
    assert {"play", "pause", "stop", "ended", "muted", "unmuted", "hidden", "visible"} <= set(done)


def test_some_fail_the_sound_check_once_and_pass_it_the_second_time(rehearsed: Study) -> None:
    attempts: dict[str | None, list[bool]] = {}
    for who, checked in told(rehearsed, SoundChecked):
        attempts.setdefault(who, []).append(checked.passed)

    assert [False, True] in attempts.values()
    assert sum(tries == [True] for tries in attempts.values()) > len(attempts) / 2


def test_questionnaires_are_answered_alike_in_both_arms_and_some_items_stay_blank(rehearsed: Study) -> None:
    given = [event for _, event in told(rehearsed, QuestionnaireSubmitted)]
    guesses = Counter(e.answers["guess"] for e in given if "guess" in e.answers)
    liked = [e.answers["preference"] for e in given if "preference" in e.answers]

    assert set(guesses) == {"iso", "random_order", "do_not_know"}
    assert set(liked) <= {float(point) for point in range(1, 8)}
    assert len(set(liked)) > 2
    assert any("told" in e.missed_items for e in given)
    assert any("told" in e.answers for e in given)
    orders = {e.asked.item_order for e in given if e.asked is not None and e.questionnaire_id == "afterwards"}
    assert len(orders) > 1


def test_every_stop_and_every_distress_meets_the_support_page_and_its_answer_is_kept(tmp_path: Path) -> None:
    spec = RehearsalStarted(20, 0.5, 0.6, 5, 300.0)
    study = begun(tmp_path / "study", spec=spec)
    rehearse(study, spec, manifests_of, quiet, Tendencies(stops_early=1.0, drops_out=0.0, declines=0.0))
    offered = Counter(event.cause for _, event in told(study, SupportOffered))
    answered = Counter(event.goes_on for _, event in told(study, SupportAnswered))
    ends = Counter(
        listening_of(study.record.events(who), "ses-01").stop_reason
        for who, _ in told(study, ParticipantAllocated)
    )
    study.record.close()

    assert set(offered) == {SupportCause.STOPPED, SupportCause.DISTRESS}
    assert offered.total() == answered.total()
    assert set(answered) == {True, False}
    # Some go on to the end; the others stopped because they chose to, or in distress.
    assert set(ends) == {None, "chose_to_stop", "distress"}


def test_follow_ups_are_answered_when_they_open_and_second_sessions_in_their_window(tmp_path: Path) -> None:
    spec = RehearsalStarted(8, 0.5, 0.6, 2, 300.0)
    study = begun(tmp_path / "study", "crossover_2x2", spec)
    rehearse(study, spec, manifests_of, quiet)
    follow_ups = [
        (event.at - began).total_seconds() / 86_400
        for person in {r.participant_id for r in study.record.events() if r.participant_id}
        for history in [study.record.events(person)]
        for event in history
        if isinstance(event.event, SelfReportSubmitted) and event.event.phase is Phase.FOLLOW_UP
        if (began := began_at(history, "ses-02")) is not None
    ]
    kinds = {r.kind for r in study.record.events()}
    study.record.close()

    assert follow_ups
    assert all(7.0 <= day < 8.0 or 30.0 <= day < 31.0 for day in follow_ups)
    assert "DeviationRecorded" not in kinds


def test_the_same_seed_tells_the_same_story(rehearsed: Study, tmp_path: Path) -> None:
    again = begun(tmp_path / "again")
    rehearse(again, SPEC, manifests_of, quiet)

    assert story(again) == story(rehearsed)
    again.record.close()


def test_an_interrupted_rehearsal_goes_on_to_the_same_story(rehearsed: Study, tmp_path: Path) -> None:
    study = begun(tmp_path / "cut")

    def cut(what: str, done: int, _: int) -> None:
        if what == "session 1: listening" and done == 7:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rehearse(study, SPEC, manifests_of, cut)
    again = opened_again(study)
    rehearse(again, SPEC, manifests_of, quiet)

    assert sorted(story(again)) == sorted(story(rehearsed))
    again.record.verify()
    again.record.close()


def test_other_settings_on_a_rehearsed_record_are_refused(rehearsed: Study) -> None:
    with pytest.raises(RecordMismatch, match="rehearsed with other settings"):
        begin_rehearsal(rehearsed, RehearsalStarted(30, 0.9, 0.6, 1, 300.0))


@pytest.mark.parametrize(
    "spec",
    [
        RehearsalStarted(0, 0.5, 0.5, 1, 60.0),
        RehearsalStarted(10, float("nan"), 0.5, 1, 60.0),
        RehearsalStarted(10, 0.5, 1.2, 1, 60.0),
        RehearsalStarted(10, 0.5, 0.5, 1, 0.0),
    ],
)
def test_settings_off_their_range_are_refused(tmp_path: Path, spec: RehearsalStarted) -> None:
    with pytest.raises(OutOfRange):
        begun(tmp_path / "study", spec=spec)


def test_a_study_that_was_not_begun_as_a_rehearsal_is_not_rehearsed(study: Study) -> None:
    with pytest.raises(RecordMismatch, match="was not begun as this rehearsal"):
        rehearse(study, SPEC, manifests_of, quiet)


def test_a_session_in_time_lapse_keeps_its_shape(rehearsed: Study) -> None:
    protocol = rehearsed.protocol

    assert protocol.duration_s == 300.0
    assert protocol.probes_at_s == (100.0, 200.0)
    assert all(arm.path.duration_s == pytest.approx(300.0) for arm in protocol.arms)
    assert protocol.analysis.agreement.probe_window_s == pytest.approx(10.0)


def test_the_post_report_moves_by_the_planted_benefit_times_the_dose() -> None:
    rng = random.Random(1)
    pre, target = Affect(-0.4, 0.0), Affect(0.6, 0.0)

    def mean(benefit: float, dose: float) -> float:
        return sum(post_affect(rng, pre, target, benefit, dose).valence for _ in range(4000)) / 4000

    # Standard error .2 / sqrt(4000) = .003.
    assert mean(0.0, 1.0) == pytest.approx(0.2, abs=0.012)
    assert mean(1.0, 1.0) - mean(0.0, 1.0) == pytest.approx(RESPONSE_SD, abs=0.018)
    assert mean(1.0, 0.5) - mean(0.0, 0.5) == pytest.approx(RESPONSE_SD / 2, abs=0.018)


@pytest.mark.parametrize("agreement", [0.0, 0.6, 1.0])
def test_probe_reports_agree_with_what_was_heard_as_planted(agreement: float) -> None:
    rng = random.Random(2)
    heard = [Affect(rng.uniform(-0.4, 0.4), rng.uniform(-0.4, 0.4)) for _ in range(4000)]
    moments = HeardMoments.of(heard)

    told = [probe_affect(rng, h, moments, agreement) for h in heard]

    x, y = [h.valence for h in heard], [t.valence for t in told]
    mx, my = sum(x) / len(x), sum(y) / len(y)
    sxy = sum((a - mx) * (b - my) for a, b in zip(x, y, strict=True))
    sxx, syy = sum((a - mx) ** 2 for a in x), sum((b - my) ** 2 for b in y)
    # Lin (1989), Biometrics 45, 255-268.
    concordance = 2 * sxy / (sxx + syy + len(x) * (mx - my) ** 2)
    assert concordance == pytest.approx(agreement, abs=0.04)


def test_probe_reports_ignore_the_music_where_no_affect_is_planned() -> None:
    moments = HeardMoments((0.1, -0.1), (0.2, 0.2))

    told = [probe_affect(random.Random(i), None, moments, 1.0).valence for i in range(2000)]

    assert sum(told) / len(told) == pytest.approx(0.1, abs=0.03)
