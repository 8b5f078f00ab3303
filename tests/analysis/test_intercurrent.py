"""Intercurrent events: found where they happened, and dealt with as the protocol says."""

from __future__ import annotations

from dataclasses import replace

import pytest

from analysis.effects.endpoint import ENDPOINTS, Outcome, endpoint_values, outcomes_of, visits_of
from analysis.effects.estimate import estimate_effects
from analysis.effects.intercurrent import Applied, apply_strategies
from analysis.tables.build import build_tables
from study.affect import Affect
from study.events import (
    EndReason,
    ParticipantDiscontinued,
    PlaybackEnded,
    PlaybackLogged,
    PlaybackPaused,
    PlaybackResumed,
    PlaybackStarted,
    PlaybackStopped,
    PlayerEntry,
    PlayerEntryKind,
    SelfReportMissed,
    StopReason,
)
from study.protocol import Phase, StudyProtocol
from tests.analysis.made_study import MadeStudy, make_protocol, simulate

PRE, POST = Affect(-0.5, 0.5), Affect(0.2, 0.1)
PROBES = {60.0: Affect(-0.4, 0.4), 120.0: Affect(-0.3, 0.3), 180.0: Affect(-0.2, 0.2)}


def with_strategies(composite_value: float | None = None, **strategies: str) -> StudyProtocol:
    """The made protocol with other intercurrent events."""
    protocol = make_protocol()
    estimand = replace(
        protocol.analysis.estimand, intercurrent_events=strategies, composite_value=composite_value
    )
    return replace(protocol, analysis=replace(protocol.analysis, estimand=estimand))


class OnePerson:
    """A study of one person in arm iso, told event by event."""

    def __init__(self, protocol: StudyProtocol) -> None:
        self.study = MadeStudy(protocol)
        self.study.enrol("sub-001")
        self.study.report("sub-001", "ses-01", Phase.PRE, PRE)
        self.study.allocate("sub-001", "iso")
        self.study.render("sub-001", 1, PRE)

    def plays(self) -> OnePerson:
        """The sound is started."""
        self.study.add(PlaybackStarted(0.0), "sub-001", "ses-01")
        return self

    def answers(self, *at_s: float) -> OnePerson:
        """Probes are answered."""
        for at in at_s:
            self.study.report("sub-001", "ses-01", Phase.PROBE, PROBES[at], at)
        return self

    def pauses(self, at_s: float) -> OnePerson:
        """The person pauses and goes on."""
        self.study.add(PlaybackPaused(at_s), "sub-001", "ses-01")
        self.study.add(PlaybackResumed(at_s), "sub-001", "ses-01")
        return self

    def stops(self, at_s: float, reason: StopReason = StopReason.CHOSE_TO_STOP) -> OnePerson:
        """The sound is stopped before its end."""
        self.study.add(PlaybackStopped(at_s, reason), "sub-001", "ses-01")
        return self

    def hears_the_end(self) -> OnePerson:
        """The sound ends."""
        self.study.add(PlaybackEnded(240.0), "sub-001", "ses-01")
        return self

    def logs(self, *lines: tuple[PlayerEntryKind, float]) -> OnePerson:
        """A page's player writes down what it did."""
        entries = tuple(
            PlayerEntry(number, kind, int(position_s * 1000), position_s)
            for number, (kind, position_s) in enumerate(lines)
        )
        self.study.add(PlaybackLogged("player", entries), "sub-001", "ses-01")
        return self

    def reports(self) -> OnePerson:
        """The report after listening is given."""
        self.study.report("sub-001", "ses-01", Phase.POST, POST)
        return self

    def ends(self, reason: EndReason) -> OnePerson:
        """Their part in the study ends."""
        self.study.add(ParticipantDiscontinued(reason, ""), "sub-001")
        return self

    def applied(self) -> Applied:
        """What the strategies make of it."""
        protocol = self.study.protocol
        tables = build_tables(protocol, self.study.events, self.study.manifests, self.study.predictions)
        return apply_strategies(protocol, tables, outcomes_of(protocol, tables))

    def outcome(self) -> Outcome:
        """The one outcome."""
        (outcome,) = self.applied().outcomes
        return outcome


ALL_POLICY = dict.fromkeys(
    (
        "stopped_early",
        "distress_stop",
        "paused",
        "muted",
        "tab_hidden",
        "technical_failure",
        "withdrew",
        "lost_to_follow_up",
    ),
    "treatment_policy",
)
PLAYER = PlayerEntryKind


