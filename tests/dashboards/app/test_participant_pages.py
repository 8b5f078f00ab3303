"""Participants' pages in a real browser: what is done there is what the record holds."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, WebSocketRoute, expect

from study.access.links import issue_link, revoke_links
from study.conduct import enrol
from study.events import (
    ConsentDeclined,
    ConsentGiven,
    ConsentWithdrawn,
    ParticipantDiscontinued,
    ParticipationMoved,
    QuestionnaireSubmitted,
    SelfReportSubmitted,
    SupportAnswered,
)
from study.founding import Study
from tests.dashboards.app.axe import serious
from tests.dashboards.app.mirrored import bring_mirrored_catalogue
from tests.dashboards.app.person import Person
from tests.dashboards.app.served import ServedStudy
from tests.dashboards.app.test_player import eventually
from tests.dashboards.app.whole_study import whole_protocol, whole_study
from tests.dashboards.browser import chromium

pytestmark = pytest.mark.browser

PHONE = {"width": 390, "height": 844}
SMALLEST = {"width": 320, "height": 640}
TARGET_PX = 44


def everything_at_baseline() -> dict[str, Any]:
    """Consent in two languages, then one instrument of each kind, then a questionnaire."""
    protocol = whole_protocol()
    del protocol["sound_check"], protocol["induction"]
    protocol["eligibility"] = []
    protocol["languages"] = ["en", "de", "he"]
    for instrument_id, kind in (("place", "affect_grid"), ("anxiety", "stai6")):
        protocol["instruments"].append({"id": instrument_id, "kind": kind, "perspective": "felt"})
    # An arm cannot be guessed before the music.
    before = copy.deepcopy(protocol["questionnaires"][0]) | {"id": "before"}
    for item in before["items"]:
        item.pop("measures", None)
    protocol["questionnaires"].append(before)
    protocol["assessments"][0]["instruments"] = [
        "feeling",
        "place",
        "tension",
        "mood",
        "anxiety",
        "before",
    ]
    in_hebrew: dict[str, Any] = _with_hebrew(protocol)
    return in_hebrew


def _with_hebrew(part: Any) -> Any:
    if isinstance(part, dict):
        if "en" in part and "de" in part:
            return {**part, "he": part["en"]}
        return {key: _with_hebrew(value) for key, value in part.items()}
    return [_with_hebrew(one) for one in part] if isinstance(part, list) else part


class Pages:
    """A served study, a browser, and people with links."""

    def __init__(self, study: Study, served: ServedStudy, browser: Browser) -> None:
        self.study, self.served, self.browser = study, served, browser
        self._contexts: list[BrowserContext] = []

    def somebody(self, **options: Any) -> Somebody:
        participant_id = enrol(self.study, "test", {})
        token = issue_link(self.study, "test", participant_id)
        context = self.browser.new_context(**{"viewport": PHONE, "locale": "en", **options})
        context.set_default_timeout(15_000)
        self._contexts.append(context)
        return Somebody(self, participant_id, token, context)

    def close(self) -> None:
        for context in self._contexts:
            context.close()
        self._contexts.clear()


class Somebody:
    """A participant in front of a page."""

    def __init__(self, pages: Pages, participant_id: str, token: str, context: BrowserContext) -> None:
        self.study, self.url = pages.study, pages.served.url
        self.participant_id, self.token, self.context = participant_id, token, context
        self.page: Page = context.new_page()

    def go_by_http(self, kind: str, instrument_kind: str | None = None) -> None:
        """Answer whatever is due, without a browser, until a kind of step."""
        with Person(self.url, self.token) as person:
            while (view := person.view())["kind"] != kind or (
                instrument_kind and view["data"]["instrument_kind"] != instrument_kind
            ):
                assert person.answer(view).status_code == 200
            person.post("/api/me/lease", {"release": True})

    def open(self, kind: str) -> Locator:
        self.page.goto(f"{self.url}/go/{self.token}")
        return self.on(kind)

    def on(self, kind: str) -> Locator:
        """The page's own part, once it shows that kind of step."""
        self.page.wait_for_function(
            "kind => { const open = window.__isopath?.open; return open?.view.kind === kind && !open.closed"
            " && !open.saving; }",
            arg=kind,
        )
        return self.page.locator(".ip-page:not([hidden])")

    def on_key(self, key: str) -> Locator:
        self.page.wait_for_function("key => window.__isopath?.open?.view.key === key", arg=key)
        return self.page.locator(".ip-page:not([hidden])")

    def told(self, kind: type) -> list[Any]:
        history = self.study.record.participant(self.participant_id)
        return [recorded.event for recorded in history if isinstance(recorded.event, kind)]


