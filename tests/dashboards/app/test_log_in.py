"""Logging in and out, and what attackers try at that door."""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from starlette.applications import Starlette
from starlette.testclient import TestClient

from dashboards.server import staff_routes
from dashboards.server.serving import Served, begin_serving
from dashboards.server.staff_forms import HOME, page_after
from study.access.accounts import Accounts
from study.access.staffing import change_role
from study.events import Role
from study.founding import Study
from tests.dashboards.app.page_frames import frames_of
from tests.dashboards.app.served import ServedStudy
from tests.dashboards.app.staff import PASSWORD, AtTheDoor, forget_attempts, staffed
from tests.dashboards.browser import chromium
from tests.dashboards.short_study import short_study

# The tests share a server, and count attempts from one address.
#: Stands on the page that only an admin sees.
SHOWN = "Freezing closes the record"

EVIL = [
    "https://evil.example/",
    "//evil.example/",
    "/\\evil.example",
    "/%2F/evil.example",
    "\\\\evil.example",
    "/overview@evil.example",
    "/overview\r\nSet-Cookie: x=y",
    "javascript:alert(1)",
    "/go/0123456789abcdef0123456789abcdef",
    "/staff/log-out",
    " /overview",
    "",
]


@dataclass(frozen=True)
class House:
    """A served study with staff."""

    study: Study
    accounts: Accounts
    server: ServedStudy


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    study = short_study(tmp_path_factory.mktemp("log_in") / "study")
    accounts = staffed(study)
    with ServedStudy(study.folder.root) as server:
        yield House(study, accounts, server)
    study.record.close()


@pytest.fixture
def house(served: House) -> House:
    forget_attempts(served.study)
    return served


@pytest.fixture
def door(house: House) -> Iterator[AtTheDoor]:
    with AtTheDoor(house.server.url) as somebody:
        yield somebody


def is_in(house: House, token: str | None) -> bool:
    """Whether a page is shown to whoever holds this cookie."""
    text = frames_of(house.server.url, "/freeze", {"isopath_staff": token or ""}).text
    assert ("Please log in" in text) is not (SHOWN in text)
    return SHOWN in text


def test_the_form_opens_a_session_and_leads_to_the_page_that_was_asked_for(
    house: House, door: AtTheDoor
) -> None:
    fields = {**door.form("?next=/accounts"), "staff_id": "anna", "password": PASSWORD}

    came = door.client.post("/staff/log-in", data=fields)

    assert (came.status_code, came.headers["location"]) == (303, "/accounts")
    assert came.headers["cache-control"] == "no-store"
    (cookie,) = (c for c in came.headers.get_list("set-cookie") if c.startswith("isopath_staff="))
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= {part.strip() for part in cookie.split(";")}
    assert "max-age" not in cookie.lower(), "it ends with the browser"
    assert is_in(house, door.token)


def test_under_tls_every_cookie_is_secure(house: House) -> None:
    served = Served(house.study, is_secure=True, accounts=house.accounts)
    begin_serving(served)

    with TestClient(
        Starlette(routes=staff_routes.routes(served)), base_url="https://study.example"
    ) as client:
        form = dict(re.findall(r'name="(\w+)" value="([^"]*)"', client.get("/staff/log-in").text))
        came = client.post(
            "/staff/log-in", data=form | {"staff_id": "anna", "password": PASSWORD}, follow_redirects=False
        )

    cookies = came.headers.get_list("set-cookie")
    assert came.status_code == 303
    assert all("Secure" in cookie for cookie in cookies if 'isopath_form=""' not in cookie)


def test_a_wrong_password_and_an_unknown_name_are_answered_alike(door: AtTheDoor) -> None:
    wrong = door.log_in("anna", "not the password")
    unknown = door.log_in("nobody", "not the password")

    assert wrong.status_code == unknown.status_code == 401
    assert "do not go together" in wrong.text
    assert wrong.text.replace("anna", "WHO") == unknown.text.replace("nobody", "WHO")
    assert door.token is None