def test_each_event_is_found_where_it_happened() -> None:
    protocol = with_strategies(None, **ALL_POLICY)

    def met(person: OnePerson) -> tuple[str, ...]:
        return person.outcome().events

    assert met(OnePerson(protocol).plays().hears_the_end().reports()) == ()
    assert met(OnePerson(protocol).plays().stops(90).reports()) == ("stopped_early",)
    assert met(OnePerson(protocol).plays().stops(90, StopReason.DISTRESS).reports()) == ("distress_stop",)
    assert met(OnePerson(protocol).plays().stops(90, StopReason.TECHNICAL).reports()) == (
        "technical_failure",
    )
    assert met(OnePerson(protocol).plays().pauses(30).hears_the_end().reports()) == ("paused",)
    stalled = ((PLAYER.PLAY, 0), (PLAYER.STALL, 20), (PLAYER.RESUME, 20), (PLAYER.ENDED, 240))
    assert met(OnePerson(protocol).logs(*stalled).reports()) == ("technical_failure",)
    muted = ((PLAYER.PLAY, 0), (PLAYER.MUTED, 20), (PLAYER.UNMUTED, 40), (PLAYER.ENDED, 240))
    assert met(OnePerson(protocol).logs(*muted).reports()) == ("muted",)
    hidden = ((PLAYER.PLAY, 0), (PLAYER.HIDDEN, 20), (PLAYER.VISIBLE, 40), (PLAYER.ENDED, 240))
    assert met(OnePerson(protocol).logs(*hidden).reports()) == ("tab_hidden",)
    assert met(OnePerson(protocol).plays().ends(EndReason.WITHDREW)) == ("withdrew",)
    assert met(OnePerson(protocol).plays().ends(EndReason.LOST_TO_FOLLOW_UP)) == ("lost_to_follow_up",)
    assert met(OnePerson(protocol).plays().ends(EndReason.STOPPED_FOR_SAFETY)) == ("distress_stop",)


def test_who_withdraws_after_the_outcome_met_no_event_before_it() -> None:
    person = OnePerson(with_strategies(None, withdrew="hypothetical")).plays().hears_the_end().reports()

    outcome = person.ends(EndReason.WITHDREW).outcome()

    assert outcome.events == ()
    assert outcome.values["valence"] == POST.valence


def test_who_is_still_under_way_is_not_lost() -> None:
    person = OnePerson(with_strategies(-2.0, lost_to_follow_up="composite")).plays()

    outcome = person.outcome()

    assert (outcome.events, outcome.missing) == ((), "not yet given")


def test_treatment_policy_keeps_the_outcome() -> None:
    person = OnePerson(with_strategies(None, stopped_early="treatment_policy")).plays().stops(90).reports()

    applied = person.applied()

    assert applied.outcomes[0].values == endpoint_values(None, person.study.protocol.target, PRE, POST)
    assert applied.events == (
        {
            "event": "stopped_early",
            "label": "Stopped early",
            "strategy": "treatment_policy",
            "n": 1,
            "n_by_arm": {"iso": 1, "target_only": 0},
            "changed": 0,
            "done": "Outcomes count as given, whatever happened before them.",
        },
    )


def test_a_hypothetical_outcome_is_set_aside_and_missing_with_the_reason() -> None:
    person = OnePerson(with_strategies(None, technical_failure="hypothetical"))
    applied = person.plays().stops(90, StopReason.TECHNICAL).reports().applied()

    (outcome,) = applied.outcomes
    assert outcome.values == dict.fromkeys(ENDPOINTS)
    assert outcome.post is None
    assert outcome.missing == "set aside: technical failure (hypothetical)"
    assert estimate_effects(person.study.protocol, applied.outcomes, "valence").missing == {
        "set aside: technical failure (hypothetical)": 1
    }
    assert applied.events[0]["changed"] == 1


def test_an_outcome_that_was_missing_anyway_keeps_its_own_reason() -> None:
    person = OnePerson(with_strategies(None, stopped_early="hypothetical")).plays().stops(90)
    person.study.add(SelfReportMissed(Phase.POST, "slider", "page closed"), "sub-001", "ses-01")

    applied = person.applied()

    assert applied.outcomes[0].missing == "post report missed: page closed"
    assert (applied.events[0]["n"], applied.events[0]["changed"]) == (1, 0)


def test_composite_gives_the_endpoint_its_value_and_leaves_the_others() -> None:
    person = OnePerson(with_strategies(-1.5, distress_stop="composite"))
    applied = person.plays().stops(90, StopReason.DISTRESS).reports().applied()

    values = applied.outcomes[0].values
    assert values["projected_progress"] == -1.5
    assert (values["valence"], values["arousal"]) == (POST.valence, POST.arousal)
    assert applied.events[0]["done"] == (
        "The value -1.5 stands for progress toward the target; other endpoints are kept as reported."
    )


def test_composite_gives_a_value_where_no_report_was_given() -> None:
    person = OnePerson(with_strategies(-1.5, withdrew="composite")).plays().ends(EndReason.WITHDREW)

    outcome = person.outcome()

    assert outcome.reason_without("projected_progress") is None
    assert outcome.reason_without("valence") == "withdrew"


