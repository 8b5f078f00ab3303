"""A whole study in a real browser: by keyboard on a phone, with reloads, without a network."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize

from study.access.links import issue_link
from study.conduct import enrol
from study.events import DebriefRead, PlaybackLogged, PlayerEntryKind, SelfReportSubmitted
from study.founding import Study
from study.listening import PROBE, listening_of
from tests.dashboards.app.axe import serious
from tests.dashboards.app.keyboard_person import KeyboardPerson
from tests.dashboards.app.person import Person
from tests.dashboards.app.served import ServedStudy
from tests.dashboards.app.whole_study import whole_protocol, whole_study
from tests.dashboards.browser import chromium

pytestmark = pytest.mark.browser

OURS = "[data-testid='stMainBlockContainer']"
PHONE: ViewportSize = {"width": 390, "height": 844}
EVERY_KIND = [
    "consent",
    "eligibility",
    "sound_check",
    "instrument",
    "induction",
    "waiting",
    "player",
    "questionnaire",
    "debrief",
    "finished",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    protocol = whole_protocol(duration_s=6)
    return whole_study(tmp_path_factory.mktemp("walks") / "study", protocol)


@pytest.fixture(scope="module")
def served(study: Study) -> Iterator[ServedStudy]:
    with ServedStudy(study.folder.root) as running:
        yield running


@pytest.fixture
def phone(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport=PHONE, has_touch=True)
    yield context
    context.close()


def arrive(
    study: Study, served: ServedStudy, context: BrowserContext, before: str = "consent"
) -> tuple[str, Page]:
    """Somebody at their page, who came as far as a kind of step elsewhere."""
    participant_id = enrol(study, "test", {})
    token = issue_link(study, "test", participant_id)
    with Person(served.url, token) as person:
        person.take_the_lease()
        person.go_on_to(before)
        person.post("/api/me/lease", {"release": True})
    page = context.new_page()
    page.goto(f"{served.url}/go/{token}")
    return participant_id, page


def test_the_whole_study_by_keyboard_on_a_phone_reloaded_at_every_step_and_held_against_axe(
    study: Study, served: ServedStudy, phone: BrowserContext
) -> None:
    participant_id, page = arrive(study, served, phone)
    findings: dict[str, list[str]] = {}
    keys: list[str] = []

    def look_and_reload(view: dict[str, Any]) -> None:
        findings.setdefault(view["kind"], []).extend(serious(page, OURS))
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], view["kind"]
        if view["kind"] not in ("waiting", "finished"):
            keys.append(view["key"])
            page.reload()
            assert KeyboardPerson(page).view_other_than("")["key"] == view["key"]

    kinds = KeyboardPerson(page, look_and_reload).walk()

    assert list(dict.fromkeys(kinds)) == EVERY_KIND
    assert {kind: found for kind, found in findings.items() if found} == {}
    assert len(keys) == len(set(keys))
    history = study.record.participant(participant_id)
    assert sum(isinstance(r.event, DebriefRead) for r in history) == 1
    reports = [
        (r.event.phase, r.event.instrument_id, r.event.probe_at_s)
        for r in history
        if isinstance(r.event, SelfReportSubmitted)
    ]
    assert len(reports) == len(set(reports)) == 6
    listening = listening_of(history, "ses-01")
    assert listening.completed
    assert listening.heard_s == pytest.approx(6.0, abs=0.4)


def test_without_a_network_the_music_goes_on_and_the_log_arrives_afterwards(
    study: Study, served: ServedStudy, phone: BrowserContext
) -> None:
    participant_id, page = arrive(study, served, phone, before="player")
    person = KeyboardPerson(page)
    listening = person.view_other_than("")
    person.listen()
    page.locator(".ip-player[data-state=playing]").wait_for()

    phone.set_offline(True)
    page.wait_for_timeout(1_500)
    phone.set_offline(False)

    view = person.view_other_than(listening["key"])
    assert view["key"] == "report/ses-01/probe@3/feeling/1"
    history = study.record.participant(participant_id)
    batches = [r.event for r in history if isinstance(r.event, PlaybackLogged)]
    assert len({batch.player_id for batch in batches}) == 1
    lines = [entry for batch in batches for entry in batch.entries]
    assert [entry.sequence for entry in lines] == list(range(len(lines)))
    at_s = {entry.kind: entry.position_s for entry in lines}
    assert [entry.detail for entry in lines if entry.kind is PlayerEntryKind.PAUSE] == [PROBE]
    assert at_s[PlayerEntryKind.ONLINE] - at_s[PlayerEntryKind.OFFLINE] > 0.5
    assert at_s[PlayerEntryKind.PAUSE] == pytest.approx(3.0, abs=0.3)


def test_a_closed_tab_and_the_link_opened_again_lead_to_the_due_step(
    study: Study, served: ServedStudy, browser: Browser, phone: BrowserContext
) -> None:
    _, page = arrive(study, served, phone, before="induction")
    assert KeyboardPerson(page).view_other_than("")["kind"] == "induction"
    link = next(cookie["value"] for cookie in phone.cookies() if cookie["name"] == "isopath_link")
    page.close()

    elsewhere = browser.new_context()
    again = elsewhere.new_page()
    again.goto(f"{served.url}/go/{link}")

    assert KeyboardPerson(again).view_other_than("")["kind"] == "induction"
    elsewhere.close()