@pytest.fixture(scope="module")
def all_pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pages]:
    root = tmp_path_factory.mktemp("pages") / "study"
    study = whole_study(root, everything_at_baseline())
    bring_mirrored_catalogue(root)
    with chromium() as browser, ServedStudy(root) as served:
        yield Pages(study, served, browser)


@pytest.fixture
def pages(all_pages: Pages) -> Iterator[Pages]:
    yield all_pages
    all_pages.close()


def press_at(line: Locator, share: float) -> tuple[float, float]:
    """Where on the page a share of a line's way lies; a handle's half is no part of the way."""
    line.scroll_into_view_if_needed()
    box = line.bounding_box()
    assert box is not None
    handle = 44.0
    return box["x"] + handle / 2 + share * (box["width"] - handle), box["y"] + box["height"] / 2


def test_each_instrument_by_mouse_reaches_the_record(pages: Pages) -> None:
    somebody = pages.somebody(viewport={"width": 1280, "height": 900})
    somebody.go_by_http("instrument")
    page = somebody.page

    on = somebody.open("instrument")
    for name, share in (("pleasant or unpleasant", 0.2), ("calm or excited", 0.9)):
        page.mouse.click(*press_at(on.get_by_role("slider", name=name), share))
    on.get_by_role("button", name="Save and continue").click()
    on = somebody.on_key("report/study/baseline/place/2")
    on.locator("[data-column='7'][data-row='3']").click()
    on.get_by_role("button", name="Save and continue").click()
    on = somebody.on_key("report/study/baseline/tension/3")
    for name, share in (("pleasant or unpleasant", 0.75), ("calm or excited", 0.25)):
        page.mouse.click(*press_at(on.get_by_role("slider", name=name), share))
    on.get_by_role("button", name="Save and continue").click()
    on = somebody.on_key("report/study/baseline/mood/4")
    on.get_by_role("group", name="pleasant").get_by_text("8", exact=True).click()
    on.get_by_role("group", name="calm").get_by_text("2", exact=True).click()
    on.get_by_role("button", name="Save and continue").click()
    on = somebody.on_key("report/study/baseline/anxiety/5")
    for point, item in enumerate(("calm", "tense", "upset", "relaxed", "content", "worried"), start=1):
        on.get_by_role("group", name=item, exact=True).locator("label").nth(point % 4).click()
    on.get_by_role("button", name="Save and continue").click()
    on = somebody.on("questionnaire")
    on.get_by_role("group", name="Did you like the music?").get_by_text("6", exact=True).click()
    on.get_by_text("I do not know").click()
    on.get_by_role("textbox").fill("<b>quiet</b>")
    on.get_by_role("button", name="Save and continue").click()
    on = somebody.on("instrument")

    reports = {report.instrument_id: report for report in somebody.told(SelfReportSubmitted)}
    assert reports["feeling"].raw == pytest.approx({"valence": 0.2, "arousal": 0.9}, abs=0.011)
    assert reports["place"].raw == {"valence": 7.0, "arousal": 3.0}
    assert reports["tension"].raw == pytest.approx({"valence": 75.0, "arousal": 25.0}, abs=1.0)
    assert reports["mood"].raw == {"valence": 8.0, "arousal": 2.0}
    assert dict(reports["anxiety"].raw) == {
        "calm": 2.0,
        "tense": 3.0,
        "upset": 4.0,
        "relaxed": 1.0,
        "content": 2.0,
        "worried": 3.0,
    }
    (answered,) = somebody.told(QuestionnaireSubmitted)
    assert answered.answers == {"preference": 6.0, "guess": "do_not_know", "remarks": "<b>quiet</b>"}
    asked = reports["place"].asked
    assert (asked.question, asked.language) == ("How do YOU feel right now?", "en")
    assert asked.response_time_s > 0
    assert sorted(reports["feeling"].asked.item_order) == ["arousal", "valence"]


