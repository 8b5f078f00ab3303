"""What the analysis makes of people who took back their consent."""

from __future__ import annotations

from dataclasses import fields, replace

import pandas as pd
import pytest

from analysis.description.privacy_notes import privacy_notes
from analysis.report.build import build_report
from analysis.report.html_file import render_html
from analysis.results import Results, analyse
from analysis.tables.build import StudyTables, build_tables
from analysis.words import Words
from study.events import ConsentWithdrawn, EndReason, ParticipantDiscontinued, RecordFrozen
from study.protocol import PrivacySpec
from tests.analysis.made_study import MadeStudy, make_protocol, simulate


@pytest.fixture
def study() -> MadeStudy:
    return simulate(make_protocol(), 8, rehearsal=False)


def tables_of(study: MadeStudy) -> StudyTables:
    return build_tables(study.protocol, study.events, study.manifests, study.predictions)


def results_of(study: MadeStudy) -> Results:
    tables = tables_of(study)
    return analyse(study.protocol, tables, study.manifests, study.predictions, "f" * 64, events=study.events)


def who_is_in(table: pd.DataFrame) -> set[str]:
    return set(table["participant_id"].dropna())


def test_who_asked_to_be_erased_is_in_no_table_of_what_people_gave(study: MadeStudy) -> None:
    gone = sorted(who_is_in(tables_of(study).participants))[2]

    study.add(ConsentWithdrawn(False, "", "completed"), gone)

    tables = tables_of(study)
    given = {field.name: getattr(tables, field.name) for field in fields(tables)}
    given = {
        name: table for name, table in given.items() if name not in {"participants", "sessions", "events"}
    }
    assert [name for name, table in given.items() if gone in who_is_in(table)] == []
    row = tables.participants.set_index("participant_id").loc[gone]
    assert (row["status"], bool(row["erased"]), pd.notna(row["group"])) == ("erased", True, True)
    heard = tables.sessions.set_index("participant_id").loc[gone]
    assert heard["audio_sha256"] is None or pd.isna(heard["audio_sha256"])


def test_the_flow_still_adds_up_and_names_the_reason(study: MadeStudy) -> None:
    people = sorted(who_is_in(tables_of(study).participants))
    study.enrol("sub-screened", simulated=False)
    study.add(ConsentWithdrawn(False, "", "not_eligible"), "sub-screened")
    study.add(ConsentWithdrawn(False, "", "completed"), people[0])

    after = results_of(study)

    assert (after.flow["enrolled"], after.flow["allocated"]) == (9, 8)
    assert after.flow["not_allocated"] == {"not eligible": 1}
    lost = [reason for group in after.flow["groups"] for reason in group["not_analysed"]]
    assert lost == ["data erased"]
    assert sum(group["analysed"] for group in after.flow["groups"]) == 7


def test_the_results_say_who_withdrew_and_what_was_erased_after_the_freeze(study: MadeStudy) -> None:
    people = sorted(who_is_in(tables_of(study).participants))
    assert privacy_notes(study.protocol, study.events) == []
    study.add(ParticipantDiscontinued(EndReason.WITHDREW, ""), people[0])
    study.add(ConsentWithdrawn(True, "", "in_progress"), people[0])
    study.add(ConsentWithdrawn(False, "", "completed"), people[1])
    study.add(RecordFrozen("a" * 64, "b" * 64, "done"), None)
    study.add(ConsentWithdrawn(False, "", "completed"), people[2])

    results = results_of(study)

    told = [note for note in results.notes if "withdrew" in note or "frozen" in note]
    assert [note.split(" ")[0] for note in told] == ["1", "2", "1"]
    assert told[2].endswith("used data that are not here any more.")
    german = render_html(build_report(results, Words("de"), images={}))
    assert "verlangten die Löschung ihrer Daten" in german
    assert "withdrew consent" not in german


def test_the_report_says_until_when_the_data_are_kept(study: MadeStudy) -> None:
    study.protocol = replace(study.protocol, privacy=PrivacySpec(10))
    before = privacy_notes(study.protocol, study.events)

    study.add(RecordFrozen("a" * 64, "b" * 64, "done"), None)
    day = study.events[-1].at.date()

    assert before == ["The data are kept for 10 years from the freeze."]
    assert privacy_notes(study.protocol, study.events) == [
        f"The data are kept until {day.year + 10}-{day:%m-%d}, 10 years from the freeze."
    ]
