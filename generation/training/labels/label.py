"""Every window of a corpus with its place on the plane and its words, or with the reason why it has none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from generation.engine import AffectJudge, Progress
from generation.training.crops import Crop, LabelledCrop, LabelledCrops
from generation.training.labels.words import Words
from generation.training.recipe import Recipe
from generation.training.tracks import Corpus, Fault, FaultKind, Track
from study.affect import Affect
from study.errors import IsopathError, OutOfRange, UnknownName, refuse
from study.protocol_file.text import did_you_mean, shown

SOURCES = ("table", "tags", "predictor", "none")
PERSPECTIVES = ("perceived", "intended")


@dataclass(frozen=True)
class Places:
    """Where the windows lie.

    Args:
        affects: of each window, in their order; None where it has no place.
        faults: why.
        source: one sentence: where the places are from.
        perspective: as of `LabelledCrops`.
    """

    affects: tuple[Affect | None, ...]
    faults: tuple[Fault, ...]
    source: str
    perspective: str


def label_crops(
    corpus: Corpus,
    crops: Sequence[Crop],
    recipe: Recipe,
    judge: AffectJudge | None,
    kept_in: Path,
    progress: Progress,
) -> LabelledCrops:
    """Label the windows as the recipe says.

    Args:
        crops: windows of the corpus's tracks.
        judge: the predictor that `recipe.labels` names; not asked by other sources.
        kept_in: folder; what a predictor heard is kept there, so that a killed run goes on from it.

    Returns:
        The windows that have all the recipe wants of them. A window without a place, where the recipe takes
        places from somewhere, is in the faults; so is a track that has no words where it wants words, which
        is kept as long as it has a place.

    Raises:
        UnknownName, OutOfRange: sources and words that are not known or do not go together; several at once.
        StorageError: the tag table, the prompt table or what is kept cannot be read or written.
    """
    refuse(list(_contradictions(recipe, judge)))
    words = Words(recipe.conditioning)
    tracks = {track.track_id: track for track in corpus.tracks}
    of_crops = [tracks[crop.track_id] for crop in crops]
    places = _places(corpus, crops, of_crops, recipe)
    labelled, faults = [], list(places.faults)
    told: set[str] = set()
    for crop, track, affect in zip(crops, of_crops, places.affects, strict=True):
        if affect is None and recipe.labels.source != "none":
            continue
        text = words.of(track, affect)
        if not text and words.kind != "none" and track.track_id not in told:
            told.add(track.track_id)
            faults.append(_without_words(track, words, is_kept=affect is not None))
        if text or words.kind == "none" or affect is not None:
            labelled.append(LabelledCrop(crop, affect, text))
    progress(1.0)
    predictor = recipe.labels.predictor if recipe.labels.source == "predictor" else None
    return LabelledCrops(tuple(labelled), tuple(faults), places.source, predictor, places.perspective)


def _places(corpus: Corpus, crops: Sequence[Crop], tracks: Sequence[Track], recipe: Recipe) -> Places:
    if recipe.labels.source == "table":
        faults = [
            Fault(
                track.track_id,
                str(track.path),
                FaultKind.NO_LABEL,
                "the data set's table states no valence and arousal for it",
            )
            for track in dict.fromkeys(tracks)
            if track.affect is None
        ]
        source = f"Valence and arousal are the data set's own ({corpus.name})."
        affects = tuple(track.affect for track in tracks)
        return Places(affects, tuple(faults), source, recipe.labels.perspective)
    return Places((None,) * len(crops), (), "Trained without valence and arousal.", "none")


def _without_words(track: Track, words: Words, is_kept: bool) -> Fault:
    told = "trained without words" if is_kept else "nothing is said about it, neither words nor a place"
    return Fault(
        track.track_id, str(track.path), FaultKind.NO_LABEL, f"it has no {words.missing}: {told}", is_kept
    )


def _contradictions(recipe: Recipe, judge: AffectJudge | None) -> Sequence[IsopathError]:
    labels, conditioning = recipe.labels, recipe.conditioning
    found: list[IsopathError] = []
    if labels.source not in SOURCES:
        found.append(
            UnknownName(
                "labels.source",
                f"{shown(labels.source)} is not known here",
                did_you_mean(labels.source, SOURCES) + "write one of " + ", ".join(SOURCES),
            )
        )
    if labels.perspective not in PERSPECTIVES:
        found.append(
            UnknownName(
                "labels.perspective",
                f"{shown(labels.perspective)} is not known here",
                did_you_mean(labels.perspective, PERSPECTIVES) + "write one of " + ", ".join(PERSPECTIVES),
            )
        )
    if labels.source == "none" and conditioning.affect:
        found.append(
            OutOfRange(
                "labels.source",
                "is none, and conditioning.affect wants places to learn from",
                "name a source of labels, or write conditioning.affect false",
            )
        )
    if labels.source == "none" and conditioning.words == "table":
        found.append(
            OutOfRange(
                "conditioning.words",
                "is table, which writes words for a place, and labels.source none gives no place",
                "name a source of labels, or other words",
            )
        )
    if labels.source == "predictor" and (judge is None or judge.name != labels.predictor):
        found.append(
            UnknownName(
                "labels.predictor",
                f"is {shown(labels.predictor)}, and {'none' if judge is None else shown(judge.name)} was given"
                " to hear the windows",
                "name an installed predictor (isopath predictors)",
            )
        )
    return found
