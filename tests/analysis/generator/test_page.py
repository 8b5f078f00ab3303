"""The page, the Markdown and the figures show what the evaluation found, and nothing else."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest

from analysis.generator.evaluation import Evaluation, evaluate
from analysis.generator.markdown import render_markdown
from analysis.generator.page import render_page, write_page
from analysis.generator.pictures import draw_arrows
from analysis.generator.sentences import claim_sentences, mark_words, value
from analysis.generator.tabulated import ceiling_table, difference_table, fault_table, score_tables
from generation.clip_grid import Role
from tests.analysis.generator.made_grids import heard, pull, system
from tests.analysis.generator.test_evaluation import BASE, CEILING, COMPOSER, LORA, without

NAMED = system("pipes", title="A | B <b>")


@pytest.fixture(scope="module")
def evaluation() -> Evaluation:
    """One predictor draws the figures once; a title has letters that HTML and Markdown mean something by."""
    made = heard(
        [
            (BASE, {"musicnn": pull(0.1, 0.2, 0.2)}),
            (CEILING, {"musicnn": pull(0.1, 0.8, 0.25)}),
            (LORA, {"musicnn": pull(0.4, 0.7, 0.2)}),
            (NAMED, {"musicnn": pull(0.4, 0.7, 0.2)}),
        ]
    )
    return evaluate(without(made, "pipes"), 200, 0)


@pytest.fixture(scope="module")
def written(evaluation: Evaluation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("page") / "evaluation"
    write_page(evaluation, folder)
    return folder


class Tags(HTMLParser):
    """Every tag's attributes, all ids, and the text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.attributes: list[tuple[str, str, str | None]] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value) for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def test_page_data_text_and_figures_are_written(written: Path, evaluation: Evaluation) -> None:
    names = sorted(str(path.relative_to(written)) for path in written.rglob("*.*"))

    assert names == [
        "evaluation.html",
        "evaluation.json",
        "evaluation.md",
        "figures/arrows-musicnn.png",
        "figures/arrows-musicnn.svg",
        "figures/lines-musicnn.png",
        "figures/lines-musicnn.svg",
    ]
    assert json.loads((written / "evaluation.json").read_text("utf-8")) == evaluation.to_json()
    assert (written / "evaluation.md").read_text("utf-8") == render_markdown(evaluation)
    for picture in ("arrows", "lines"):
        root = ElementTree.parse(written / "figures" / f"{picture}-musicnn.svg").getroot()
        assert root.tag == "{http://www.w3.org/2000/svg}svg"


def test_the_page_needs_nothing_else(written: Path) -> None:
    page = Tags((written / "evaluation.html").read_text("utf-8"))

    assert not [tag for tag, _, _ in page.attributes if tag in {"script", "link", "img", "iframe"}]
    links = [value for _, name, value in page.attributes if name in {"href", "src", "xlink:href"}]
    assert links
    assert all((link or "").startswith("#") for link in links)
    ids = [value for _, name, value in page.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    assert {(link or "")[1:] for link in links} <= set(ids)


def test_the_page_tells_every_claim_mark_and_number(written: Path, evaluation: Evaluation) -> None:
    text = " ".join("".join(Tags((written / "evaluation.html").read_text("utf-8")).words).split())

    said = claim_sentences(evaluation)
    assert said[0].summary == "better in 2, no claim in 3 of 5 measures"
    assert said[0].text.endswith(
        "No claim on distance, r of valence and MAE of valence: valence is not measurable for musicnn: "
        f"r is {evaluation.ceilings[0].r.estimate:.2f} in Real music.".replace("0.", ".")
    )
    for one in said:
        assert f"{one.head}: {one.summary}" in text
        assert " ".join(one.text.split()) in text
    for table in score_tables(evaluation):
        for row in table.rows:
            assert all(" ".join(cell.split()) in text for cell in row)
    assert "48 clips could not be heard and are in no score" in text
    assert "A | B <b>" in text


def test_ceilings_stand_first(evaluation: Evaluation) -> None:
    assert [row[0] for row in score_tables(evaluation)[0].rows] == [
        "Real music",
        "base, words",
        "LoRA + V/A",
        "A | B <b>",
    ]
    table = ceiling_table(evaluation)
    assert table is not None
    assert [row[3::2] for row in table.rows] == [("no", "yes")]


def test_marks_say_which_part_and_shared_cues_are_a_manipulation_check() -> None:
    both = {"musicnn": pull(0.5, 0.5, 0.1), "cues": pull(0.5, 0.5, 0.1)}
    found = evaluate(heard([(BASE, both), (LORA, both), (COMPOSER, both)]), 50, 0)

    assert mark_words(found) == [
        "† LoRA + V/A: cues took part (labels) and carries no claim about it.",
        "‡ composer: cues shares its cues with it: a manipulation check, no claim.",
    ]
    rows = score_tables(found)[0].rows
    assert [(row[0], row[1]) for row in rows[2:]] == [
        ("LoRA + V/A", "musicnn"),
        ("LoRA + V/A", "cues †"),
        ("composer", "musicnn"),
        ("composer", "cues ‡"),
    ]
    titles = [axes.get_title() for axes in draw_arrows(found, "cues").axes]
    assert titles == ["base, words", "LoRA + V/A †", "composer ‡"]
    differences = difference_table(found)
    assert differences is not None
    assert not [cell for row in differences.rows if "cues" in row[1] for cell in row if "✓" in cell]


def test_markdown_tables_are_as_wide_as_their_headers(evaluation: Evaluation) -> None:
    lines = render_markdown(evaluation).splitlines()
    blocks = "\n".join(lines).split("\n\n")
    tables = [block.splitlines() for block in blocks if block.startswith("| ")]

    assert len(tables) == 7
    for table in tables:
        widths = {len(re.findall(r"(?<!\\)\|", line)) for line in table}
        assert len(widths) == 1
    assert "A \\| B <b>" in "\n".join(lines)


def test_faults_are_listed_by_file(evaluation: Evaluation) -> None:
    table = fault_table(evaluation)

    assert table is not None
    assert len(table.rows) == 48
    assert table.rows[0] == ("A | B <b>", "pipes/t00-0.wav", "missing", "cannot be read")


def test_numbers_are_written_as_in_a_journal(evaluation: Evaluation) -> None:
    r = evaluation.of("music", "musicnn").scores["arousal_r"]
    distance = evaluation.of("music", "musicnn").scores["distance"]

    assert re.fullmatch(r"\.\d\d \[\.\d\d,\u00a0\.\d\d\]", value(r))
    assert re.fullmatch(r"0\.\d\d \[0\.\d\d,\u00a00\.\d\d\]", value(distance))


def test_a_grid_without_base_or_ceiling_says_so() -> None:
    found = evaluate(heard([(system("only", Role.SYSTEM), {"level": pull(0, 0)})], n_seeds=1), 20, 0)

    for text in (render_page(found, []), render_markdown(found)):
        assert "Nothing was compared: the grid has no base, or no system beside it." in text
        assert "No music with known places was heard" in text
