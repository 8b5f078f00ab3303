"""The models isopath knows by name: where they come from, which revision, under which licence.

The data are in ``catalogue.json``. A revision is pinned where public texts state it, a SHA-256
likewise; what is not pinned is held to what the first fetch found (`model_fetch`).
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


@dataclass(frozen=True)
class CatalogueModel:
    """One known model.

    Args:
        name: as protocols and commands write it.
        repository: on the Hugging Face hub.
        kind: ``musicgen``, or a part that audiocraft's checkpoints leave out:
            ``text encoder``, ``audio codec``.
        licence: of the weights.
        revision: the pinned commit; None where none is known.
        gigabytes: of the files to fetch, about, if they hold float32.
        sha256: pinned digests, by file.
    """

    name: str
    repository: str
    kind: str
    licence: str
    revision: str | None
    gigabytes: float
    sha256: Mapping[str, str]

    @property
    def required_files(self) -> tuple[str, ...]:
        """The files a folder of this model must hold beside its weights."""
        if self.kind == "audio codec":
            return ("config.json",)
        if self.kind == "text encoder":
            return ("config.json", "tokenizer.json")
        return ("config.json", "tokenizer.json", "tokenizer_config.json")

    @property
    def wanted_files(self) -> tuple[str, ...]:
        """The required files, and those taken too where the repository has them."""
        return (
            *self.required_files,
            *(() if "tokenizer_config.json" in self.required_files else ("tokenizer_config.json",)),
            "README.md",
            "generation_config.json",
            "preprocessor_config.json",
            "special_tokens_map.json",
            "spiece.model",
        )


@cache
def load_catalogue() -> Mapping[str, CatalogueModel]:
    """Every known model, by name."""
    text = (files(__package__) / "catalogue.json").read_text(encoding="utf-8")
    entries: dict[str, dict[str, Any]] = json.loads(text)
    return MappingProxyType({name: CatalogueModel(name=name, **entry) for name, entry in entries.items()})


def catalogue_model(name: str) -> CatalogueModel:
    """The model of that name.

    Raises:
        UnknownName: there is none.
    """
    models = load_catalogue()
    if name not in models:
        raise UnknownName("model", f"{name!r} is not a model of the catalogue", "write " + ", ".join(models))
    return models[name]
