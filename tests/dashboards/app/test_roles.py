"""What each role is shown and may do, and that nobody makes themselves more than they are."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

import httpx
import pytest

from dashboards.researcher.pages import PAGES
from study.access.accounts import Accounts
from study.access.links import issue_link
from study.access.roles import Permission, may
from study.access.staffing import add_staff, change_role, remove_staff
from study.conduct import enrol
from study.events import (
    ArmsSeen,
    ArmsUnblinded,
    RecordFrozen,
    Role,
    StaffAdded,
    StaffPasswordReset,
    StaffRemoved,
    StaffRoleChanged,
)
from study.founding import Study
from study.freeze import is_frozen
from tests.dashboards.app.page_frames import PageFrames, frames_of, visit
from tests.dashboards.app.served import ServedStudy
from tests.dashboards.app.staff import PASSWORD, PEOPLE, cookies_of, forget_attempts, staffed
from tests.dashboards.app.two_arms import SESSION, TO_LISTENING, WAY, a_pair, two_arm_study

# The tests share a server, and the last of them freezes its record.
STRANGE = "Please log in"
REFUSED = "Not for your role"


@dataclass(frozen=True)
class House:
    """A served study with staff and two people, one in each arm, whose sound is there."""

    study: Study
    accounts: Accounts
    server: ServedStudy
    person: str

    def cookies(self, role: Role | None) -> dict[str, str]:
        return cookies_of(self.study, self.accounts, role)

    def page(self, path: str, cookies: dict[str, str]) -> str:
        return frames_of(self.server.url, path, cookies).text


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    study = two_arm_study(tmp_path_factory.mktemp("roles") / "study")
    accounts = staffed(study)
    person = a_pair(study, WAY[:TO_LISTENING])["amberly"]
    with ServedStudy(study.folder.root) as server:
        yield House(study, accounts, server, person)
    study.record.close()


@pytest.mark.parametrize("role", [*Role, None], ids=str)
def test_each_role_is_shown_its_own_pages_and_nothing_of_the_others(role: Role | None, house: House) -> None:
    cookies = house.cookies(role)

    for page in PAGES:
        text = house.page(page.url_path, cookies)
        if role is None:
            assert STRANGE in text, page
        elif may(role, page.permission, is_unblinded=False):
            assert REFUSED not in text, page
            assert STRANGE not in text, page
        else:
            assert REFUSED in text, page
        if role is None or not may(role, page.permission, is_unblinded=False):
            assert house.person not in text, page


@pytest.mark.parametrize("role", list(Role))
def test_the_menu_lists_what_is_for_the_role_and_nothing_else(role: Role, house: House) -> None:
    frames = frames_of(house.server.url, "overview", house.cookies(role))

    listed = [e.page_link.page for e in frames.elements() if e.WhichOneof("type") == "page_link"]

    assert listed == [page.url_path for page in PAGES if may(role, page.permission, is_unblinded=False)]


def test_a_participant_is_told_of_no_page_but_their_own(house: House) -> None:
    token = issue_link(house.study, "test", enrol(house.study, "test", {}))

    text = house.page("", {"isopath_link": token})

    for page in PAGES:
        assert f"{page.title}\x1a" not in text
        assert page.module not in text
    assert "Log out" not in text


def test_a_participants_link_opens_no_page_of_staff(house: House) -> None:
    token = issue_link(house.study, "test", enrol(house.study, "test", {}))

    for cookies in ({"isopath_link": token}, {"isopath_staff": token}):
        assert STRANGE in house.page("participants", cookies)


def test_no_forged_cookie_opens_anything(house: House) -> None:
    real = house.cookies(Role.ADMIN)["isopath_staff"]
    with closing(sqlite3.connect(house.study.folder.root / "access.sqlite")) as connection:
        (kept,) = connection.execute(
            "SELECT token_sha256 FROM session WHERE token_sha256 = ?",
            (hashlib.sha256(real.encode()).hexdigest(),),
        ).fetchone()
    forged = [
        kept,
        real[:-1],
        real + "A",
        real.swapcase(),
        "anna",
        "admin:anna",
        "%",
        "*",
        "A" * 43,
        "x" * 5000,
    ]

    assert STRANGE not in house.page("accounts", {"isopath_staff": real})
    for token in forged:
        assert STRANGE in house.page("accounts", {"isopath_staff": token}), token
    assert STRANGE in house.page("accounts?isopath_staff=" + real, {})


def test_a_page_left_open_does_nothing_more_once_the_role_is_gone(house: House) -> None:
    add_staff(house.study, house.accounts, "test", "mallory", Role.ADMIN, PASSWORD)
    token = house.accounts.begin_session("mallory", house.study.record.clock())
    with visit(house.server.url, "accounts", {"isopath_staff": token}) as opened:
        page = opened.run()
        change_role(house.study, "test", "mallory", Role.COORDINATOR)

        after = opened.run(
            page.filled("Whose role", "mallory"),
            page.filled("New role", role_line(page, "Admin")),
            page.filled("Change role", True),
        )

    assert STRANGE in after.text
    assert house.accounts.staff()["mallory"].role is Role.COORDINATOR
    remove_staff(house.study, house.accounts, "test", "mallory")


def test_a_coordinator_who_posts_an_admins_form_changes_nothing(house: House) -> None:
    with visit(house.server.url, "accounts", house.cookies(Role.ADMIN)) as opened:
        form = opened.run()
    head = house.study.record.head()

    with visit(house.server.url, "accounts", house.cookies(Role.COORDINATOR)) as opened:
        opened.run()
        after = opened.run(
            form.filled("Whose role", "cora"),
            form.filled("New role", role_line(form, "Admin")),
            form.filled("Change role", True),
        )

    assert REFUSED in after.text
    assert house.study.record.head() == head


def test_the_accounts_page_does_what_it_says_and_the_record_says_who_did_it(house: House) -> None:
    before = house.study.record.head().sequence
    with visit(house.server.url, "accounts", house.cookies(Role.ADMIN)) as opened:
        page = opened.run()
        page = opened.run(
            page.filled("Name", "Ben"),
            page.filled("Role", role_line(page, "Statistician")),
            page.filled("Password, at least 12 characters", "words that I remember"),
            page.filled("The password once more", "words that I remember"),
            page.filled("Add account", True),
        )
        assert "ben may log in as statistician." in page.text
        page = opened.run(
            page.filled("Whose role", "ben"),
            page.filled("New role", role_line(page, "Coordinator")),
            page.filled("Change role", True),
        )
        page = opened.run(page.filled("Whose account", "ben"), page.filled("Remove account", True))
        assert "Tick the box" in page.text
        page = opened.run(
            page.filled("Whose account", "ben"),
            page.filled("What they did stays in the record; they cannot log in any more", True),
            page.filled("Remove account", True),
        )
        assert "ben may not log in any more." in page.text

    told = [(r.actor, r.event) for r in house.study.record.events(after=before)]
    assert told == [
        ("admin:anna", StaffAdded("ben", Role.STATISTICIAN)),
        ("admin:anna", StaffRoleChanged("ben", Role.COORDINATOR)),
        ("admin:anna", StaffRemoved("ben")),
    ]


def test_a_password_is_reset_by_an_admin_and_ends_what_was_open(house: House) -> None:
    coordinators = house.cookies(Role.COORDINATOR)
    forget_attempts(house.study)
    with visit(house.server.url, "accounts", house.cookies(Role.ADMIN)) as opened:
        page = opened.run()
        fields = page.elements()
        typed = [e.text_input.id for e in fields if e.WhichOneof("type") == "text_input"]
        first, again = (name for name in typed if "reset_" in name)
        choice = page.filled("Whose password", "cora")
        states = [type(choice)(id=first, string_value="short"), type(choice)(id=again, string_value="short")]
        page = opened.run(choice, *states, page.filled("Set password", True))
        assert "fewer than 12" in page.text
        for state in states:
            state.string_value = "an entirely other one"
        opened.run(choice, *states, page.filled("Set password", True))

    (reset,) = house.study.record.events(kinds=[StaffPasswordReset])
    assert (reset.actor, reset.event) == ("admin:anna", StaffPasswordReset("cora"))
    assert STRANGE in house.page("overview", coordinators)
    now = house.study.record.clock()
    assert house.accounts.log_in("cora", PASSWORD, "192.0.2.1", now).token is None
    assert house.accounts.log_in("cora", "an entirely other one", "192.0.2.1", now).token is not None


@pytest.mark.parametrize(
    ("role", "status"),
    [
        (None, 401),
        (Role.COORDINATOR, 403),
        (Role.STATISTICIAN, 403),
        (Role.ADMIN, 403),
        (Role.UNBLINDED, 200),
    ],
    ids=str,
)
def test_a_sessions_sound_is_for_the_unblinded_alone_and_every_hearing_is_on_record(
    role: Role | None, status: int, house: House
) -> None:
    path = f"/api/staff/sound/{house.person}/{SESSION}"
    before = house.study.record.head().sequence
    with httpx.Client(base_url=house.server.url, cookies=house.cookies(role)) as client:
        answers = [client.get(path), client.head(path), client.get(path, headers={"range": "bytes=0-3"})]
        others = [
            client.get(f"/api/staff/sound/{who}/{SESSION}")
            for who in ("sub-00000000", "..%2f..%2frecord.sqlite", house.person + "x")
        ]

    seen = house.study.record.events(kinds=[ArmsSeen], after=before)
    if role is Role.UNBLINDED:
        assert [answer.status_code for answer in answers] == [200, 200, 206]
        assert answers[2].content == b"fLaC"
        assert [(r.actor, r.participant_id, r.session_id) for r in seen] == [
            ("unblinded:una", house.person, SESSION)
        ]
        assert all(other.status_code in (400, 404) for other in others)
    else:
        assert [answer.status_code for answer in answers] == [status] * 3
        assert all(b"fLaC" not in answer.content for answer in answers)
        assert seen == []
        assert {other.status_code for other in others} <= {status, 400}, "nobody learns who has a sound"


def test_exports_are_for_those_who_may_export(house: House) -> None:
    for role in (None, *Role):
        with httpx.Client(base_url=house.server.url, cookies=house.cookies(role), timeout=60) as client:
            status = client.get("/api/staff/export/head.json").status_code
        allowed = role is not None and may(role, Permission.EXPORT, is_unblinded=False)
        assert status == (200 if allowed else 401 if role is None else 403), role


def test_everybody_in_these_tests_has_a_role_of_their_own() -> None:
    assert set(PEOPLE) == set(Role)


def test_freezing_and_unblinding_are_done_on_the_page_with_the_studys_id_and_a_reason(house: House) -> None:
    """Last: nothing of a participant is taken after it."""
    study_id = house.study.protocol.study_id
    asked = f"This cannot be taken back. Type the study's id, {study_id}"
    with visit(house.server.url, "freeze", house.cookies(Role.ADMIN)) as opened:
        page = opened.run()
        assert "still on the way" in page.text
        why = page.filled("Why, in a few words", "last visit done")
        refused = opened.run(why, page.filled(asked, "yes"), page.filled("Freeze the record", True))
        assert "not typed as it is" in refused.text
        assert not is_frozen(house.study.record)
        opened.run(why, page.filled(asked, study_id), page.filled("Freeze the record", True))
    with visit(house.server.url, "freeze", house.cookies(Role.ADMIN)) as opened:
        page = opened.run()
        opened.run(
            page.filled("Why, in a few words", "plan signed"),
            page.filled(asked, study_id),
            page.filled("Unblind", True),
        )

    told = house.study.record.events(kinds=[RecordFrozen, ArmsUnblinded])
    assert [
        (r.actor, r.event.reason) for r in told if isinstance(r.event, (RecordFrozen, ArmsUnblinded))
    ] == [
        ("admin:anna", "last visit done"),
        ("admin:anna", "plan signed"),
    ]
    assert REFUSED in house.page("freeze", house.cookies(Role.STATISTICIAN))


def role_line(page: PageFrames, begins: str) -> str:
    """The option of the list of roles that begins so."""
    for element in page.elements():
        if element.WhichOneof("type") == "selectbox":
            for option in element.selectbox.options:
                if option.startswith(f"{begins}:"):
                    return str(option)
    raise AssertionError(f"no role begins with {begins}")
