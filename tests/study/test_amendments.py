"""Amending the protocol of a study under way, pausing recruitment, and what neither may touch."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from analysis.description.conduct import conduct_of
from analysis.tables.build import build_tables
from study.access.accounts import Staff
from study.amendments import amend
from study.canonical import canonical_sha256
from study.conduct import enrol, give_consent
from study.errors import ConductError, IsopathError, OutOfRange, ProtocolErrors, RecordMismatch
from study.events import (
    ConsentGiven,
    Event,
    ParticipantEnrolled,
    ProtocolAmended,
    RecordFrozen,
    Role,
    StaffAdded,
)
from study.founding import Study, open_study
from study.freeze import freeze, may_join_arms, unblind
from study.protocol_diff import protocol_changes
from study.record import Draft
from study.recruitment import pause_recruitment, resume_recruitment
from study.steps import next_step
from tests.study.conftest import ONE_SESSION
from tests.study.walking import STRATUM, allocated, consented, enrolled

ANNA, CORA = Staff("anna", Role.ADMIN), Staff("cora", Role.COORDINATOR)
Edit = Callable[[dict[str, Any]], object]


@pytest.fixture
def staffed(study: Study) -> Study:
    for one in (ANNA, CORA):
        _note(study, StaffAdded(one.staff_id, one.role))
    return study


def _note(study: Study, event: Event) -> None:
    study.record.append("test", lambda _: [Draft(event)])


def edited(tmp_path: Path, *edits: Edit, version: str = "9.1") -> Path:
    """The study's protocol with another version and these edits."""
    protocol = json.loads(ONE_SESSION.read_text())
    protocol["study"]["version"] = version
    for edit in edits:
        edit(protocol)
    path = tmp_path / f"amended-{version}.json"
    path.write_text(json.dumps(protocol))
    return path


def new_consent(protocol: dict[str, Any]) -> None:
    protocol["consent"]["version"] = "2"
    protocol["consent"]["text"] = {
        language: f"Anew. {said}" for language, said in protocol["consent"]["text"].items()
    }


def new_title(protocol: dict[str, Any]) -> None:
    protocol["study"]["title"] = "New"


@pytest.mark.requirement("SPIRIT 2025 item 31", "ALCOA+ original")
def test_people_under_way_go_on_under_their_version_and_new_people_under_the_new_one(
    staffed: Study, tmp_path: Path
) -> None:
    before = enrolled(staffed)

    made = amend(staffed, ANNA, edited(tmp_path, new_consent), "the committee asked for it")
    after = enrolled(staffed)
    give_consent(staffed, "test", before, "en")
    give_consent(staffed, "test", after, "en")

    given = {
        r.participant_id: (r.event.version, r.protocol_sha256)
        for r in staffed.record.events(kinds=[ConsentGiven])
        if isinstance(r.event, ConsentGiven)
    }
    first = staffed.protocol.versions[-1]
    assert given[before] == (first.consent_version, first.sha256)
    assert given[after] == ("2", made.protocol_sha256)
    assert staffed.protocol.version == "9.1"
    assert staffed.protocol_for(before).version == first.version
    staffed.record.verify()


def test_an_opened_study_knows_every_version(staffed: Study, tmp_path: Path) -> None:
    before = consented(staffed)
    amend(staffed, ANNA, edited(tmp_path, new_consent), "one")
    amend(staffed, ANNA, edited(tmp_path, new_consent, new_title, version="9.2"), "two")

    again = open_study(staffed.folder.root)

    assert [version.version for version in again.protocol.versions][:2] == ["9.2", "9.1"]
    assert again.protocol_for(before) == again.protocol.versions[-1]
    again.record.close()


@pytest.mark.requirement("SPIRIT 2025 item 31")
def test_a_study_opened_before_notices_an_amendment_without_being_opened_again(
    staffed: Study, tmp_path: Path
) -> None:
    elsewhere = open_study(staffed.folder.root)
    amend(staffed, ANNA, edited(tmp_path, new_consent), "the committee asked for it")

    late = enrol(elsewhere, "test", STRATUM)
    history = elsewhere.record.participant(late)

    assert elsewhere.protocol_of(history).version == "9.1"
    assert history[0].protocol_sha256 == staffed.protocol.sha256
    elsewhere.record.close()


