"""Every window of a corpus with its place on the plane and its words, or with the reason why it has none."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from generation.engine import AffectJudge, Progress
from generation.training.crops import Crop, LabelledCrop, LabelledCrops
from generation.training.labels.heard import heard_places
from generation.training.labels.places import Places, no_places, stated_places
from generation.training.labels.tag_table import load_tag_table
from generation.training.labels.tagged import tagged_places
from generation.training.labels.words import Words
from generation.training.recipe import Recipe
from generation.training.tracks import Corpus, Fault, FaultKind, Track
from study.errors import OutOfRange, UnknownName
from study.protocol_file.text import did_you_mean, shown


def label_crops(
    corpus: Corpus,
    crops: Sequence[Crop],
    recipe: Recipe,
    judge: AffectJudge | None,
    kept_in: Path,
    progress: Progress,
    jobs: int = 1,
) -> LabelledCrops:
    """Label the windows as the recipe says.

    Args:
        crops: windows of the corpus's tracks.
        judge: the predictor that `recipe.labels` names; other sources do not ask it.
        kept_in: folder; what a predictor heard is kept there, so that a killed run goes on from it.
        jobs: processes in which a predictor hears; they are spawned, so with more than 1 the program that
            calls this must be importable.

    Returns:
        The windows that have what the recipe wants of them. A window without a place, where the recipe takes
        places from somewhere, is in the faults; so is a track that has no words where it wants words, which
        is kept as long as it has a place.

    Raises:
        UnknownName: a source or words of no known kind, no such prompt table, or another judge than named.
        StorageError: the tag table, the prompt table or what is kept cannot be read or written.
        OutOfRange, Refusals: what is wrong in the tag table.
        ModelError, DeviceError: the predictor cannot hear.
    """
    words = Words(recipe.conditioning)
    tracks = {track.track_id: track for track in corpus.tracks}
    of_crops = tuple(tracks[crop.track_id] for crop in crops)
    places = _places(corpus, crops, of_crops, recipe, judge, kept_in, progress, jobs)
    labelled: list[LabelledCrop] = []
    wordless: dict[str, Fault] = {}
    for crop, track, affect in zip(crops, of_crops, places.affects, strict=True):
        if affect is None and recipe.labels.source != "none":
            continue
        text = words.of(track, affect)
        if not text and words.kind != "none":
            wordless.setdefault(track.track_id, _without_words(track, words, is_kept=affect is not None))
        if text or affect is not None or words.kind == "none":
            labelled.append(LabelledCrop(crop, affect, text))
    progress(1.0)
    predictor = recipe.labels.predictor if recipe.labels.source == "predictor" else None
    faults = (*places.faults, *wordless.values())
    return LabelledCrops(tuple(labelled), faults, places.source, predictor, places.perspective)


def _places(
    corpus: Corpus,
    crops: Sequence[Crop],
    of_crops: tuple[Track, ...],
    recipe: Recipe,
    judge: AffectJudge | None,
    kept_in: Path,
    progress: Progress,
    jobs: int,
) -> Places:
    labels = recipe.labels
    sources: Mapping[str, Callable[[], Places]] = {
        "table": lambda: stated_places(corpus, of_crops, labels.perspective),
        "tags": lambda: tagged_places(of_crops, load_tag_table(labels.tag_table)),
        "predictor": lambda: heard_places(
            crops, of_crops, _named(judge, labels.predictor), kept_in, progress, jobs
        ),
        "none": lambda: no_places(tuple(crops)),
    }
    if labels.source not in sources:
        raise UnknownName(
            "labels.source",
            f"{shown(labels.source)} is not known here",
            did_you_mean(labels.source, tuple(sources)) + "write one of " + ", ".join(sources),
        )
    wants_places = recipe.conditioning.affect or recipe.conditioning.words == "table"
    if labels.source == "none" and wants_places:
        raise OutOfRange(
            "labels.source",
            "is none, and conditioning wants a place for every window",
            "name a source of labels, or train without affect and without the words of a prompt table",
        )
    return sources[labels.source]()


def _named(judge: AffectJudge | None, predictor: str | None) -> AffectJudge:
    if judge is None or judge.name != predictor:
        given = "none" if judge is None else shown(judge.name)
        raise UnknownName(
            "labels.predictor",
            f"is {shown(predictor)}, and {given} was given to hear the windows",
            "give the predictor that the recipe names",
        )
    return judge


def _without_words(track: Track, words: Words, is_kept: bool) -> Fault:
    told = "trained without words" if is_kept else "nothing is said about it, neither words nor a place"
    return Fault(
        track.track_id, str(track.path), FaultKind.NO_LABEL, f"it has no {words.missing}: {told}", is_kept
    )
