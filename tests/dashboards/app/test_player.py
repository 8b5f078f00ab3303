"""The player in a real browser: what is heard is what the log tells, and Stop is never far."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from study.events import PlayerEntry, PlayerEntryKind, SupportOffered
from tests.dashboards.app.listeners import Listener, listeners, listening_protocol
from tests.dashboards.app.served import ServedStudy
from tests.dashboards.browser import chromium

pytestmark = pytest.mark.browser

_AUDIO = "window.__isopath.open.root.querySelector('audio')"


@dataclass
class Tab:
    """A listener's open page."""

    page: Page
    listener: Listener

    @property
    def context(self) -> BrowserContext:
        return self.page.context

    def state(self, wanted: str) -> None:
        self.page.locator(f".ip-player[data-state={wanted}]").wait_for(timeout=20_000)

    def press(self, which: str) -> None:
        self.page.locator(f".ip-player-{which}").click()

    def position_s(self) -> float:
        at_s: float = self.page.evaluate(f"{_AUDIO}.currentTime")
        return at_s

    def until_position(self, at_s: float) -> None:
        eventually(lambda: self.position_s() >= at_s)

    def says(self) -> str:
        return self.page.locator(".ip-player-says").inner_text()


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Listener]]:
    root = tmp_path_factory.mktemp("player") / "study"
    made = listeners(root, listening_protocol(6, probe_at_s=3, rating="affect_grid"), 12)
    study = made[0].study
    yield made
    study.record.close()


@pytest.fixture(scope="module")
def served(people: list[Listener]) -> Iterator[ServedStudy]:
    with ServedStudy(people[0].study.folder.root) as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


Opens = Callable[..., Tab]


@pytest.fixture
def opens(browser: Browser, served: ServedStudy, people: list[Listener]) -> Iterator[Opens]:
    contexts = []

    def opened(listener: Listener | None = None, script: str | None = None, **options: Any) -> Tab:
        who = people.pop() if listener is None else listener
        contexts.append(browser.new_context(**options))
        page = contexts[-1].new_page()
        if script is not None:
            page.add_init_script(script)
        page.goto(f"{served.url}/go/{who.token}")
        page.locator(".ip-player").wait_for(state="attached", timeout=30_000)
        return Tab(page, who)

    yield opened
    for context in contexts:
        context.close()


def eventually(true: Callable[[], bool], within_s: float = 10.0) -> None:
    end = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < end, "it did not come true"
        time.sleep(0.02)


def logged(listener: Listener, kind: PlayerEntryKind) -> list[PlayerEntry]:
    return [line for line in listener.lines() if line.kind is kind]


def test_heard_seconds_are_what_was_played_through_pause_probe_and_end(opens: Opens) -> None:
    tab = opens()
    tab.state("ready")
    assert tab.page.locator(".ip-remaining").inner_text() == "0 min 6 s left"

    tab.press("main")
    tab.until_position(1.5)
    tab.press("main")
    tab.state("paused")
    paused_s = tab.position_s()
    eventually(lambda: tab.listener.listening().pauses == 1)
    heard_s = tab.listener.listening().heard_s
    tab.press("main")
    tab.page.locator("form button[type=submit]").wait_for(timeout=20_000)
    at_probe = tab.listener.listening()
    requested: list[str] = []
    tab.page.on("request", lambda request: requested.append(request.url))
    answer_sliders(tab.page)
    # It goes on by itself: the person has said that they are ready.
    tab.state("playing")
    goes_on_s = tab.position_s()
    tab.page.locator("form button[type=submit]").wait_for(timeout=20_000)

    assert heard_s == pytest.approx(paused_s, abs=0.3)
    assert at_probe.heard_s == pytest.approx(3.0, abs=0.25)
    assert at_probe.position_s >= 3.0
    assert goes_on_s == pytest.approx(at_probe.position_s, abs=0.5)
    assert not [url for url in requested if "/api/me/sound/" in url]
    listening = tab.listener.listening()
    assert listening.completed
    assert listening.heard_s == pytest.approx(6.0, abs=0.3)
    assert listening.longest_gap_s < 5.0