@pytest.mark.parametrize(
    ("answered", "stopped_at_s", "expected"),
    [((60.0, 120.0), 150.0, PROBES[120.0]), ((60.0,), 119.0, PROBES[60.0]), ((), 30.0, PRE)],
)
def test_while_on_treatment_takes_the_last_report_before_the_event(
    answered: tuple[float, ...], stopped_at_s: float, expected: Affect
) -> None:
    protocol = with_strategies(None, stopped_early="while_on_treatment")
    person = OnePerson(protocol).plays().answers(*answered).stops(stopped_at_s).reports()

    outcome = person.outcome()

    assert outcome.values == endpoint_values(None, protocol.target, PRE, expected)
    assert (outcome.post, outcome.missing) == (expected, None)


def test_a_probe_after_the_pause_is_not_before_it() -> None:
    protocol = with_strategies(None, paused="while_on_treatment")
    person = OnePerson(protocol).plays().answers(60).pauses(100).answers(120, 180).hears_the_end().reports()

    assert person.outcome().post == PROBES[60.0]


def test_while_on_treatment_gives_an_outcome_to_who_withdrew() -> None:
    protocol = with_strategies(None, withdrew="while_on_treatment")
    person = OnePerson(protocol).plays().answers(60, 120).ends(EndReason.WITHDREW)

    outcome = person.outcome()

    assert outcome.values["valence"] == PROBES[120.0].valence
    assert outcome.missing is None


def test_of_two_events_while_on_treatment_the_earlier_counts() -> None:
    protocol = with_strategies(None, stopped_early="while_on_treatment", paused="while_on_treatment")
    person = OnePerson(protocol).plays().pauses(30).answers(60).stops(90).reports()

    assert person.outcome().post == PRE


def test_the_earlier_event_counts_in_whatever_order_the_protocol_lists_them() -> None:
    protocol = with_strategies(None, muted="while_on_treatment", technical_failure="while_on_treatment")
    lines = ((PLAYER.PLAY, 0), (PLAYER.MUTED, 30), (PLAYER.UNMUTED, 40), (PLAYER.STALL, 100))
    person = OnePerson(protocol).logs(*lines, (PLAYER.RESUME, 100), (PLAYER.ENDED, 240)).answers(60)

    assert person.reports().outcome().post == PRE


def test_a_composite_value_is_stricter_than_a_hypothetical_outcome() -> None:
    protocol = with_strategies(-1.5, paused="hypothetical", distress_stop="composite")
    person = OnePerson(protocol).plays().pauses(30).stops(90, StopReason.DISTRESS).reports()

    applied = person.applied()

    assert applied.outcomes[0].values["projected_progress"] == -1.5
    assert [event["changed"] for event in applied.events] == [0, 1]
    assert [event["n"] for event in applied.events] == [1, 1]


def test_a_hypothetical_outcome_is_stricter_than_one_while_on_treatment() -> None:
    protocol = with_strategies(None, paused="while_on_treatment", stopped_early="hypothetical")
    person = OnePerson(protocol).plays().answers(60).pauses(70).stops(90).reports()

    assert person.outcome().missing == "set aside: stopped early (hypothetical)"


def test_a_principal_stratum_makes_the_estimand_not_estimable() -> None:
    person = OnePerson(with_strategies(None, stopped_early="principal_stratum")).plays().stops(90).reports()

    applied = person.applied()

    assert applied.not_estimable is not None
    assert "(stopped early)" in applied.not_estimable
    assert applied.outcomes[0].values["valence"] == POST.valence


def two_sessions(protocol: StudyProtocol) -> StudyProtocol:
    """The protocol with two sessions of the same arm."""
    groups = tuple(replace(group, arm_ids=group.arm_ids * 2) for group in protocol.allocation.groups)
    return replace(protocol, session_count=2, allocation=replace(protocol.allocation, groups=groups))


def test_an_event_of_the_second_session_leaves_the_first_visit_alone() -> None:
    protocol = two_sessions(with_strategies(None, stopped_early="hypothetical"))
    study = simulate(protocol, 2)
    ended = next(
        i for i, e in enumerate(study.events) if e.session_id == "ses-02" and e.kind == "PlaybackEnded"
    )
    stop = PlaybackStopped(100.0, StopReason.CHOSE_TO_STOP)
    study.events[ended] = replace(study.events[ended], kind="PlaybackStopped", event=stop)
    tables = build_tables(protocol, study.events, study.manifests, study.predictions)

    first, second, *_ = apply_strategies(protocol, tables, visits_of(protocol, tables)).outcomes
    outcome, *_ = apply_strategies(protocol, tables, outcomes_of(protocol, tables)).outcomes

    assert (first.sessions, first.events, first.missing) == ((1, 1), (), None)
    assert (second.sessions, second.events) == ((1, 2), ("stopped_early",))
    assert second.missing == outcome.missing == "set aside: stopped early (hypothetical)"


def test_a_study_without_events_is_left_as_it_is() -> None:
    study = simulate(make_protocol(), 8)
    tables = build_tables(study.protocol, study.events, study.manifests, study.predictions)
    outcomes = outcomes_of(study.protocol, tables)

    applied = apply_strategies(study.protocol, tables, outcomes)

    assert applied.outcomes == outcomes
    assert [event["n"] for event in applied.events] == [0, 0]
