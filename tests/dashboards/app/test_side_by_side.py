"""Ten people at once, each at a browser of their own; and twenty seconds without a network. For make soak."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from study.access.links import issue_link
from study.conduct import enrol
from study.events import PlaybackLogged, SelfReportSubmitted
from study.listening import listening_of
from tests.dashboards.app.keyboard_person import KeyboardPerson
from tests.dashboards.app.served import ServedStudy
from tests.dashboards.app.whole_study import whole_protocol, whole_study
from tests.dashboards.browser import chromium

pytestmark = [pytest.mark.browser, pytest.mark.soak]

PEOPLE = 10


def _walk(link: str) -> list[str]:
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 390, "height": 844})
        page.set_default_timeout(120_000)
        page.goto(link)
        return KeyboardPerson(page).walk()


def test_ten_people_at_ten_browsers_finish_side_by_side(tmp_path: Path) -> None:
    protocol = whole_protocol(duration_s=10)
    study = whole_study(tmp_path / "study", protocol)
    people = [enrol(study, "test", {}) for _ in range(PEOPLE)]
    with ServedStudy(study.folder.root) as served:
        links = [f"{served.url}/go/{issue_link(study, 'test', person)}" for person in people]
        with ThreadPoolExecutor(PEOPLE) as pool:
            ends = [kinds[-1] for kinds in pool.map(_walk, links)]

    assert ends == ["finished"] * PEOPLE
    study.record.verify()
    for person in people:
        history = study.record.participant(person)
        assert sum(isinstance(r.event, SelfReportSubmitted) for r in history) == 6
        assert listening_of(history, "ses-01").heard_s == pytest.approx(10.0, abs=0.5)


def test_twenty_seconds_offline_in_mid_session_cost_nothing(tmp_path: Path) -> None:
    protocol = whole_protocol(duration_s=60)
    del protocol["sound_check"]
    study = whole_study(tmp_path / "study", protocol)
    participant_id = enrol(study, "test", {})
    with ServedStudy(study.folder.root) as served, chromium() as browser:
        context = browser.new_context()
        page = context.new_page()
        page.goto(f"{served.url}/go/{issue_link(study, 'test', participant_id)}")
        person = KeyboardPerson(page)
        person.walk("player")
        person.listen()
        page.locator(".ip-player[data-state=playing]").wait_for()
        page.wait_for_timeout(4_000)
        context.set_offline(True)
        page.wait_for_timeout(20_000)
        assert page.locator(".ip-player").get_attribute("data-state") == "playing"
        context.set_offline(False)
        due = person.view_other_than(page.evaluate("() => window.__isopath.open.view.key"))

    assert due["kind"] == "instrument"
    history = study.record.participant(participant_id)
    logs: dict[str, list[int]] = {}
    for recorded in history:
        if isinstance(recorded.event, PlaybackLogged):
            sequences = [entry.sequence for entry in recorded.event.entries]
            logs.setdefault(recorded.event.player_id, []).extend(sequences)
    assert all(lines == list(range(len(lines))) for lines in logs.values())
    listening = listening_of(history, "ses-01")
    assert listening.heard_s == pytest.approx(30.0, abs=0.5)
    assert listening.longest_gap_s == pytest.approx(0.0, abs=0.5)
