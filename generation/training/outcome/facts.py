"""What is known of a training when it is done: what its card and its summary are written from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from generation.training.recipe import Recipe


@dataclass(frozen=True)
class BaseModel:
    """The model that was trained on top of.

    Args:
        name: as adapters name it.
        revision: the hub's commit; None for a folder.
        sha256: weight file to its SHA-256.
    """

    name: str
    revision: str | None
    licence: str
    sha256: Mapping[str, str]


@dataclass(frozen=True)
class TrainingFacts:
    """A training that is done.

    Args:
        licence: of what it made.
        data: the data card as JSON; `data_markdown`: the same for people.
        corpus: the data set's name.
        data_licences: of its parts and tracks.
        label_source: one sentence; `perspective`: of the labels.
        predictors: predictor to the parts it had: ``labels``, ``selection``.
        learned: steps, losses and which checkpoint was taken.
        software: library to version.
        device: as it names itself.
        n_processes: that learned together.
        seconds: stage to how long it took, in the run that did it.
    """

    recipe: Recipe
    licence: str
    base: BaseModel
    corpus: str
    data: Mapping[str, Any]
    data_markdown: str
    data_licences: Mapping[str, str]
    label_source: str
    perspective: str
    predictors: Mapping[str, tuple[str, ...]]
    learned: Mapping[str, Any]
    software: Mapping[str, str]
    device: str
    n_processes: int
    seconds: Mapping[str, float]
