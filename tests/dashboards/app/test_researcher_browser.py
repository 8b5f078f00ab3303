"""The researchers' pages in a real browser: what only a browser can show."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from study.access.accounts import Accounts
from study.events import Role
from study.founding import Study, open_study
from study.support import call_staff
from study.unblinding import cases_of
from tests.dashboards.app.axe import serious
from tests.dashboards.app.busy_study import BusyStudy
from tests.dashboards.app.served import ServedStudy
from tests.dashboards.app.staff import cookies_of, staffed
from tests.dashboards.browser import chromium

pytestmark = pytest.mark.browser

PHONE, DESK = (390, 844), (1280, 900)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


class Clinic:
    """A busy study on a server of its own, and the door for its staff."""

    def __init__(self, study: Study, accounts: Accounts, server: ServedStudy) -> None:
        self.study, self.accounts, self.server = study, accounts, server

    def enter(self, browser: Browser, role: Role, size: tuple[int, int] = DESK) -> BrowserContext:
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]}, timezone_id="Asia/Tokyo", locale="en-GB"
        )
        for name, value in cookies_of(self.study, self.accounts, role).items():
            context.add_cookies([{"name": name, "value": value, "url": self.server.url}])
        return context

    def get(self, role: Role | None, path: str) -> httpx.Response:
        cookies = cookies_of(self.study, self.accounts, role)
        return httpx.get(f"{self.server.url}{path}", cookies=cookies, timeout=60)


@pytest.fixture(scope="module")
def clinic(busy_made: BusyStudy, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    root = tmp_path_factory.mktemp("clinic") / "study"
    shutil.copytree(busy_made.study.folder.root, root)
    study = open_study(root)
    accounts = staffed(study)
    with ServedStudy(root) as server:
        yield Clinic(study, accounts, server)
    study.record.close()


def test_a_call_for_help_appears_without_a_reload(
    clinic: Clinic, busy_made: BusyStudy, browser: Browser
) -> None:
    with clinic.enter(browser, Role.COORDINATOR) as context:
        page = context.new_page()
        page.goto(f"{clinic.server.url}/overview")
        expect(page.get_by_text("Alerts (3 open)")).to_be_visible(timeout=30_000)

        call_staff(clinic.study, "participant", busy_made.listening, "ses-01")

        expect(page.get_by_text(f"{busy_made.listening}: called for somebody to come")).to_be_visible(
            timeout=15_000
        )
        expect(page.get_by_text("Times are in Asia/Tokyo (UTC+09:00).")).to_be_visible()


def test_what_people_wrote_runs_nothing_and_stays_as_it_was_written(
    clinic: Clinic, busy_made: BusyStudy, browser: Browser
) -> None:
    with clinic.enter(browser, Role.COORDINATOR) as context:
        page = context.new_page()
        page.goto(f"{clinic.server.url}/participants")
        chooser = page.get_by_role("combobox", name="One participant")
        chooser.click()
        chooser.fill(busy_made.whole)
        page.keyboard.press("Enter")

        cell = page.get_by_role("cell", name="<script>").first
        expect(cell).to_be_visible(timeout=30_000)
        for part in (
            "<script>window.harmed = 1</script>",
            "[a link](javascript:",
            ":material/warning:",
            "$x^2$",
        ):
            expect(cell).to_contain_text(part)
        assert page.evaluate("window.harmed") is None
        assert page.locator("a[href^='javascript']").count() == 0


def test_every_page_fits_a_phone_and_axe_finds_nothing_serious(clinic: Clinic, browser: Browser) -> None:
    with clinic.enter(browser, Role.COORDINATOR, PHONE) as context:
        page = context.new_page()
        wider: dict[str, int] = {}
        found: list[str] = []
        for path in ("overview", "participants", "sessions", "quality", "protocol", "editor"):
            page.goto(f"{clinic.server.url}/{path}")
            expect(page.locator(".ip-h1")).to_be_visible(timeout=30_000)
            page.wait_for_function("() => document.querySelectorAll('[data-testid=stHtml]').length > 2")
            found += [f"{path}: {one}" for one in serious(page)]
            wider[path] = page.evaluate(
                "(() => { const m = document.querySelector('[data-testid=stMain]');"
                " return m.scrollWidth - m.clientWidth })()"
            )

        assert not any(pixels > 0 for pixels in wider.values()), wider
        assert found == []


def test_an_export_is_for_those_who_may_and_blinded_until_they_may_see_arms(clinic: Clinic) -> None:
    tables = "/api/staff/export/tables.zip"

    assert clinic.get(None, tables).status_code == 401
    assert clinic.get(Role.COORDINATOR, tables).status_code == 403
    assert clinic.get(Role.UNBLINDED, tables).status_code == 403
    given = clinic.get(Role.STATISTICIAN, tables)
    assert given.status_code == 200
    assert given.headers["cache-control"] == "no-store"
    assert given.headers["content-disposition"] == 'attachment; filename="evening_calm-blinded-tables.zip"'
    with zipfile.ZipFile(BytesIO(given.content)) as archive:
        header = archive.read("participants.csv").decode().splitlines()[0]
        note = archive.read("README.txt").decode()
    assert "group" not in header
    assert "Blinded: nothing here tells who is in which arm." in note
    assert clinic.get(Role.STATISTICIAN, "/api/staff/export/results.json").status_code == 404
    assert clinic.get(Role.STATISTICIAN, "/api/staff/export/..%2Fprotocol.json").status_code in (400, 404)


def test_what_a_blinded_page_of_a_session_draws_holds_no_planned_path(
    clinic: Clinic, browser: Browser, tmp_path: Path
) -> None:
    with clinic.enter(browser, Role.COORDINATOR) as context:
        page = context.new_page()
        page.goto(f"{clinic.server.url}/sessions")
        image = page.get_by_role("img", name="On the circumplex.")
        expect(image).to_be_visible(timeout=30_000)

        said = image.get_attribute("alt") or ""

        assert "Felt goes from" in said
        assert "Planned" not in said
        assert image.evaluate("image => image.naturalWidth") > 0


def test_an_arm_is_asked_for_by_keyboard_and_axe_finds_nothing_serious(
    clinic: Clinic, busy_made: BusyStudy, browser: Browser
) -> None:
    with clinic.enter(browser, Role.COORDINATOR) as context:
        page = context.new_page()
        page.goto(f"{clinic.server.url}/unblinding")
        expect(page.get_by_role("button", name="Send the request")).to_be_visible(timeout=30_000)
        page.get_by_role("combobox", name="Participant").first.focus()
        page.keyboard.type(busy_made.stopped)
        page.keyboard.press("Enter")
        page.get_by_label("Why it must be known").focus()
        page.keyboard.type("sedated on the ward")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(page.get_by_text("waits for a decision").first).to_be_visible(timeout=15_000)
        found = serious(page)
    (case,) = cases_of(clinic.study.record)

    assert found == []
    assert (case.participant_id, case.reason) == (busy_made.stopped, "sedated on the ward")
