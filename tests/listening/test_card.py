"""docs/mer.md is made of docs/mer.json, and of the predictors that are in the tree."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import Any

import pytest

from analysis.mer.registry import EMBEDDED, load_predictor
from study.errors import ModelError
from tests.listening import one_knob
from tests.listening.bars import verdicts
from tests.listening.card import DOCS, own_cards, reworded, to_markdown
from tests.listening.card_tables import bars_summary
from tests.listening.drawings import figures_of
from tests.listening.knob_tables import confound_table

REMEDY = "run make validate-mer (python -m tests.listening.card --words where only sentences changed)"


@pytest.fixture(scope="module")
def content() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((DOCS / "mer.json").read_text(encoding="utf-8"))
    return found


def test_the_page_is_what_the_program_makes_of_the_figures(content: dict[str, Any]) -> None:
    assert (DOCS / "mer.md").read_text(encoding="utf-8") == to_markdown(content)


def test_the_card_is_of_the_predictors_in_the_tree(content: dict[str, Any]) -> None:
    # Weights, version, limits, licences: whatever of them changes, figures may be others.
    for name, card in own_cards().items():
        assert content["predictors"][name] == json.loads(json.dumps(asdict(card))), REMEDY


def test_sentences_may_be_taken_anew_but_not_those_of_other_weights(content: dict[str, Any]) -> None:
    card = load_predictor("cues").card

    again = reworded(content, {"cues": replace(card, limits=("Another limit.",))})

    assert again["predictors"]["cues"]["limits"] == ["Another limit."]
    assert again["halves"] == content["halves"]
    for other in (replace(card, version="0"), replace(card, weights_sha256={})):
        with pytest.raises(ModelError, match="make validate-mer"):
            reworded(content, {"cues": other})


def test_two_sounds_heard_anew_give_the_figures_of_the_card(content: dict[str, Any]) -> None:
    # A change that no version tells of would show here.
    sounds = {sound.sound_id: sound for sound in one_knob.sounds()}
    predictors = [load_predictor(name) for name in EMBEDDED]

    for sound_id, before in content["heard_anew"].items():
        samples, rate_hz = sounds[sound_id].sound()
        for predictor in predictors:
            series = predictor.predict(samples, rate_hz)
            now = [series.valence_pred.mean(), series.arousal_pred.mean()]
            # Files were rounded to four digits; processors differ in the last ones of a float32.
            assert now == pytest.approx(before[predictor.card.name], abs=2e-3), REMEDY


def test_every_picture_of_the_page_is_there(content: dict[str, Any]) -> None:
    page = to_markdown(content)

    for image in figures_of(content):
        assert f"(figures/{image.figure_id}.svg)" in page
        assert (DOCS / "figures" / f"{image.figure_id}.svg").is_file()
        assert page.count(image.title) == 1


def area(estimate: float) -> dict[str, float]:
    return {"estimate": estimate, "ci_low": estimate - 0.1, "ci_high": estimate + 0.1}


def bars_of(arousal: float, valence: float, r: float, mode: float) -> list[bool]:
    content = {
        "halves": {
            "validate": {
                "cues": {"arousal": area(arousal), "valence": area(valence), "v_a_correlation": area(r)}
            }
        },
        "one_knob": [{"knob": "mode", "predictor": "cues", "valence": area(mode)}],
    }
    return [verdict.is_met for verdict in verdicts(content, "validate")["cues"]]


def test_a_bar_is_met_at_its_value_and_missed_just_below() -> None:
    assert bars_of(0.90, 0.85, 0.599, 0.1001) == [True, True, True, True]
    assert bars_of(0.8999, 0.8499, 0.6, 0.0999) == [False, False, False, False]
    assert bars_of(0.95, 0.95, -0.61, 0.5) == [True, True, False, True]


def test_a_bar_that_all_miss_is_told_so_and_what_is_compared_with_meets_none_for_us(
    content: dict[str, Any],
) -> None:
    own = {"arousal": area(0.5), "valence": area(0.9), "v_a_correlation": area(0.0)}
    other = {"arousal": area(0.99), "valence": area(0.99), "v_a_correlation": area(0.0)}
    made = {
        "halves": {"validate": {"cues": own, "other": other}},
        "one_knob": [{"knob": "mode", "predictor": name, "valence": area(0.5)} for name in ("cues", "other")],
    }

    lines = bars_summary(made, "validate").splitlines()

    assert lines[0] == "- arousal: area ≥ .90: **missed by all** (the best: `cues`, .50 [.40, .60])"
    assert lines[1] == "- valence: area ≥ .85: met by `cues`"


def test_no_multiple_of_a_mode_that_may_be_zero_is_told() -> None:
    def rows(mode_low: float) -> list[dict[str, Any]]:
        mode = {"estimate": 0.1, "ci_low": mode_low, "ci_high": 0.2}
        moved = {"knob": "mode", "predictor": "cues", "valence": mode}
        others = [
            {**moved, "knob": knob, "valence": area(-0.3)} for knob in ("strings", "synthesiser", "drums")
        ]
        return [moved, *others]

    assert "| −.30 (3.0 ×) |" in confound_table({"one_knob": rows(0.01)})
    assert "×" not in confound_table({"one_knob": rows(-0.01)})


def test_the_limits_of_every_predictor_are_on_the_page(content: dict[str, Any]) -> None:
    page = (DOCS / "mer.md").read_text(encoding="utf-8")

    for name in EMBEDDED:
        for limit in load_predictor(name).card.limits:
            assert f"- {limit} (" in page


def test_without_game_music_the_page_has_no_areas_and_says_nothing_of_bars(content: dict[str, Any]) -> None:
    bare = {
        key: value for key, value in content.items() if key not in ("halves", "labels", "tracks", "foreign")
    }

    page = to_markdown(bare)

    assert "## The bars" not in page
    assert "ROC" not in page
    assert "## One knob at a time" in page
