"""What labels or selects a training may not report on it, nor may what hears with the same."""

from __future__ import annotations

from dataclasses import replace

import pytest

from analysis.mer.registry import ingredients
from generation.training.labels.independence import check_independence
from generation.training.recipe import DataRecipe, LabelRecipe, Recipe, SelectionRecipe
from study.errors import Refusals, UnknownName
from study.plugins import PREDICTORS, installed_names


def asked(labels: str | None, selection: str | None, reported_by: str) -> Recipe:
    source = LabelRecipe("predictor", predictor=labels) if labels else LabelRecipe("table")
    made = Recipe("made", "tiny", DataRecipe("table", "t.csv"), source, reported_by=reported_by)
    return replace(made, selection=SelectionRecipe(predictor=selection))


@pytest.mark.parametrize(
    ("labels", "selection", "reported_by"),
    [
        (None, None, "musicnn"),
        ("cues", None, "musicnn"),
        ("cues", "cues", "musicnn"),
        ("musicnn", "essentia-deam", "cues"),
        ("essentia-deam-vggish", "cues", "musicnn"),
        ("somebodys", "somebody-elses", "musicnn-cues"),
    ],
)
def test_predictors_that_share_nothing_may_label_and_report(
    labels: str | None, selection: str | None, reported_by: str
) -> None:
    check_independence(asked(labels, selection, reported_by), ingredients)


@pytest.mark.parametrize(
    ("labels", "reported_by"),
    [
        ("musicnn-cues", "musicnn"),
        ("musicnn-cues", "cues"),
        ("musicnn", "musicnn-cues"),
        ("essentia", "musicnn"),
        ("musicnn", "essentia-muse"),
        ("essentia-deam-vggish", "essentia-emomusic-vggish"),
        ("somebodys", "somebodys"),
    ],
)
def test_predictors_that_share_what_they_hear_with_are_one(labels: str, reported_by: str) -> None:
    with pytest.raises(UnknownName):
        check_independence(asked(labels, None, reported_by), ingredients)
    with pytest.raises(UnknownName):
        check_independence(asked(None, labels, reported_by), ingredients)


def test_the_refusal_says_why_in_one_sentence_for_each_place() -> None:
    with pytest.raises(Refusals) as caught:
        check_independence(asked("musicnn", "essentia", "musicnn"), ingredients)

    assert str(caught.value).splitlines() == [
        'labels.predictor: "musicnn" is also reported_by, and a model whose training it labels learns to'
        " please it: its own report would be too good; name a predictor that shares nothing with it in one of"
        " the two places",
        'selection.predictor: "essentia" hears with what reported_by "musicnn" hears with (msd-musicnn), and'
        " a model that it selects among checkpoints is the one it likes best: its own report would be too"
        " good; name a predictor that shares nothing with it in one of the two places",
    ]


@pytest.mark.parametrize(("reported_by", "is_refused"), [("musicnn", False), ("cues", True)])
def test_who_reads_the_composers_cues_may_not_report_on_what_learned_from_it(
    reported_by: str, is_refused: bool
) -> None:
    composed = LabelRecipe("table", perspective="intended", intended_by="composer")
    recipe = replace(asked(None, None, reported_by), labels=composed)

    if is_refused:
        with pytest.raises(UnknownName, match="learned from the composer learned to set its cues"):
            check_independence(recipe, ingredients)
    else:
        check_independence(recipe, ingredients)


def test_every_installed_predictor_has_its_ingredients() -> None:
    ours = {name: ingredients(name) for name in installed_names(PREDICTORS)}

    assert ours["musicnn"] == ours["essentia"] == ours["essentia-deam"] == {"msd-musicnn"}
    assert ours["essentia-muse-vggish"] == {"audioset-vggish"}
    assert ours["cues"] == {"cues"}
    assert ours["musicnn-cues"] == {"msd-musicnn", "cues"}
    assert ingredients("somebodys") == {"somebodys"}