def test_each_instrument_by_keyboard_reaches_the_record(pages: Pages) -> None:
    somebody = pages.somebody()
    somebody.go_by_http("instrument")
    keys = somebody.page.keyboard

    on = somebody.open("instrument")
    on.get_by_role("slider", name="pleasant or unpleasant").focus()
    for _ in range(10):
        keys.press("ArrowRight")
    on.get_by_role("slider", name="calm or excited").focus()
    keys.press("Home")
    on.get_by_role("button", name="Save and continue").press("Enter")
    on = somebody.on_key("report/study/baseline/place/2")
    on.locator("[role=gridcell][tabindex='0']").focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowDown", "ArrowDown", "Enter"):
        keys.press(key)
    on.get_by_role("button", name="Save and continue").press("Enter")
    on = somebody.on_key("report/study/baseline/tension/3")
    on.get_by_role("slider", name="pleasant or unpleasant").focus()
    keys.press("ArrowLeft")
    on.get_by_role("slider", name="calm or excited").focus()
    keys.press("End")
    on.get_by_role("button", name="Save and continue").press("Enter")
    on = somebody.on_key("report/study/baseline/mood/4")
    on.get_by_role("radio").nth(0).focus()
    keys.press("ArrowDown")
    keys.press("ArrowDown")
    on.get_by_role("radio").nth(9).focus()
    keys.press("Space")
    on.get_by_role("button", name="Save and continue").press("Enter")
    somebody.on_key("report/study/baseline/anxiety/5")

    raw = {report.instrument_id: dict(report.raw) for report in somebody.told(SelfReportSubmitted)}
    assert raw == {
        "feeling": {"valence": 0.55, "arousal": 0.0},
        "place": {"valence": 7.0, "arousal": 3.0},
        "tension": {"valence": 49.0, "arousal": 100.0},
        "mood": {"valence": 3.0, "arousal": 1.0},
    }


def test_each_instrument_by_finger_reaches_the_record(pages: Pages) -> None:
    somebody = pages.somebody(has_touch=True, is_mobile=True)
    somebody.go_by_http("instrument")
    touch = somebody.page.touchscreen

    on = somebody.open("instrument")
    for name, share in (("pleasant or unpleasant", 0.7), ("calm or excited", 0.1)):
        touch.tap(*press_at(on.get_by_role("slider", name=name), share))
    on.get_by_role("button", name="Save and continue").tap()
    on = somebody.on_key("report/study/baseline/place/2")
    on.locator("[data-column='2'][data-row='9']").tap()
    # A finger is wider than a field of a phone's grid: the arrows put it right.
    on.get_by_role("button", name="More pleasant").tap()
    on.get_by_role("button", name="More calm, sleepy").tap()
    on.get_by_role("button", name="Save and continue").tap()
    on = somebody.on_key("report/study/baseline/tension/3")
    for name, share in (("pleasant or unpleasant", 0.5), ("calm or excited", 1.0)):
        touch.tap(*press_at(on.get_by_role("slider", name=name), share))
    on.get_by_role("button", name="Save and continue").tap()
    on = somebody.on_key("report/study/baseline/mood/4")
    on.get_by_role("group", name="pleasant").get_by_text("5", exact=True).tap()
    on.get_by_role("group", name="calm").get_by_text("9").first.tap()
    on.get_by_role("button", name="Save and continue").tap()
    somebody.on_key("report/study/baseline/anxiety/5")

    raw = {report.instrument_id: dict(report.raw) for report in somebody.told(SelfReportSubmitted)}
    assert raw["feeling"] == pytest.approx({"valence": 0.7, "arousal": 0.1}, abs=0.02)
    assert raw["place"] == {"valence": 3.0, "arousal": 8.0}
    assert raw["tension"] == pytest.approx({"valence": 50.0, "arousal": 100.0}, abs=1.5)
    assert raw["mood"] == {"valence": 5.0, "arousal": 9.0}


