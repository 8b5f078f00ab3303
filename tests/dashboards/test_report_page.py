"""The report as a reader meets it: in a browser, on a desk and on a phone, without a network."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from analysis.report.build import build_report
from analysis.report.html_file import render_html
from analysis.results import analyse
from analysis.tables.build import build_tables
from study.path import PathKind
from tests.analysis.made_study import make_protocol, simulate
from tests.dashboards.browser import chromium

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    study = simulate(make_protocol((PathKind.ISO, PathKind.TARGET_ONLY, PathKind.SILENCE)), 18)
    tables = build_tables(study.protocol, study.events, study.manifests, study.predictions)
    results = analyse(study.protocol, tables, study.manifests, study.predictions)
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(render_html(build_report(results)))
    return path


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


def opened(browser: Browser, report: Path, width: int, height: int) -> tuple[Page, list[str]]:
    page = browser.new_page(viewport={"width": width, "height": height})
    trouble: list[str] = []
    page.on("console", lambda message: trouble.append(message.text))
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on(
        "request", lambda request: trouble.append(request.url) if "report.html" not in request.url else None
    )
    page.goto(report.as_uri())
    return page, trouble


@pytest.mark.parametrize(("width", "height"), [(1280, 900), (390, 844), (320, 640)])
def test_it_asks_no_one_for_anything_and_fits_the_screen(
    browser: Browser, report: Path, width: int, height: int
) -> None:
    page, trouble = opened(browser, report, width, height)

    assert trouble == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.close()


def test_wherever_one_looks_it_says_that_participants_are_simulated(browser: Browser, report: Path) -> None:
    page, _ = opened(browser, report, 1280, 900)

    unsaid = page.evaluate(
        """() => {
            const said = [...document.querySelectorAll(".banner")];
            const tops = [];
            for (let top = 0; top < document.documentElement.scrollHeight; top += 800) {
                window.scrollTo(0, top);
                const seen = said.some(one => {
                    const box = one.getBoundingClientRect();
                    const isSaid = one.textContent.includes("SIMULATED PARTICIPANTS");
                    return isSaid && box.top >= 0 && box.top < 900;
                });
                if (!seen) tops.push(top);
            }
            return tops;
        }"""
    )

    assert unsaid == []
    page.close()


def test_every_printed_page_says_that_participants_are_simulated(
    browser: Browser, report: Path, tmp_path: Path
) -> None:
    page, _ = opened(browser, report, 1280, 900)
    page.emulate_media(media="print")

    fixed = page.evaluate(
        "[...document.querySelectorAll('*')].filter(e => getComputedStyle(e).position === 'fixed')"
        ".map(e => e.textContent.trim())"
    )

    assert any("SIMULATED PARTICIPANTS" in text for text in fixed)
    page.close()


def test_every_picture_has_words_and_headings_follow_each_other(browser: Browser, report: Path) -> None:
    page, _ = opened(browser, report, 1280, 900)

    unnamed = page.evaluate(
        "[...document.querySelectorAll('svg[role=img], img')]"
        ".filter(e => !(e.ariaLabel || e.getAttribute('alt') || e.querySelector('title'))).length"
    )
    pictures = page.evaluate("document.querySelectorAll('figure').length")
    levels = page.evaluate("[...document.querySelectorAll('h1,h2,h3,h4')].map(e => +e.tagName[1])")

    assert unnamed == 0
    assert pictures >= 5
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    page.close()
