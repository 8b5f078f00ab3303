"""The report: everything said, nothing mistaken for people, one file."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from functools import cache
from html.parser import HTMLParser

import pytest

from analysis.figures.circumplex import circumplex_overview
from analysis.figures.drawing import SIMULATED, to_png
from analysis.report.build import Report, build_report
from analysis.report.html_file import render_html
from analysis.report.summary import interim_text, summary_text
from analysis.results import Results, analyse, results_from_json, results_to_json
from analysis.tables.build import build_tables
from analysis.wording import counted, interval, limits, number, p_text, share_text
from study.events import AdverseEventReported
from study.path import PathKind
from study.protocol import Design
from tests.analysis.made_study import MadeStudy, make_protocol, simulate


@dataclass
class Page(HTMLParser):
    """What a reader's browser would make of the file."""

    tags: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    text: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def count(self, tag: str) -> int:
        return sum(name == tag for name, _ in self.tags)


def results_of(study: MadeStudy) -> Results:
    tables = build_tables(study.protocol, study.events, study.manifests, study.predictions)
    found = analyse(study.protocol, tables, study.manifests, study.predictions, "f" * 64)
    return results_from_json(results_to_json(found))


def page_of(html: str) -> Page:
    page = Page()
    page.feed(html)
    page.close()
    return page


@cache
def empty_report() -> Report:
    return build_report(results_of(MadeStudy(make_protocol())), images={})


@pytest.fixture(scope="module")
def rehearsed() -> str:
    study = simulate(make_protocol((PathKind.ISO, PathKind.TARGET_ONLY, PathKind.SILENCE)), 9)
    study.add(
        AdverseEventReported("emotional", "mild", "related", "<script>alert(1)</script>"), "sub-001", "ses-01"
    )
    return render_html(build_report(results_of(study)))


@pytest.fixture(scope="module")
def live() -> str:
    return render_html(build_report(results_of(simulate(make_protocol(), 12, rehearsal=False)), images={}))


def test_simulated_participants_are_named_in_every_section_every_figure_and_every_printed_page(
    rehearsed: str,
) -> None:
    body = rehearsed[rehearsed.index("<body>") :]
    sections = body.split("<section ")[1:]
    figures = re.findall(r"<svg.*?</svg>", body, flags=re.DOTALL)

    assert all(SIMULATED in section for section in sections)
    # Text is drawn as shapes; matplotlib keeps the words in a comment beside them.
    assert len(figures) >= 9
    assert all(SIMULATED.replace("—", "—") in figure for figure in figures)
    assert f'@top-center {{ content: "{SIMULATED}"' in rehearsed
    assert rehearsed.index(SIMULATED) < rehearsed.index("<h1>")
    assert SIMULATED in rehearsed[: rehearsed.index("</title>")]


def test_a_study_of_people_carries_no_such_mark(live: str) -> None:
    assert "SIMULATED" not in live
    assert "simulated participant" not in live


def test_the_file_asks_nobody_for_anything_and_runs_no_script(rehearsed: str) -> None:
    page = page_of(rehearsed)
    links = [
        value
        for _, attrs in page.tags
        for name, value in attrs.items()
        if name in ("src", "href", "xlink:href")
    ]

    assert page.count("script") == page.count("link") == page.count("img") == page.count("iframe") == 0
    assert all(link is not None and link.startswith("#") for link in links)
    assert not re.search(r"@import|url\((?!#)", rehearsed)


def test_what_people_wrote_is_escaped(rehearsed: str) -> None:
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in rehearsed
    assert "Calm after stress &lt;iso &amp; co&gt;" in rehearsed


def test_the_page_is_accessible(rehearsed: str) -> None:
    page = page_of(rehearsed)
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    pictures = [attrs for tag, attrs in page.tags if tag == "svg"]

    assert ("html", {"lang": "en"}) in page.tags
    assert page.count("h1") == 1
    assert page.count("h2") == page.count("section") == 17
    assert page.count("caption") == page.count("table")
    assert all(attrs.get("role") == "img" and len(attrs.get("aria-label") or "") > 40 for attrs in pictures)
    assert len(ids) == len(set(ids))


def test_the_report_holds_every_part_of_a_publishable_one(live: str) -> None:
    text = " ".join(page_of(live).text)

    for part in (
        "In plain words",
        "Table 1. Who was allocated",
        "Estimand (ICH E9(R1))",
        "Intercurrent events",
        "Adjusted difference",
        "Ledger of tests",
        "Planned, generated and felt",
        "What the predictor cannot hear",
        "Unit of resampling: participant",
        "Does the model fit?",
        "What if the missing outcomes were known?",
        "Looks before the end",
        "Listening, by arm",
        "limits of agreement",
        "It does not hear mode.",
        "Reports, by arm",
        "Distress and adverse events",
        "No deviation is recorded.",
        "Stopped early",
        "not a medical device",
        "also moved by spread",
        make_protocol().sha256,
        "CC0-1.0",
    ):
        assert part in text, part