def test_guessing_is_stopped_and_the_right_password_does_not_help_then(house: House, door: AtTheDoor) -> None:
    answers = [door.log_in("anna", f"guess number {i}").status_code for i in range(7)]
    right = door.log_in("anna")

    assert answers == [401] * 5 + [429] * 2
    assert right.status_code == 429
    assert 0 < int(right.headers["retry-after"]) <= 30
    assert "Please wait" in right.text
    assert door.token is None
    with AtTheDoor(house.server.url) as other:
        assert other.log_in("cora").status_code == 303, "others go in and out"


def test_one_address_is_stopped_whatever_names_it_tries(door: AtTheDoor) -> None:
    form = door.form()

    answers = [
        door.client.post("/staff/log-in", data={**form, "staff_id": f"guess{i}", "password": "x"}).status_code
        for i in range(22)
    ]

    assert answers == [401] * 20 + [429] * 2


def test_a_forwarded_address_from_a_stranger_is_not_believed(door: AtTheDoor) -> None:
    form = door.form()

    answers = [
        door.client.post(
            "/staff/log-in",
            data={**form, "staff_id": f"guess{i}", "password": "x"},
            headers={"x-forwarded-for": f"203.0.113.{i}", "forwarded": f"for=203.0.113.{i}"},
        ).status_code
        for i in range(21)
    ]

    assert answers[-1] == 429


def test_a_form_of_nobody_or_of_somebody_else_is_refused(house: House, door: AtTheDoor) -> None:
    right = {"staff_id": "anna", "password": PASSWORD}
    with AtTheDoor(house.server.url) as other:
        others_form = other.form()
    door.form()

    for form in ({}, {"form": ""}, {"form": "0" * 64}, others_form):
        refused = door.client.post("/staff/log-in", data={**form, **right})
        assert refused.status_code == 403
        assert "open for too long" in refused.text
    door.client.cookies.clear()
    assert door.client.post("/staff/log-in", data={**others_form, **right}).status_code == 403
    assert door.token is None


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:1"},
        {"sec-fetch-site": "cross-site", "origin": "https://evil.example"},
    ],
)
def test_another_sites_page_cannot_send_the_form(door: AtTheDoor, headers: dict[str, str]) -> None:
    fields = {**door.form(), "staff_id": "anna", "password": PASSWORD}

    refused = door.client.post("/staff/log-in", data=fields, headers=headers)

    assert refused.status_code == 403
    assert door.token is None


@pytest.mark.parametrize("wanted", EVIL)
def test_logging_in_never_leads_to_another_site(wanted: str) -> None:
    assert page_after(wanted) == HOME


def test_the_form_cannot_be_made_to_lead_elsewhere(house: House) -> None:
    for wanted in EVIL[:4]:
        with AtTheDoor(house.server.url) as door:
            came = door.log_in("anna", next=wanted)
            assert (came.status_code, came.headers["location"]) == (303, HOME)
            there = door.client.get("/staff/log-in", params={"next": wanted})
            assert (there.status_code, there.headers["location"]) == (303, HOME)


@pytest.mark.parametrize("planted", ["planted", "A" * 43, "x" * 4000, "' OR 1=1 --"])
def test_a_session_planted_before_is_not_the_one_that_opens(house: House, planted: str) -> None:
    with AtTheDoor(house.server.url, {"isopath_staff": planted}) as victim:
        form = victim.form()
        came = victim.client.post("/staff/log-in", data={**form, "staff_id": "anna", "password": PASSWORD})

        assert came.status_code == 303
        (cookie,) = (c for c in came.headers.get_list("set-cookie") if c.startswith("isopath_staff="))
    assert planted not in cookie
    assert not is_in(house, planted)


def test_logging_in_again_ends_the_session_there_was(house: House, door: AtTheDoor) -> None:
    with AtTheDoor(house.server.url) as other:
        other.log_in("una")
        before = other.token
    assert before is not None
    form = door.form()
    door.client.cookies.set("isopath_staff", before)

    came = door.client.post("/staff/log-in", data={**form, "staff_id": "anna", "password": PASSWORD})

    assert came.status_code == 303
    assert house.accounts.staff_of_session(before, house.study.record.clock()) is None


