"""Pictures of the app for README and docs, from a rehearsal and from one walk through a short study.

python scripts/app_pictures.py docs/app
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, ViewportSize

from study.access.links import issue_link
from study.conduct import enrol
from study.events import Role
from study.founding import open_study
from tests.dashboards.app.keyboard_person import KeyboardPerson
from tests.dashboards.app.served import ServedStudy
from tests.dashboards.app.staff import PASSWORD, PEOPLE, staffed
from tests.dashboards.browser import chromium

PHONE: ViewportSize = {"width": 390, "height": 844}
DESKTOP: ViewportSize = {"width": 1280, "height": 900}
EXAMPLE = Path("protocols/examples/iso_vs_target_only.json")
STRATUM = {"site": "north", "baseline_arousal": "high"}
STAFF_PAGES = {
    Role.COORDINATOR: ("overview", "participants", "sessions", "quality", "protocol"),
    Role.STATISTICIAN: ("results", "exports"),
    Role.UNBLINDED: ("sessions",),
    Role.ADMIN: ("accounts", "freeze", "editor"),
}


def main() -> int:
    """Take every picture."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as made, chromium() as browser:
        _participants(Path(made), folder, browser)
        _staff(Path(made), folder, browser)
    return 0


def _participants(made: Path, folder: Path, browser: Browser) -> None:
    protocol = json.loads(EXAMPLE.read_text())
    protocol["session"] |= {"duration_s": 12, "clip_s": 2}
    protocol["path"] |= {"steps": 6, "step_s": 2, "dwell_start_steps": 1, "dwell_end_steps": 1}
    protocol["path"].pop("max_step", None)
    for assessment in protocol["assessments"]:
        if assessment["phase"] == "probe":
            assessment["at_s"] = [6]
    protocol["analysis"]["agreement"] |= {"probe_window_s": 2, "post_window_s": 2}
    path = made / "protocol.json"
    path.write_text(json.dumps(protocol))
    _isopath("init", made / "walked", "--protocol", path)
    study = open_study(made / "walked")
    participant_id = enrol(study, "pictures", STRATUM)
    seen: set[str] = set()
    with ServedStudy(made / "walked") as served:
        context = browser.new_context(viewport=PHONE, device_scale_factor=2)
        page = context.new_page()

        def look(view: dict[str, Any]) -> None:
            kind = str(view["data"].get("instrument_kind", view["kind"]))
            if kind not in seen:
                seen.add(kind)
                page.wait_for_timeout(700)
                page.screenshot(path=folder / f"phone-{kind}.png")
                _at_desk(page, folder / f"desk-{kind}.png")

        page.goto(f"{served.url}/go/{issue_link(study, 'pictures', participant_id)}")
        person = KeyboardPerson(page, look)
        person.walk("player")
        person.listen()
        page.locator(".ip-player[data-state=playing]").wait_for()
        page.wait_for_timeout(1_500)
        page.screenshot(path=folder / "phone-playing.png")
        person.press("button.ip-player-stop")
        page.locator(".ip-support-title:visible").wait_for()
        look({"kind": "support", "data": {}})
        person.press("button.ip-end")
        person.view_other_than(page.evaluate("() => window.__isopath.open.view.key"))
        KeyboardPerson(page, look).walk()
        context.close()


def _staff(made: Path, folder: Path, browser: Browser) -> None:
    root = made / "rehearsed"
    _isopath("init", root, "--protocol", EXAMPLE)
    _isopath("rehearse", root, "--participants", "24", "--effect", "0.5", "--seed", "1", "--session-s", "60")
    _isopath("analyse", root)
    staffed(open_study(root))
    with ServedStudy(root) as served:
        for role, names in STAFF_PAGES.items():
            with _logged_in(browser, served.url, role, folder) as page:
                for name in names:
                    page.goto(f"{served.url}/{name}")
                    page.locator("h1").first.wait_for()
                    page.wait_for_timeout(2_500)
                    page.screenshot(path=folder / f"staff-{role}-{name}.png")
                    page.set_viewport_size(PHONE)
                    page.wait_for_timeout(700)
                    page.screenshot(path=folder / f"staff-{role}-{name}-phone.png")
                    page.set_viewport_size(DESKTOP)


@contextmanager
def _logged_in(browser: Browser, url: str, role: Role, folder: Path) -> Iterator[Page]:
    context = browser.new_context(viewport=DESKTOP)
    page = context.new_page()
    page.goto(f"{url}/staff/log-in")
    page.screenshot(path=folder / "staff-log-in.png")
    page.locator("input[type=text], input[type=email], input[name=staff_id]").first.fill(PEOPLE[role])
    page.locator("input[type=password]").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.locator("h1").first.wait_for()
    yield page
    context.close()


def _at_desk(page: Page, path: Path) -> None:
    page.set_viewport_size(DESKTOP)
    page.wait_for_timeout(300)
    page.screenshot(path=path)
    page.set_viewport_size(PHONE)


def _isopath(*arguments: object) -> None:
    subprocess.run([sys.executable, "-m", "dashboards.cli.main", *map(str, arguments)], check=True)


if __name__ == "__main__":
    sys.exit(main())
