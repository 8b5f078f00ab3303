"""A participant at a real browser who uses nothing but the keyboard."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page

from tests.dashboards.app.person import ELIGIBLE_IF_YES

_MOST_TABS = 160

# The focused element, through every shadow root.
_FOCUSED = """() => {
  let at = document.activeElement;
  while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
  return at;
}"""


class KeyboardPerson:
    """Walks through the study by Tab, arrows, Space and Enter.

    Args:
        page: an open tab; give it the personal link first.
        on_step: called with each view before it is answered: to look, reload or go offline.
    """

    def __init__(self, page: Page, on_step: Callable[[dict[str, Any]], None] = lambda _: None) -> None:
        self.page = page
        self.on_step = on_step
        self.kinds: list[str] = []

    def walk(self, *until: str) -> list[str]:
        """Answer whatever is due until a kind of step (or the end); gives the kinds met, in order."""
        answered = ""
        while True:
            view = self.view_other_than(answered)
            self.kinds.append(view["kind"])
            self.on_step(view)
            if view["kind"] in (*until, "finished", "early"):
                return self.kinds
            if view["kind"] != "waiting":
                self.answer(view)
            answered = view["key"]

    def view_other_than(self, key: str) -> dict[str, Any]:
        """The view that the page shows, once it is another than the one just answered."""
        self.page.wait_for_function(
            "key => { const v = window.__isopath?.open?.view; return v && v.key && v.key !== key; }",
            arg=key,
            timeout=180_000,
        )
        view: dict[str, Any] = self.page.evaluate("() => window.__isopath.open.view")
        return view

    def answer(self, view: dict[str, Any]) -> None:
        """Answer one step."""
        match view["kind"]:
            case "consent":
                self.press("button.ip-agree")
            case "eligibility":
                for question in view["data"]["questions"]:
                    self.choose("input[type=radio]")
                    if question["id"] not in ELIGIBLE_IF_YES:
                        self.page.keyboard.press("ArrowDown")
                self.press("button[type=submit]")
            case "sound_check":
                self.check_sound(view)
            case "induction":
                self.press(".ip-main button")
            case "instrument":
                self.rate(view)
            case "questionnaire":
                for item in view["data"]["items"]:
                    self.fill(item)
                self.press("button[type=submit]")
            case "player":
                self.listen()
            case "support":
                self.press("button.ip-on")
            case "debrief":
                self.press(".ip-main button")

    def rate(self, view: dict[str, Any]) -> None:
        """Move every slider a little; mark a field of a grid; choose a point of each scale."""
        data = view["data"]
        match data["instrument_kind"]:
            case "affective_slider" | "vas":
                for _ in data["items"]:
                    self.tab_to("input[type=range]:not([data-walked])")
                    self.mark()
                    for _ in range(10):
                        self.page.keyboard.press("ArrowLeft")
            case "affect_grid":
                self.tab_to("[role=gridcell]")
                for key in ("ArrowRight", "ArrowDown", "Enter"):
                    self.page.keyboard.press(key)
            case _:
                for _ in data["items"]:
                    self.choose("input[type=radio]")
        self.press("button[type=submit]")

    def fill(self, item: dict[str, Any]) -> None:
        """Answer one item of a questionnaire."""
        if item["kind"] == "text":
            self.tab_to("textarea:not([data-walked])")
            self.mark()
            self.page.keyboard.type("It was quiet.")
        else:
            self.choose("input[type=radio]")

    def check_sound(self, view: dict[str, Any]) -> None:
        """Hear the level and every trial, say always the first."""
        self.press("button.ip-play-level")
        # Said too early, before the sound began, it is answered with a friendly word.
        while not self.page.locator(".ip-test:visible, .ip-result:visible").count():
            self.press("button.ip-level-done")
            self.page.wait_for_timeout(100)
        for _ in range(view["data"]["trials"]):
            self.press("button.ip-play-trial")
            heard = "() => window.__isopath.open.root.querySelector('.ip-playing').textContent === ''"
            self.page.wait_for_function(f"() => !({heard})()")
            self.page.wait_for_function(heard, timeout=60_000)
            self.choose("input[type=radio]")
            self.press(".ip-test button[type=submit]")

    def listen(self) -> None:
        """Start, and hear what comes."""
        # After a probe the music goes on by itself.
        ready = ".ip-player:not([data-state=loading])"
        self.page.locator(ready).wait_for(timeout=180_000)
        if self.page.locator("button.ip-player-start:visible").count():
            self.press("button.ip-player-start")

    def choose(self, selector: str) -> None:
        """Choose the first of the next group of radio buttons that was not come by yet."""
        self.tab_to(f"{selector}:not([data-walked])")
        self.page.keyboard.press("Space")
        self.page.evaluate(
            f"() => {{ const at = ({_FOCUSED})(); at.closest('fieldset')"
            ".querySelectorAll('input').forEach((one) => { one.dataset.walked = ''; }); }"
        )

    def mark(self) -> None:
        """Note that the focused element was come by."""
        self.page.evaluate(f"() => {{ ({_FOCUSED})().dataset.walked = ''; }}")

    def press(self, selector: str) -> None:
        """Tab to something and press Enter."""
        self.tab_to(selector)
        self.page.keyboard.press("Enter")

    def tab_to(self, selector: str) -> None:
        """Press Tab until something of that selector has the focus.

        Raises:
            AssertionError: it cannot be reached by keyboard.
        """
        for _ in range(_MOST_TABS):
            if self.page.evaluate(f"s => ({_FOCUSED})()?.matches(s) ?? false", selector):
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"{selector} is not reached by {_MOST_TABS} presses of Tab")