def test_an_amendment_is_told_field_by_field_with_old_and_new(staffed: Study, tmp_path: Path) -> None:
    old = staffed.protocol.sample_size

    amended = edited(tmp_path, lambda p: p["population"].update(sample_size=2 * old))
    made = amend(staffed, ANNA, amended, "slow recruitment")

    assert f"$.population.sample_size: {old} became {2 * old}" in made.changes
    (told,) = conduct_of(staffed.protocol, staffed.record.events())["amendments"]
    assert (told["version"], told["reason"], told["changes"]) == (
        "9.1",
        "slow recruitment",
        list(made.changes),
    )


def change_plan(protocol: dict[str, Any]) -> None:
    protocol["analysis"]["estimand"]["population"] = "everybody who began to listen"


@pytest.mark.requirement("ICH E9 5.1", "ICH E6(R3) 4.2.6")
def test_the_plan_of_analysis_may_change_before_the_freeze_and_stands_in_the_report(
    staffed: Study, tmp_path: Path
) -> None:
    allocated(staffed)

    made = amend(staffed, ANNA, edited(tmp_path, change_plan), "the sponsor's wish")
    frozen = freeze(staffed, "admin:anna", "the last visit is done")

    assert any(change.startswith("$.analysis.estimand.population") for change in made.changes)
    assert frozen.analysis_sha256 == plan_of(made.protocol_text)
    assert frozen.analysis_sha256 != plan_of(ONE_SESSION.read_text())


def plan_of(text: str) -> str:
    return canonical_sha256(json.loads(text)["analysis"])


@pytest.mark.requirement("ICH E9 5.1", "ALCOA+ enduring")
def test_after_the_freeze_nothing_is_amended(staffed: Study, tmp_path: Path) -> None:
    freeze(staffed, "admin:anna", "the last visit is done")

    with pytest.raises(ConductError, match="the record is frozen, and the plan of analysis with it"):
        amend(staffed, ANNA, edited(tmp_path, change_plan), "we saw the results")
    assert not staffed.record.events(kinds=[ProtocolAmended])


def rename_arm(protocol: dict[str, Any]) -> None:
    text = json.dumps(protocol).replace('"target_only"', '"calm_only"')
    text = text.replace('"kind": "calm_only"', '"kind": "target_only"')
    protocol.clear()
    protocol.update(json.loads(text))


def two_sessions(protocol: dict[str, Any]) -> None:
    protocol["session"] |= {"count": 2, "windows": [{"session": 2, "from_day": 7, "to_day": 14}]}


@pytest.mark.parametrize(
    ("edit", "where"),
    [
        (lambda p: p["study"].update(id="another"), r"\$\.study\.id"),
        (lambda p: p["allocation"].update(block_sizes=[4, 8]), r"\$\.allocation"),
        (rename_arm, r"\$\.arms: the arms or their order changed"),
        (lambda p: p["arms"].reverse(), r"\$\.arms: the arms or their order changed"),
        (two_sessions, r"\$\.session\.count"),
    ],
    ids=["study id", "blocks", "arm ids", "arm order", "sessions"],
)
def test_what_would_make_people_incomparable_is_refused_once_they_are_enrolled(
    staffed: Study, tmp_path: Path, edit: Edit, where: str
) -> None:
    enrolled(staffed)
    head = staffed.record.head()

    with pytest.raises(IsopathError) as refused:
        amend(staffed, ANNA, edited(tmp_path, edit), "why not")

    assert re.search(where, str(refused.value))
    assert staffed.record.head() == head


def test_an_instrument_that_was_answered_stays_as_it_was(staffed: Study, tmp_path: Path) -> None:
    allocated(staffed)

    def change(which: int) -> Edit:
        return lambda protocol: protocol["instruments"][which].update(kind="affect_grid")

    with pytest.raises(ConductError, match="feeling changed, and people have answered it"):
        amend(staffed, ANNA, edited(tmp_path, change(0)), "a grid is easier")
    amend(staffed, ANNA, edited(tmp_path, change(1)), "nobody has answered this one yet")


def test_every_refusal_is_told_at_once(staffed: Study, tmp_path: Path) -> None:
    enrolled(staffed)

    with pytest.raises(IsopathError) as refused:
        amend(
            staffed,
            ANNA,
            edited(tmp_path, rename_arm, lambda p: p["study"].update(id="another")),
            "two at once",
        )

    assert "$.study.id" in str(refused.value)
    assert "$.arms" in str(refused.value)