def test_a_handle_that_was_not_moved_is_asked_about_and_what_was_left_is_recorded(pages: Pages) -> None:
    somebody = pages.somebody()
    somebody.go_by_http("instrument")
    on = somebody.open("instrument")
    somebody.page.mouse.click(*press_at(on.get_by_role("slider", name="calm or excited"), 0.8))

    on.get_by_role("button", name="Save and continue").click()
    dialog = somebody.page.get_by_role("dialog")
    expect(dialog).to_contain_text("You have not moved this yet: pleasant or unpleasant.")
    dialog.get_by_role("button", name="No, I will move it").click()
    expect(on.get_by_role("slider", name="pleasant or unpleasant")).to_be_focused()
    on.get_by_role("button", name="Save and continue").click()
    dialog.get_by_role("button", name="Yes, leave it in the middle").click()
    somebody.on_key("report/study/baseline/place/2")

    (report,) = somebody.told(SelfReportSubmitted)
    assert report.raw["valence"] == 0.5
    assert report.asked.untouched_items == ("valence",)


def test_a_press_on_the_middle_is_an_answer(pages: Pages) -> None:
    somebody = pages.somebody()
    somebody.go_by_http("instrument")
    on = somebody.open("instrument")
    for name in ("pleasant or unpleasant", "calm or excited"):
        somebody.page.mouse.click(*press_at(on.get_by_role("slider", name=name), 0.5))

    on.get_by_role("button", name="Save and continue").click()
    somebody.on_key("report/study/baseline/place/2")

    (report,) = somebody.told(SelfReportSubmitted)
    assert (dict(report.raw), report.asked.untouched_items) == ({"valence": 0.5, "arousal": 0.5}, ())


def test_a_line_without_a_mark_is_missing_and_not_the_middle(pages: Pages) -> None:
    somebody = pages.somebody()
    somebody.go_by_http("instrument", "vas")
    on = somebody.open("instrument")
    somebody.page.mouse.click(*press_at(on.get_by_role("slider", name="calm or excited"), 1.0))

    on.get_by_role("button", name="Save and continue").click()
    dialog = somebody.page.get_by_role("dialog")
    expect(dialog).to_contain_text("Not answered yet: pleasant or unpleasant.")
    dialog.get_by_role("button", name="Leave it out").click()
    somebody.on_key("report/study/baseline/mood/4")

    report = somebody.told(SelfReportSubmitted)[-1]
    assert (dict(report.raw), report.missed_items) == ({"arousal": 100.0}, ("valence",))


def test_an_answer_given_without_a_connection_is_kept_and_sent_once(pages: Pages) -> None:
    somebody = pages.somebody()
    on = somebody.open("consent")
    somebody.context.set_offline(True)

    on.get_by_role("button", name="Yes, I take part").click()
    expect(on.get_by_role("status")).to_contain_text("There is no connection at the moment.")
    on.get_by_role("button", name="Yes, I take part").click(force=True)
    assert somebody.told(ConsentGiven) == []
    somebody.context.set_offline(False)
    somebody.on("instrument")

    assert len(somebody.told(ConsentGiven)) == 1


def test_no_dialog_of_streamlit_s_own_ever_keeps_a_finger_from_the_page(pages: Pages) -> None:
    somebody = pages.somebody()
    sockets: list[WebSocketRoute] = []

    def through(socket: WebSocketRoute) -> None:
        socket.connect_to_server()
        sockets.append(socket)

    somebody.page.route_web_socket("**/_stcore/stream", through)
    somebody.page.add_init_script(
        "addEventListener('DOMContentLoaded', () => new MutationObserver((changes) => { for (const change of"
        " changes) for (const one of change.addedNodes) if (one.dataset?.testid === 'stDialog')"
        " window.dialogs = (window.dialogs ?? 0) + 1; }).observe(document.body, { childList: true }));"
    )
    on = somebody.open("consent")
    somebody.page.route("**/_stcore/**", lambda route: route.abort())
    for socket in sockets:
        socket.close()

    somebody.page.wait_for_function("() => window.dialogs > 0", timeout=30_000)
    somebody.page.wait_for_function("() => !document.querySelector('[inert] .stApp, [data-testid=stDialog]')")
    on.get_by_role("button", name="Yes, I take part").click()
    expect(on.get_by_role("status")).to_have_text("Saved.")


