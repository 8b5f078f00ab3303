"""The checklists hold what the study knows, and leave to the authors what it cannot know."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace

import pytest
from docx import Document

from analysis.guidelines.checklist import Answer, Checklist, Standing, guideline
from analysis.guidelines.documents import consort, rg_mbi, rg_mbi_document
from analysis.guidelines.files import guideline_files, schedule_files
from analysis.report.sections import all_sections
from analysis.words import ENGLISH
from study.errors import RecordMismatch
from study.events import EndReason
from study.protocol_file import load_protocol
from tests.analysis.guidelines.made_trial import HEAD, made_trial
from tests.dashboards.short_study import SMALLEST

FILES = {
    f"{stem}.{suffix}"
    for stem in ("schedule", "consort", "rg-mbi")
    for suffix in ("html", "docx", "md", "json")
} | {"flow.svg", "flow.json"}


def said(checklist: Checklist, number: str) -> str:
    return " ".join(checklist.answers[number].said)


def test_consort_has_thirty_items_and_rg_mbi_twelve_in_eight_components() -> None:
    numbers = [item.number for item in guideline("consort_2025").items]
    music = guideline("rg_mbi_2025").items

    assert list(dict.fromkeys(int(re.sub(r"\D", "", number)) for number in numbers)) == list(range(1, 31))
    assert len(numbers) == len(set(numbers)) == 42
    assert [item.number for item in music] == [str(number) for number in range(1, 13)]
    assert len({item.section for item in music}) == 8


def test_numbers_dates_and_hashes_come_from_the_record() -> None:
    trial = made_trial()

    filled = consort(trial)

    assert "17 assessed, 15 randomised." in said(filled, "22a")
    assert "Allocated: iso: 8; began to listen 6; analysed 6." in said(filled, "22a")
    assert "did not receive the allocated intervention 2 (lost to follow up 1, withdrew 1)" in said(
        filled, "22b"
    )
    assert said(filled, "23a").startswith("Enrolment from 2026-03-02 to 2026-03-02")
    assert trial.protocol.sha256 in said(filled, "3")
    assert "0" * 64 in said(filled, "17a")
    assert "Permuted blocks of random size (2 and 4); stratified or balanced by: site." in said(filled, "17b")
    row = trial.results.primary["row"]
    assert f"{row['label']}: {ENGLISH.interval(row)} (n = 12)." in said(filled, "26")


def test_what_no_study_can_know_is_left_to_the_authors() -> None:
    filled = consort(made_trial())

    left = {number for number, answer in filled.answers.items() if answer.standing is Standing.AUTHORS}

    assert left == {"2", "5a", "5b", "6", "8", "12b", "24b", "29"}
    assert filled.counts()["for the authors"] == 8
    assert sum(filled.counts().values()) == 42


def test_fidelity_is_the_share_of_the_sound_that_was_heard() -> None:
    trial = made_trial()

    told = said(rg_mbi(trial), "12")

    rows = {row["label"]: row for row in trial.results.adherence}
    share = 100 * rows["target only"]["heard_share_mean"]
    assert share < 100
    assert (
        f"target only: 7 sessions of 7 begun, 6 heard to the end; {share:.1f} % of the planned sound" in told
    )
    # Two of the arm were never played anything.
    assert "iso: 6 sessions of 8 begun, 6 heard to the end; 100.0 % of the planned sound" in told


def test_while_arms_are_hidden_no_item_tells_what_happened_in_one() -> None:
    filled = consort(made_trial(hidden=True))

    for number in ("22a", "22b", "24a", "26", "27"):
        assert "iso" not in said(filled, number), number
        assert "target only" not in said(filled, number), number
        assert filled.answers[number].missing == "By arm only after the record is frozen and unblinded."
    assert said(filled, "24a").startswith("All arms together: 13 sessions of 15 begun, 12 heard to the end;")
    assert "95% CI" not in "".join(said(filled, number) for number in filled.answers)
    fidelity = rg_mbi(made_trial(hidden=True)).answers["12"]
    assert fidelity.standing is Standing.IN_PART
    assert not any("iso" in sentence or "target" in sentence for sentence in fidelity.said)


def test_every_section_that_is_named_stands_in_the_report() -> None:
    trial = made_trial()
    sections = {section.section_id for section in all_sections(trial.results, ENGLISH, {})}

    named = {
        place
        for checklist in (consort(trial), rg_mbi(trial))
        for answer in checklist.answers.values()
        for place in answer.where
    }

    assert "participants" in named
    assert named <= sections


def test_allocation_elsewhere_is_not_claimed_as_ours() -> None:
    trial = made_trial()
    imported = replace(trial, facts=replace(trial.facts, imported=15))

    answers = consort(imported).answers

    for number in ("17a", "17b", "18", "19"):
        assert answers[number].said == ("15 people were allocated in another system and imported.",)
        assert answers[number].standing is Standing.IN_PART


def test_a_record_that_is_frozen_says_when_and_why() -> None:
    trial = made_trial()
    at = trial.facts.begun_at
    frozen = replace(trial.facts, frozen_at=at, freeze_reason="last visit done", analysis_sha256="c" * 64)

    filled = consort(replace(trial, facts=frozen))

    assert "The record was frozen on 2026-03-02: last visit done" in said(filled, "23b")
    assert "c" * 64 in said(filled, "3")


def test_people_who_left_are_counted_by_their_reason() -> None:
    assert made_trial().facts.ended_early == {
        str(EndReason.LOST_TO_FOLLOW_UP): 2,
        str(EndReason.WITHDREW): 1,
    }


def test_results_of_another_state_of_the_record_are_refused() -> None:
    trial = made_trial()

    with pytest.raises(RecordMismatch, match="ends with abababababab, and this one ends with cdcdcdcdcdcd"):
        replace(trial, facts=replace(trial.facts, head_sha256="cd" * 32))
    with pytest.raises(RecordMismatch, match="another version of the protocol"):
        replace(trial, protocol=replace(trial.protocol, sha256="ef" * 32))


def test_an_answer_to_no_item_and_an_item_without_an_answer_are_refused() -> None:
    answers = dict(rg_mbi(made_trial()).answers)
    del answers["12"]
    answers["13"] = Answer(("too many",))

    with pytest.raises(KeyError, match="12, 13"):
        Checklist(guideline("rg_mbi_2025"), answers)


def test_every_document_is_there_for_people_and_for_programs_alike() -> None:
    files = guideline_files(made_trial())

    assert set(files) == FILES
    checklist = json.loads(files["consort.json"])
    assert checklist["record_head_sha256"] == HEAD
    assert [item["number"] for item in checklist["items"]][:3] == ["1a", "1b", "2"]
    told = json.loads(files["flow.json"])
    assert told["is_by_arm"] is True
    assert next(box["n"] for box in told["boxes"] if box["box_id"] == "randomised") == 15
    word = Document(io.BytesIO(files["consort.docx"]))
    cells = [cell.text for table in word.tables for row in table.rows for cell in row.cells]
    assert "22a" in cells
    assert "| 22a | " in files["consort.md"].decode()
    assert "Calm after stress &lt;iso &amp; co&gt;" in files["consort.html"].decode()
    assert files == guideline_files(made_trial())


def test_the_schedule_needs_the_protocol_alone() -> None:
    files = schedule_files(load_protocol(SMALLEST))

    content = json.loads(files["schedule.json"])
    assert content["columns"][:4] == ["Enrolment", "Before", "Allocation", "Listening"]
    by_heading = {section["heading"]: section["rows"] for section in content["sections"]}
    assert {"name": "Allocation", "marks": ["", "", "X", "", ""]} in by_heading["Enrolment"]
    assert [row["marks"][3] for row in by_heading["Interventions"]] == ["X", "X"]
    assert "| INTERVENTIONS |" in files["schedule.md"].decode()


def test_documents_of_simulated_people_say_so_on_top() -> None:
    trial = made_trial()
    rehearsed = replace(trial, results=replace(trial.results, simulated=True))

    assert rg_mbi_document(rehearsed).banners == (ENGLISH.text("figure.band.simulated"),)
    assert rg_mbi_document(trial).banners == ()
