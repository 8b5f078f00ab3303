"""Nobody learns a participant's arm who must not: looked for in everything that is shown, sent or logged.

A participant's own sound reaches them with its SHA-256, so that they hear it whole; that hash alone is not
counted among what they must not see. All else is, for everybody, until they may.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from dashboards.cli.main import app
from dashboards.researcher.pages import PAGES
from study.access.accounts import Accounts
from study.access.links import issue_link
from study.access.roles import may
from study.conduct import enrol
from study.events import ArmsSeen, Role, SessionRendered
from study.founding import Study
from study.freeze import freeze, unblind
from tests.dashboards.app.arm_leaks import Leak, Shown, leaks_in
from tests.dashboards.app.page_frames import PageFrames, frames_of, visit
from tests.dashboards.app.served import ServedStudy, free_port, wait_until_healthy
from tests.dashboards.app.staff import cookies_of, staffed
from tests.dashboards.app.two_arms import (
    ACTOR,
    TO_LISTENING,
    WAY,
    a_pair,
    harm,
    render,
    two_arm_study,
    what_tells_the_arm,
)
from tests.dashboards.app.walked_pages import Watching, sent
from tests.dashboards.browser import chromium

# The tests share a server, and the last of them freezes its record.
HERE = Path(__file__).parent
ALL_PAGES = tuple(page.url_path for page in PAGES)
ROUTES = (
    "/api/staff/sound/{who}/ses-01",
    "/api/me/step",
    "/api/me/sound/ses-01",
    "/api/me/rendering",
    "/go/00000000000000000000000000000000",
    "/staff/log-in",
    "/staff/log-out",
    "/sessions/{who}/ses-01/session.flac",
    "/record.sqlite",
    "/allocation.seed",
)

TOLD = {
    "in words": "the amberly way",
    "in a tooltip": "cobaltine",
    "behind a choice": "8527287691526592729",
    "in an address": "random_order",
    "in a picture": "target_only",
    "in an answer": "composer",
    "in a header": "session.flac",
    "in an export": "amberly",
    "in the log": "49305f268cac983e3b81e4d8fc3c202b7d41d432dfd862943e8d10edba93428e",
}


@dataclass(frozen=True)
class House:
    """A served study with staff, and with people in both arms."""

    study: Study
    accounts: Accounts
    server: ServedStudy
    finished: dict[str, str]
    listening: dict[str, str]

    @property
    def people(self) -> list[str]:
        return [*self.finished.values(), *self.listening.values()]

    def leaks(self, shown: list[Shown]) -> list[Leak]:
        return leaks_in(shown, what_tells_the_arm(self.study), self.people)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    study = two_arm_study(tmp_path_factory.mktemp("leaks") / "study")
    accounts = staffed(study)
    finished = a_pair(study, (*WAY, harm))
    listening = a_pair(study, WAY[:TO_LISTENING])
    with ServedStudy(study.folder.root) as server:
        yield House(study, accounts, server, finished, listening)
    study.record.close()


@pytest.fixture(scope="module")
def leaking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """A server whose page tells arms wherever it can; gives its address and its log."""
    port, log = free_port(), tmp_path_factory.mktemp("leaking") / "log"
    with log.open("wb") as kept:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.dashboards.app.leaking_app", str(port)],
            cwd=HERE.parents[2],
            env={**os.environ, "TOLD": json.dumps(TOLD)},
            stdout=kept,
            stderr=kept,
        )
    try:
        wait_until_healthy(port, 60.0, lambda: log.read_text() if process.poll() is not None else None)
        yield f"http://127.0.0.1:{port}", log
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)


def test_a_page_that_leaks_is_caught_in_every_way_it_leaks(leaking: tuple[str, Path]) -> None:
    url, log = leaking
    told = TOLD.values()

    shown = sent(url, [""], {})
    found = leaks_in([*shown, Shown("log", "server", log.read_bytes())], told, ["sub-1a2b3c4d"])

    ways = {(leak.channel, leak.told) for leak in found}
    for way in ("in words", "in a tooltip", "behind a choice", "in an address", "in a picture"):
        assert ("frames", TOLD[way]) in ways, way
    for way in ("in an answer", "in a header", "in an address"):
        assert ("response", TOLD[way]) in ways, way
    assert ("export", TOLD["in an export"]) in ways
    assert ("log", TOLD["in the log"]) in ways
    printed = Shown("command", "isopath status", b"sub-1a2b3c4d  The Amberly way  listening")
    assert leaks_in([printed], told, []) == [Leak("command", "isopath status", "the amberly way")]


@pytest.mark.browser
def test_a_page_that_leaks_is_caught_in_a_browser_too(leaking: tuple[str, Path]) -> None:
    url, _ = leaking

    with chromium() as browser:
        watching = Watching(browser.new_context())
        watching.look(url, "", "[data-testid=stSelectbox]")
        watching.page.get_by_role("button", name="Details").hover()
        watching.page.get_by_role("tooltip").wait_for()
        watching.note()
    found = {(leak.channel, leak.told) for leak in leaks_in(watching.shown, TOLD.values(), ["sub-1a2b3c4d"])}

    for way in ("in words", "in a tooltip", "in an address", "in a picture"):
        assert ("page", TOLD[way]) in found, way
        assert ("frames", TOLD[way]) in found, way


def test_a_page_about_the_design_may_name_arms_and_nobody_beside_them() -> None:
    design = Shown("page", "protocol", b"Amberly and cobaltine", is_about_design=True)

    assert leaks_in([design], ["amberly"], ["sub-1"]) == []
    beside = replace(design, body=b"sub-1: amberly")
    assert leaks_in([beside], ["amberly"], ["sub-1"]) == [Leak("page", "protocol", "amberly")]


@pytest.mark.parametrize("role", [Role.COORDINATOR, Role.STATISTICIAN, Role.ADMIN, None])
def test_before_unblinding_no_page_no_answer_and_no_file_tells_an_arm_to(
    role: Role | None, house: House
) -> None:
    cookies = cookies_of(house.study, house.accounts, role)

    shown = sent(house.server.url, ("", *ALL_PAGES, "nowhere"), cookies)
    shown += answers(house, cookies)

    assert house.leaks(shown) == []
    frames = [one for one in shown if one.channel == "frames"]
    assert not [one.where for one in frames if b"encountered an error" in one.body], (
        "a page that failed tells nothing"
    )
    if role is Role.COORDINATOR:
        seen = b"".join(one.body for one in frames)
        assert all(who.encode() in seen for who in house.people), "the pages are about people"


def answers(house: House, cookies: dict[str, str]) -> list[Shown]:
    """What our routes say to somebody, also where they refuse."""
    shown = []
    with httpx.Client(base_url=house.server.url, cookies=cookies, timeout=20) as client:
        for route in dict.fromkeys(route.format(who=who) for route in ROUTES for who in house.people):
            answer = client.get(route)
            shown.append(Shown("response", route, f"{answer.headers}".encode() + answer.content))
    return shown


def test_the_unblinded_see_arms_and_that_is_on_record(house: House) -> None:
    """Also that the walk sees what there is to see: without it, finding nothing would mean nothing."""
    cookies = cookies_of(house.study, house.accounts, Role.UNBLINDED)
    before = len(house.study.record.events(kinds=[ArmsSeen]))

    shown = []
    with visit(house.server.url, "sessions", cookies) as opened:
        page = opened.run()
        for who in house.finished.values():
            listed = [choice for choice in page.choices() if who in choice.string_value]
            page = opened.run(*listed[:1])
            switch = next(choice for choice in page.choices() if choice.HasField("bool_value"))
            shown.append(Shown("frames", who, opened.run(switch).text.encode()))

    told = {leak.told for leak in house.leaks(shown)}
    assert {"the amberly way", "the cobaltine way"} <= told
    seen = house.study.record.events(kinds=[ArmsSeen])[before:]
    assert {r.participant_id for r in seen} == set(house.finished.values())
    assert {r.actor for r in seen} == {"unblinded:una"}


def test_a_persons_own_pages_and_answers_tell_no_arm_at_any_step(house: House) -> None:
    who = enrol(house.study, ACTOR, {})
    token = issue_link(house.study, ACTOR, who)
    cookies = {"isopath_link": token}
    shown: list[Shown] = []
    with httpx.Client(base_url=house.server.url, cookies=cookies, timeout=20) as client:

        def look(route: str) -> None:
            answer = client.get(route)
            shown.append(Shown("response", route, f"{answer.headers}".encode() + answer.content))

        for act in (*WAY, None):
            shown.append(Shown("frames", "/", frames_of(house.server.url, "", cookies).text.encode()))
            routes = ["/api/me/step", "/api/me/sound/ses-01", "/api/me/rendering"]
            # Asking how far it is would have the server make it, beside this test.
            for route in routes[:2] if act is render else routes:
                look(route)
            if act is not None:
                act(house.study, who)

    heard = [
        r.event.audio_sha256
        for r in house.study.record.participant(who)
        if isinstance(r.event, SessionRendered)
    ]
    telling = what_tells_the_arm(house.study) - set(heard)
    assert leaks_in(shown, telling, [who]) == []
    assert any(one.where.endswith("sound/ses-01") and b"fLaC" in one.body for one in shown)


def test_commands_that_coordinators_use_tell_no_arm(house: House) -> None:
    root, runner = str(house.study.folder.root), CliRunner()
    commands = (
        ["status", root],
        ["status", root, "--json"],
        ["staff", "list", root],
        ["link", root, enrol(house.study, ACTOR, {})],
        ["render", root, "--all", "--json"],
        ["verify", root, "--sounds"],
    )

    said = [runner.invoke(app, command) for command in commands]

    shown = [
        Shown("command", " ".join(command), one.output.encode())
        for command, one in zip(commands, said, strict=True)
    ]
    assert [one.exit_code for one in said] == [0] * len(said)
    assert house.leaks(shown) == []
    assert house.people[0].encode() in shown[1].body


@pytest.mark.browser
def test_a_coordinator_at_a_browser_sees_no_arm(house: House) -> None:
    mine = [page.url_path for page in PAGES if may(Role.COORDINATOR, page.permission, is_unblinded=False)]
    cookies = cookies_of(house.study, house.accounts, Role.COORDINATOR)

    with chromium() as browser:
        context = browser.new_context()
        context.add_cookies(
            [{"name": name, "value": value, "url": house.server.url} for name, value in cookies.items()]
        )
        watching = Watching(context)
        for path in mine:
            watching.look(house.server.url, path, "h1, h2")
            watching.page.wait_for_function(
                "() => !document.querySelector('[data-testid=stApp][data-test-script-state=running]')"
            )
            watching.note()

    assert house.leaks(watching.shown) == []
    assert {one.channel for one in watching.shown} == {"page", "frames", "response"}


@pytest.mark.parametrize("page", ["participants", "sessions"])
def test_two_people_of_different_arms_with_equal_histories_look_equal_to_a_coordinator(
    page: str, house: House
) -> None:
    cookies = cookies_of(house.study, house.accounts, Role.COORDINATOR)

    for pair in (house.finished, house.listening):
        looks = []
        for who in pair.values():
            with visit(house.server.url, page, cookies) as opened:
                choices = [c for c in opened.run().choices() if who in c.string_value]
                looks.append(look_of(opened.run(*choices[:1]), who))
        assert looks[0] == looks[1]
        assert "PERSON" in looks[0]


def look_of(frames: PageFrames, who: str) -> str:
    """A page's main part as text, with a person's id and all times made equal.

    Lists of everybody are left out: they hold both, and their order is that of enrolment.
    """
    told = []
    for element in frames.elements():
        text = str(element)
        others = set(re.findall(r"sub-[0-9a-f]{8}", text)) - {who}
        if not others:
            told.append(text)
    plain = "\n".join(told).replace(who, "PERSON")
    plain = re.sub(r"\d{4}-\d\d-\d\d|\d?\d:\d\d(:\d\d)?(\.\d+)?|[0-9a-f]{32}", "TIME", plain)
    return re.sub(r"\d+ (second|minute|hour)s? ago", "TIME", plain)


def test_the_server_logged_no_arm_while_all_this_was_looked_at(house: House) -> None:
    """Last but one: the log holds what every test above made the server do."""
    logged = house.server.log.read_bytes()

    assert house.leaks([Shown("log", "server", logged)]) == []


def test_after_freezing_and_unblinding_the_statistician_sees_arms_and_the_coordinator_does_not(
    house: House,
) -> None:
    told = ("results", "exports", "sessions")
    statistician = Role.STATISTICIAN
    freeze(house.study, "admin:anna", "last visit done")
    frozen = sent(house.server.url, told, cookies_of(house.study, house.accounts, statistician))
    unblind(house.study, "admin:anna", "plan signed")

    coordinators = sent(house.server.url, told, cookies_of(house.study, house.accounts, Role.COORDINATOR))
    with visit(house.server.url, "sessions", cookies_of(house.study, house.accounts, statistician)) as opened:
        switch = opened.run().choices()[0]
        statisticians = Shown("frames", "sessions", opened.run(switch).text.encode())

    assert house.leaks(frozen) == []
    assert house.leaks(coordinators) == []
    assert {leak.told for leak in house.leaks([statisticians])} & {"the amberly way", "the cobaltine way"}