def test_logging_out_kills_the_session_and_not_only_the_cookie(house: House, door: AtTheDoor) -> None:
    door.log_in("anna")
    token = door.token
    assert is_in(house, token)
    page = door.client.get("/staff/log-out").text
    (form,) = re.findall(r'name="form" value="(\w+)"', page)

    assert door.client.post("/staff/log-out", data={"form": "0" * 64}).status_code == 303
    assert is_in(house, token), "nobody is logged out by another site"
    out = door.client.post("/staff/log-out", data={"form": form})

    assert out.status_code == 200
    assert "You are logged out" in out.text
    assert door.token is None
    assert not is_in(house, token)


@pytest.mark.parametrize(("column", "ago_s"), [("seen_at", 31 * 60), ("begun_at", 12 * 3600 + 1)])
def test_an_old_session_opens_nothing(house: House, door: AtTheDoor, column: str, ago_s: float) -> None:
    door.log_in("anna")
    assert is_in(house, door.token)

    with closing(sqlite3.connect(house.study.folder.root / "access.sqlite")) as connection, connection:
        connection.execute(f"UPDATE session SET {column} = ?", (time.time() - ago_s,))

    assert not is_in(house, door.token)


def test_a_changed_role_ends_what_is_open(house: House, door: AtTheDoor) -> None:
    door.log_in("stan")
    assert "Not for your role" in frames_of(house.server.url, "/freeze", dict(door.client.cookies)).text

    change_role(house.study, "test", "stan", Role.COORDINATOR)

    assert not is_in(house, door.token)
    change_role(house.study, "test", "stan", Role.STATISTICIAN)


def test_what_was_typed_comes_back_as_text_and_never_as_markup(door: AtTheDoor) -> None:
    typed = '"><script>alert(1)</script>'

    page = door.log_in(typed, "x").text

    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_neither_names_nor_passwords_are_logged(house: House, door: AtTheDoor) -> None:
    door.log_in("anna", "a password typed wrongly")
    door.log_in("anna")

    log = house.server.log.read_text()

    assert "typed wrongly" not in log
    assert PASSWORD not in log
    assert str(door.token) not in log


def test_an_endless_form_is_cut_off(door: AtTheDoor) -> None:
    door.form()

    refused = door.client.post("/staff/log-in", content=b"staff_id=" + b"a" * 20_000)

    assert refused.status_code in (403, 413)


def test_the_pages_run_no_script_and_carry_no_style_of_their_own(house: House, door: AtTheDoor) -> None:
    class Tags(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            assert tag not in ("script", "style", "iframe", "object")
            assert not [name for name, _ in attrs if name == "style" or name.startswith("on")]

    pages: list[httpx.Response] = [door.client.get("/staff/log-in"), door.client.get("/staff/log-out")]
    pages.append(door.client.get("/staff/adopt?code=x"))
    door.log_in("anna")
    pages.append(door.client.get("/staff/log-out"))

    for page in pages:
        Tags().feed(page.text)
        assert "frame-ancestors 'none'" in page.headers["content-security-policy"]


@pytest.mark.browser
def test_a_person_logs_in_by_keyboard_on_a_phone_and_out_again_and_axe_finds_nothing(
    house: House, tmp_path: Path
) -> None:
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 390, "height": 844})
        page.goto(f"{house.server.url}/freeze")
        page.get_by_role("link", name="Log in").click()
        page.wait_for_url("**/staff/log-in?next=/freeze")
        assert not Axe().run(page).response["violations"]
        page.keyboard.type("anna")
        page.keyboard.press("Tab")
        page.keyboard.type("not this one")
        page.keyboard.press("Enter")
        page.get_by_role("alert").wait_for()
        assert not Axe().run(page).response["violations"]
        page.keyboard.type(PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url("**/freeze")
        page.get_by_role("heading", name="Freeze and unblind").wait_for()

        page.set_viewport_size({"width": 1280, "height": 900})
        token = next(c["value"] for c in page.context.cookies() if c["name"] == "isopath_staff")
        page.get_by_role("button", name="Log out").click()
        page.get_by_role("heading", name="Please log in").wait_for()

    assert not is_in(house, token)
