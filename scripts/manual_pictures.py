"""The pictures of docs/manual.md, from a rehearsal and from a small study that nobody took part in.

python scripts/manual_pictures.py docs/figures
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Locator, Page, ViewportSize

from study.access.links import issue_link
from study.conduct import enrol
from study.events import Role
from study.founding import Study, open_study
from study.step import RenderSession
from tests.dashboards.app.keyboard_person import KeyboardPerson
from tests.dashboards.app.served import ServedStudy
from tests.dashboards.app.staff import cookies_of, staffed
from tests.dashboards.browser import chromium
from tests.study.every_step import take
from tests.study.walking import due

PHONE: ViewportSize = {"width": 390, "height": 780}
DESK: ViewportSize = {"width": 1180, "height": 780}
EXAMPLE = Path("protocols/examples/iso_vs_target_only.json")
STRATUM = {"site": "north", "baseline_arousal": "high"}
DRAWN_WITHIN_MS = 3_000
"""Streamlit says nowhere that a page is whole."""


def main() -> int:
    """Take every picture."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as made, chromium() as browser:
        _conduct(Path(made) / "calm-study", folder, browser)
        _closing(Path(made) / "rehearsal", folder, browser)
    return 0


def _conduct(root: Path, folder: Path, browser: Browser) -> None:
    """Enrolment, an incident, the way out, one participant's arm."""
    _isopath("init", root, "--protocol", EXAMPLE)
    study = open_study(root)
    accounts = staffed(study)
    allocated, leaving, new = (enrol(study, "staff:cora", STRATUM) for _ in range(3))
    while not isinstance(due(study, allocated), RenderSession):
        take(study, allocated)
    with ServedStudy(root) as served:
        _leave_dialog(study, served.url, leaving, folder, browser)
        cookies = cookies_of(study, accounts, Role.COORDINATOR)
        with _inside(browser, served.url, cookies) as page:
            _go(page, f"{served.url}/participants")
            _choose(page, "One participant", new)
            page.locator("summary", has_text="Personal link").click()
            page.get_by_role("button", name="Make a personal link").click()
            page.locator(".ip-secret").wait_for()
            _take(page, folder / "manual-enrolment.png", page.locator(".ip-secret"), "center")

            _go(page, f"{served.url}/participants")
            _choose(page, "One participant", allocated)
            page.locator("summary", has_text="Report an adverse event").click()
            page.wait_for_timeout(DRAWN_WITHIN_MS)
            _choose(page, "Kind", "emotional")
            _choose(page, "How bad", "mild")
            _choose(page, "Caused by the music", "possible")
            words = page.get_by_label("What happened, without names")
            words.fill("Wept for some minutes, wished to go on, was calm afterwards.")
            _take(page, folder / "manual-incident.png", page.get_by_role("button", name="Save the adverse"))

            _go(page, f"{served.url}/unblinding")
            _choose(page, "Participant", allocated)
            page.get_by_label("Why it must be known").fill("sedated on the ward; may it be the music?")
            page.get_by_role("button", name="Send the request").click()
            page.get_by_text("waits for a decision").first.wait_for()
        with _inside(browser, served.url, cookies_of(study, accounts, Role.ADMIN)) as page:
            _go(page, f"{served.url}/unblinding")
            _take(page, folder / "manual-unblinding.png")
    study.record.close()


def _leave_dialog(study: Study, url: str, participant_id: str, folder: Path, browser: Browser) -> None:
    context = browser.new_context(viewport=PHONE, locale="en-GB")
    page = context.new_page()
    page.goto(f"{url}/go/{issue_link(study, 'staff:cora', participant_id)}")
    KeyboardPerson(page).walk("eligibility")
    page.locator(".ip-withdraw:visible").first.click()
    page.locator(".ip-withdraw-dialog:visible").first.wait_for()
    _take(page, folder / "manual-leave.png")
    context.close()


def _closing(root: Path, folder: Path, browser: Browser) -> None:
    """Overview, exports, freeze and the flow of participants."""
    _isopath("init", root, "--protocol", EXAMPLE)
    rehearsing = ("--participants", "24", "--effect", "0.5", "--seed", "1", "--session-s", "60")
    _isopath("rehearse", root, *rehearsing)
    _isopath("analyse", root)
    study = open_study(root)
    accounts = staffed(study)
    pages = ((Role.COORDINATOR, "overview"), (Role.STATISTICIAN, "exports"), (Role.ADMIN, "freeze"))
    with ServedStudy(root) as served:
        for role, name in pages:
            with _inside(browser, served.url, cookies_of(study, accounts, role)) as page:
                _go(page, f"{served.url}/{name}")
                _take(page, folder / f"manual-{name}.png")
    study.record.close()
    _isopath("analyse", root)
    _isopath("guidelines", root, "--out", root.parent / "guidelines")
    context = browser.new_context(viewport=DESK)
    page = context.new_page()
    page.goto((root.parent / "guidelines" / "flow.svg").as_uri())
    page.locator("svg").first.screenshot(path=folder / "manual-flow.png")
    context.close()


@contextmanager
def _inside(browser: Browser, url: str, cookies: dict[str, str]) -> Iterator[Page]:
    """Somebody who is logged in."""
    context = browser.new_context(viewport=DESK, locale="en-GB", timezone_id="Europe/Berlin")
    for name, value in cookies.items():
        context.add_cookies([{"name": name, "value": value, "url": url}])
    yield context.new_page()
    context.close()


def _go(page: Page, address: str) -> None:
    page.goto(address)
    page.locator(".ip-h1").first.wait_for()
    page.wait_for_timeout(DRAWN_WITHIN_MS)


def _choose(page: Page, label: str, value: str) -> None:
    chooser = page.get_by_role("combobox", name=label).first
    chooser.click()
    chooser.fill(value)
    page.keyboard.press("Enter")
    page.wait_for_timeout(DRAWN_WITHIN_MS)


def _take(page: Page, path: Path, shown: Locator | None = None, block: str = "end") -> None:
    """Take a picture of the window, scrolled so that `shown` is at this place of it."""
    if shown is not None:
        # What stands above it may be drawn last, and would push it out of sight.
        page.wait_for_timeout(DRAWN_WITHIN_MS)
        shown.evaluate("(element, block) => element.scrollIntoView({ block })", block)
    page.wait_for_timeout(700)
    page.screenshot(path=path)


def _isopath(*arguments: object) -> None:
    subprocess.run([sys.executable, "-m", "dashboards.cli.main", *map(str, arguments)], check=True)


if __name__ == "__main__":
    sys.exit(main())
