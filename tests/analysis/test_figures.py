"""The figures: what they show, what they say of it, and that everybody can read them."""

from __future__ import annotations

import itertools
import json
import re
import struct
import xml.etree.ElementTree as ET
from dataclasses import replace
from importlib import resources
from typing import Any

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from analysis.figures import drawing
from analysis.figures.all_figures import report_figures
from analysis.figures.circumplex import circumplex_images, circumplex_overview
from analysis.figures.diagnostics import diagnostics_image
from analysis.figures.difference import difference_images
from analysis.figures.drawing import ARM_STYLES, ROUTES, SIMULATED, WIDE_IN, FigureImage, settled, styled
from analysis.figures.flow import flow_image
from analysis.figures.forest import forest_image
from analysis.figures.lettering import fitted, on_one_line, text_width_in
from analysis.figures.mer import mer_images
from analysis.figures.missingness import _FILLS, missingness_image
from analysis.figures.raincloud import raincloud_image
from analysis.figures.sessions import sessions_image
from analysis.figures.slopegraph import slopegraph_image
from analysis.figures.tipping import tipping_image
from analysis.figures.trajectories import trajectories_image
from analysis.results import Results, analyse, results_from_json, results_to_json
from analysis.tables.build import build_tables
from analysis.words import ENGLISH, Words
from study.path import PathKind
from tests.analysis.drawn_texts import drawn_texts
from tests.analysis.made_results import LONG, make_results, row_of
from tests.analysis.made_study import MadeStudy, make_protocol, simulate

GERMAN = Words("de")
SVG = "{http://www.w3.org/2000/svg}"
LINK = "{http://www.w3.org/1999/xlink}href"


@pytest.fixture(scope="module")
def two() -> dict[str, FigureImage]:
    return report_figures(make_results())


@pytest.fixture(scope="module")
def six_in_german() -> dict[str, FigureImage]:
    return report_figures(make_results(6, 30, LONG, shuffled="dealt anew"), GERMAN)


@pytest.fixture(scope="module")
def large() -> Results:
    return make_results(2, 3000, simulated=False, clip_points=True)


def results_of(study: MadeStudy) -> Results:
    tables = build_tables(study.protocol, study.events, study.manifests, study.predictions)
    found = analyse(study.protocol, tables, study.manifests, study.predictions, "f" * 64)
    return results_from_json(results_to_json(found))


def drawn(image: FigureImage) -> Figure:
    """The figure as it is laid out for printing."""
    assert image.draw is not None
    with styled():
        return settled(image.draw())


def said(image: FigureImage) -> str:
    """Every text of the SVG, which keeps the words in comments beside their shapes."""
    return " ".join(re.findall(r"<!-- (.*?) -->", image.svg))


def luminance(color: Any) -> float:
    """Relative luminance, 0 black to 1 white (WCAG 2.2)."""
    rgb = np.array(to_rgb(color))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))


def lines_of(figure: Figure) -> list[Line2D]:
    return [line for axes in figure.axes for line in axes.lines]


def test_a_report_has_every_figure_by_its_name(two: dict[str, FigureImage]) -> None:
    assert set(two) == {
        "flow",
        "raincloud",
        "slopegraph",
        "forest",
        "sessions",
        "interim",
        "diagnostics",
        "circumplex-iso",
        "circumplex-target_only",
        "time-course-valence",
        "time-course-arousal",
        "trajectories",
        "dose",
        "blinding",
        "mer-iso",
        "mer-target_only",
        "following-iso",
        "nulls-iso",
        "difference-0-valence",
        "difference-0-arousal",
        "difference-1-valence",
        "difference-1-arousal",
        "missingness",
        "tipping",
    }
    assert all(name == image.figure_id for name, image in two.items())


def test_a_figure_without_data_is_absent() -> None:
    assert set(report_figures(results_of(MadeStudy(make_protocol())))) == {"flow"}


