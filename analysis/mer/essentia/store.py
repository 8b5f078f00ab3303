"""Where Essentia's models are on this machine, what they must be, and how to get them.

They are looked for in the folder that ``ISOPATH_ESSENTIA_MODELS`` names, where all files lie
side by side as Essentia's own examples have them, and then in the folder of weights, where each
model has a folder of its name.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from analysis.mer.essentia.catalogue import AUTHORS, LICENCE, EssentiaModel, model_named
from study.errors import ModelError
from study.folder import file_sha256
from study.model_folder import check_digests, models_folder, read_lock

FOLDER_VARIABLE = "ISOPATH_ESSENTIA_MODELS"


@dataclass(frozen=True)
class KeptModel:
    """A model found on this machine, its bytes held to what is known of them.

    Args:
        graph: its ``.pb`` file.
        metadata: its ``.json`` file; None where there is none.
        sha256: file name to SHA-256, as found.
        held_to: ``pinned`` or ``locked`` digests; ``nothing`` where none is known.
    """

    model: EssentiaModel
    graph: Path
    metadata: Path | None
    sha256: Mapping[str, str]
    held_to: str


def folder_of(model: EssentiaModel, models_dir: Path | None = None) -> Path:
    """Where a model is kept in the folder of weights."""
    return models_folder(models_dir) / model.name


def graph_here(model: EssentiaModel, models_dir: Path | None = None) -> Path | None:
    """A model's graph on this machine; None where it is not here. Looks at no byte of it."""
    named = os.environ.get(FOLDER_VARIABLE) if models_dir is None else None
    folders = [Path(named).expanduser()] if named else []
    for folder in (*folders, folder_of(model, models_dir)):
        if (folder / model.graph_file).is_file():
            return folder / model.graph_file
    return None


def find_model(name: str, models_dir: Path | None = None) -> KeptModel:
    """A model of the catalogue on this machine.

    Raises:
        UnknownName: not in the catalogue.
        ModelError: it is not here, and says how to get it; or a file is not what is pinned or locked.
    """
    model = model_named(name)
    graph = graph_here(model, models_dir)
    if graph is None:
        raise ModelError(name, "it is not on this machine", how_to_get([model], models_dir))
    metadata = graph.with_name(model.metadata_file)
    present = [file for file in (graph, metadata) if file.is_file()]
    try:
        sha256 = {file.name: file_sha256(file) for file in present}
    except OSError as problem:
        raise ModelError(
            str(problem.filename), "it cannot be read", "give yourself the right to read it"
        ) from problem
    lock = read_lock(graph.parent)
    locked = {file: str(entry["sha256"]) for file, entry in lock["files"].items()} if lock else {}
    pinned = {model.graph_file: model.sha256} if model.sha256 else {}
    remedy = f"delete it and fetch it again: isopath models fetch {name}"
    check_digests(graph.parent, sha256, {**locked, **pinned}, remedy)
    held_to = "pinned" if pinned else "locked" if model.graph_file in locked else "nothing"
    return KeptModel(model, graph, metadata if metadata in present else None, sha256, held_to)


def how_to_get(models: Sequence[EssentiaModel], models_dir: Path | None = None) -> str:
    """What a person does to have one of some models: the command, or which files to put where."""
    first = models[0]
    choice = " (or " + ", ".join(model.name for model in models[1:]) + ")" if models[1:] else ""
    return f"run isopath models fetch {first.name}{choice} --accept-licence; {by_hand(models, models_dir)}"


def by_hand(models: Sequence[EssentiaModel], models_dir: Path | None = None) -> str:
    """Which files to put where on a machine without network."""
    first = models[0]
    digests = ", ".join(
        f"{model.graph_file} must have SHA-256 {model.sha256}"
        if model.sha256
        else f"{model.graph_file} has no pinned SHA-256 and is locked by the first fetch"
        for model in models
    )
    others = "".join(f", or the same two files of {model.address}.*," for model in models[1:])
    return (
        f"or, on a machine without network, put {first.address}.pb and {first.address}.json{others} into "
        f"{folder_of(first, models_dir)} (a folder of its own for each model), or into one folder that "
        f"{FOLDER_VARIABLE} names; {digests}. "
        f"Licence: {LICENCE} ({AUTHORS}), no commercial use"
    )