def test_two_quick_presses_send_one_answer(pages: Pages) -> None:
    somebody = pages.somebody()
    on = somebody.open("consent")
    sent: list[str] = []
    somebody.page.on("request", lambda r: sent.append(r.url) if r.url.endswith("/answer") else None)

    on.get_by_role("button", name="Yes, I take part").dblclick()
    somebody.on("instrument")

    assert len(sent) == 1
    assert len(somebody.told(ConsentGiven)) == 1


def test_declining_has_the_same_weight_as_agreeing_and_ends_kindly(pages: Pages) -> None:
    somebody = pages.somebody()
    on = somebody.open("consent")
    looks = [
        button.evaluate(
            "b => { const s = getComputedStyle(b); return [s.fontSize, s.fontWeight, s.color,"
            " s.backgroundColor, s.borderColor, b.offsetWidth, b.offsetHeight]; }"
        )
        for button in (on.locator(".ip-agree"), on.locator(".ip-decline"))
    ]

    on.get_by_role("button", name="No, I do not take part").click()
    on = somebody.on("finished")

    assert looks[0] == looks[1]
    expect(on.get_by_role("heading", level=1)).to_have_text("Thank you for considering it")
    assert len(somebody.told(ConsentDeclined)) == 1


def test_a_second_tab_is_told_kindly_and_can_take_over(pages: Pages) -> None:
    somebody = pages.somebody()
    first = somebody.page
    somebody.open("consent")
    first.wait_for_function("() => window.__isopath.lease === 'yours'")
    second = somebody.context.new_page()
    second.goto(f"{somebody.url}/")

    expect(second.get_by_role("heading", name="This is open somewhere else")).to_be_visible()
    assert serious(second) == []
    second.get_by_role("button", name="Continue here").click()
    expect(second.get_by_role("button", name="Yes, I take part")).to_be_visible()
    first.get_by_role("button", name="Yes, I take part").click()
    expect(first.get_by_role("heading", name="This is open somewhere else")).to_be_visible()
    assert somebody.told(ConsentGiven) == []
    second.get_by_role("button", name="Yes, I take part").click()
    somebody.page = second
    somebody.on("instrument")

    assert len(somebody.told(ConsentGiven)) == 1
    assert len(somebody.told(ParticipationMoved)) == 1


def test_a_reload_keeps_the_tab_s_place(pages: Pages) -> None:
    somebody = pages.somebody()
    somebody.open("consent")
    somebody.page.wait_for_function("() => window.__isopath.lease === 'yours'")
    before = somebody.page.evaluate("() => window.__isopath.tab")

    somebody.page.reload()
    on = somebody.on("consent")

    assert somebody.page.evaluate("() => window.__isopath.tab") == before
    on.get_by_role("button", name="Yes, I take part").click()
    somebody.on("instrument")
    assert somebody.told(ParticipationMoved) == []


def test_the_language_can_be_changed_and_consent_is_to_the_text_that_was_read(pages: Pages) -> None:
    somebody = pages.somebody()
    on = somebody.open("consent")

    on.get_by_role("button", name="Deutsch").click()
    expect(somebody.page.get_by_role("button", name="Ja, ich nehme teil")).to_be_visible()
    assert somebody.page.evaluate("() => document.documentElement.lang") == "de"
    somebody.page.get_by_role("button", name="Ja, ich nehme teil").click()
    on = somebody.on("instrument")
    expect(on.get_by_role("heading", level=1)).to_have_text("Wie fühlen SIE sich gerade?")

    (given,) = somebody.told(ConsentGiven)
    assert given.language == "de"