def test_what_is_not_in_the_results_is_not_drawn_and_the_rest_stays() -> None:
    whole = make_results()
    few = replace(
        whole,
        changes=[],
        interim=None,
        missing_data=None,
        trajectories=[],
        missingness=[],
        adherence=[],
        dose={},
        blinding={},
        conduct={},
        paths=[],
        agreement={**whole.agreement, "sets": []},
    )

    assert set(report_figures(few)) == {"flow", "forest", "sessions", "diagnostics"}
    assert tipping_image(replace(whole, missing_data={"tipping": None})) is None
    assert sessions_image(replace(whole, primary={**whole.primary, "by_session": []})) is None
    assert diagnostics_image(replace(whole, primary={**whole.primary, "diagnostics": {}})) is None


def test_every_svg_stands_alone_and_beside_the_others(
    two: dict[str, FigureImage], six_in_german: dict[str, FigureImage]
) -> None:
    for figures in (two, six_in_german):
        ids: list[str] = []
        for image in figures.values():
            root = ET.fromstring(image.svg)
            mine = [element.attrib["id"] for element in root.iter() if "id" in element.attrib]
            links = [element.attrib[LINK] for element in root.iter() if LINK in element.attrib]
            used = re.findall(r"url\(#([^)]+)\)", image.svg)

            assert root.tag == f"{SVG}svg"
            assert root.attrib["role"] == "img"
            assert root.attrib["aria-label"] == image.alt
            assert {link.removeprefix("#") for link in links} | set(used) <= set(mine)
            assert root.find(f"{SVG}metadata") is None
            ids += mine
        assert len(ids) == len(set(ids))


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("flow", ["45 enrolled, 40 allocated.", "iso: 20 allocated, 20 started, 18 heard all, 18 analysed."]),
        ("forest", ["Progress toward the target, iso − target only: 0.25, 95% CI [−0.02, 0.52]."]),
        ("forest", ["iso − target only: margin 0.20, held against 90% CI [0.03, 0.47]."]),
        ("difference-0-valence", ["120 pairs", "bias 0.31, 95% CI [0.23, 0.39]", "limit of agreement −0.28"]),
        ("circumplex-iso", ["felt (mean report) goes from valence −0.45, arousal 0.45 to valence 0.45"]),
        ("time-course-arousal", ["iso, planned: from 0.50 to −0.40 over 3.5 minutes."]),
        (
            "trajectories",
            ["Valence, iso: 0.60, 95% CI [0.50, 0.70].", "Arousal, difference iso − target only"],
        ),
        ("mer-iso", ["Valence: planned −0.50 to 0.60", "CCC .42"]),
        (
            "dose",
            ["iso, 20 sessions: median 95% heard, least 17%.", "iso, all: mean −0.30, SD 0.20, n = 20"],
        ),
        ("blinding", ["from −1 (all guessed wrong)", "iso: 0.25, 95% CI [−0.11, 0.61]"]),
        ("missingness", ["during listening, iso: 3/60 (5%) (dropped out 1; withdrew 2)."]),
        ("tipping", ["at a shift of 0.00 the difference is 0.25", "changes at a shift of −0.60."]),
        ("sessions", ["Session 4, iso: −0.40,", "Session 3, iso − target only: 0.15,"]),
        ("interim", ["Look 1 at 48% of planned outcomes: boundary 2.80, z 1.25, boundary not crossed."]),
        ("interim", ["Look 2 at 97% of planned outcomes: boundary 1.98, z 2.31, boundary crossed."]),
    ],
)
def test_the_alt_text_gives_the_numbers(name: str, parts: list[str], two: dict[str, FigureImage]) -> None:
    for part in parts:
        assert part in two[name].alt


def test_the_alt_texts_of_people_are_computed_from_the_people(two: dict[str, FigureImage]) -> None:
    results = make_results()
    before, after = np.array(results.changes[0]["pairs"]).T
    low, median, high = (ENGLISH.number(float(q)) for q in np.quantile(after, (0.25, 0.5, 0.75)))
    mean = ENGLISH.number(float(after.mean()))

    assert f"iso: n = 20, mean {mean}, median {median}, quartiles {low} and {high}." in two["raincloud"].alt
    assert f"iso: mean {ENGLISH.number(float(before.mean()))} before, {mean} after" in two["slopegraph"].alt
    residual = np.array(results.primary["diagnostics"]["residuals"]["residual"])
    assert f"40 residuals, SD {ENGLISH.number(float(residual.std(ddof=1)))}" in two["diagnostics"].alt


