"""A wrong answer is put right by a new event: the old one stays, and what followed from it stands."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from study.affect import Affect
from study.cohort import SimulatedClock
from study.conduct import enrol
from study.corrections import correct, correctable, corrected, corrected_items
from study.delivery import plan_of, pre_affect
from study.erasable import erasable_rows
from study.errors import ConductError, IsopathError, OutOfRange, RecordError, RecordMismatch, UnknownName
from study.events import (
    ConsentWithdrawn,
    DataImported,
    QuestionnaireSubmitted,
    RecordFrozen,
    ReportCorrected,
    SelfReportSubmitted,
)
from study.founding import Study
from study.oversight.alerts import raised_alerts
from study.oversight.blinding import WITHHELD, record_rows
from study.oversight.completeness import signs_of
from study.oversight.felt import felt_reports
from study.protocol import Phase
from study.record import Draft
from study.self_reports import miss_report, submit_questionnaire, submit_report
from study.step import AnswerSupport, RenderSession
from tests.study.every_step import (
    DISTRESS,
    history_of,
    study_with_every_step,
    take,
    walk_to,
    walk_to_report,
)
from tests.study.test_self_reports import afterwards
from tests.study.walking import ACTOR, FEELING, due

WHY = "typed from the wrong line of the paper form"


@pytest.fixture
def study(tmp_path: Path, clock: SimulatedClock) -> Iterator[Study]:
    with study_with_every_step(tmp_path / "study", clock) as made:
        yield made


@pytest.fixture
def person(study: Study) -> str:
    return enrol(study, ACTOR, {})


def row_of(study: Study, person: str, name: str) -> int:
    """The row of a person's last report on an instrument or questionnaire."""
    reports = correctable(study.protocol, history_of(study, person))
    return [report.sequence for report in reports if report.instrument_id == name][-1]


def reported(study: Study, person: str) -> int:
    """A person allocated after a pre report of feeling; its row."""
    walk_to(study, person, RenderSession)
    return row_of(study, person, "feeling")


def answered(study: Study, person: str) -> int:
    """A person who answered the questionnaire afterwards; its row."""
    report = afterwards(study, person)
    given: dict[str, str | float] = {"preference": 6.0, "guess": "iso"}
    submit_questionnaire(study, ACTOR, person, report, given)
    return row_of(study, person, "afterwards")


def as_corrected(study: Study, person: str, row: int) -> object:
    found = corrected(study.protocol, history_of(study, person))
    return next(recorded.event for recorded in found if recorded.sequence == row)


@pytest.mark.requirement("ICH E6(R3) 4.2.4", "21 CFR 11.10(e)", "ALCOA+ original", "ALCOA+ traceable")
def test_a_correction_is_a_new_row_with_who_why_and_old_and_the_report_stays_as_it_was(
    study: Study, person: str
) -> None:
    row = reported(study, person)
    before = history_of(study, person)

    made = correct(study, "coordinator:cora", person, row, "valence", 0.75, f" {WHY} ")

    assert made.event == ReportCorrected(row, "feeling", "valence", 0.2, 0.75, WHY)
    assert (made.actor, made.participant_id, made.session_id) == ("coordinator:cora", person, "ses-01")
    assert history_of(study, person) == [*before, made]
    assert study.record.verify().sequence == made.sequence


def test_a_corrected_report_is_scored_as_if_it_had_been_given_so(study: Study, person: str) -> None:
    row = reported(study, person)
    correct(study, ACTOR, person, row, "valence", "0.75", WHY)

    report = as_corrected(study, person, row)

    assert isinstance(report, SelfReportSubmitted)
    assert report.raw == {"valence": 0.75, "arousal": 0.75}
    assert report.affect == Affect(0.5, 0.5)
    (felt,) = felt_reports(corrected(study.protocol, history_of(study, person)), "ses-01")
    assert felt.affect == Affect(0.5, 0.5)
    assert corrected_items(history_of(study, person)) == {row: {"valence"}}