def answer_sliders(page: Page) -> None:
    for slider in page.locator("input[type=range]").all():
        slider.focus()
        page.keyboard.press("ArrowRight")
    page.locator("form button[type=submit]").click()


def test_a_damaged_file_is_told_kindly_and_never_played(opens: Opens, people: list[Listener]) -> None:
    listener = people.pop()
    whole = listener.sound.read_bytes()
    middle = len(whole) // 2
    listener.sound.write_bytes(whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :])

    tab = opens(listener)
    tab.state("damaged")
    said = tab.says()
    has_sound = tab.page.evaluate(f"Boolean({_AUDIO}.src)")
    tab.press("main")
    # Loaded again, and damaged again: the moment in between may pass unseen.
    eventually(lambda: len(logged(listener, PlayerEntryKind.ERROR)) == 2)
    tab.state("damaged")
    listener.sound.write_bytes(whole)
    tab.press("main")
    tab.state("ready")

    assert "did not arrive whole" in said
    assert not has_sound
    eventually(lambda: "loaded" in listener.kinds())
    errors = [line.detail for line in logged(listener, PlayerEntryKind.ERROR)]
    assert errors == ["file:sha256", "file:sha256"]
    assert "play" not in listener.kinds()


def test_some_seconds_offline_cost_no_sound_and_no_line(opens: Opens) -> None:
    tab = opens()
    tab.state("ready")
    tab.press("main")
    eventually(lambda: "play" in tab.listener.kinds())

    tab.context.set_offline(True)
    began_s = tab.position_s()
    tab.until_position(began_s + 2.0)
    tab.press("main")
    tab.page.get_by_text("No connection at the moment").wait_for()
    unsent = len(tab.listener.lines())
    stopped_s = tab.position_s()
    tab.context.set_offline(False)
    eventually(lambda: "pause" in tab.listener.kinds())

    lines = tab.listener.lines()
    assert len(lines) > unsent
    assert [line.sequence for line in lines] == list(range(len(lines)))
    assert "offline" in tab.listener.kinds()
    assert tab.listener.listening().heard_s == pytest.approx(stopped_s, abs=0.3)
    tab.page.wait_for_function(
        "Object.keys(localStorage).filter((k) => k.startsWith('isopath-log/')).length === 0"
    )


def test_a_reload_goes_on_from_where_the_sound_was(opens: Opens) -> None:
    tab = opens()
    tab.state("ready")
    tab.press("main")
    tab.until_position(1.2)

    left_s = tab.position_s()
    tab.page.reload()
    tab.state("ready")
    begins_s = tab.position_s()
    label = tab.page.locator(".ip-player-main").inner_text()
    tab.press("main")
    tab.until_position(begins_s + 0.5)
    tab.page.goto("about:blank")
    eventually(lambda: tab.listener.kinds().count("closed") == 2)

    assert begins_s == pytest.approx(left_s, abs=0.3)
    assert label == "Go on"
    assert len(tab.listener.logs()) == 2
    listening = tab.listener.listening()
    assert listening.heard_s == pytest.approx(listening.position_s, abs=0.3)
    assert listening.position_s >= begins_s + 0.5


SIZES = {
    "a small phone": (320, 568),
    "a phone on its side": (568, 320),
    "a desktop zoomed to 400 %": (320, 256),
    "a desktop": (1280, 900),
}