def test_every_picture_tells_in_words_what_it_shows(
    two: dict[str, FigureImage], six_in_german: dict[str, FigureImage]
) -> None:
    for image in (*two.values(), *six_in_german.values()):
        assert len(image.alt) > 60
        assert re.search(r"\d", image.alt)
        assert image.title.endswith((".", ".\u201d"))
        assert "None" not in image.alt + said(image)
        assert "nan" not in (image.alt + said(image)).split()


def test_both_languages_have_the_same_texts_with_the_same_places() -> None:
    english, german = (
        json.loads(resources.files("analysis").joinpath(f"texts/figures.{language}.json").read_text("utf-8"))
        for language in ("en", "de")
    )

    assert list(english) == list(german)
    for key, text in english.items():
        assert set(re.findall(r"{(\w+)}", text)) == set(re.findall(r"{(\w+)}", german[key])), key


def test_a_german_figure_is_german_to_its_last_number(six_in_german: dict[str, FigureImage]) -> None:
    forest = six_in_german["forest"]
    written = " ".join(said(image) for image in six_in_german.values())

    assert "0,25 [0,03; 0,47]" in said(forest)
    assert "Annäherung an das Ziel" in said(forest)
    assert "wollte aufhören" in said(six_in_german["flow"]) or "abgebrochen" in said(six_in_german["flow"])
    assert not re.search(r"\d\.\d", written)
    for word in (" before", "after", "planned", "Valence", "Minutes", "target", "Missing", "Residual "):
        assert word not in written, word


def test_lancet_style_reaches_the_tick_labels() -> None:
    written = said(forest_image(make_results(), Words("en", "lancet")))

    assert "0·25 (−0·02 to 0·52)" in written
    assert not re.search(r"\d\.\d", written)


@pytest.mark.parametrize(
    ("simulated", "shuffled", "bands"),
    [
        (True, None, {SIMULATED}),
        (False, "dealt anew", {"ARMS SHUFFLED — comparisons mean nothing"}),
        (True, "dealt anew", {SIMULATED, "ARMS SHUFFLED — comparisons mean nothing"}),
        (False, None, set()),
    ],
)
def test_a_band_says_what_a_copied_picture_must_not_lose(
    simulated: bool, shuffled: str | None, bands: set[str]
) -> None:
    results = make_results(2, 4, simulated=simulated, shuffled=shuffled)
    every = {SIMULATED, "ARMS SHUFFLED — comparisons mean nothing"}

    for image in (flow_image(results), forest_image(results), *circumplex_images(results)):
        assert {band for band in every if band in said(image)} == bands


def test_every_figure_of_shuffled_arms_says_so(six_in_german: dict[str, FigureImage]) -> None:
    assert all("ARME NEU GEMISCHT" in said(image) for image in six_in_german.values())
    assert all("SIMULIERTE TEILNEHMENDE" in said(image) for image in six_in_german.values())


