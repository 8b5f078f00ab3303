"""Weights fetched from the hub into the store, each byte held against what the hub said it is."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import HfApi, snapshot_download
from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled
from huggingface_hub.hf_api import RepoSibling

from generation.musicgen.store.catalogue import CatalogueModel, catalogue_model
from generation.musicgen.store.digests import git_blob_sha1_of, sha256_of
from generation.musicgen.store.model_store import (
    StoredModel,
    find_model,
    folder_of,
    how_to_get,
    verify_model,
)
from study.errors import ModelError
from study.model_folder import LOCK_FILE, models_folder, write_lock

_WEIGHTS = "model.safetensors"
_INDEX = "model.safetensors.index.json"


@dataclass(frozen=True)
class _Listing:
    """What the hub has at one commit, of what we want.

    Args:
        sha256: of files the hub keeps as large; git_sha1: of the others.
    """

    revision: str
    sha256: Mapping[str, str]
    git_sha1: Mapping[str, str]

    @property
    def files(self) -> list[str]:
        return sorted({*self.sha256, *self.git_sha1})


def fetch_model(name: str, revision: str | None = None, models_dir: Path | None = None) -> StoredModel:
    """Fetch a model into the store; an interrupted fetch goes on where it stopped.

    The folder takes its name when every file is there and has the digest the hub states; a
    pinned digest must agree too. A model that is there already is verified instead.

    Raises:
        UnknownName: not in the catalogue.
        ModelError: no network, no such revision, or a file is not what was stated; says
            which files to put where.
    """
    model = catalogue_model(name)
    folder = folder_of(model, revision, models_dir)
    if (folder / LOCK_FILE).is_file():
        verify_model(name, revision, models_dir)
        return find_model(name, revision, models_dir)
    if folder.is_dir() and any(folder.iterdir()):
        raise ModelError(
            str(folder),
            "files put there by hand are in the way",
            f"verify them (isopath models verify {name}), or delete the folder and fetch again",
        )
    building = folder.with_name(f".{folder.name}.partial")
    try:
        listing = _listed(model, revision)
        building.mkdir(parents=True, exist_ok=True)
        snapshot_download(
            model.repository, revision=listing.revision, local_dir=building, allow_patterns=listing.files
        )
    except (_http_error(), LocalEntryNotFoundError, ConnectionError) as problem:
        raise _not_fetched(model, revision, models_dir, problem) from problem
    _check(building, listing, model, revision)
    _write_lock(building, listing, model)
    shutil.rmtree(building / ".cache", ignore_errors=True)
    if folder.is_dir():
        folder.rmdir()
    building.rename(folder)
    return find_model(name, revision, models_dir)


def _http_error() -> type[Exception]:
    """The root of the network library's errors: httpx's or httpx2's, as the hub's library has it."""
    roots = (kind for kind in HfHubHTTPError.__mro__ if kind.__name__ == "HTTPError")
    return next(kind for kind in roots if issubclass(kind, Exception))


def _listed(model: CatalogueModel, revision: str | None) -> _Listing:
    info = HfApi().model_info(model.repository, revision=revision or model.revision, files_metadata=True)
    there = {sibling.rfilename: sibling for sibling in info.siblings or ()}
    weights = [file for file in there if _is_weight(file, there)]
    wanted = [file for file in model.wanted_files if file in there] + weights
    missing = [file for file in model.required_files if file not in there]
    if missing or not weights or info.sha is None:
        lacking = ", ".join(missing or [_WEIGHTS])
        raise ModelError(
            f"{model.repository} at {info.sha}",
            f"the hub's repository lacks {lacking}",
            "name another revision with --revision",
        )
    large = {file: there[file].lfs for file in wanted}
    return _Listing(
        revision=info.sha,
        sha256={file: entry.sha256 for file, entry in large.items() if entry is not None},
        git_sha1={file: str(there[file].blob_id) for file, entry in large.items() if entry is None},
    )


def _is_weight(file: str, there: Mapping[str, RepoSibling]) -> bool:
    if _WEIGHTS in there:
        return file == _WEIGHTS
    is_shard = file.startswith("model-") and file.endswith(".safetensors")
    return _INDEX in there and (file == _INDEX or is_shard)


def _check(folder: Path, listing: _Listing, model: CatalogueModel, revision: str | None) -> None:
    pinned = model.sha256 if revision in (None, model.revision) else {}
    for file in listing.files:
        path = folder / file
        found = sha256_of(path)
        wrong = file in listing.sha256 and found != listing.sha256[file]
        if file in listing.git_sha1:
            wrong = git_blob_sha1_of(path) != listing.git_sha1[file]
        stated = pinned.get(file) or listing.sha256.get(file) or f"git blob {listing.git_sha1.get(file)}"
        if wrong or (file in pinned and found != pinned[file]):
            path.unlink()
            raise ModelError(
                f"{model.repository}/{file}",
                f"what came has SHA-256 {found}, not {stated}",
                "it was deleted; fetch again, and if it comes back the same, do not use it",
            )


def _write_lock(folder: Path, listing: _Listing, model: CatalogueModel) -> None:
    facts = {
        "name": model.name,
        "repository": model.repository,
        "revision": listing.revision,
        "licence": model.licence,
    }
    write_lock(folder, facts, {file: sha256_of(folder / file) for file in listing.files})


def _not_fetched(
    model: CatalogueModel, revision: str | None, models_dir: Path | None, problem: Exception
) -> ModelError:
    if isinstance(problem, OfflineModeIsEnabled):
        reason = "HF_HUB_OFFLINE forbids the network"
    elif isinstance(problem, HfHubHTTPError):
        reason = f"the hub refused ({str(problem).splitlines()[0]})"
    else:
        reason = f"the hub cannot be reached ({type(problem).__name__})"
    remedy = how_to_get(model, revision, models_dir).partition("without network, ")[2]
    return ModelError(
        model.name, f"it was not fetched: {reason}", f"{remedy} (store: {models_folder(models_dir)})"
    )