def test_the_last_correction_holds_and_says_what_it_replaced(study: Study, person: str) -> None:
    row = reported(study, person)
    correct(study, ACTOR, person, row, "valence", 0.75, WHY)
    correct(study, ACTOR, person, row, "arousal", None, "left blank on paper")

    again = correct(study, ACTOR, person, row, "valence", 0.5, "read again").event

    assert isinstance(again, ReportCorrected)
    assert (again.old, again.new) == (0.75, 0.5)
    report = as_corrected(study, person, row)
    assert isinstance(report, SelfReportSubmitted)
    assert (report.raw, report.affect, report.missed_items) == ({"valence": 0.5}, None, ("arousal",))


def test_an_answer_of_a_questionnaire_is_corrected_in_its_own_kind_or_as_missed(
    study: Study, person: str
) -> None:
    row = answered(study, person)
    correct(study, ACTOR, person, row, "preference", "2", WHY)
    correct(study, ACTOR, person, row, "guess", None, WHY)
    correct(study, ACTOR, person, row, "told", "42", WHY)

    report = as_corrected(study, person, row)

    assert isinstance(report, QuestionnaireSubmitted)
    assert report.answers == {"preference": 2.0, "told": "42"}
    assert report.missed_items == ("guess",)


def test_what_was_decided_by_the_report_as_it_was_stands(study: Study, person: str) -> None:
    row = reported(study, person)
    history = history_of(study, person)
    before = plan_of(study.protocol, history, 1), due(study, person)

    correct(study, ACTOR, person, row, "valence", 1.0, WHY)

    after = history_of(study, person)
    assert (plan_of(study.protocol, after, 1), due(study, person)) == before
    assert pre_affect(study.protocol, after, "ses-01") == Affect(-0.6, 0.5)
    assert signs_of(after, "ses-01") == signs_of(history, "ses-01")


def test_distress_that_was_reported_is_still_answered_and_still_an_alert(study: Study, person: str) -> None:
    report = walk_to_report(study, person, Phase.PROBE)
    submit_report(study, ACTOR, person, report, DISTRESS)
    before = list(raised_alerts(study.protocol, study.record.events()))

    correct(study, ACTOR, person, row_of(study, person, "feeling"), "valence", 0.9, WHY)

    assert isinstance(due(study, person), AnswerSupport)
    assert list(raised_alerts(study.protocol, study.record.events())) == before != []


@pytest.mark.parametrize(
    ("item", "new", "reason", "refused", "said"),
    [
        ("valence", 0.75, "  ", ConductError, "has no reason"),
        ("valence", 0.2, WHY, ConductError, "is that answer already"),
        ("valence", "0.20", WHY, ConductError, "is that answer already"),
        ("valence", 1.5, WHY, OutOfRange, "outside 0 to 1"),
        ("valence", "nan", WHY, OutOfRange, "outside 0 to 1"),
        ("valence", "high", WHY, OutOfRange, "'high' is not a number"),
        ("dominance", 0.5, WHY, UnknownName, "write one of valence, arousal"),
        ("dominance", None, WHY, UnknownName, "write one of valence, arousal"),
    ],
)
def test_what_is_no_correction_of_that_answer_is_refused(
    study: Study,
    person: str,
    item: str,
    new: str | float | None,
    reason: str,
    refused: type[IsopathError],
    said: str,
) -> None:
    row = reported(study, person)
    head = study.record.head()

    with pytest.raises(refused, match=said):
        correct(study, ACTOR, person, row, item, new, reason)

    assert study.record.head() == head


def test_a_questionnaires_answer_that_it_cannot_have_is_refused(study: Study, person: str) -> None:
    row = answered(study, person)

    with pytest.raises(OutOfRange, match="outside 1 to 7"):
        correct(study, ACTOR, person, row, "preference", 8.0, WHY)
    with pytest.raises(UnknownName, match="is not one of its answers"):
        correct(study, ACTOR, person, row, "guess", "reverse", WHY)
    with pytest.raises(ConductError, match="is missed already"):
        correct(study, ACTOR, person, row, "told", None, WHY)