@pytest.mark.parametrize("case", ["one arm, two people", "three long names", "six long names"])
def test_no_text_is_cut_off_small_or_over_another(
    case: str,
    six_in_german: dict[str, FigureImage],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Where texts lie is the drawing's; writing each as SVG would double the time.
    monkeypatch.setattr(drawing, "to_svg", lambda *_: "")
    figures = {
        "one arm, two people": lambda: report_figures(make_results(1, 2, LONG), GERMAN),
        "three long names": lambda: report_figures(make_results(3, 12, LONG, False), Words("de", "lancet")),
        "six long names": lambda: six_in_german,
    }[case]()

    for name, image in figures.items():
        figure = drawn(image)
        texts = drawn_texts(figure)
        assert figure.get_figwidth() <= WIDE_IN + 1e-9, name
        assert figure.get_figheight() <= 11, name
        for text in texts:
            assert text.size >= 8, (name, text.text)
            assert text.is_inside(figure.bbox.width, figure.bbox.height), (name, text.text)
        for one, other in itertools.combinations(texts, 2):
            assert not one.overlaps(other), (name, one.text, other.text)


def test_a_long_text_is_broken_at_the_width_it_has() -> None:
    lines = fitted("Selbstausgewählteentspannungsmusik zur Ruhe (n = 12)", 1.2, 8)

    assert "".join(lines).replace(" ", "") == "SelbstausgewählteentspannungsmusikzurRuhe(n\u00a0=\u00a012)"
    assert all(text_width_in(line, 8) <= 1.2 for line in lines)
    assert lines[-1].endswith("(n\u00a0=\u00a012)")
    assert on_one_line("iso", " (n = 3)", 3.0) == "iso (n = 3)"
    assert re.fullmatch(r"Selbst\w*… \(n = 3\)", on_one_line("Selbstausgewähltemusik", " (n = 3)", 1.2))


def test_arms_differ_by_marker_by_line_and_by_hatch_and_never_by_colour_alone() -> None:
    for one, other in itertools.combinations(ARM_STYLES, 2):
        assert one.marker != other.marker
        assert one.linestyle != other.linestyle
        assert one.hatch != other.hatch
    # Grey alone would not do: that is why the others must.
    assert (
        min(
            abs(luminance(one.color) - luminance(other.color))
            for one, other in itertools.combinations(ARM_STYLES, 2)
        )
        < 0.05
    )


def test_paths_differ_by_marker_and_by_line_or_width() -> None:
    for one, other in itertools.combinations(ROUTES.values(), 2):
        assert one["marker"] != other["marker"]
        assert (one["linestyle"], one["linewidth"]) != (other["linestyle"], other["linewidth"])


def test_reasons_differ_in_grey() -> None:
    for (one, one_hatch), (other, other_hatch) in itertools.combinations(_FILLS, 2):
        assert one_hatch != other_hatch or abs(luminance(one) - luminance(other)) > 0.25


@pytest.mark.parametrize("name", ["slopegraph", "trajectories", "sessions", "dose"])
def test_in_the_figure_itself_no_two_arms_share_a_marker(
    name: str, six_in_german: dict[str, FigureImage]
) -> None:
    marks: dict[str, set[str]] = {style.color: set() for style in ARM_STYLES}
    for line in lines_of(drawn(six_in_german[name])):
        if line.get_color() in marks and line.get_marker() not in ("None", None, ""):
            marks[str(line.get_color())].add(str(line.get_marker()))

    assert [marks[style.color] for style in ARM_STYLES] == [{style.marker} for style in ARM_STYLES]


def test_everything_that_carries_meaning_stands_out_from_paper() -> None:
    for style in ARM_STYLES:
        contrast = 1.05 / (luminance(style.color) + 0.05)
        # WCAG 2.2, 1.4.11: graphical objects.
        assert contrast >= 3, style.color


def test_the_same_results_give_the_same_bytes() -> None:
    for make in (raincloud_image, missingness_image):
        first, second = make(make_results()), make(make_results())
        assert first is not None
        assert second is not None
        assert first == second
        assert first.svg == second.svg
        assert first.png(72) == second.png(72) == first.png(72)


def test_a_png_has_the_pixels_that_a_journal_asks_for() -> None:
    image = forest_image(make_results())
    png = image.png()
    width, height = struct.unpack(">II", png[16:24])
    figure = drawn(image)

    assert png.startswith(b"\x89PNG")
    assert (width, height) == (round(4.2 * 300), int(figure.get_figheight() * 300))
    assert b"pHYs" + struct.pack(">II", 11811, 11811) in png  # 300 dpi in pixels per metre


def test_an_image_that_holds_only_its_svg_says_so() -> None:
    with pytest.raises(ValueError, match="holds its SVG only"):
        FigureImage("x", "", "", "<svg/>").png()


def test_large_clouds_are_pixels_the_caption_says_so_and_the_file_stays_small(large: Results) -> None:
    images = [
        circumplex_images(large)[0],
        raincloud_image(large),
        slopegraph_image(large),
        difference_images(large)[0],
        mer_images(large)[0],
    ]

    for image, told in zip(
        images, ("6000 points", "6000 points", "6000 lines", "18000 points", "24000 points"), strict=True
    ):
        root = ET.fromstring(image.svg)
        assert len(image.svg) < 500_000, image.figure_id
        assert len(list(root.iter(f"{SVG}image"))) >= 1, image.figure_id
        assert f"{told}, drawn as pixels." in image.title, image.figure_id


def test_a_small_cloud_is_made_of_marks(two: dict[str, FigureImage]) -> None:
    assert not any("<image" in image.svg or "pixels" in image.title for image in two.values())
    assert all(len(image.svg) < 200_000 for image in two.values())


def test_the_bias_and_both_limits_have_bands_as_wide_as_their_intervals() -> None:
    results = make_results()
    one = results.agreement["sets"][0]
    figure = drawn(difference_images(results)[0])
    bands = sorted(
        (round(patch.get_y(), 6), round(patch.get_y() + patch.get_height(), 6))
        for patch in figure.axes[0].patches
        if isinstance(patch, Rectangle)
    )

    assert bands == sorted(
        (round(row["ci_low"], 6), round(row["ci_high"], 6)) for row in one["rows"] if row["axis"] == "valence"
    )


def test_a_margin_is_drawn_where_a_contrast_has_one_and_only_there() -> None:
    results = make_results(3)
    plain = replace(results, equivalence=[])

    edges = {round(float(x), 6) for x in _dotted(drawn(forest_image(results)))}

    assert edges == {-0.2, 0.2}
    assert _dotted(drawn(forest_image(plain))) == []
    assert "within the margin" in said(forest_image(results))
    assert "margin" not in said(forest_image(plain)) + forest_image(plain).title


@pytest.mark.parametrize(("p_lower", "p_upper", "edge"), [(0.01, None, -0.2), (None, 0.01, 0.2)])
def test_non_inferiority_has_one_margin_on_the_side_that_is_tested(
    p_lower: float | None, p_upper: float | None, edge: float
) -> None:
    results = make_results()
    row = {**results.equivalence[0], "aim": "non_inferiority", "p_lower": p_lower, "p_upper": p_upper}

    edges = {round(float(x), 6) for x in _dotted(drawn(forest_image(replace(results, equivalence=[row]))))}

    assert edges == {edge}


def test_a_contrast_that_cannot_be_estimated_keeps_its_line() -> None:
    results = make_results()
    missing = {**results.primary["contrasts"][0], **_without(results.primary["contrasts"][0])}
    image = forest_image(replace(results, primary={**results.primary, "contrasts": [missing]}))

    assert "not estimable" in said(image)
    assert "Progress toward the target, iso − target only: not estimable." in image.alt


def test_a_density_is_drawn_from_five_people_on() -> None:
    for people, clouds in ((4, 0), (5, 2)):
        figure = drawn(raincloud_image(make_results(1, people)))
        filled = [c for c in figure.axes[0].collections if len(np.asarray(c.get_paths()[0].vertices)) > 100]
        assert len(filled) == clouds


@pytest.mark.parametrize("lapse", [1, 6])
def test_a_slope_is_drawn_as_steep_as_it_was_estimated_in_a_time_lapse_too(lapse: int) -> None:
    results = make_results()
    study = {**results.study, "duration_s": 240.0, "time_lapse_of_s": 240.0 * lapse if lapse > 1 else None}
    image = trajectories_image(replace(results, study=study))
    assert image is not None
    (valence, _) = drawn(image).axes
    (line,) = (
        line
        for line in valence.lines
        if line.get_color() == ARM_STYLES[0].color and line.get_linewidth() == 1.9
    )
    (minute, later), (low, high) = (np.asarray(d, dtype=float) for d in (line.get_xdata(), line.get_ydata()))

    assert later - minute == pytest.approx(4 * lapse)
    assert (high - low) / (later - minute) == pytest.approx(0.6 / 10)
    assert ("time-lapse" in image.title) == (lapse > 1)


def test_clips_one_by_one_are_drawn_where_the_results_hold_them() -> None:
    results = make_results(2, 3, clip_points=True)
    means, clips = mer_images(make_results(2, 3))[0], mer_images(results)[0]
    mean, difference, _ = results.agreement["sets"][-1]["points"]["valence"][0]
    cloud = next(line for line in drawn(clips).axes[0].lines if len(np.asarray(line.get_xdata())) == 8 * 3)

    assert "mean of everybody's clips" in means.title
    assert "Each point is a clip." in clips.title
    assert float(np.asarray(cloud.get_xdata())[0]) == pytest.approx(mean - difference / 2)
    assert float(np.asarray(cloud.get_ydata())[0]) == pytest.approx(mean + difference / 2)


def test_the_flow_stands_in_columns_up_to_three_groups_and_in_rows_beyond() -> None:
    three, four = (drawn(flow_image(make_results(n, 20))) for n in (3, 4))
    headings = ("iso (n = 20)", "target only (n = 20)", "silence (n = 20)")

    def places(figure: Figure) -> list[tuple[float, float]]:
        texts = {text.text.replace("\u00a0", " "): text for text in drawn_texts(figure)}
        return [(round(texts[name].left, -1), round(texts[name].bottom, -1)) for name in headings]

    assert len({bottom for _, bottom in places(three)}) == 1
    assert len({left for left, _ in places(three)}) == 3
    assert len({left for left, _ in places(four)}) == 1
    assert len({bottom for _, bottom in places(four)}) == 3


def test_every_way_of_going_missing_is_in_the_legend_with_its_share() -> None:
    image = missingness_image(make_results())
    assert image is not None
    texts = said(image).replace("\u00a0", " ")

    assert "3/60 (5%)" in texts
    assert "dropped out" in texts
    assert "not yet given" in texts
    widths = sorted(
        round(patch.get_width(), 6) for patch in drawn(image).axes[0].patches if isinstance(patch, Rectangle)
    )
    assert sum(widths) == pytest.approx(100 * (3 / 60 + 6 / 60 + 3 / 20 + 6 / 20))


def test_reasons_beyond_seven_are_told_together() -> None:
    results = make_results()
    many = {f"reason {n}": 9 - n for n in range(9)}
    row = {**results.missingness[-1], "missing": many, "given": {"n": 55, "of": 100}}
    image = missingness_image(replace(results, missingness=[row]))
    assert image is not None

    assert "other reasons" in said(image)
    assert "reason 8 1" in image.alt
    assert "reason 5" in said(image)
    assert "reason 6" not in said(image)


def test_the_overview_holds_every_arm_three_to_a_row() -> None:
    figure = circumplex_overview(make_results(4, 5))
    rows = {round(axes.get_position().y0, 1) for axes in figure.axes}

    assert len(figure.axes) == 4
    assert len(rows) == 2


def test_what_the_analysis_gives_is_what_the_figures_take() -> None:
    study = simulate(make_protocol((PathKind.ISO, PathKind.TARGET_ONLY, PathKind.SILENCE)), 12)
    results = results_of(study)

    figures = report_figures(results)

    assert {"flow", "raincloud", "slopegraph", "circumplex-iso", "time-course-valence"} <= set(figures)
    assert ("forest" in figures) == (results.primary["row"]["estimate"] is not None)
    for image in figures.values():
        ET.fromstring(image.svg)


def _dotted(figure: Figure) -> list[float]:
    """Where the edges of margins are."""
    return [
        float(np.asarray(line.get_xdata())[0]) for line in figure.axes[0].lines if line.get_linestyle() == ":"
    ]


def _without(row: dict[str, Any]) -> dict[str, Any]:
    empty = row_of(row["row_id"], row["label"], None, 0.0, 0)
    return {key: empty[key] for key in ("estimate", "ci_low", "ci_high", "reason")}