def test_stop_is_in_view_at_every_size_and_silences_at_once(opens: Opens) -> None:
    tab = opens()
    tab.state("ready")
    tab.press("main")
    tab.state("playing")
    stop = tab.page.locator(".ip-player-stop")
    hidden = []
    for name, (width, height) in SIZES.items():
        tab.page.set_viewport_size({"width": width, "height": height})
        for way in (-5000, 5000):
            tab.page.mouse.move(width / 2, 40)
            tab.page.mouse.wheel(0, way)
            tab.page.wait_for_timeout(60)
            box = stop.bounding_box()
            assert box is not None
            is_inside = box["y"] >= 0 and box["y"] + box["height"] <= height and box["width"] >= 44
            if not (is_inside and box["height"] >= 44 and is_on_top(tab.page)):
                hidden.append((name, way, box))

    silent_ms = tab.page.evaluate(
        f"""() => new Promise((resolve) => {{
          const button = window.__isopath.open.root.querySelector(".ip-player-stop");
          const began = performance.now();
          {_AUDIO}.addEventListener("pause", () => resolve(performance.now() - began));
          button.click();
        }})"""
    )
    tab.page.get_by_text("You did well to stop.").wait_for(timeout=20_000)

    assert hidden == []
    assert silent_ms < 200
    history = tab.listener.study.record.participant(tab.listener.participant_id)
    assert [r.event.cause for r in history if isinstance(r.event, SupportOffered)] == ["stopped"]
    assert tab.listener.listening().stop_reason == "chose_to_stop"
    tab.page.get_by_role("button", name="Go on with the music").click()
    tab.state("playing")


def is_on_top(page: Page) -> bool:
    found: bool = page.evaluate(
        """() => {
          const stop = window.__isopath.open.root.querySelector(".ip-player-stop");
          const box = stop.getBoundingClientRect();
          return stop.getRootNode().elementFromPoint(box.x + box.width / 2, box.y + box.height / 2) === stop;
        }"""
    )
    return found


def test_keys_alone_start_rate_pause_and_stop(opens: Opens) -> None:
    tab = opens()
    tab.state("ready")
    keys = tab.page.keyboard

    def tab_to(selector: str) -> None:
        focused = f"window.__isopath.open.root.getRootNode().activeElement?.matches({json.dumps(selector)})"
        for _ in range(40):
            if tab.page.evaluate(focused):
                return
            keys.press("Tab")
        raise AssertionError(f"{selector} is not reached by Tab")

    tab_to(".ip-player-main")
    keys.press("Enter")
    tab.state("playing")
    tab_to(".ip-rating input")
    for _ in range(3):
        keys.press("ArrowRight")
    tab.until_position(2.0)
    tab_to(".ip-player-main")
    keys.press("Space")
    tab.state("paused")
    tab_to(".ip-player-stop")
    keys.press("Enter")
    tab.page.get_by_text("You did well to stop.").wait_for(timeout=20_000)

    ratings = [line.values for line in logged(tab.listener, PlayerEntryKind.RATING)]
    assert 1 <= len(ratings) <= 3
    assert set(ratings) == {(0.75, 0.0)}
    assert tab.listener.listening().ratings == len(ratings)


def test_whatever_moves_the_sound_or_its_level_is_undone_or_logged(opens: Opens) -> None:
    tab = opens(script="delete Crypto.prototype.subtle;")
    tab.state("ready")
    tab.press("main")
    tab.until_position(0.5)

    tab.page.evaluate(f"{_AUDIO}.currentTime = 5")
    eventually(lambda: tab.position_s() < 3)
    tab.page.evaluate(f"{_AUDIO}.playbackRate = 2")
    eventually(lambda: bool(tab.page.evaluate(f"{_AUDIO}.playbackRate === 1")))
    tab.page.evaluate(f"{_AUDIO}.muted = true")
    muted_s = tab.position_s()
    tab.until_position(muted_s + 1.0)
    tab.page.evaluate(f"{_AUDIO}.muted = false")
    tab.page.locator("#ip-player-loudness").fill("40")
    tab.page.evaluate(f"{_AUDIO}.pause()")
    tab.state("paused")
    eventually(lambda: "volume" in tab.listener.kinds()[3:] and "pause" in tab.listener.kinds())

    assert [line.detail for line in logged(tab.listener, PlayerEntryKind.LOADED)] == ["length"]
    assert [line.values for line in logged(tab.listener, PlayerEntryKind.SEEK_UNDONE)] == [(5.0,)]
    assert [line.values for line in logged(tab.listener, PlayerEntryKind.RATE)] == [(2.0,), (1.0,)]
    assert [line.values for line in logged(tab.listener, PlayerEntryKind.VOLUME)] == [(1.0,), (0.4,)]
    assert [line.detail for line in logged(tab.listener, PlayerEntryKind.PAUSE)] == ["outside"]
    assert tab.listener.listening().muted_s == pytest.approx(1.0, abs=0.3)
    assert tab.listener.listening().position_s < 3


