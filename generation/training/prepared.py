"""The first half of a training: music read, checked, cut, labelled and described. It needs no torch."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

from generation.engine import AffectJudge
from generation.training.corpora.data_card import DataCard, data_card
from generation.training.corpora.data_card_markdown import data_card_markdown
from generation.training.corpora.data_picture import draw_data_card
from generation.training.corpora.probe import probed
from generation.training.corpora.read import read_corpus
from generation.training.corpora.windows import NEEDED, crops_of
from generation.training.crops import LabelledCrops
from generation.training.labelled_file import CROPS_FILE, write_labelled
from generation.training.labels.label import label_crops
from generation.training.recipe import Recipe
from generation.training.run_folder import RunFolder, write_faults
from generation.training.stages import Stages
from generation.training.tracks import Corpus, Fault
from study.errors import IsopathError, OutOfRange, refuse
from study.folder import write_whole

CARD_JSON, CARD_MARKDOWN, CARD_PICTURE = "card.json", "card.md", "card.png"


@dataclass(frozen=True)
class Prepared:
    """Music that can be learned from.

    Args:
        corpus: the tracks that can be decoded.
        labelled: the windows that have what the recipe wants of them.
        card: of both.
        faults: everything that cannot be used, or only in part; the labels' included.
    """

    corpus: Corpus
    labelled: LabelledCrops
    card: DataCard
    faults: tuple[Fault, ...]


def prepare(
    recipe: Recipe, folder: RunFolder, judge_of: Callable[[str], AffectJudge], stages: Stages
) -> Prepared:
    """Read, check, cut and label the music of a recipe, and write its data card and faults.

    What decoding and the predictor found is kept in the folder; a second call takes it from there.

    Raises:
        IsopathError: the data set's tables are none, a split is empty, or the folder cannot be written.
    """
    with stages.stage("reading the tables"):
        corpus = read_corpus(recipe.data, recipe.seed)
    with stages.stage("decoding the music") as progress:
        corpus = probed(corpus, folder.data, progress)
    crops, too_short = crops_of(corpus, recipe.data)
    corpus = replace(corpus, faults=(*corpus.faults, *too_short))
    with stages.stage("labelling") as progress:
        source = recipe.labels
        judge = judge_of(source.predictor) if source.predictor is not None else None
        labelled = label_crops(corpus, crops, recipe, judge, folder.data / "labels", progress)
    with stages.stage("writing the data card"):
        faults = (*corpus.faults, *labelled.faults)
        write_faults(folder.faults, faults)
        write_labelled(folder.data / CROPS_FILE, corpus, labelled)
        card = data_card(corpus, labelled)
        content = json.dumps(card.to_json(), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
        write_whole(folder.data / CARD_JSON, content.encode())
        write_whole(folder.data / CARD_MARKDOWN, data_card_markdown(card).encode())
        draw_data_card(card, folder.data / CARD_PICTURE)
    check_splits(labelled, faults, recipe.data.path)
    return Prepared(corpus, labelled, card, faults)


def check_splits(labelled: LabelledCrops, faults: tuple[Fault, ...], where: str) -> None:
    """Refuse to train or validate on nothing.

    Args:
        where: for the message.

    Raises:
        OutOfRange, Refusals: no window is left in a split that is needed; says what was lost.
    """
    lost = Counter(fault.kind.value for fault in faults if not fault.is_kept)
    told = ", ".join(f"{count:,} {kind}" for kind, count in sorted(lost.items())) or "nothing"
    refusals: list[IsopathError] = [
        OutOfRange(
            f"{where}, split {split.value}",
            f"no window of it can be learned from; lost: {told}",
            "look at faults.csv in the run's folder, and mend or label tracks of this split",
        )
        for split in NEEDED
        if not labelled.of(split)
    ]
    refuse(refusals)
