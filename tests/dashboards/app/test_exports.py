"""What leaves the study, and what must not leave it before the arms may be known."""

from __future__ import annotations

import csv
import io
import json
import re
import typing
import zipfile

import pytest

from dashboards.exports import make_export
from study.errors import UnknownName
from study.events import DeviationRecorded, Event, SelfReportSubmitted, SessionRendered
from study.founding import Study
from study.freeze import freeze, unblind
from study.oversight.blinding import HARMLESS
from study.record import Draft
from tests.dashboards.app.arm_leaks import Shown, leaks_in
from tests.dashboards.app.busy_study import HOSTILE, BusyStudy
from tests.dashboards.app.two_arms import what_tells_the_arm

SESSION = "ses-01"


ZIPPED = ["tables.zip", "parquet.zip", "bids.zip", "psych-ds.zip", "cdisc.zip", "record.zip"]


class TestExports:
    @pytest.mark.parametrize("name", [*ZIPPED, "record.jsonl", "head.json"])
    @pytest.mark.requirement("ICH E6(R3) 4.1")
    def test_a_blinded_export_tells_no_arm(self, trial: Study, name: str) -> None:
        export = make_export(trial, name, is_blinded=True)

        assert_no_leak(trial, export.content)

    @pytest.mark.parametrize("name", ["tables.zip", "bids.zip", "record.jsonl"])
    def test_nobody_gets_an_arm_before_the_record_is_unblinded(self, trial: Study, name: str) -> None:
        before = make_export(trial, name, is_blinded=False)

        assert_no_leak(trial, before.content)
        assert before.content == make_export(trial, name, is_blinded=True).content

    @pytest.mark.parametrize("name", [*ZIPPED, "record.jsonl"])
    def test_the_same_search_finds_the_arm_in_an_export_that_is_not_blinded(
        self, trial: Study, name: str
    ) -> None:
        freeze(trial, "test", "all visits done")
        unblind(trial, "test", "plan signed")

        export = make_export(trial, name, is_blinded=False)

        with pytest.raises(AssertionError):
            assert_no_leak(trial, export.content)

    def test_times_and_rows_of_a_blinded_export_do_not_tell_how_long_a_sound_took(self, trial: Study) -> None:
        export = make_export(trial, "tables.zip", is_blinded=True)

        tables = csv_tables(export.content)
        assert all(re.fullmatch(r"\d{4}-\d\d-\d\d", row["at"]) for row in tables["events"])
        assert set(tables) >= {"participants", "sessions", "self_reports", "events", "adverse_events"}
        assert not set(tables) & {"clips", "pairs"}
        lines = [json.loads(line) for line in make_export(trial, "record.jsonl", True).content.splitlines()]
        assert all(len(line["at"]) == 10 for line in lines)
        assert [line["payload"] for line in lines if line["kind"] == SessionRendered.__name__] == [
            "withheld: it could tell an arm"
        ] * 6

    def test_how_a_sound_was_made_otherwise_is_withheld_and_other_deviations_are_told(
        self, busy: BusyStudy
    ) -> None:
        study = busy.study
        rendered = study.record.events(kinds=[SessionRendered])[0]
        made = DeviationRecorded("music by amberly, planned: composer", "isopath render was given --engine")
        study.record.append(
            "test", lambda _: [Draft(e, busy.whole, SESSION) for e in (made, rendered.event) if e is not None]
        )

        blinded = make_export(study, "record.jsonl", is_blinded=True).content.decode()
        told = csv_tables(make_export(study, "tables.zip", is_blinded=True).content)["deviations"]

        assert "amberly" not in blinded
        assert [row["description"] for row in told] == [HOSTILE]

    def test_what_the_music_was_perceived_to_express_and_guesses_are_withheld(self, busy: BusyStudy) -> None:
        blinded = make_export(busy.study, "record.jsonl", is_blinded=True).content.decode()
        reports = csv_tables(make_export(busy.study, "tables.zip", is_blinded=True).content)["self_reports"]

        answers = csv_tables(make_export(busy.study, "tables.zip", is_blinded=True).content)[
            "questionnaire_answers"
        ]
        assert {row["perspective"] for row in reports} == {"felt"}
        assert {row["item_id"] for row in answers} == {"preference", "remarks"}
        assert HOSTILE in {row["answer_text"] for row in answers}
        assert '"guess"' not in blinded
        assert '"remarks"' in blinded
        lines = [json.loads(line) for line in blinded.splitlines()]
        perceived = [
            r for r in busy.study.record.events(kinds=[SelfReportSubmitted]) if is_perceived(r.event)
        ]
        assert perceived
        for recorded in perceived:
            assert lines[recorded.sequence - 1]["payload"] == "withheld: it could tell an arm"

    def test_there_are_no_results_to_export_before_unblinding(self, trial: Study) -> None:
        for name in ("results.json", "report.html", "../protocol.json", "access.sqlite"):
            with pytest.raises(UnknownName):
                make_export(trial, name, is_blinded=True)

    def test_every_event_of_the_record_is_known_to_the_blinding(self) -> None:
        assert set(HARMLESS) == {kind.__name__ for kind in typing.get_args(Event)}


def assert_no_leak(study: Study, content: bytes) -> None:
    people = {r.participant_id for r in study.record.events() if r.participant_id}
    leaks = leaks_in([Shown("export", "here", content)], what_tells_the_arm(study), people)
    assert leaks == []


def csv_tables(content: bytes) -> dict[str, list[dict[str, str]]]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {
            name.removesuffix(".csv"): list(csv.DictReader(io.StringIO(archive.read(name).decode())))
            for name in archive.namelist()
            if name.endswith(".csv")
        }


def is_perceived(event: object) -> bool:
    return isinstance(event, SelfReportSubmitted) and event.perspective == "perceived"
