"""docs/generator.md is made of docs/generator.json, and its figures of the points that stand there."""

from __future__ import annotations

import json
import re
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from analysis.generator.evaluation import evaluate
from analysis.generator.heard import HeardClip, HeardGrid
from analysis.mer.comparison import HeardMean
from generation.clip_grid import ClipGrid, GridClip, GridSystem, Part, Role
from study.affect import Affect
from tests.nano.card import DOCS, to_markdown
from tests.nano.card_tables import answer
from tests.nano.report import DATA, FIGURE

pytestmark = pytest.mark.torch

REMEDY = "run make nano (python -m tests.nano.card where only the page's words changed)"


@pytest.fixture(scope="module")
def content() -> dict[str, Any]:
    if not (DOCS / DATA).is_file():
        pytest.skip("docs/generator.json is not there: make nano has not been run")
    found: dict[str, Any] = json.loads((DOCS / DATA).read_text(encoding="utf-8"))
    return found


def heard_again(evaluation: dict[str, Any]) -> HeardGrid:
    """The grid and what was heard, as the report's points have them."""
    systems = tuple(
        GridSystem(
            name=one["name"],
            title=one["title"],
            took_part={name: tuple(map(Part, parts)) for name, parts in one["took_part"].items()},
            role=Role(one["role"]),
            ceilings=tuple(one["ceilings"]),
        )
        for one in evaluation["systems"]
    )
    clips = tuple(
        HeardClip(
            GridClip(
                one["system"], one["target_id"], Affect(**one["target"]), one["seed"], "", "", 10.0, -23.0
            ),
            {name: HeardMean(**mean) for name, mean in one["by"].items()},
        )
        for one in evaluation["points"]
    )
    cards: Any = tuple(SimpleNamespace(name=card["name"]) for card in evaluation["predictors"])
    grid = ClipGrid(evaluation["name"], systems, tuple(one.clip for one in clips))
    return HeardGrid(grid, cards, clips)


def test_the_page_is_what_the_program_makes_of_the_report(content: dict[str, Any]) -> None:
    assert (DOCS / "generator.md").read_text(encoding="utf-8") == to_markdown(content), REMEDY


def test_the_scores_are_those_of_the_points(content: dict[str, Any]) -> None:
    told = content["evaluation"]

    again = evaluate(heard_again(told), n_bootstrap=20)

    scores = {(one["system"], one["predictor"], one["measure"]): one["estimate"] for one in told["scores"]}
    for own in again.scores:
        for name, score in own.scores.items():
            assert score.estimate == pytest.approx(scores[own.system, own.predictor, name], abs=1e-9), REMEDY
    parts = {
        (one["system"], one["predictor"]): [part["part"] for part in one["parts"]] for one in told["scores"]
    }
    for own in again.scores:
        assert [str(one.part) for one in own.parts] == parts[own.system, own.predictor]


def test_whoever_reports_had_no_part_in_anything(content: dict[str, Any]) -> None:
    assert all("musicnn" not in one["took_part"] for one in content["evaluation"]["systems"])
    assert all(not one["predictors"].get("musicnn") for one in content["trainings"])


def test_every_system_but_the_base_is_marked_where_its_labeller_hears_it(content: dict[str, Any]) -> None:
    marked = {
        one["system"]
        for one in content["evaluation"]["scores"]
        if one["predictor"] == "cues" and one["parts"]
    }
    systems = {one["name"] for one in content["evaluation"]["systems"]}

    assert systems - marked == {"base-words", "base-numeric"}


def test_every_figure_of_the_page_is_there(content: dict[str, Any]) -> None:
    page = to_markdown(content)

    for figure in content["told"]["figures"]:
        assert f"(figures/{FIGURE}{figure['figure_id']}.svg)" in page
        assert (DOCS / "figures" / f"{FIGURE}{figure['figure_id']}.svg").is_file()


def test_no_path_of_a_machine_is_told(content: dict[str, Any]) -> None:
    text = (DOCS / DATA).read_text(encoding="utf-8")

    assert re.search(r'"/(?:tmp|home|work|root|Users)/', text) is None


def test_ceilings_come_before_any_score(content: dict[str, Any]) -> None:
    page = to_markdown(content)

    assert page.index("## First: what can be heard at all") < page.index("## The claim to test")
    assert page.index("## The claim to test") < page.index("## The table")


def test_the_page_is_whole_without_game_music(content: dict[str, Any]) -> None:
    games = {**content["corpora"]["games"], "tracks": 0}
    bare = {**content, "corpora": {**content["corpora"], "games": games}}

    assert "could not be fetched on this machine" in to_markdown(bare)


def claimed(kind: str, summary: str, predictor: str = "musicnn") -> dict[str, Any]:
    head = f"LoRA + V/A against base with words, heard by {predictor} at 16 targets"
    return {"told": {"claims": [{"head": head, "summary": summary, "kind": kind, "text": ""}]}}


@pytest.mark.parametrize(
    ("kind", "summary", "word"),
    [
        ("better", "better in 5 of 5 measures", "**yes** "),
        ("better", "better in 2, no claim in 3 of 5 measures", "**yes, in part** "),
        ("worse", "worse in 1, not shown in 4 of 5 measures", "**no, the contrary** "),
        (
            "mixed",
            "better in 1, worse in 4 of 5 measures",
            "**in some respects, and the contrary in others** ",
        ),
        ("undecided", "not shown in 5 of 5 measures", "**not shown** "),
        ("no claim", "no claim", "**cannot be said here** "),
    ],
)
def test_the_answer_to_the_claim_is_no_better_than_its_verdicts(kind: str, summary: str, word: str) -> None:
    assert word in answer(claimed(kind, summary))
    assert answer(claimed(kind, summary, "cues")) == ""