@pytest.mark.parametrize(
    ("staff", "reason", "version", "problem"),
    [
        (CORA, "fine", "9.1", "cora is coordinator, and may not"),
        (ANNA, " ", "9.1", "is empty"),
        (ANNA, "fine", None, "was in force before"),
    ],
)
def test_an_amendment_needs_an_admin_a_reason_and_a_version_of_its_own(
    staffed: Study, tmp_path: Path, staff: Staff, reason: str, version: str | None, problem: str
) -> None:
    path = edited(
        tmp_path, lambda p: p["study"].update(title="New"), version=version or staffed.protocol.version
    )

    with pytest.raises((ConductError, OutOfRange), match=problem):
        amend(staffed, staff, path, reason)
    assert not staffed.record.events(kinds=[ProtocolAmended])


def test_a_protocol_with_problems_amends_nothing(staffed: Study, tmp_path: Path) -> None:
    with pytest.raises(ProtocolErrors):
        amend(staffed, ANNA, edited(tmp_path, lambda p: p.pop("arms")), "an oversight")
    with pytest.raises(ConductError, match="does not differ"):
        amend(staffed, ANNA, ONE_SESSION, "nothing new")


def test_tables_hold_people_of_both_versions(staffed: Study, tmp_path: Path) -> None:
    before = allocated(staffed)
    amend(staffed, ANNA, edited(tmp_path, new_consent), "the committee asked for it")
    after = allocated(staffed)

    tables = build_tables(staffed.protocol, staffed.record.events(), {}, {})

    assert set(tables.participants["participant_id"]) == {before, after}
    assert tables.participants["group"].notna().all()


def test_a_row_of_a_version_that_never_was_is_refused(staffed: Study, tmp_path: Path) -> None:
    history = staffed.record.participant(enrolled(staffed))
    amend(staffed, ANNA, edited(tmp_path, new_consent), "the committee asked for it")
    with pytest.raises(RecordMismatch, match="no version"):
        next_step(staffed.protocol, [replace(history[0], protocol_sha256="0" * 64)])


@pytest.mark.requirement("ICH E6(R3) 3.16")
def test_a_paused_study_enrols_nobody_and_people_under_way_go_on(staffed: Study) -> None:
    under_way = enrolled(staffed)
    pause_recruitment(staffed, CORA, "the stop rule was reached")

    with pytest.raises(ConductError, match="recruitment is paused"):
        enrolled(staffed)
    give_consent(staffed, "test", under_way, "en")
    with pytest.raises(ConductError, match="is paused already"):
        pause_recruitment(staffed, ANNA, "again")
    resume_recruitment(staffed, ANNA, "the monitor agreed")
    enrolled(staffed)

    assert len(staffed.record.events(kinds=[ParticipantEnrolled])) == 2
    pauses = conduct_of(staffed.protocol, staffed.record.events())["pauses"]
    assert [pause["paused"] for pause in pauses] == [True, False]


@pytest.mark.requirement("ICH E6(R3) 4.2.6", "ICH E9 5.8")
def test_arms_are_joined_to_outcomes_after_freeze_and_unblinding_alone(staffed: Study) -> None:
    states = [may_join_arms(staffed.record)]
    freeze(staffed, "admin:anna", "done")
    states.append(may_join_arms(staffed.record))
    unblind(staffed, "admin:anna", "the plan is signed")
    states.append(may_join_arms(staffed.record))

    assert states == [False, False, True]
    assert len(staffed.record.events(kinds=[RecordFrozen])) == 1


def test_late_data_are_refused_after_the_freeze(staffed: Study) -> None:
    who = enrolled(staffed)
    freeze(staffed, "admin:anna", "done")

    with pytest.raises(ConductError, match="the record is frozen"):
        give_consent(staffed, "test", who, "en")
    with pytest.raises(ConductError, match="the record is frozen"):
        enrolled(staffed)


def test_two_protocols_are_told_apart_by_their_fields_and_not_by_their_notation() -> None:
    before = {"a": 1, "arms": [{"id": "iso", "label": "x"}, {"id": "silence", "label": "y"}], "gone": [1]}
    after = {"arms": [{"label": "x", "id": "silence"}, {"id": "iso", "label": "x"}], "a": 1.5, "new": True}

    told = [change.text for change in protocol_changes(before, after)]

    assert told == [
        "$.a: 1 became 1.5",
        '$.arms[silence].label: "y" became "x"',
        '$.arms (order): ["iso", "silence"] became ["silence", "iso"]',
        "$.gone: removed [1]",
        "$.new: added true",
    ]
    assert protocol_changes(before, json.loads(json.dumps(before, indent=2, sort_keys=True))) == ()
