"""The models of Essentia that isopath knows by name: addresses, sizes, digests.

The data are in ``catalogue.json``. Addresses and sizes are those of the listings at
https://essentia.upf.edu/models/ (dated 2023-05-16), as public copies of them had them on
2026-11-23. The digest of emomusic-msd-musicnn-1 is of the file in MTG/essentia-models at
commit c298db0; those of emomusic-msd-musicnn-2, deam-msd-musicnn-2 and msd-musicnn-1 stand in
several public programs that do not depend on each other, that of deam-audioset-vggish-2 in one.
What is not pinned is held to what the first fetch found.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from study.errors import UnknownName

LICENCE = "CC BY-NC-SA 4.0"
LICENCE_ADDRESS = "https://creativecommons.org/licenses/by-nc-sa/4.0/"
AUTHORS = "Music Technology Group, Universitat Pompeu Fabra"
BASE_ADDRESS = "https://essentia.upf.edu/models/"


@dataclass(frozen=True)
class EssentiaModel:
    """One known model: a graph (``.pb``) and its metadata (``.json``).

    Args:
        name: as commands write it, e.g. ``essentia/deam-msd-musicnn-2``.
        address: of both files, without their endings.
        kind: ``head`` or ``backbone``.
        ratings: the rated music a head was fitted to; None for a backbone.
        backbone: ``msd-musicnn`` or ``audioset-vggish``.
        generation: the last number of the name.
        bytes: of the graph; None where no public listing was found.
        sha256: of the graph; None where none is known.
    """

    name: str
    address: str
    kind: str
    ratings: str | None
    backbone: str
    generation: int
    bytes: int | None
    sha256: str | None

    @property
    def stem(self) -> str:
        """Its files' name without ending."""
        return self.name.partition("/")[2]

    @property
    def graph_file(self) -> str:
        """The name of its graph."""
        return f"{self.stem}.pb"

    @property
    def metadata_file(self) -> str:
        """The name of its metadata."""
        return f"{self.stem}.json"


@cache
def load_models() -> Mapping[str, EssentiaModel]:
    """Every known model, by name."""
    text = (files(__package__) / "catalogue.json").read_text(encoding="utf-8")
    entries: dict[str, dict[str, Any]] = json.loads(text)
    return MappingProxyType({name: EssentiaModel(name=name, **entry) for name, entry in entries.items()})


def model_named(name: str) -> EssentiaModel:
    """The model of that name.

    Raises:
        UnknownName: there is none.
    """
    models = load_models()
    if name not in models:
        raise UnknownName("model", f"{name!r} is not a model of the catalogue", "write " + ", ".join(models))
    return models[name]


def heads_of(ratings: str, backbone: str) -> tuple[EssentiaModel, ...]:
    """The heads fitted to some rated music on a backbone, the latest generation first."""
    found = [m for m in load_models().values() if (m.ratings, m.backbone) == (ratings, backbone)]
    return tuple(sorted(found, key=lambda model: -model.generation))


def backbone_of(backbone: str) -> EssentiaModel:
    """The graph that makes a backbone's embeddings."""
    return next(m for m in load_models().values() if m.kind == "backbone" and m.backbone == backbone)
