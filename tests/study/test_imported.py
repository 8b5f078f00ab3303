"""People whose part took place elsewhere: a record of their own, whole or not there."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from study.access.links import issue_link
from study.conduct import discontinue, enrol, report_adverse_event
from study.errors import ConductError, RecordMismatch, Refusals, StorageError
from study.events import (
    AdverseEventReported,
    DataImported,
    EndReason,
    ParticipantAllocated,
    ParticipantImported,
    PlaybackEnded,
    PlaybackStopped,
    SelfReportMissed,
    SelfReportSubmitted,
    StopReason,
)
from study.folder import StudyFolder
from study.founding import initialise_study, open_study
from study.freeze import freeze
from study.imported import import_people, preview_import
from study.imported_people import GivenListening, GivenReport, ImportedPerson
from study.oversight.blinding import WITHHELD, record_rows
from study.protocol import Phase
from study.protocol_file import load_protocol
from study.step import Finished
from study.steps import next_step
from study.visits import VisitStatus, visits_of

PROTOCOL = Path(__file__).parents[2] / "docs" / "importing" / "protocol.json"
DATA = DataImported("table.csv", "0" * 64, {"code": "the person's code"}, 2, 1, ("Assumed.",))
HEARD = GivenListening(12.0, 12.0, None, "table.csv, line 2")


def given(phase: Phase, valence: float, arousal: float, at_s: float | None = None) -> GivenReport:
    raw = {"valence": valence, "arousal": arousal}
    return GivenReport(phase, "feeling", "ses-01", at_s, raw, None, "table.csv, line 2")


PERSON = ImportedPerson(
    "sub-a1",
    "007",
    {"site": "north"},
    "iso",
    (given(Phase.POST, 6, 3), given(Phase.PRE, 3, 7), given(Phase.PROBE, 4, 6, 6.0)),
    "table.csv, line 2",
    listening={"ses-01": HEARD},
)


def bring(root: Path, *people: ImportedPerson) -> int:
    return import_people(root, PROTOCOL, "test", "isopath test", DATA, people or (PERSON,)).added


def kinds(root: Path) -> list[str]:
    study = open_study(root)
    found = [recorded.kind for recorded in study.record.events()]
    study.record.close()
    return found


def test_events_stand_in_the_order_of_a_study_whatever_the_files_order(tmp_path: Path) -> None:
    bring(tmp_path / "s")

    study = open_study(tmp_path / "s")
    history = study.record.participant("sub-a1")
    assert [recorded.kind for recorded in history] == [
        "ParticipantEnrolled",
        "ParticipantImported",
        "ParticipantAllocated",
        "SelfReportSubmitted",
        "PlaybackStarted",
        "SelfReportSubmitted",
        "PlaybackEnded",
        "SelfReportSubmitted",
    ]
    reports = [r.event for r in history if isinstance(r.event, SelfReportSubmitted)]
    assert [report.phase for report in reports] == ["pre", "probe", "post"]
    assert study.record.verify().sequence == 10


def test_a_report_is_scored_by_the_instrument_from_what_was_answered(tmp_path: Path) -> None:
    bring(tmp_path / "s")

    pre = next(
        r.event
        for r in open_study(tmp_path / "s").record.events(kinds=[SelfReportSubmitted])
        if isinstance(r.event, SelfReportSubmitted)
    )

    # SAM 3 and 7 of 1 to 9: (3 - 5) / 4 and (7 - 5) / 4.
    assert dict(pre.raw) == {"valence": 3.0, "arousal": 7.0}
    assert pre.affect is not None
    assert (pre.affect.valence, pre.affect.arousal) == (-0.5, 0.5)
    assert pre.asked is None


def test_nothing_is_due_for_somebody_who_took_part_elsewhere(tmp_path: Path) -> None:
    bring(tmp_path / "s", PERSON, replace(PERSON, participant_id="sub-b2", source_id="008", reports=()))
    study = open_study(tmp_path / "s")

    history = study.record.participant("sub-a1")
    (visit,) = visits_of(study.protocol, history, study.record.clock())

    assert next_step(study.protocol, history) == Finished("imported")
    assert visit.status is VisitStatus.DONE
    with pytest.raises(ConductError, match="took part elsewhere"):
        issue_link(study, "test", "sub-a1")
    with pytest.raises(ConductError, match="part is over"):
        discontinue(study, "test", "sub-a1", EndReason.WITHDREW)
    harm = AdverseEventReported("emotional", "mild", "possible", "wept")
    report_adverse_event(study, "test", "sub-a1", harm)


def test_how_the_part_ended_and_why_listening_stopped_are_as_the_file_says(tmp_path: Path) -> None:
    stopped = GivenListening(7.5, 12.0, StopReason.DISTRESS, "table.csv, line 2")
    missed = GivenReport(Phase.POST, "feeling", "ses-01", None, {}, "felt unwell", "table.csv, line 2")
    person = replace(
        PERSON,
        reports=(given(Phase.PRE, 3, 7), missed),
        listening={"ses-01": stopped},
        ended=(EndReason.WITHDREW, "too much"),
    )

    bring(tmp_path / "s", person)

    study = open_study(tmp_path / "s")
    events = [recorded.event for recorded in study.record.participant("sub-a1")]
    assert PlaybackStopped(7.5, StopReason.DISTRESS) in events
    assert SelfReportMissed(Phase.POST, "feeling", "felt unwell") in events
    assert next_step(study.protocol, study.record.participant("sub-a1")) == Finished("withdrew")


class TestALaterFile:
    def test_adds_what_is_new_and_leaves_what_is_there(self, tmp_path: Path) -> None:
        first = replace(PERSON, reports=PERSON.reports[1:])
        second = replace(PERSON, participant_id="sub-b2", source_id="008")
        bring(tmp_path / "s", first)
        before = kinds(tmp_path / "s")

        count = import_people(tmp_path / "s", PROTOCOL, "test", "isopath test", DATA, (PERSON, second))

        assert (count.people, count.reports, count.added, count.known) == (1, 4, 9, 7)
        after = kinds(tmp_path / "s")
        assert after[: len(before)] == before
        assert after[len(before)] == "DataImported"
        places = [
            r.event.position
            for r in open_study(tmp_path / "s").record.events(kinds=[ParticipantAllocated])
            if isinstance(r.event, ParticipantAllocated)
        ]
        assert places == [0, 1]

    def test_of_nothing_new_writes_nothing(self, tmp_path: Path) -> None:
        bring(tmp_path / "s")
        before = (tmp_path / "s" / "record.sqlite").read_bytes()

        assert bring(tmp_path / "s") == 0
        assert (tmp_path / "s" / "record.sqlite").read_bytes() == before

    def test_with_other_values_is_refused_by_name_and_changes_nothing(self, tmp_path: Path) -> None:
        bring(tmp_path / "s")
        before = kinds(tmp_path / "s")
        changed = replace(
            PERSON,
            group_id="target_only",
            reports=(given(Phase.POST, 5, 3), *PERSON.reports[1:]),
            listening={"ses-01": replace(HEARD, heard_s=6.0, stop_reason=StopReason.TECHNICAL)},
        )
        newcomer = replace(PERSON, participant_id="sub-b2", source_id="008")

        with pytest.raises(Refusals) as refused:
            bring(tmp_path / "s", newcomer, changed)

        assert [one.problem for one in refused.value.refusals] == [
            "the arm is target_only, and iso in the record",
            "end of listening of ses-01 is stopped at 6 s (technical), and heard to the end in the record",
            "the post report on feeling of ses-01 is arousal 3, valence 5, and arousal 3, valence 6 in the "
            "record",
        ]
        assert kinds(tmp_path / "s") == before

    def test_brings_back_nobody_whose_data_were_erased(self, tmp_path: Path) -> None:
        bring(tmp_path / "s")
        study = open_study(tmp_path / "s")
        for recorded in study.record.participant("sub-a1"):
            study.record.erase_payload("test", recorded.sequence, "asked for it")
        study.record.close()

        with pytest.raises(ConductError, match="data were erased"):
            bring(tmp_path / "s")

    def test_is_refused_by_a_frozen_record(self, tmp_path: Path) -> None:
        bring(tmp_path / "s")
        freeze(open_study(tmp_path / "s"), "test", "done")

        with pytest.raises(ConductError, match="record is frozen"):
            bring(tmp_path / "s", replace(PERSON, participant_id="sub-b2", source_id="008"))

    def test_of_another_protocol_is_refused(self, tmp_path: Path) -> None:
        bring(tmp_path / "s")
        other = tmp_path / "other.json"
        fields = json.loads(PROTOCOL.read_text())
        other.write_text(json.dumps(fields | {"population": {"description": "Others.", "sample_size": 9}}))

        with pytest.raises(RecordMismatch, match="begun with another protocol"):
            import_people(tmp_path / "s", other, "test", "isopath test", DATA, (PERSON,))


def test_people_enrolled_here_and_people_of_elsewhere_are_never_mixed(tmp_path: Path) -> None:
    own = initialise_study(tmp_path / "own", PROTOCOL, "test", "isopath test")
    enrol(own, "test", {"site": "north"})
    own.record.close()
    bring(tmp_path / "imported")

    with pytest.raises(ConductError, match="holds people who were enrolled here"):
        bring(tmp_path / "own")
    with pytest.raises(ConductError, match="holds a study that ran elsewhere"):
        enrol(open_study(tmp_path / "imported"), "test", {"site": "north"})


def test_a_study_that_was_begun_and_has_nobody_yet_can_take_an_import(tmp_path: Path) -> None:
    initialise_study(tmp_path / "s", PROTOCOL, "test", "isopath test").record.close()

    bring(tmp_path / "s")

    assert kinds(tmp_path / "s")[:2] == ["StudyInitialised", "DataImported"]


def test_a_folder_that_is_no_study_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "thesis.txt").write_text("mine")

    with pytest.raises(StorageError, match="is there already and is no study"):
        bring(tmp_path / "s")
    assert [path.name for path in (tmp_path / "s").iterdir()] == ["thesis.txt"]


def test_a_refusal_half_way_leaves_no_folder(tmp_path: Path) -> None:
    unknown = replace(PERSON, participant_id="sub-b2", stratum={"site": "west"})

    with pytest.raises(ConductError, match="'west' is not a level"):
        bring(tmp_path / "new" / "s", PERSON, unknown)

    assert list(tmp_path.iterdir()) == []


def test_a_preview_counts_and_refuses_alike_and_writes_nothing(tmp_path: Path) -> None:
    protocol = load_protocol(PROTOCOL)

    count = preview_import(tmp_path / "s", protocol, PROTOCOL, (PERSON,))

    assert (count.people, count.reports, count.added) == (1, 3, 8)
    assert list(tmp_path.iterdir()) == []
    bring(tmp_path / "s")
    changed = replace(PERSON, reports=(given(Phase.POST, 9, 3),))
    with pytest.raises(ConductError, match="valence 9, and arousal 3, valence 6 in the record"):
        preview_import(tmp_path / "s", protocol, PROTOCOL, (changed,))


def test_the_code_and_what_was_assumed_stand_in_the_record(tmp_path: Path) -> None:
    bring(tmp_path / "s")

    events = [r.event for r in open_study(tmp_path / "s").record.events()]

    assert ParticipantImported("007") in events
    assert DATA in events
    assert PlaybackEnded(12.0) in events
    assert StudyFolder(tmp_path / "s").allocation_seed.is_file()


def test_a_blinded_export_tells_neither_the_code_nor_what_means_which_arm(tmp_path: Path) -> None:
    bring(tmp_path / "s")
    study = open_study(tmp_path / "s")

    rows = list(record_rows(study.protocol, study.record.events(), is_blinded=True))

    payloads = {row["kind"]: row["payload"] for row in rows}
    assert payloads["ParticipantImported"] == WITHHELD
    assert payloads["DataImported"]["assumed"] == ["Assumed."]
    assert "column_map" not in payloads["DataImported"]
    assert "007" not in json.dumps(rows)
