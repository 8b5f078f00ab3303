"""What staff are told of a study: verdicts, alerts, stop rules, enrolment and data quality."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from study.affect import Affect
from study.cohort import SimulatedClock
from study.conduct import discontinue, report_adverse_event
from study.delivery import record_playback
from study.errors import ConductError
from study.events import (
    AdverseEventReported,
    AlertAcknowledged,
    Asked,
    EndReason,
    ParticipantEnrolled,
    PlaybackStarted,
    PlaybackStopped,
    PlayerEntryKind,
    RecordedEvent,
    SelfReportSubmitted,
    SoundChecked,
    StopReason,
    SupportAnswered,
    SupportCause,
    SupportOffered,
    VisitMissed,
)
from study.founding import Study
from study.instruments import Perspective
from study.oversight import (
    AlertKind,
    StageState,
    Verdict,
    acknowledge,
    alerts_of,
    completeness_of,
    enrolment_of,
    quality_rows,
    reached_stop_rules,
    status_of,
)
from study.oversight.words import duration_words
from study.protocol import Phase, StopRule
from tests.study import walking
from tests.study.made_rows import (
    EXAMPLE,
    NOW,
    SESSION,
    allocation,
    append,
    heard_until,
    player_log,
    row,
    trial,
    two_sessions,
    walk_through,
    with_rules,
)


def verdict(study: Study, participant_id: str, later: timedelta = timedelta()) -> tuple[str, tuple[str, ...]]:
    now = study.record.clock() + later
    found = completeness_of(study.protocol, study.record.participant(participant_id), SESSION, now)
    return str(found.verdict), found.reasons


class TestTheVerdictOnASession:
    def test_a_session_nobody_began_is_not_begun(self, study: Study) -> None:
        assert verdict(study, walking.enrolled(study)) == ("not begun", ())

    def test_a_session_heard_and_answered_to_its_end_is_complete(self, study: Study) -> None:
        person = walking.rendered(study)
        walk_through(study, person)

        assert verdict(study, person) == ("complete", ())

    def test_it_is_under_way_while_its_steps_are_being_taken(self, study: Study) -> None:
        assert verdict(study, walking.rendered(study)) == ("under way", ())

    def test_nobody_is_in_a_session_twelve_hours_after_their_last_sign(self, study: Study) -> None:
        found, reasons = verdict(study, walking.listened(study), timedelta(hours=13))

        assert found == "partial"
        assert reasons == ("2 probes missed", "post report missing", "left open since 2026-03-01")

    def test_a_missing_post_report_makes_it_partial_and_is_named(self, study: Study) -> None:
        person = walking.rendered(study)
        walk_through(study, person, miss=("anxiety", "post"))

        assert verdict(study, person) == ("partial", ("post report incomplete: anxiety missing",))

    def test_a_missed_probe_is_counted(self, study: Study) -> None:
        person = walking.rendered(study)
        walk_through(study, person, miss=("feeling", "probe"))

        assert verdict(study, person) == ("partial", ("2 probes missed",))

    def test_a_stopped_session_says_why_and_how_much_was_heard(self, study: Study) -> None:
        person = walking.rendered(study)
        record_playback(study, "test", person, SESSION, PlaybackStarted(0.0))
        record_playback(study, "test", person, SESSION, PlaybackStopped(270.0, StopReason.DISTRESS))

        found, reasons = verdict(study, person, timedelta(days=1))

        assert found == "stopped"
        assert reasons == (
            "stopped for distress",
            "heard 30 % of the session",
            "post report missing",
        )

    def test_probes_after_a_stop_are_not_held_against_it(self, study: Study) -> None:
        person = walking.rendered(study)
        record_playback(study, "test", person, SESSION, PlaybackStarted(0.0))
        record_playback(study, "test", person, SESSION, PlaybackStopped(270.0, StopReason.CHOSE_TO_STOP))

        assert not any("probe" in reason for reason in verdict(study, person, timedelta(days=1))[1])

    def test_who_left_before_the_session_ended_is_lost(self, study: Study) -> None:
        person = walking.rendered(study)
        discontinue(study, "test", person, EndReason.WITHDREW)

        found, reasons = verdict(study, person)

        assert found == "lost"
        assert reasons[0] == "left the study: withdrew"

    def test_leaving_after_the_session_leaves_its_verdict_alone(self, study: Study) -> None:
        person = walking.rendered(study)
        walk_through(study, person)
        discontinue(study, "test", person, EndReason.LOST_TO_FOLLOW_UP)

        assert verdict(study, person) == ("complete", ())

    def test_a_visit_that_will_not_take_place_is_missed_with_the_reason(self, study: Study) -> None:
        person = walking.enrolled(study)
        append(study, person, VisitMissed("the person was ill"))

        assert verdict(study, person) == ("missed", ("the person was ill",))

    def test_a_failed_sound_check_is_told(self, study: Study) -> None:
        person = walking.rendered(study)
        append(study, person, SoundChecked(0.5, "huggins", 2, 6, False, 1))

        assert verdict(study, person)[1] == ("sound check failed",)

    def test_a_sound_the_browser_could_not_verify_and_a_long_mute_are_told(self, study: Study) -> None:
        person = walking.rendered(study)
        kinds = PlayerEntryKind
        append(
            study,
            person,
            player_log(
                (kinds.LOADED, 0, 0.0, "length"),
                (kinds.PLAY, 10, 0.0, None),
                (kinds.MUTED, 100_010, 100.0, None),
                (kinds.UNMUTED, 140_010, 140.0, None),
                (kinds.PAUSE, 200_010, 200.0, None),
            ),
        )

        assert verdict(study, person)[1] == ("muted 40 s", "sound not verified in the browser")

    def test_a_verified_sound_is_nothing_to_tell(self, study: Study) -> None:
        person = walking.rendered(study)
        append(study, person, player_log((PlayerEntryKind.LOADED, 0, 0.0, "sha256")))

        assert verdict(study, person)[1] == ()

    @given(st.integers(0, 900))
    def test_the_share_heard_is_told_exactly_where_it_falls_short(self, stop_s: int) -> None:
        history = heard_until(float(stop_s))
        protocol = EXAMPLE

        found = completeness_of(protocol, history, SESSION, NOW + timedelta(days=2))

        told = [reason for reason in found.reasons if reason.startswith(("heard", "nothing"))]
        if stop_s >= 0.95 * 900:
            assert told == []
        elif stop_s == 0:
            assert told == ["nothing was heard"]
        else:
            assert told == [f"heard {int(100 * stop_s / 900)} % of the session"]


class TestStopRules:
    def test_a_rule_is_counted_by_arm_and_told_without_one(self) -> None:
        rule = StopRule("three in distress", "distress", 3, 0.0)
        events = trial({"iso": 3, "target_only": 3}, distressed={"iso": 3})

        (reached,) = reached_stop_rules(with_rules(rule), events)

        assert reached.text == (
            "A stop rule of the protocol has been reached: three in distress. "
            "Please call the unblinded monitor."
        )
        assert "iso" not in reached.text
        assert "target" not in reached.text

    def test_people_of_different_arms_do_not_add_up(self) -> None:
        rule = StopRule("three", "distress", 3, 0.0)

        events = trial({"iso": 4, "target_only": 4}, distressed={"iso": 2, "target_only": 2})

        assert reached_stop_rules(with_rules(rule), events) == ()

    def test_one_person_twice_is_one_person(self) -> None:
        rule = StopRule("two", "distress", 2, 0.0)
        events = trial({"iso": 2}, distressed={"iso": 1})

        again = replace(events[-1], sequence=len(events) + 1)

        assert reached_stop_rules(with_rules(rule), [*events, again]) == ()

    def test_the_share_is_of_those_who_began_to_listen_in_that_arm(self) -> None:
        rule = StopRule("a third", "distress", 2, 1 / 3)

        assert reached_stop_rules(with_rules(rule), trial({"iso": 7}, {"iso": 2})) == ()
        assert len(reached_stop_rules(with_rules(rule), trial({"iso": 6}, {"iso": 2}))) == 1

    def test_a_rule_once_reached_stays_reached_when_more_people_listen(self) -> None:
        rule = StopRule("a third", "distress", 2, 1 / 3)
        events = trial({"iso": 3}, distressed={"iso": 2})
        more = trial({"iso": 20}, {}, first=100, sequence=len(events))

        assert len(reached_stop_rules(with_rules(rule), [*events, *more])) == 1

    def test_a_severe_adverse_event_is_serious_and_a_moderate_one_is_not(self) -> None:
        rule = StopRule("serious", "serious_adverse_event", 1, 0.0)
        events = trial({"iso": 1}, {})

        for severity, n in (("moderate", 0), ("severe", 1)):
            harm = AdverseEventReported("emotional", severity, "possible", "")
            added = [*events, row(len(events) + 1, harm, "sub-0", SESSION)]
            assert len(reached_stop_rules(with_rules(rule), added)) == n

    @given(
        st.integers(0, 6),
        st.integers(0, 6),
        st.integers(0, 6),
        st.integers(0, 6),
        st.integers(1, 4),
        st.floats(0, 1),
    )
    def test_it_is_reached_just_when_one_arm_has_the_number_and_the_share(
        self, harmed_a: int, well_a: int, harmed_b: int, well_b: int, at_least: int, of_share: float
    ) -> None:
        arms = {"iso": (harmed_a, well_a), "target_only": (harmed_b, well_b)}
        events = trial({arm: sum(n) for arm, n in arms.items()}, {arm: n[0] for arm, n in arms.items()})

        reached = reached_stop_rules(with_rules(StopRule("r", "distress", at_least, of_share)), events)

        assert bool(reached) == any(
            harmed >= at_least and harmed >= of_share * (harmed + well) for harmed, well in arms.values()
        )


class TestAlerts:
    def test_harm_and_calls_for_help_are_alerts_newest_first(self, study: Study) -> None:
        person = walking.rendered(study)
        append(study, person, SupportOffered(SupportCause.DISTRESS, Affect(-0.9, 0.9)))
        append(study, person, SupportAnswered("worse", True, False))
        report_adverse_event(
            study, "test", person, AdverseEventReported("emotional", "mild", "possible", "wept"), SESSION
        )

        alerts = alerts_of(study.protocol, study.record.events(), study.record.clock())

        assert [alert.kind for alert in alerts] == [
            AlertKind.ADVERSE_EVENT,
            AlertKind.STAFF_WANTED,
            AlertKind.DISTRESS,
        ]
        assert [alert.is_urgent for alert in alerts] == [False, True, True]
        assert alerts[1].text == "asks for somebody to come, feels worse"
        assert all(alert.participant_id == person for alert in alerts)

    def test_an_alert_that_was_seen_says_by_whom(self, study: Study) -> None:
        person = walking.rendered(study)
        append(study, person, SupportOffered(SupportCause.CALLED))
        (alert,) = alerts_of(study.protocol, study.record.events(), study.record.clock())

        acknowledge(study, "coordinator:anna", alert.sequence, "went in", alert.kind)

        (seen,) = alerts_of(study.protocol, study.record.events(), study.record.clock())
        assert seen.acknowledged_by == "coordinator:anna"

    def test_only_an_alert_can_be_acknowledged(self, study: Study) -> None:
        walking.enrolled(study)

        with pytest.raises(ConductError, match="raises no such alert"):
            acknowledge(study, "test", 1, "")

        assert not study.record.events(kinds=[AlertAcknowledged])

    def test_a_reached_stop_rule_is_an_alert_of_its_own_beside_the_distress_that_reached_it(self) -> None:
        events = trial({"iso": 2}, {"iso": 2})
        protocol = with_rules(StopRule("two", "distress", 2, 0.0))
        last = events[-1].sequence
        seen = row(last + 1, AlertAcknowledged(last, "", str(AlertKind.DISTRESS)), "sub-1", None)

        alerts = {a.kind: a for a in alerts_of(protocol, [*events, seen], NOW) if a.sequence == last}

        assert alerts[AlertKind.DISTRESS].acknowledged_by == "test"
        assert alerts[AlertKind.STOP_RULE].acknowledged_by is None
        assert alerts[AlertKind.STOP_RULE].participant_id is None

    def test_sound_that_is_not_made_within_a_quarter_of_an_hour_is_an_alert(
        self, study: Study, clock: SimulatedClock
    ) -> None:
        walking.allocated(study)
        assert alerts_of(study.protocol, study.record.events(), clock()) == ()

        clock.advance(16 * 60)

        (alert,) = alerts_of(study.protocol, study.record.events(), clock())
        assert alert.kind is AlertKind.RENDER_FAILED
        assert alert.text == "the sound of ses-01 has not been made for 16 min"

    def test_a_visit_whose_window_went_by_is_an_alert(self, tmp_path: Path, clock: SimulatedClock) -> None:
        study = two_sessions(tmp_path, clock)
        person = walking.rendered(study)
        walk_through(study, person)
        clock.advance(30 * 86_400)

        (alert,) = alerts_of(study.protocol, study.record.events(), clock())

        assert alert.kind is AlertKind.VISIT_LATE
        assert alert.text.startswith("session 2: its window closed on 2026-03-")

    def test_nobody_who_left_is_late(self, tmp_path: Path, clock: SimulatedClock) -> None:
        study = two_sessions(tmp_path, clock)
        person = walking.rendered(study)
        walk_through(study, person)
        discontinue(study, "test", person, EndReason.WITHDREW)
        clock.advance(30 * 86_400)

        assert alerts_of(study.protocol, study.record.events(), clock()) == ()


class TestEnrolment:
    def test_people_are_counted_by_day_and_by_stratum(self, study: Study, clock: SimulatedClock) -> None:
        walking.allocated(study)
        clock.advance(2 * 86_400)
        walking.enrolled(study)

        found = enrolment_of(study.protocol, study.record.events(), clock())

        assert (found.planned, found.enrolled, found.consented, found.allocated) == (128, 2, 1, 1)
        assert [(d.day, d.enrolled, d.allocated) for d in found.days] == [
            (date(2026, 3, 1), 1, 1),
            (date(2026, 3, 2), 1, 1),
            (date(2026, 3, 3), 2, 1),
        ]
        assert [(n.factor, n.level, n.enrolled, n.allocated) for n in found.levels] == [
            ("site", "north", 2, 1),
            ("site", "south", 0, 0),
            ("baseline_arousal", "low", 0, 0),
            ("baseline_arousal", "high", 2, 1),
        ]

    def test_the_expected_end_follows_from_the_pace_of_the_last_four_weeks(self) -> None:
        protocol = replace(EXAMPLE, sample_size=20)
        events = [
            row(i + 1, allocation("iso"), f"sub-{i}", None, at=NOW - timedelta(days=27 - 3 * i))
            for i in range(10)
        ]

        found = enrolment_of(protocol, events, NOW)

        # 10 in 28 days; 10 more take another 28.
        assert found.expected_end == NOW.date() + timedelta(days=28)

    def test_no_end_is_foretold_where_nobody_came_lately_or_the_plan_is_reached(self) -> None:
        one = row(1, allocation("iso"), "sub-0", None, at=NOW - timedelta(days=60))

        assert enrolment_of(EXAMPLE, [one], NOW).expected_end is None
        assert enrolment_of(replace(EXAMPLE, sample_size=1), [replace(one, at=NOW)], NOW).expected_end is None

    @given(st.lists(st.tuples(st.integers(0, 40), st.booleans()), max_size=30))
    def test_the_last_day_holds_everybody(self, arrivals: list[tuple[int, bool]]) -> None:
        events: list[RecordedEvent] = []
        for i, (day, is_allocated) in enumerate(sorted(arrivals)):
            at = NOW - timedelta(days=40 - day)
            events.append(row(len(events) + 1, ParticipantEnrolled({}, False), f"sub-{i}", None, at=at))
            if is_allocated:
                events.append(row(len(events) + 1, allocation("iso"), f"sub-{i}", None, at=at))

        found = enrolment_of(EXAMPLE, events, NOW)

        assert [d.enrolled for d in found.days] == sorted(d.enrolled for d in found.days)
        if arrivals:
            assert found.days[-1].day == NOW.date()
            assert (found.days[-1].enrolled, found.days[-1].allocated) == (found.enrolled, found.allocated)


class TestAParticipantsStatus:
    def test_it_names_what_is_due_and_every_stage(self, study: Study) -> None:
        person = walking.rendered(study)

        found = status_of(study.protocol, study.record.participant(person), study.record.clock())

        assert found.due == "listening to ses-01 from 0 s to 300 s"
        assert [(stage.name, stage.state) for stage in found.stages] == [
            ("consent", StageState.DONE),
            ("eligibility", StageState.DONE),
            ("baseline", StageState.DONE),
            ("ses-01", StageState.DUE),
            ("follow-up", StageState.AHEAD),
        ]
        assert found.sessions[SESSION].verdict is Verdict.UNDER_WAY

    def test_what_lies_ahead_of_somebody_who_left_has_ended(self, study: Study) -> None:
        person = walking.eligible(study)
        discontinue(study, "test", person, EndReason.WITHDREW)

        found = status_of(study.protocol, study.record.participant(person), study.record.clock())

        assert found.outcome == "withdrew"
        assert {s.name: s.state for s in found.stages}["follow-up"] is StageState.ENDED


class TestDataQuality:
    def test_a_row_tells_what_was_noticed_about_a_session(self, study: Study) -> None:
        person = walking.rendered(study)
        asked = Asked("en", "How do you feel?", ("valence", "arousal"), ("valence",), 0.4)
        append(
            study,
            person,
            SelfReportSubmitted(
                Phase.PROBE,
                "feeling",
                Perspective.FELT,
                {"arousal": 0.5},
                None,
                {},
                ("valence",),
                300.0,
                asked,
            ),
        )

        row_of = {r.session_id: r for r in quality_rows(study.protocol, study.record.events())}

        noticed = row_of[SESSION]
        assert (noticed.untouched_items, noticed.fast_answers, noticed.missed_items) == (1, 1, 1)
        assert (noticed.heard_share, noticed.outside_window, noticed.sound_check) == (0.0, False, None)
        assert row_of[None].missed_reports == 0

    def test_an_answer_after_a_second_is_not_too_fast(self, study: Study) -> None:
        person = walking.rendered(study)
        asked = Asked("en", "How do you feel?", (), (), 1.0)
        report = SelfReportSubmitted(Phase.PROBE, "feeling", Perspective.FELT, {}, None, {}, (), 300.0, asked)
        append(study, person, report)

        found = {r.session_id: r for r in quality_rows(study.protocol, study.record.events())}

        assert found[SESSION].fast_answers == 0


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(40, "40 s"), (59.6, "1 min"), (125, "2 min 5 s"), (12_000, "3 h 20 min"), (5 * 86_400, "5 days")],
)
def test_lengths_of_time_are_told_in_the_largest_units_that_matter(seconds: float, words: str) -> None:
    assert duration_words(seconds) == words
