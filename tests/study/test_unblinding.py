"""One participant's arm for one person: asked for, allowed by another, shown once; and the sealed list."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from study.access.accounts import Staff
from study.code_break import code_break_page, make_code_break_list, open_code_break_list
from study.errors import ConductError, IsopathError, OutOfRange, StorageError, UnknownName, WrongPassphrase
from study.events import (
    ArmRevealed,
    CodeBreakListMade,
    Event,
    ParticipantAllocated,
    Role,
    StaffAdded,
    StaffRoleChanged,
    UnblindingApproved,
    UnblindingRequested,
)
from study.founding import Study
from study.freeze import freeze
from study.oversight.alerts import AlertKind, alerts_of
from study.oversight.blinding import record_rows
from study.record import Draft
from study.sealed import seal
from study.unblinding import (
    CaseState,
    approve_unblinding,
    cases_of,
    decline_unblinding,
    request_unblinding,
    reveal_arm,
    reveal_in_emergency,
)
from tests.study.walking import allocated, enrolled

CORA, DORA = Staff("cora", Role.COORDINATOR), Staff("dora", Role.COORDINATOR)
ANNA, UNA = Staff("anna", Role.ADMIN), Staff("una", Role.UNBLINDED)
STAN = Staff("stan", Role.STATISTICIAN)
PASSPHRASE = "correct horse battery staple"


@pytest.fixture
def staffed(study: Study) -> Study:
    for one in (CORA, DORA, ANNA, UNA, STAN):
        _note(study, StaffAdded(one.staff_id, one.role))
    return study


def _note(study: Study, event: Event) -> None:
    study.record.append("test", lambda _: [Draft(event)])


def label_of(study: Study, who: str) -> str:
    (arm_id,) = {
        arm
        for recorded in study.record.participant(who)
        if isinstance(recorded.event, ParticipantAllocated)
        for arm in recorded.event.arm_ids
    }
    return study.protocol.arm(arm_id).label


@pytest.mark.requirement("ALCOA+ attributable", "21 CFR 11.10(g)")
def test_an_arm_is_told_to_who_asked_once_somebody_else_has_allowed_it(staffed: Study) -> None:
    who = allocated(staffed)

    number = request_unblinding(staffed, CORA, who, "fell, may be sedated")
    approve_unblinding(staffed, ANNA, number, "spoke to the ward")
    told = reveal_arm(staffed, CORA, number)

    assert told.text == f"{who}: {label_of(staffed, who)}"
    (case,) = cases_of(staffed.record)
    assert (case.state, case.asked_by, case.decided_by) == (
        CaseState.REVEALED,
        "coordinator:cora",
        "admin:anna",
    )
    kinds = [r.kind for r in staffed.record.participant(who)][-3:]
    assert kinds == ["UnblindingRequested", "UnblindingApproved", "ArmRevealed"]
    assert not case.is_emergency


def test_an_arm_is_shown_once(staffed: Study) -> None:
    number = request_unblinding(staffed, CORA, allocated(staffed), "fell")
    approve_unblinding(staffed, ANNA, number)
    reveal_arm(staffed, CORA, number)

    with pytest.raises(ConductError, match="is revealed"):
        reveal_arm(staffed, CORA, number)

    assert len(staffed.record.events(kinds=[ArmRevealed])) == 1


def test_being_told_one_arm_opens_no_other(staffed: Study) -> None:
    one, other = allocated(staffed), allocated(staffed)
    number = request_unblinding(staffed, CORA, one, "fell")
    approve_unblinding(staffed, ANNA, number)

    told = reveal_arm(staffed, CORA, number)
    waiting = request_unblinding(staffed, CORA, other, "fell too")

    assert other not in told.text
    with pytest.raises(ConductError, match="is waiting"):
        reveal_arm(staffed, CORA, waiting)


@pytest.mark.parametrize(
    ("act", "problem"),
    [
        (lambda study, n: reveal_arm(study, CORA, n), "is waiting"),
        (lambda study, n: reveal_arm(study, DORA, n), "is somebody else's"),
        (lambda study, n: approve_unblinding(study, CORA, n), "cora is coordinator, and may not"),
        (lambda study, n: approve_unblinding(study, STAN, n), "stan is statistician, and may not"),
        (lambda study, n: reveal_arm(study, ANNA, n), "anna is admin, and may not"),
        (lambda study, n: approve_unblinding(study, ANNA, n + 100), "is no request"),
        (lambda study, n: approve_unblinding(study, Staff("eve", Role.ADMIN), n), "'eve' has no account"),
        (lambda study, n: decline_unblinding(study, ANNA, n, "  "), "is empty"),
    ],
    ids=["unapproved", "another's", "coordinator", "statistician", "admin", "unknown", "stranger", "reason"],
)
def test_what_may_not_be_done_with_a_request_is_refused(
    staffed: Study, act: Callable[[Study, int], object], problem: str
) -> None:
    number = request_unblinding(staffed, CORA, allocated(staffed), "fell")
    head = staffed.record.head()

    with pytest.raises(IsopathError, match=problem):
        act(staffed, number)

    assert staffed.record.head() == head


def test_nobody_allows_their_own_request_in_another_role(staffed: Study) -> None:
    number = request_unblinding(staffed, CORA, allocated(staffed), "fell")
    _note(staffed, StaffRoleChanged("cora", Role.ADMIN))

    with pytest.raises(ConductError, match="is your own"):
        approve_unblinding(staffed, Staff("cora", Role.ADMIN), number)


def test_a_declined_request_stays_declined(staffed: Study) -> None:
    who = allocated(staffed)
    number = request_unblinding(staffed, CORA, who, "curious")
    decline_unblinding(staffed, ANNA, number, "care does not depend on it")

    with pytest.raises(ConductError, match="is declined"):
        reveal_arm(staffed, CORA, number)
    with pytest.raises(ConductError, match="is declined already"):
        approve_unblinding(staffed, ANNA, number)
    assert request_unblinding(staffed, CORA, who, "fell after all") > number


def test_one_waits_for_a_decision_before_asking_again(staffed: Study) -> None:
    who = allocated(staffed)
    request_unblinding(staffed, CORA, who, "fell")

    with pytest.raises(ConductError, match="is waiting"):
        request_unblinding(staffed, CORA, who, "fell")
    request_unblinding(staffed, DORA, who, "I care for them tonight")


def test_there_is_nothing_to_ask_before_an_arm_is_drawn(staffed: Study) -> None:
    who = enrolled(staffed)

    with pytest.raises(ConductError, match="has no arm yet"):
        request_unblinding(staffed, CORA, who, "fell")
    with pytest.raises(ConductError, match="has no arm yet"):
        reveal_in_emergency(staffed, CORA, who, "fell", who)
    with pytest.raises(OutOfRange):
        request_unblinding(staffed, CORA, who, " ")


@pytest.mark.requirement("ICH E6(R3) 4.1.4", "ALCOA+ contemporaneous")
def test_in_an_emergency_the_typed_id_takes_the_place_of_approval_and_staff_are_alerted(
    staffed: Study,
) -> None:
    who = allocated(staffed)

    with pytest.raises(ConductError, match="type sub-"):
        reveal_in_emergency(staffed, CORA, who, "seizure", "yes")
    told = reveal_in_emergency(staffed, CORA, who, "seizure", who)

    assert label_of(staffed, who) in told.text
    (alert,) = alerts_of(staffed.protocol, staffed.record.events(), staffed.record.clock())
    assert (alert.kind, alert.participant_id, alert.is_urgent) == (AlertKind.EMERGENCY_UNBLINDING, who, True)
    assert label_of(staffed, who) not in alert.text
    (case,) = cases_of(staffed.record)
    assert case.is_emergency


def test_a_request_is_an_alert_until_it_is_decided(staffed: Study) -> None:
    number = request_unblinding(staffed, CORA, allocated(staffed), "fell")
    now = staffed.record.clock()
    (alert,) = alerts_of(staffed.protocol, staffed.record.events(), now)
    approve_unblinding(staffed, ANNA, number)

    assert alert.kind is AlertKind.ARM_ASKED_FOR
    assert str(number) in alert.text
    assert alerts_of(staffed.protocol, staffed.record.events(), now) == ()


def test_a_frozen_record_still_takes_an_unblinding(staffed: Study) -> None:
    who = allocated(staffed)
    freeze(staffed, "admin:anna", "the last visit is done")

    number = request_unblinding(staffed, CORA, who, "is treated elsewhere now")
    approve_unblinding(staffed, ANNA, number)

    assert label_of(staffed, who) in reveal_arm(staffed, CORA, number).text


def test_no_event_of_an_unblinding_holds_the_arm(staffed: Study) -> None:
    who = allocated(staffed)
    number = request_unblinding(staffed, CORA, who, "fell")
    approve_unblinding(staffed, ANNA, number)
    reveal_arm(staffed, CORA, number)
    reveal_in_emergency(staffed, DORA, who, "seizure", who)

    kinds = [UnblindingRequested, UnblindingApproved, ArmRevealed]
    written = str([recorded.event for recorded in staffed.record.events(kinds=kinds)])
    blinded = json.dumps(list(record_rows(staffed.protocol, staffed.record.events(), is_blinded=True)))

    for arm in staffed.protocol.arms:
        assert arm.label not in written
        assert arm.arm_id not in written
        assert arm.label not in blinded
    assert "seizure" not in blinded


@pytest.mark.requirement("ICH E6(R3) 4.1.4")
def test_the_code_break_list_tells_every_arm_to_whoever_holds_the_passphrase(
    staffed: Study, tmp_path: Path
) -> None:
    people = [allocated(staffed) for _ in range(3)]
    waiting = enrolled(staffed)
    out = tmp_path / "calm.codes"

    made = make_code_break_list(staffed, UNA, PASSPHRASE, out)
    found = open_code_break_list(out, PASSPHRASE)

    assert {one.participant_id: one.text for one in found.envelopes} == {
        who: label_of(staffed, who) for who in people
    }
    assert out.stat().st_mode & 0o777 == 0o600
    assert [r.event for r in staffed.record.events(kinds=[CodeBreakListMade])] == [made]
    sealed = out.read_text()
    assert not any(who in sealed for who in people)
    with pytest.raises(UnknownName, match="is not in the list"):
        found.envelope(waiting)


def test_one_envelope_a_sheet_and_nothing_of_the_others(staffed: Study, tmp_path: Path) -> None:
    one, other = allocated(staffed), allocated(staffed)
    make_code_break_list(staffed, UNA, PASSPHRASE, tmp_path / "codes")
    found = open_code_break_list(tmp_path / "codes", PASSPHRASE)

    page = code_break_page(found, [found.envelope(one)])

    assert page.count("<section>") == 1
    assert one in page
    assert label_of(staffed, one) in page
    assert other not in page


def test_a_list_that_may_not_be_made_leaves_no_file(staffed: Study, tmp_path: Path) -> None:
    out = tmp_path / "codes"
    with pytest.raises(ConductError, match="nobody has an arm yet"):
        make_code_break_list(staffed, UNA, PASSPHRASE, out)
    allocated(staffed)
    for staff in (CORA, ANNA, STAN):
        with pytest.raises(ConductError, match="may not"):
            make_code_break_list(staffed, staff, PASSPHRASE, out)
    with pytest.raises(OutOfRange, match="12"):
        make_code_break_list(staffed, UNA, "short", out)
    assert not out.exists()

    make_code_break_list(staffed, UNA, PASSPHRASE, out)
    with pytest.raises(StorageError, match="is there already"):
        make_code_break_list(staffed, UNA, PASSPHRASE, out)
    assert len(staffed.record.events(kinds=[CodeBreakListMade])) == 1


def test_a_wrong_passphrase_or_another_sealed_file_opens_no_list(staffed: Study, tmp_path: Path) -> None:
    allocated(staffed)
    make_code_break_list(staffed, UNA, PASSPHRASE, tmp_path / "codes")
    (tmp_path / "key").write_bytes(seal(b"{}", PASSPHRASE, "key file"))

    with pytest.raises(WrongPassphrase):
        open_code_break_list(tmp_path / "codes", "another horse battery staple")
    with pytest.raises(WrongPassphrase, match="another kind"):
        open_code_break_list(tmp_path / "key", PASSPHRASE)
