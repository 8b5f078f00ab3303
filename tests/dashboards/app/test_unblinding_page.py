"""The page Unblinding and the pause of recruitment, as each role meets them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from dashboards.researcher import gate
from study.access.accounts import Staff
from study.access.staffing import change_role
from study.events import ArmRevealed, ParticipantAllocated, RecruitmentPaused, Role
from study.founding import Study
from study.unblinding import CaseState, cases_of, request_unblinding
from tests.dashboards.app.looked_at import Page, page_script
from tests.dashboards.app.staff import PEOPLE, staffed

CORA, ANNA = Staff("cora", Role.COORDINATOR), Staff("anna", Role.ADMIN)

Opens = Callable[[str, Role], Page]


@pytest.fixture
def opens(monkeypatch: pytest.MonkeyPatch) -> Opens:
    """Open a page of the study that is being served, as somebody of a role."""

    def opened(url_path: str, role: Role) -> Page:
        monkeypatch.setattr(gate, "staff_of_cookies", lambda *_, **__: Staff(PEOPLE[role], role))
        return Page(AppTest.from_string(page_script(url_path), default_timeout=60)).run()

    return opened


@pytest.fixture
def clinic(trial: Study) -> Study:
    """Six people through two arms whose labels stand nowhere else, and an account of each role."""
    staffed(trial)
    return trial


def people_of(study: Study) -> dict[str, str]:
    """Participant to the label of their arm."""
    return {
        str(recorded.participant_id): study.protocol.arm(recorded.event.arm_ids[0]).label
        for recorded in study.record.events(kinds=[ParticipantAllocated])
        if isinstance(recorded.event, ParticipantAllocated)
    }


def test_a_coordinator_asks_an_admin_approves_and_the_arm_is_shown_once(clinic: Study, opens: Opens) -> None:
    who, label = next(iter(people_of(clinic).items()))
    asking = opens("unblinding", Role.COORDINATOR)
    asking.choose("Participant", who).write("Why it must be known", "sedated on the ward")
    asking.press("Send the request")
    (case,) = cases_of(clinic.record)

    deciding = opens("unblinding", Role.ADMIN)
    assert "sedated on the ward" in deciding.text
    assert label not in deciding.text
    deciding.press(f"Approve request {case.sequence}")
    told = opens("unblinding", Role.COORDINATOR)
    told.press(f"Show the arm of {who}")

    assert f"{who}: {label}" in told.text
    others = {other for other in people_of(clinic).values() if other != label}
    assert not any(other in told.text for other in others)
    again = opens("unblinding", Role.COORDINATOR)
    assert label not in again.text
    assert not any(button.label.startswith("Show the arm of") for button in again.at.button)
    assert [case.state for case in cases_of(clinic.record)] == [CaseState.REVEALED]


def test_an_emergency_needs_the_id_typed(clinic: Study, opens: Opens) -> None:
    who, label = next(iter(people_of(clinic).items()))
    page = opens("unblinding", Role.COORDINATOR)
    doing = "Show the arm now, without approval"
    page.at.selectbox[1].select(who)
    page.write("What happened; name no arm", "a seizure").write("Type the participant's id", "yes")
    page.press(doing)
    assert label not in page.text
    assert not clinic.record.events(kinds=[ArmRevealed])

    page.write("Type the participant's id", who).press(doing)

    assert f"{who}: {label}" in page.text
    assert len(clinic.record.events(kinds=[ArmRevealed])) == 1
    assert "was told the arm without approval" in opens("overview", Role.STATISTICIAN).text


@pytest.mark.parametrize("role", [Role.STATISTICIAN])
def test_who_neither_asks_nor_decides_has_no_such_page(clinic: Study, opens: Opens, role: Role) -> None:
    request_unblinding(clinic, CORA, next(iter(people_of(clinic))), "sedated")

    assert [header.value for header in opens("unblinding", role).at.header] == ["Not for your role"]


def test_a_role_taken_away_meanwhile_reveals_nothing(clinic: Study, opens: Opens) -> None:
    who, label = next(iter(people_of(clinic).items()))
    page = opens("unblinding", Role.COORDINATOR)
    page.at.selectbox[1].select(who)
    page.write("What happened; name no arm", "a seizure").write("Type the participant's id", who)
    change_role(clinic, "test", "cora", Role.STATISTICIAN)

    page.press("Show the arm now, without approval")

    assert label not in page.text
    assert not clinic.record.events(kinds=[ArmRevealed])


def test_recruitment_is_paused_and_resumed_where_people_are_enrolled(clinic: Study, opens: Opens) -> None:
    page = opens("participants", Role.COORDINATOR)
    page.write("Why", "the monitor meets").press("Pause recruitment")

    paused = opens("participants", Role.COORDINATOR)
    assert "Recruitment is paused." in paused.text
    assert "Enrol" not in [button.label for button in paused.at.button]
    assert len(clinic.record.events(kinds=[RecruitmentPaused])) == 1
    paused.write("Why", "the monitor agreed").press("Resume recruitment")
    assert "Enrol" in [button.label for button in opens("participants", Role.COORDINATOR).at.button]
