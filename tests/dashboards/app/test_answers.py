"""An answer answers the step that is due, and no other."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from dashboards.participant.answers import SKIPPED, NotDue, due_key, take_answer
from dashboards.participant.step_view import step_view
from study.access.links import issue_link
from study.conduct import enrol
from study.errors import ConductError, IsopathError, OutOfRange, Refusals, UnknownName
from study.events import (
    Asked,
    ConsentDeclined,
    ConsentGiven,
    DebriefRead,
    EligibilityAssessed,
    Event,
    InductionCompleted,
    PlaybackStarted,
    PlaybackStopped,
    QuestionnaireSubmitted,
    SelfReportMissed,
    SelfReportSubmitted,
    SessionRendered,
    SoundChecked,
    StopReason,
    SupportAnswered,
)
from study.founding import Study
from study.record import Draft
from study.sound_check import trial_answers
from study.support import call_staff
from tests.dashboards.app.person import usual_answer
from tests.dashboards.app.whole_study import whole_protocol, whole_study

LANGUAGE = "de"


class Somebody:
    """A participant who answers through `take_answer`."""

    def __init__(self, study: Study) -> None:
        self.study = study
        self.participant_id = enrol(study, "test", {})
        issue_link(study, "test", self.participant_id)

    def view(self) -> dict[str, Any]:
        now = self.study.record.clock()
        return step_view(self.study, self.participant_id, LANGUAGE, now)

    def say(self, answer: object, key: str | None = None, seconds: Any = 3.5) -> str:
        due = due_key(self.study, self.participant_id)
        now = self.study.record.clock()
        return take_answer(self.study, self.participant_id, key or due, answer, LANGUAGE, seconds, now)

    def go_to(self, key: str) -> None:
        while (due := due_key(self.study, self.participant_id)) != key:
            assert due.startswith(("consent", "eligibility", "sound-check", "induction", "report")), due
            self.say(usual_answer(self.view(), (0.25, 0.75)))

    def told(self, kind: type) -> list[Any]:
        history = self.study.record.participant(self.participant_id)
        return [recorded.event for recorded in history if isinstance(recorded.event, kind)]


@pytest.fixture
def somebody(tmp_path: Path) -> Somebody:
    return Somebody(whole_study(tmp_path / "study"))


def consent_of(study: Study, agreed: bool = True, language: str = LANGUAGE) -> dict[str, Any]:
    sha256 = hashlib.sha256(study.protocol.consent_text[language].encode()).hexdigest()
    return {"agreed": agreed, "language": language, "text_sha256": sha256}


def test_consent_is_to_the_very_text_that_was_shown(somebody: Somebody) -> None:
    said = consent_of(somebody.study)

    assert somebody.say(said) == "eligibility"

    (given,) = somebody.told(ConsentGiven)
    assert (given.language, given.text_sha256) == ("de", said["text_sha256"])


def test_consent_to_another_text_is_refused_and_nothing_is_recorded(somebody: Somebody) -> None:
    english = consent_of(somebody.study, language="en")

    with pytest.raises(ConductError, match="not that of this study's text"):
        somebody.say(english | {"language": "de"})

    assert somebody.told(ConsentGiven) == []


def test_declining_is_an_ordinary_end(somebody: Somebody) -> None:
    assert somebody.say(consent_of(somebody.study, agreed=False)) == "finished"
    assert somebody.told(ConsentDeclined)


def test_an_answer_to_another_step_is_refused_and_told_which_is_due(somebody: Somebody) -> None:
    somebody.say(consent_of(somebody.study))

    with pytest.raises(NotDue) as refusal:
        somebody.say(consent_of(somebody.study), key="consent")

    assert refusal.value.next_key == "eligibility"
    assert len(somebody.told(ConsentGiven)) == 1


def test_eligibility_takes_exactly_the_protocols_questions(somebody: Somebody) -> None:
    somebody.go_to("eligibility")

    with pytest.raises(ConductError, match="missing or unknown: young"):
        somebody.say({"answers": {"adult": True, "young": False}})

    assert somebody.say({"answers": {"adult": False}}) == "finished"
    (assessed,) = somebody.told(EligibilityAssessed)
    assert assessed.eligible is False


def test_the_headphone_test_is_scored_by_the_server(somebody: Somebody) -> None:
    key = "sound-check/ses-01/1"
    somebody.go_to(key)
    right = trial_answers(somebody.study.protocol, somebody.participant_id, key)

    somebody.say({"volume": 0.4, "responses": list(right)})

    (checked,) = somebody.told(SoundChecked)
    assert (checked.volume, checked.correct, checked.passed) == (0.4, 3, True)


@pytest.mark.parametrize("wrong", [[4, 1, 1], [0, 1, 1], [True, 1, 1], [1.0, 1, 1], "111", [1] * 501])
def test_an_interval_that_there_is_not_is_refused(somebody: Somebody, wrong: object) -> None:
    somebody.go_to("sound-check/ses-01/1")

    with pytest.raises(OutOfRange):
        somebody.say({"volume": None, "responses": wrong})

    assert somebody.told(SoundChecked) == []


def test_how_an_instrument_stood_before_the_person_is_recorded_with_its_answer(somebody: Somebody) -> None:
    somebody.go_to("report/ses-01/pre/feeling/1")
    question = somebody.view()["data"]["question"]

    somebody.say(
        {
            "responses": {"valence": 0.1, "arousal": 0.9},
            "untouched": ["arousal"],
            "item_order": ["arousal", "valence"],
            "question": question,
        }
    )

    assert somebody.told(InductionCompleted)
    pre = somebody.told(SelfReportSubmitted)[-1]
    assert dict(pre.raw) == {"valence": 0.1, "arousal": 0.9}
    assert pre.asked == Asked("de", question, ("arousal", "valence"), ("arousal",), 3.5)


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"arm": "iso"}, "does not know"),
        ({"responses": {"valence": "0.1", "arousal": 0.9}}, "item to number"),
        ({"responses": {"valence": True, "arousal": 0.9}}, "item to number"),
        ({"responses": {"valence": float("nan"), "arousal": 0.9}}, "item to number"),
        ({"responses": {"valence": 1.5, "arousal": 0.9}}, "outside"),
        ({"responses": {"joy": 0.5}}, "is not an item"),
        ({"untouched": ["joy"]}, "list of items"),
        ({"item_order": ["valence"]}, "as shown"),
        ({"item_order": ["valence", "valence"]}, "as shown"),
        ({"question": "x" * 10_001}, "question"),
        ({"question": "a\x00b"}, "question"),
    ],
)
def test_an_answer_that_will_not_do_is_refused_with_what_is_expected(
    somebody: Somebody, changed: dict[str, Any], problem: str
) -> None:
    somebody.go_to("report/ses-01/pre/feeling/1")
    fit = usual_answer(somebody.view(), (0.5, 0.5))
    before = somebody.study.record.head()

    with pytest.raises(IsopathError, match=problem):
        somebody.say(fit | changed)

    assert somebody.study.record.head() == before


def test_what_came_from_outside_is_not_repeated_in_a_refusal(somebody: Somebody) -> None:
    with pytest.raises(UnknownName) as refusal:
        somebody.say(consent_of(somebody.study) | {"<script>": 1})

    assert "<script>" not in str(refusal.value)


def test_all_that_is_wrong_is_told_at_once(somebody: Somebody) -> None:
    with pytest.raises(Refusals) as refusal:
        somebody.say({"agreed": "yes", "language": "fr"})

    assert {r.where for r in refusal.value.refusals} == {
        "consent.agreed",
        "consent.language",
        "consent.text_sha256",
    }


@pytest.mark.parametrize("answer", [None, [], "yes", 3, {}])
def test_what_is_no_answer_at_all_is_refused(somebody: Somebody, answer: object) -> None:
    with pytest.raises(IsopathError):
        somebody.say(answer)

    assert somebody.told(ConsentGiven) == []


def test_an_instrument_may_be_left_out_where_it_does_not_start_the_path(somebody: Somebody) -> None:
    somebody.go_to("report/study/baseline/tension/1")

    somebody.say({"skipped": True})

    (missed,) = somebody.told(SelfReportMissed)
    assert (missed.instrument_id, missed.reason) == ("tension", SKIPPED)


def test_the_report_that_starts_the_path_cannot_be_left_out(somebody: Somebody) -> None:
    somebody.go_to("report/ses-01/pre/feeling/1")

    with pytest.raises(ConductError, match="starts the path"):
        somebody.say({"skipped": True})


@pytest.mark.parametrize("seconds", [-1, float("inf"), "3", True, 700_000])
def test_a_response_time_that_is_none_is_refused(somebody: Somebody, seconds: object) -> None:
    with pytest.raises(OutOfRange):
        somebody.say(consent_of(somebody.study), seconds=seconds)

    assert somebody.told(ConsentGiven) == []


def test_a_questionnaire_is_taken_with_the_order_of_its_items(tmp_path: Path) -> None:
    protocol = whole_protocol()
    items = [item for item in protocol["questionnaires"][0]["items"] if item["id"] != "guess"]
    protocol["questionnaires"] = [{"id": "before", "items": items}]
    protocol["assessments"][0]["instruments"] = ["before", "tension"]
    protocol["assessments"][3]["instruments"] = ["feeling", "expressed", "mood"]
    somebody = Somebody(whole_study(tmp_path / "study", protocol))
    somebody.go_to("report/study/baseline/before/1")

    somebody.say({"answers": {"preference": 3}, "item_order": ["remarks", "preference"]})

    (submitted,) = somebody.told(QuestionnaireSubmitted)
    assert submitted.answers == {"preference": 3}
    assert submitted.missed_items == ("remarks",)
    assert submitted.asked == Asked("de", "", ("remarks", "preference"), (), 3.5)


def test_who_called_for_somebody_says_whether_they_go_on(somebody: Somebody) -> None:
    somebody.go_to("report/ses-01/pre/feeling/1")
    call_staff(somebody.study, "test", somebody.participant_id, "ses-01")

    with pytest.raises(OutOfRange):
        somebody.say({"feeling": "splendid", "wants_staff": True, "goes_on": True})
    after = somebody.say({"feeling": "worse", "wants_staff": True, "goes_on": True})

    assert after == "report/ses-01/pre/feeling/1"
    assert somebody.told(SupportAnswered) == [SupportAnswered("worse", True, True)]


def test_nothing_is_taken_of_a_visit_that_is_not_open_yet(tmp_path: Path) -> None:
    protocol = whole_protocol()
    protocol["assessments"].append({"phase": "follow_up", "instruments": ["tension"], "after_days": 7})
    protocol["debrief"]["when"] = "after_follow_up"
    somebody = Somebody(whole_study(tmp_path / "study", protocol))
    somebody.go_to("rendering/ses-01")
    heard: list[Event] = [
        SessionRendered("iso", "0" * 64, "0" * 64, "0" * 64, 4.0),
        PlaybackStarted(0.0),
        PlaybackStopped(1.0, StopReason.CHOSE_TO_STOP),
    ]
    somebody.study.record.append(
        "test", lambda _: [Draft(event, somebody.participant_id, "ses-01") for event in heard]
    )
    key = "report/study/follow_up/tension/1"
    somebody.go_to(key)
    answer = {"skipped": True}

    with pytest.raises(NotDue):
        somebody.say(answer)

    week_later = somebody.study.record.clock() + timedelta(days=7)
    assert (
        take_answer(somebody.study, somebody.participant_id, key, answer, "de", None, week_later) == "debrief"
    )
    somebody.say({})
    assert somebody.told(DebriefRead)
