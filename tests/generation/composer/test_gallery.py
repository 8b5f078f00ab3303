"""`make gallery`: one page that anyone can hear, on any screen, without a network."""

from __future__ import annotations

import base64
import io
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest
import soundfile
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from generation.composer.palettes import PALETTES
from scripts.gallery import EXCERPT_S, Place, make_excerpt, places, render_gallery
from study.affect import Affect
from tests.dashboards.browser import chromium


@pytest.fixture(scope="module")
def html() -> str:
    excerpt = make_excerpt(Place(Affect(0.7, -0.75), "chamber"))
    # The same sound at another place: what the page does with two is what is asked here.
    return render_gallery([excerpt, replace(excerpt, place=Place(Affect(-0.7, 0.25), "acoustic"))])


@pytest.fixture(scope="module")
def page(html: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    file = tmp_path_factory.mktemp("gallery") / "index.html"
    file.write_text(html)
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 390, "height": 844})
        page.goto(file.as_uri())
        yield page


def test_twelve_places_span_the_plane_and_every_palette_takes_part() -> None:
    chosen = places()

    assert len({place.affect for place in chosen}) == 12
    assert max(Counter(place.palette for place in chosen).values()) <= 12 // len(PALETTES) + 1
    assert {place.palette for place in chosen} == set(PALETTES)
    for palette in PALETTES:
        assert {place.affect.valence for place in chosen if place.palette == palette} == {-0.7, 0.0, 0.7}


def test_the_page_says_what_it_is_and_needs_nothing_from_outside(html: str) -> None:
    assert "Rule-based: manipulates the published cues; nobody has rated these." in html
    assert re.findall(r"(?:src|href)=\"(?!data:|#)", html) == []
    assert "http" not in html.replace("http-equiv", "")


def test_each_excerpt_lasts_half_a_minute_and_has_its_roll_and_cues(html: str) -> None:
    sounds = re.findall(r"data:audio/mpeg;base64,([^\"]+)\"", html)

    samples, rate = soundfile.read(io.BytesIO(base64.b64decode(sounds[0])))
    assert len(sounds) == 2
    assert len(samples) / rate == pytest.approx(EXCERPT_S, abs=0.1)
    assert 0.02 < abs(samples).max() <= 1.0
    assert html.count('<rect class="melody"') > 4
    assert html.count("quarter notes a minute") == 2
    # Twelve such excerpts stay below eight megabytes.
    assert len(html) < 2 * 8_000_000 / 12


@pytest.mark.browser
def test_one_sound_plays_at_a_time_and_the_keyboard_starts_and_stops_it(page: Page) -> None:
    def playing() -> list[bool]:
        found: list[bool] = page.eval_on_selector_all("audio", "all => all.map(one => !one.paused)")
        return found

    first, second = page.get_by_role("button").all()
    first.focus()
    page.keyboard.press("Enter")
    page.wait_for_function("document.querySelector('audio').currentTime > 0.1")
    assert playing() == [True, False]
    second.click()
    assert playing() == [False, True]
    assert [button.get_attribute("aria-pressed") for button in (first, second)] == ["false", "true"]
    second.focus()
    page.keyboard.press("Space")
    assert playing() == [False, False]


@pytest.mark.browser
def test_the_page_fits_a_phone_and_hinders_nobody(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