def test_table_1_has_no_p_value(live: str) -> None:
    table = live[live.index("Table 1.") :]

    assert ">p<" not in table[: table.index("</table>")]


@pytest.mark.parametrize(
    "study",
    [
        MadeStudy(make_protocol((PathKind.ISO,))),
        simulate(make_protocol(), 1),
        simulate(make_protocol((PathKind.ISO,)), 6),
        simulate(make_protocol((PathKind.SILENCE, PathKind.NOISE)), 6),
        simulate(make_protocol(design=Design.CROSSOVER, probes_at_s=()), 6),
    ],
    ids=["empty one arm", "one person", "one arm", "no music", "crossover without probes"],
)
def test_a_study_that_is_not_finished_renders_and_says_what_is_not_there(study: MadeStudy) -> None:
    html = render_html(build_report(results_of(study)))

    assert html.endswith("</html>")
    assert "None" not in " ".join(page_of(html).text)
    assert "nan" not in " ".join(page_of(html).text).split()


def test_an_empty_study_says_that_there_is_no_table_1_yet() -> None:
    text = render_html(empty_report())

    assert "Nobody is allocated yet, so there is no Table 1." in text
    assert "No difference between the arms can be given: nobody has the outcome yet." in text


def test_the_same_results_give_the_same_file() -> None:
    results = results_of(simulate(make_protocol(), 2))

    assert render_html(build_report(results)) == render_html(build_report(results))


def test_a_report_is_data_before_it_is_html() -> None:
    report = empty_report()

    assert isinstance(report, Report)
    assert [section.section_id for section in report.sections][:5] == [
        "summary",
        "design",
        "participants",
        "listening",
        "outcome",
    ]


def test_labels_with_signs_and_letters_that_no_font_here_has_render_as_written() -> None:
    protocol = make_protocol()
    arms = (replace(protocol.arms[0], label="A $5 & B $6_x <b>"), replace(protocol.arms[1], label="음악 𒀀"))

    html = render_html(build_report(results_of(simulate(replace(protocol, arms=arms), 6))))

    assert "A $5 &amp; B $6_x &lt;b&gt;" in html
    assert "음악 𒀀" in html


def test_the_summary_gives_the_estimate_with_its_interval_and_takes_no_side() -> None:
    results = results_of(simulate(make_protocol(), 40, effect=0.0, seed=3))
    row = results.primary["row"]
    text = summary_text(results)

    assert f"95% CI [{number(row['ci_low'])}, {number(row['ci_high'])}]" in text
    assert "nor that the two are the same" in text
    assert "the hypothesis of no difference is not rejected" in text
    for claim in ("effective", "works", "proves", "no effect", "significant"):
        assert claim not in text


def test_the_summary_says_which_way_a_difference_went() -> None:
    text = summary_text(results_of(simulate(make_protocol(), 40, effect=0.6)))

    assert re.search(r"those in iso ended 0\.\d\d units further along than those in target only", text)
    assert "the hypothesis of no difference is rejected" in text


def test_the_summary_of_a_crossover_compares_within_people() -> None:
    text = summary_text(results_of(simulate(make_protocol(design=Design.CROSSOVER), 12)))

    assert "allocated at random to an order of iso and target only" in text
    assert re.search(
        r"On average, they ended 0\.\d\d units further along after iso than after target only", text
    )


def test_a_study_under_way_is_told_as_one_and_a_full_one_is_not() -> None:
    assert interim_text(results_of(simulate(make_protocol(), 40))) is None
    warning = interim_text(results_of(simulate(make_protocol(), 6)))

    assert warning is not None
    assert "6 of 40 planned" in warning


def test_the_overview_of_all_arms_is_a_picture() -> None:
    png = to_png(circumplex_overview(results_of(simulate(make_protocol(), 6))))

    assert png.startswith(b"\x89PNG")


def test_numbers_are_printed_as_the_field_prints_them() -> None:
    assert [p_text(p) for p in (0.0004, 0.001, 0.0321, 0.5, 0.9999, None)] == [
        "<.001",
        ".001",
        ".032",
        ".500",
        ">.999",
        "–",
    ]
    assert [number(v) for v in (-0.5, 0.125, -0.001, None)] == ["−0.50", "0.12", "0.00", "–"]
    assert limits(-1.0, 0.5) == "[−1.00, 0.50]"
    assert share_text({"n": 1, "of": 3}) == "1/3 (33%)"
    assert share_text({"n": 0, "of": 0}) == "0/0"
    assert [counted(n, "participant") for n in (0, 1, 2)] == [
        "0 participants",
        "1 participant",
        "2 participants",
    ]


def test_a_missing_estimate_is_printed_as_its_reason() -> None:
    row = {"estimate": None, "ci_low": None, "ci_high": None, "reason": "nobody yet"}

    assert interval(row) == "not estimable: nobody yet"
    assert interval({**row, "estimate": 0.2}) == "0.20 (no interval: nobody yet)"
