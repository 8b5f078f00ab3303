"""What people say: instruments, questionnaires, what is missed, how it was asked, what follows from it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from study.cohort import SimulatedClock
from study.conduct import enrol, move_participation, read_debrief
from study.errors import ConductError, IsopathError, OutOfRange, UnknownName
from study.events import (
    Asked,
    DebriefRead,
    ParticipationMoved,
    QuestionnaireSubmitted,
    SelfReportMissed,
    SelfReportSubmitted,
)
from study.founding import Study
from study.protocol import Phase
from study.self_reports import miss_report, submit_questionnaire, submit_report
from study.step import GiveReport, Listen, ReadDebrief, RenderSession
from tests.study.every_step import history_of, study_with_every_step, take, walk_to, walk_to_report
from tests.study.walking import ACTOR, FEELING, due

ASKED = Asked("en", "How do you feel now?", ("arousal", "valence"), ("valence",), 4.25)


@pytest.fixture
def study(tmp_path: Path, clock: SimulatedClock) -> Iterator[Study]:
    with study_with_every_step(tmp_path / "study", clock) as made:
        yield made


@pytest.fixture
def participant_id(study: Study) -> str:
    return enrol(study, ACTOR, {})


def afterwards(study: Study, participant_id: str) -> GiveReport:
    """Walk to the questionnaire after the session."""
    walk_to_report(study, participant_id, Phase.POST)
    while True:
        step = due(study, participant_id)
        assert isinstance(step, GiveReport)
        if step.instrument_id == "afterwards":
            return step
        take(study, participant_id)


def test_a_questionnaire_is_recorded_with_what_was_left_blank_and_how_it_was_asked(
    study: Study, participant_id: str
) -> None:
    report = afterwards(study, participant_id)
    asked = Asked("en", "", ("told", "guess", "preference"), (), 31.5)

    given = submit_questionnaire(
        study, ACTOR, participant_id, report, {"preference": 6, "guess": "do_not_know"}, asked
    )

    recorded = history_of(study, participant_id)[-1]
    assert (
        recorded.event
        == given
        == QuestionnaireSubmitted(
            Phase.POST, "afterwards", {"preference": 6, "guess": "do_not_know"}, ("told",), asked
        )
    )
    assert recorded.session_id == "ses-01"
    assert due(study, participant_id) != report


@pytest.mark.parametrize(
    "answers",
    [
        {"preference": 8.0},
        {"preference": 2.5},
        {"preference": "much"},
        {"guess": "reverse"},
        {"weather": "rain"},
    ],
)
def test_an_answer_that_is_none_is_refused_and_nothing_is_recorded(
    study: Study, participant_id: str, answers: dict[str, str | float]
) -> None:
    report = afterwards(study, participant_id)
    before = study.record.head()

    with pytest.raises(IsopathError):
        submit_questionnaire(study, ACTOR, participant_id, report, answers)

    assert study.record.head() == before


def test_a_questionnaire_of_another_name_is_refused(study: Study, participant_id: str) -> None:
    walk_to_report(study, participant_id, Phase.PRE)

    with pytest.raises(
        UnknownName, match="is not a questionnaire of this protocol; it has expectations, after"
    ):
        submit_questionnaire(study, ACTOR, participant_id, GiveReport(Phase.PRE, "feeling", "ses-01"), {})


def test_a_questionnaire_that_is_last_at_pre_allocates(study: Study, participant_id: str) -> None:
    report = walk_to_report(study, participant_id, Phase.PRE)
    submit_report(study, ACTOR, participant_id, report, FEELING)
    assert "ParticipantAllocated" not in [r.kind for r in history_of(study, participant_id)]
    last = due(study, participant_id)
    assert last == GiveReport(Phase.PRE, "expectations", "ses-01")
    submit_questionnaire(study, ACTOR, participant_id, last, {"expectancy": 4.0})

    kinds = [recorded.kind for recorded in history_of(study, participant_id)]

    assert kinds[-2:] == ["QuestionnaireSubmitted", "ParticipantAllocated"]
    assert due(study, participant_id) == RenderSession("ses-01", 1)


def test_a_questionnaire_missed_last_at_pre_allocates_too(study: Study, participant_id: str) -> None:
    take(study, participant_id)
    walk_to_report(study, participant_id, Phase.PRE)
    take(study, participant_id)
    last = due(study, participant_id)
    assert isinstance(last, GiveReport)
    miss_report(study, ACTOR, participant_id, last, "left blank")

    missed, allocated = history_of(study, participant_id)[-2:]

    assert missed.event == SelfReportMissed(Phase.PRE, "expectations", "left blank")
    assert allocated.kind == "ParticipantAllocated"


def test_nobody_is_allocated_twice_by_the_questionnaire_of_the_second_session(
    study: Study, participant_id: str
) -> None:
    walk_to(study, participant_id, Listen, "ses-02")

    kinds = [recorded.kind for recorded in history_of(study, participant_id)]

    assert kinds.count("ParticipantAllocated") == 1


def test_an_instrument_keeps_the_order_its_items_were_shown_in_and_what_was_left_untouched(
    study: Study, participant_id: str
) -> None:
    report = walk_to_report(study, participant_id, Phase.PRE)
    submit_report(study, "participant", participant_id, report, FEELING, ASKED)

    event = history_of(study, participant_id)[-1].event

    assert isinstance(event, SelfReportSubmitted)
    assert event.asked == ASKED


@pytest.mark.parametrize(
    ("changed", "refusal", "problem"),
    [
        ({"item_order": ("valence",)}, UnknownName, "valence is not its items in some order"),
        ({"item_order": ("valence", "valence")}, UnknownName, "is not its items in some order"),
        ({"item_order": ()}, UnknownName, "nothing is not its items in some order"),
        ({"untouched_items": ("calm",)}, UnknownName, "calm is not one of its items"),
        ({"response_time_s": -1.0}, OutOfRange, "a response time of -1 s"),
        ({"response_time_s": float("nan")}, OutOfRange, "a response time of nan s"),
        ({"response_time_s": float("inf")}, OutOfRange, "a response time of inf s"),
    ],
)
def test_a_page_that_says_it_showed_something_else_is_refused(
    study: Study,
    participant_id: str,
    changed: dict[str, Any],
    refusal: type[IsopathError],
    problem: str,
) -> None:
    report = walk_to_report(study, participant_id, Phase.PRE)
    before = study.record.head()

    with pytest.raises(refusal, match=problem):
        submit_report(
            study, "participant", participant_id, report, FEELING, Asked(**{**vars(ASKED), **changed})
        )

    assert study.record.head() == before


def test_the_debriefing_is_read_in_exactly_the_protocols_words(study: Study, participant_id: str) -> None:
    walk_to(study, participant_id, ReadDebrief)
    with pytest.raises(UnknownName, match="'fr' has no debriefing; write one of en"):
        read_debrief(study, ACTOR, participant_id, "fr")
    read_debrief(study, ACTOR, participant_id, "en")

    read = history_of(study, participant_id)[-1].event

    # printf 'Thank you.' | sha256sum
    sha256 = "8569efc4ed5a6273140c2b6ec0ab8d99f4398210808fbb7c0cbbae4fbcc21350"
    assert read == DebriefRead(sha256, "en")


def test_a_debriefing_before_its_time_is_refused(study: Study, participant_id: str) -> None:
    with pytest.raises(ConductError, match="the debriefing is not the next step; next is: consent"):
        read_debrief(study, ACTOR, participant_id, "en")


def test_going_on_in_another_tab_is_recorded_at_any_step(study: Study, participant_id: str) -> None:
    step = due(study, participant_id)
    move_participation(study, "participant", participant_id, "tab-2")

    assert history_of(study, participant_id)[-1].event == ParticipationMoved("tab-2")
    assert due(study, participant_id) == step