def test_a_row_that_is_not_an_answered_report_of_that_person_is_refused(study: Study, person: str) -> None:
    row = reported(study, person)
    other = enrol(study, ACTOR, {})
    walk_to_report(study, other, Phase.PRE)
    take(study, other)
    theirs = row_of(study, other, "feeling")
    post = walk_to_report(study, person, Phase.POST)
    miss_report(study, ACTOR, person, post, "in a hurry")
    missed = history_of(study, person)[-1].sequence

    for wrong in (theirs, 10_000, 0):
        with pytest.raises(UnknownName, match=f"row {wrong}: is not one of {person}'s"):
            correct(study, ACTOR, person, wrong, "valence", 0.75, WHY)
    with pytest.raises(ConductError, match="nothing was answered at all"):
        correct(study, ACTOR, person, missed, "valence", 0.75, WHY)
    first = history_of(study, person)[0].sequence
    with pytest.raises(ConductError, match="is a ParticipantEnrolled, not a report"):
        correct(study, ACTOR, person, first, "valence", 0.75, WHY)
    made = correct(study, ACTOR, person, row, "valence", 0.75, WHY)
    with pytest.raises(ConductError, match="is a ReportCorrected, not a report"):
        correct(study, ACTOR, person, made.sequence, "valence", 0.5, WHY)


def test_a_frozen_record_and_an_imported_one_take_no_correction(study: Study, person: str) -> None:
    row = reported(study, person)
    study.record.append(
        "admin:anna", lambda _: [Draft(RecordFrozen("ab" * 32, study.record.head().sha256, "done"))]
    )
    with pytest.raises(ConductError, match="the record is frozen"):
        correct(study, ACTOR, person, row, "valence", 0.75, WHY)

    study.record.append(ACTOR, lambda _: [Draft(DataImported("a.csv", "ab" * 32, {}, 1, 1, ()))])
    with pytest.raises(RecordMismatch, match="correct them at the source"):
        correct(study, ACTOR, person, row, "valence", 0.75, WHY)


@pytest.mark.requirement("GDPR Art. 17")
def test_who_asks_for_erasure_takes_their_corrections_along_and_gets_no_new_one(
    study: Study, person: str
) -> None:
    row = reported(study, person)
    made = correct(study, ACTOR, person, row, "valence", 0.75, WHY)
    assert {row, made.sequence} <= set(erasable_rows(history_of(study, person)))

    study.record.append(ACTOR, lambda _: [Draft(ConsentWithdrawn(False, "", "withdrew"), person)])
    with pytest.raises(ConductError, match="was erased, or is to be"):
        correct(study, ACTOR, person, row, "valence", 0.5, WHY)
    assert list(correctable(study.protocol, history_of(study, person))) == []

    study.record.erase_payloads(ACTOR, [row], "their wish")
    assert as_corrected(study, person, row) is None
    assert corrected_items(history_of(study, person)) == {row: {"valence"}}


def test_a_correction_of_no_report_of_that_person_is_told_when_it_is_read(study: Study, person: str) -> None:
    reported(study, person)
    forged = ReportCorrected(1, "feeling", "valence", 0.2, 0.75, WHY)
    study.record.append(ACTOR, lambda _: [Draft(forged, person, "ses-01")])

    with pytest.raises(RecordError, match="corrects a row that is no earlier report"):
        corrected(study.protocol, history_of(study, person))


def test_the_blinded_record_tells_a_corrected_feeling_and_no_corrected_guess(
    study: Study, person: str
) -> None:
    row = answered(study, person)
    correct(study, ACTOR, person, row, "guess", "random_order", WHY)
    correct(study, ACTOR, person, row, "preference", 3.0, WHY)
    feeling = correct(study, ACTOR, person, row_of(study, person, "feeling"), "valence", 0.9, WHY)

    rows = list(record_rows(study.protocol, study.record.events(), is_blinded=True))
    told = [r["payload"] for r in rows if r["kind"] == "ReportCorrected"]

    assert told[0] == WITHHELD
    assert (told[1]["old"], told[1]["new"]) == (6.0, 3.0)
    assert feeling.event is not None
    assert (told[2]["old"], told[2]["new"]) == (FEELING["valence"], 0.9)