def test_a_browser_that_will_not_play_asks_for_one_more_press(opens: Opens) -> None:
    refusing = """
      const play = HTMLMediaElement.prototype.play;
      let asked = 0;
      HTMLMediaElement.prototype.play = function () {
        asked += 1;
        return asked === 1 ? Promise.reject(new DOMException("no", "NotAllowedError")) : play.call(this);
      };"""
    tab = opens(script=refusing)
    tab.state("ready")

    tab.press("main")
    tab.state("blocked")
    said = tab.says()
    tab.press("main")
    tab.state("playing")

    assert said == "Your browser wants you to press Start once more."
    eventually(lambda: "play" in tab.listener.kinds())
    assert [line.detail for line in logged(tab.listener, PlayerEntryKind.ERROR)] == ["play:NotAllowedError"]


def test_a_remembered_log_is_never_sent_for_somebody_else(
    opens: Opens, people: list[Listener], served: ServedStudy
) -> None:
    tab, other = opens(), people.pop()
    tab.state("ready")
    # What the first person's player writes from here on reaches nobody.
    tab.page.route("**/api/me/playback", lambda route: route.abort())
    tab.page.evaluate("navigator.sendBeacon = () => false")
    tab.press("main")
    tab.until_position(1.0)
    tab.press("main")
    tab.state("paused")
    tab.page.goto("about:blank")
    tab.page.unroute("**/api/me/playback")

    tab.page.goto(f"{served.url}/go/{other.token}")
    tab.state("ready")
    eventually(lambda: "loaded" in other.kinds())
    tab.page.goto(f"{served.url}/go/{tab.listener.token}")
    tab.state("ready")
    eventually(lambda: "pause" in tab.listener.kinds())

    assert "play" not in other.kinds()
    assert tab.listener.listening().heard_s == pytest.approx(1.0, abs=0.4)
    assert tab.position_s() == pytest.approx(tab.listener.listening().position_s, abs=0.1)


def test_a_call_for_somebody_pauses_the_music_before_it_is_confirmed(opens: Opens) -> None:
    tab = opens(viewport={"width": 320, "height": 568})
    tab.state("ready")
    tab.press("main")
    tab.state("playing")

    tab.press("help")
    tab.state("paused")
    tab.page.locator(".ip-help-dialog .ip-yes").click()
    tab.page.get_by_text("We have told the study team").wait_for(timeout=20_000)

    history = tab.listener.study.record.participant(tab.listener.participant_id)
    assert [r.event.cause for r in history if isinstance(r.event, SupportOffered)] == ["called"]


def test_a_tab_that_lost_its_place_pauses_and_is_told(opens: Opens) -> None:
    tab = opens()
    tab.state("ready")
    tab.press("main")
    tab.until_position(1.0)
    tab.press("main")
    tab.state("paused")
    second = opens(tab.listener)
    second.page.get_by_role("button", name="Continue here").click()
    second.state("ready")

    tab.press("main")
    tab.page.get_by_text("This is open somewhere else").wait_for(timeout=20_000)

    assert tab.page.evaluate(f"{_AUDIO}.paused")
    eventually(lambda: any(line.detail == "lease" for line in tab.listener.lines()))
    assert tab.listener.listening().heard_s == pytest.approx(tab.position_s(), abs=0.3)
    assert second.position_s() == pytest.approx(1.0, abs=0.3)
