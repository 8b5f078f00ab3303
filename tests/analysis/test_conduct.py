"""What the report says of the study itself: amendments with old and new, arms told early, pauses, rules."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from analysis.description.conduct import conduct_of
from analysis.report.blocks import Table, Text
from analysis.report.conduct import conduct_section
from analysis.words import ENGLISH, Words
from study.events import ArmRevealed, ProtocolAmended, RecordedEvent, ReportCorrected
from study.oversight.blinding import WITHHELD
from tests.analysis.made_results import make_results
from tests.analysis.made_study import make_protocol

AT = datetime(2026, 4, 5, 10, 0, tzinfo=UTC)


def row(event: ArmRevealed | ProtocolAmended | ReportCorrected, who: str | None = None) -> RecordedEvent:
    kind = type(event).__name__
    return RecordedEvent(7, AT, "coordinator:cora", kind, make_protocol().sha256, who, None, event)


def test_a_changed_plan_of_analysis_stands_in_the_report_with_old_and_new() -> None:
    change = "$.analysis.alpha: 0.05 became 0.01"
    amended = ProtocolAmended("1.1", "{}", "ab" * 32, "cd" * 32, "the sponsor's wish", (change,))
    results = make_results()
    results.conduct["amendments"][:] = conduct_of(make_protocol(), [row(amended)])["amendments"]

    (table,) = [b for b in conduct_section(results, ENGLISH).blocks if isinstance(b, Table)][:1]

    assert table.rows[0] == ("2026-04-05 10:00", "1.1", "the sponsor's wish", change)


def test_an_emergency_unblinding_is_a_finding_of_the_report() -> None:
    results = make_results()

    tables = {b.caption: b for b in conduct_section(results, ENGLISH).blocks if isinstance(b, Table)}

    told = tables["Arms told before the end, one participant at a time"].rows
    assert told[0][1:] == (
        "sub-1f0c6a2b",
        "coordinator:cora",
        "in an emergency, without approval",
        "a seizure",
    )
    german = {b.caption for b in conduct_section(results, Words("de")).blocks if isinstance(b, Table)}
    assert "Änderungen des Prüfplans" in german


def test_why_an_arm_was_told_is_withheld_while_the_study_is_blinded() -> None:
    events = [row(ArmRevealed(None, True, "they had the slow music"), "sub-1")]

    told = conduct_of(make_protocol(), events)["revealed"][0]
    blinded = conduct_of(make_protocol(), events, is_blinded=True)["revealed"][0]

    assert told["reason"] == "they had the slow music"
    assert blinded == {**told, "reason": WITHHELD}


def test_a_corrected_answer_is_told_without_the_answer_and_why_only_once_unblinded() -> None:
    events = [row(ReportCorrected(3, "slider", "valence", 0.2, 0.7, "typed from the wrong line"), "sub-1")]
    results = replace(make_results(), conduct=conduct_of(make_protocol(), events))

    tables = {b.caption: b for b in conduct_section(results, ENGLISH).blocks if isinstance(b, Table)}

    assert tables["Answers corrected after they were recorded"].rows == (
        ("2026-04-05 10:00", "sub-1", "slider, valence", "coordinator:cora", "typed from the wrong line"),
    )
    (blinded,) = conduct_of(make_protocol(), events, is_blinded=True)["corrections"]
    assert (blinded["sequence"], blinded["reason"]) == (3, WITHHELD)


def test_a_quiet_study_says_so() -> None:
    results = make_results()
    for found in results.conduct.values():
        found.clear()

    (said,) = conduct_section(results, ENGLISH).blocks

    assert isinstance(said, Text)
    assert "nobody was told an arm before the end" in said.text