def test_a_page_from_right_to_left_is_mirrored_and_its_keys_too(pages: Pages) -> None:
    somebody = pages.somebody(locale="he")
    somebody.go_by_http("instrument", "affect_grid")
    on = somebody.open("instrument")
    on.locator(".ip-languages button[lang=he]").click()
    somebody.page.wait_for_function("() => window.__isopath?.open?.view.language === 'he'")
    on = somebody.page.locator(".ip-page:not([hidden])")

    pleasant, unpleasant = (on.locator(f"[data-column='{n}'][data-row='5']").bounding_box() for n in (9, 1))
    assert pleasant is not None
    assert unpleasant is not None
    assert somebody.page.evaluate("() => document.documentElement.dir") == "rtl"
    assert pleasant["x"] < unpleasant["x"]
    on.locator("[role=gridcell][tabindex='0']").focus()
    for key in ("ArrowLeft", "ArrowLeft", "ArrowUp", "Enter"):
        somebody.page.keyboard.press(key)
    on.locator("button[type=submit]").click()
    somebody.on_key("report/study/baseline/tension/3")

    report = somebody.told(SelfReportSubmitted)[-1]
    assert dict(report.raw) == {"valence": 7.0, "arousal": 6.0}


def test_who_asks_for_somebody_comes_to_a_kind_page_and_may_go_on(pages: Pages) -> None:
    somebody = pages.somebody()
    somebody.go_by_http("instrument")
    on = somebody.open("instrument")

    on.get_by_role("button", name="I need somebody").click()
    on.get_by_role("button", name="Yes, please call somebody").click()
    on = somebody.on("support")
    expect(on.get_by_role("heading", level=1)).to_have_text("We have told the study team")
    expect(on).to_contain_text("You did well to stop.")
    on.get_by_text("About the same").click()
    on.get_by_text("Yes, I would like somebody to come").click()
    on.get_by_role("button", name="Go on with the study").click()
    somebody.on("instrument")

    (answered,) = somebody.told(SupportAnswered)
    assert answered == SupportAnswered("same", True, True)


@pytest.mark.parametrize(
    ("button", "keeps_data", "said"),
    [
        ("Leave, and what I gave may be used", True, "please tell the study team"),
        ("Leave, and delete what I gave", False, "the study team deletes it within a month"),
    ],
)
def test_leaving_the_study_asks_what_may_become_of_the_answers_and_is_final(
    pages: Pages, button: str, keeps_data: bool, said: str
) -> None:
    somebody = pages.somebody()
    somebody.go_by_http("instrument")
    on = somebody.open("instrument")

    on.get_by_role("button", name="Leave the study").click()
    on.get_by_role("button", name="No, stay").click()
    assert somebody.told(ParticipantDiscontinued) == []
    on.get_by_role("button", name="Leave the study").click()
    on.get_by_role("button", name=button).click()
    on = somebody.on("finished")

    expect(on.get_by_role("heading", level=1)).to_have_text("You have left the study")
    expect(on).to_contain_text(said)
    assert [event.reason for event in somebody.told(ParticipantDiscontinued)] == ["withdrew"]
    assert [event.keeps_data for event in somebody.told(ConsentWithdrawn)] == [keeps_data]


def test_a_revoked_link_says_so_kindly(pages: Pages) -> None:
    somebody = pages.somebody()
    somebody.open("consent")
    revoke_links(somebody.study, "test", somebody.participant_id, "lost")

    somebody.page.reload()
    on = somebody.on("closed")

    expect(on.get_by_role("heading", level=1)).to_have_text("This link is not open")


