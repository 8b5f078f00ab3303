"""A tablet that people share: nothing of one person is left for the next."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from dashboards.server.kiosk import token_in
from study.access.links import issue_link, revoke_links
from study.conduct import enrol
from study.events import ConsentWithdrawn, EndReason, ParticipantDiscontinued
from study.founding import Study
from tests.dashboards.app.person import Person
from tests.dashboards.app.served import ServedStudy
from tests.dashboards.app.whole_study import whole_study
from tests.dashboards.browser import chromium

TOKEN = "0123456789abcdef0123456789abcdef"
START = "Please hand this tablet to the study team"


@pytest.mark.parametrize(
    "typed",
    [
        TOKEN,
        f"https://study.example/go/{TOKEN}",
        f"  {TOKEN.upper()}\n",
        "0123-4567-89ab-cdef-0123-4567-89ab-cdef",
        "0123 4567 89ab cdef 0123 4567 89ab cdef",
    ],
)
def test_a_link_is_understood_however_it_is_typed_or_scanned(typed: str) -> None:
    assert token_in(typed) == TOKEN


@pytest.mark.parametrize("typed", ["", TOKEN[:-1], TOKEN + "0", f"{TOKEN} {TOKEN}", "g" * 32])
def test_what_holds_no_link_opens_nothing(typed: str) -> None:
    assert token_in(typed) is None


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return whole_study(tmp_path_factory.mktemp("shared") / "study")


@pytest.fixture(scope="module")
def served(study: Study) -> Iterator[ServedStudy]:
    with ServedStudy(study.folder.root) as server:
        yield server


def somebody(study: Study) -> tuple[str, str]:
    participant_id = enrol(study, "test", {})
    return participant_id, issue_link(study, "test", participant_id)


def test_opening_the_start_page_lets_go_of_the_person_and_marks_the_tablet(
    study: Study, served: ServedStudy
) -> None:
    _, token = somebody(study)

    page = httpx.get(f"{served.url}/kiosk", headers={"cookie": f"isopath_link={token}"})

    cookies = page.headers.get_list("set-cookie")
    assert page.headers["clear-site-data"] == '"cache", "storage"'
    assert any("isopath_link=" in c and "Max-Age=0" in c for c in cookies)
    assert any("isopath_kiosk=1" in c and "HttpOnly" in c for c in cookies)


def test_another_sites_picture_of_the_start_page_lets_go_of_nobody(study: Study, served: ServedStudy) -> None:
    picture = httpx.get(f"{served.url}/kiosk", headers={"sec-fetch-mode": "no-cors"})

    assert picture.status_code == 404
    assert "clear-site-data" not in picture.headers
    assert "set-cookie" not in picture.headers


def test_on_a_shared_tablet_nobodys_page_is_the_start_page(study: Study, served: ServedStudy) -> None:
    _, token = somebody(study)

    def front(cookie: str) -> httpx.Response:
        return httpx.get(f"{served.url}/", headers={"cookie": cookie})

    assert front("isopath_kiosk=1").headers["location"] == "/kiosk"
    assert front(f"isopath_kiosk=1; isopath_link={'0' * 32}").headers["location"] == "/kiosk"
    assert "/kiosk/watch.js" in front(f"isopath_kiosk=1; isopath_link={token}").text
    assert "/kiosk/watch.js" not in front(f"isopath_link={token}").text


def test_on_a_shared_tablet_the_browser_keeps_no_sound_and_no_view(study: Study, served: ServedStudy) -> None:
    _, token = somebody(study)
    with Person(served.url, token) as person:
        person.take_the_lease()
        person.go_on_to("sound_check")

    def kept(path: str, cookie: str) -> str:
        headers = {"cookie": f"{cookie}isopath_link={token}"}
        reply = httpx.get(f"{served.url}{path}", headers=headers)
        assert reply.status_code == 200
        told: str = reply.headers["cache-control"]
        return told

    for path in ("/api/me/step", "/api/me/sound-check/level.wav"):
        assert kept(path, "isopath_kiosk=1; ") == "no-store"
    assert kept("/api/me/sound-check/level.wav", "") != "no-store"


# With a real browser.


@pytest.fixture(scope="module")
def context(served: ServedStudy) -> Iterator[BrowserContext]:
    with chromium() as browser:
        made = browser.new_context(base_url=served.url, viewport={"width": 820, "height": 1180})
        yield made
        made.close()


def begin(page: Page, token: str) -> None:
    page.goto("/kiosk")
    page.get_by_label("Personal link, or its code").fill(token)
    page.get_by_role("button", name="Begin").click()
    page.get_by_text("I take part of my own free will").wait_for()


def remains(page: Page) -> dict[str, Any]:
    """Everything a browser holds for this site."""
    stored: dict[str, Any] = page.evaluate(
        """async () => ({
            local: { ...localStorage },
            session: { ...sessionStorage },
            databases: (await indexedDB.databases()).map((one) => one.name),
            caches: await caches.keys(),
            text: document.body.innerText,
        })"""
    )
    return stored | {"cookies": {c["name"] for c in page.context.cookies()}}


def expect_nothing_left(page: Page, participant_id: str, token: str) -> None:
    expect(page.get_by_role("heading", name=START)).to_be_visible()
    left = remains(page)
    # Streamlit's own, for anybody: a random word against forged forms.
    assert left["cookies"] <= {"isopath_kiosk", "_streamlit_xsrf"}
    assert (left["local"], left["session"], left["databases"], left["caches"]) == ({}, {}, [], [])
    assert token not in json.dumps(sorted(left["cookies"])) + left["text"]
    assert participant_id not in left["text"]


def expect_no_way_back(page: Page) -> None:
    for _ in range(4):
        page.go_back()
        if page.url == "about:blank":
            break
        expect(page.get_by_role("heading", name=START)).to_be_visible()
        assert "I take part of my own free will" not in page.content()


@pytest.mark.browser
def test_when_somebody_has_finished_nothing_of_them_is_left_and_the_back_button_shows_nothing(
    study: Study, context: BrowserContext
) -> None:
    participant_id, token = somebody(study)
    page = context.new_page()
    begin(page, token)
    page.evaluate("localStorage.setItem('of-this-person', 'x')")
    withdraw(page)

    page.get_by_role("button", name="Finish on this device").click()

    expect_nothing_left(page, participant_id, token)
    expect_no_way_back(page)
    # The next person begins at their own beginning.
    _, next_token = somebody(study)
    begin(page, next_token)
    page.close()


def withdraw(page: Page) -> None:
    page.evaluate(
        """fetch("/api/me/withdraw", {
            method: "POST", headers: { "content-type": "application/json" },
            body: JSON.stringify({ keeps_data: false }),
        }).then((reply) => reply.text())"""
    )
    page.reload()
    page.get_by_role("button", name="Finish on this device").wait_for()


@pytest.mark.browser
def test_after_ten_minutes_without_a_touch_the_start_page_comes_back(
    study: Study, context: BrowserContext
) -> None:
    participant_id, token = somebody(study)
    page = context.new_page()
    page.clock.install()
    begin(page, token)

    page.clock.fast_forward(9 * 60_000)
    page.mouse.move(100, 100)
    page.clock.fast_forward(9 * 60_000)
    page.wait_for_timeout(500)
    assert "/kiosk" not in page.url

    page.clock.fast_forward(2 * 60_000)

    page.wait_for_url("**/kiosk")
    expect_nothing_left(page, participant_id, token)
    expect_no_way_back(page)
    page.close()


@pytest.mark.browser
def test_whoever_listens_is_not_sent_away(study: Study, context: BrowserContext) -> None:
    _, token = somebody(study)
    page = context.new_page()
    page.clock.install()
    begin(page, token)
    listens = """fetch("/api/me/playback", {
        method: "POST", headers: { "content-type": "application/json" }, body: "{}",
    }).then((reply) => reply.text())"""

    for _ in range(4):
        page.clock.fast_forward(5 * 60_000)
        page.evaluate(listens)
        page.wait_for_timeout(100)

    page.wait_for_timeout(300)
    assert "/kiosk" not in page.url
    page.close()


@pytest.mark.browser
def test_a_wrong_code_is_told_kindly_and_not_left_in_the_field(context: BrowserContext) -> None:
    page = context.new_page()
    page.goto("/kiosk")

    page.get_by_label("Personal link, or its code").fill("0" * 32)
    page.get_by_role("button", name="Begin").click()

    expect(page.get_by_role("alert")).to_have_text(
        "This link does not open anything. Please look at the code once more."
    )
    expect(page.get_by_label("Personal link, or its code")).to_have_value("")
    page.close()


@pytest.mark.browser
def test_a_link_revoked_while_it_is_open_gives_the_tablet_back(study: Study, context: BrowserContext) -> None:
    participant_id, token = somebody(study)
    page = context.new_page()
    begin(page, token)

    revoke_links(study, "test", participant_id, "lost")

    page.wait_for_url("**/kiosk", timeout=20_000)
    page.close()


def test_withdrawing_twice_is_recorded_once(study: Study, served: ServedStudy) -> None:
    participant_id, token = somebody(study)
    with Person(served.url, token) as person:
        replies = [person.post("/api/me/withdraw", {"keeps_data": False}) for _ in range(2)]

    assert [r.status_code for r in replies] == [200, 200]
    ended = [
        r.event
        for r in study.record.participant(participant_id)
        if r.kind == ParticipantDiscontinued.__name__
    ]
    assert ended == [ParticipantDiscontinued(EndReason.WITHDREW, "")]
    assert [r.event for r in study.record.events(participant_id, kinds=[ConsentWithdrawn])] == [
        ConsentWithdrawn(False, "", "awaiting_consent")
    ]
