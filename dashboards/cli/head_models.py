"""Essentia's heads in `isopath models`: listed, fetched and verified beside the music models."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from dashboards.cli.arguments import say
from study.errors import UnknownName

if TYPE_CHECKING:
    from analysis.mer.essentia.catalogue import EssentiaModel

PREFIX = "essentia/"
"""What the names of all of them begin with."""

_BYTES_OF_A_GIGABYTE = 1e9


def listed(models_dir: Path | None) -> list[dict[str, Any]]:
    """The facts of every head and backbone, as `isopath models list --json` prints them."""
    from analysis.mer.essentia.catalogue import load_models

    return [_facts(model, models_dir) for model in load_models().values()]


def fetch(
    name: str, revision: str | None, accepts_licence: bool, models_dir: Path | None, json: bool
) -> None:
    """Fetch one from Essentia's server, if its licence is accepted."""
    from analysis.mer.essentia.catalogue import AUTHORS, LICENCE
    from analysis.mer.essentia.fetch import fetch_model

    if revision is not None:
        raise UnknownName(
            "--revision", f"{name} has none", "leave it out; the version is the name's last number"
        )
    kept = fetch_model(name, accepts_licence, models_dir)
    digest = f"SHA-256 {kept.sha256[kept.model.graph_file]} ({kept.held_to})"
    say(
        f"{name} is in {kept.graph.parent}, {digest}. Licence: {LICENCE}, {AUTHORS}.",
        json,
        _facts(kept.model, models_dir) | {"files": dict(kept.sha256), "held_to": kept.held_to},
    )


def verify(name: str, models_dir: Path | None, json: bool) -> None:
    """Hash its files again, and read a head's graph."""
    from analysis.mer.essentia.fetch import verify_model
    from analysis.mer.essentia.store import find_model

    digests = verify_model(name, models_dir)
    kept = find_model(name, models_dir)
    lines = [f"{digest}  {file}" for file, digest in digests.items()]
    if kept.held_to == "nothing":
        lines.append(f"{name}: nothing is pinned or locked; keep these digests to compare with later.")
    else:
        lines.append(f"{name}: its graph is what is {kept.held_to}.")
    facts = _facts(kept.model, models_dir) | {"files": digests, "held_to": kept.held_to}
    say("\n".join(lines), json, facts)


def _facts(model: EssentiaModel, models_dir: Path | None) -> dict[str, Any]:
    from analysis.mer.essentia.catalogue import LICENCE
    from analysis.mer.essentia.store import folder_of, graph_here

    graph = graph_here(model, models_dir)
    here = None
    if graph is not None:
        place = "store" if graph.parent == folder_of(model, models_dir) else "your folder"
        here = {"place": place, "folder": str(graph.parent)}
    return {
        "name": model.name,
        "kind": f"valence-arousal {model.kind}" if model.kind == "head" else model.kind,
        "licence": LICENCE,
        "gigabytes": None if model.bytes is None else model.bytes / _BYTES_OF_A_GIGABYTE,
        "address": f"{model.address}.pb",
        "pinned_sha256": {model.graph_file: model.sha256} if model.sha256 else {},
        "here": here,
    }