def test_a_page_that_cannot_be_made_is_kind_and_shows_no_trace(pages: Pages, tmp_path: Path) -> None:
    somebody = pages.somebody(locale="he")
    catalogue = somebody.study.folder.root / "texts" / "he.json"
    kept = catalogue.read_bytes()

    def tries() -> int:
        return pages.served.log.read_text().count("texts/he.json: cannot be read as JSON")

    catalogue.write_text("{")
    try:
        on = somebody.open("trouble")
        expect(on.get_by_role("heading", level=1)).to_have_text("One moment, please")
        assert "Traceback" not in somebody.page.content()
        before = tries()
        somebody.page.wait_for_timeout(1_500)
        # By itself the page tries again every fifteen seconds and not as fast as the server can.
        assert tries() - before <= 1
        before = tries()
        on.get_by_role("button", name="Try again").click()
        eventually(lambda: tries() > before)
    finally:
        catalogue.write_bytes(kept)
    # It may have gone on by itself meanwhile.
    somebody.page.evaluate(
        "() => { const { open } = window.__isopath; if (open.view.kind === 'trouble') open.advance(); }"
    )
    somebody.on("consent")


def test_the_page_before_and_the_page_after_are_never_both_to_be_seen(pages: Pages) -> None:
    somebody = pages.somebody()
    on = somebody.open("consent")
    somebody.page.evaluate(_WATCH_PAGES)

    on.get_by_role("button", name="Yes, I take part").click()
    somebody.on("instrument")
    somebody.page.wait_for_timeout(500)

    seen = somebody.page.evaluate("() => window.seenPages")
    assert seen[0] == ["consent"]
    assert seen[-1] == ["instrument"]
    assert [several for several in seen if len(several) > 1] == []


def test_every_page_fits_320_pixels_with_targets_for_a_thumb_and_a_heading(pages: Pages) -> None:
    somebody = pages.somebody(viewport=SMALLEST)
    somebody.open("consent")
    seen = []
    with Person(somebody.url, somebody.token, tab_id="") as person:
        while True:
            view = person.view()
            if view["kind"] in ("waiting", "player"):
                break
            somebody.on_key(view["key"])
            seen.append(view["kind"])
            look = somebody.page.evaluate(_LOOK)
            assert look["overflow"] <= 0, view["key"]
            assert look["headings"] == 1, view["key"]
            assert look["small"] == [], view["key"]
            assert look["unnamed"] == [], view["key"]
            person.tab_id = somebody.page.evaluate("() => window.__isopath.tab")
            assert person.answer(view).status_code == 200
            somebody.page.evaluate("() => window.__isopath.open.advance()")

    assert seen == ["consent", *["instrument"] * 5, "questionnaire", "instrument"]


# At each frame, the kinds of all pages that can be seen; "none" for one that was not filled yet.
_WATCH_PAGES = """() => {
  window.seenPages = [];
  const look = () => {
    const roots = [...document.querySelectorAll("*")]
      .flatMap((one) => [...(one.shadowRoot?.querySelectorAll(".ip-page") ?? [])]);
    const shown = roots.filter((root) => root.checkVisibility());
    const kinds = shown.map((root) => root.opened?.view.kind ?? "none");
    if (JSON.stringify(kinds) !== JSON.stringify(window.seenPages.at(-1))) window.seenPages.push(kinds);
    requestAnimationFrame(look);
  };
  look();
}"""


# Every control that can be pressed: those inside a label are as large as the label.
_LOOK = f"""() => {{
  const root = window.__isopath.open.root;
  const shown = (one) => one.checkVisibility() && !one.closest('dialog:not([open])');
  const controls = [...root.querySelectorAll('button, input, textarea, a[href]')].filter(shown);
  const size = (one) => (one.closest('label') ?? one).getBoundingClientRect();
  const name = (one) => one.ariaLabel || one.textContent.trim() || one.getAttribute('aria-labelledby')
    || one.closest('label')?.textContent.trim() || (one.labels?.length ? 'label' : '');
  return {{
    overflow: root.scrollWidth - root.clientWidth,
    headings: [...root.querySelectorAll('h1')].filter(shown).length,
    small: controls.filter((one) => size(one).height < {TARGET_PX} || size(one).width < {TARGET_PX})
      .map((one) => one.outerHTML.slice(0, 120)),
    unnamed: controls.filter((one) => !name(one)).map((one) => one.outerHTML.slice(0, 120)),
  }};
}}"""
