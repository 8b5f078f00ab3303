"""Essentia's models fetched into the folder of weights, after their licence is accepted."""

from __future__ import annotations

import http.client
import os
import shutil
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from analysis.mer.essentia.catalogue import (
    AUTHORS,
    BASE_ADDRESS,
    LICENCE,
    LICENCE_ADDRESS,
    EssentiaModel,
    model_named,
)
from analysis.mer.essentia.head import read_head
from analysis.mer.essentia.store import KeptModel, by_hand, find_model, folder_of
from study.errors import ModelError
from study.folder import file_sha256
from study.model_folder import LOCK_FILE, check_digests, read_lock, write_lock

ADDRESS_VARIABLE = "ISOPATH_ESSENTIA_ADDRESS"
"""Names a copy of the server's folder, where a lab keeps one."""

_TIMEOUT_S = 60.0
_CHUNK = 2**18
_LARGEST_FILE = 400 * 2**20
_MY_OWN = ("127.0.0.1", "::1", "localhost")
_NETWORK_ERRORS = (urllib.error.URLError, http.client.HTTPException, OSError)
_RANGE_REFUSED = 416


def fetch_model(name: str, accepts_licence: bool, models_dir: Path | None = None) -> KeptModel:
    """Fetch a model into the folder of weights; an interrupted fetch goes on where it stopped.

    The folder takes its name when both files are there, have the pinned size and digest
    where there is one, and hold a head that can be read. A model that is there already is
    verified instead.

    Args:
        accepts_licence: the person who asks accepts CC BY-NC-SA 4.0.

    Raises:
        UnknownName: not in the catalogue.
        ModelError: the licence is not accepted, no network, or a file is not what it must be;
            says which files to put where.
    """
    model = model_named(name)
    folder = folder_of(model, models_dir)
    if (folder / LOCK_FILE).is_file():
        verify_model(name, models_dir)
        return find_model(name, models_dir)
    if folder.is_dir() and any(folder.iterdir()):
        raise ModelError(
            str(folder),
            "files put there by hand are in the way",
            f"verify them (isopath models verify {name}), or delete the folder and fetch again",
        )
    if not accepts_licence:
        raise ModelError(
            name,
            f"its licence is {LICENCE} ({AUTHORS}): no commercial use, share alike",
            f"read {LICENCE_ADDRESS} and, if you accept it, run isopath models fetch {name} --accept-licence",
        )
    building = folder.with_name(f".{folder.name}.partial")
    building.mkdir(parents=True, exist_ok=True)
    for file, n_bytes in ((model.graph_file, model.bytes), (model.metadata_file, None)):
        _fetch_file(model, building / file, n_bytes, models_dir)
    _check(model, building)
    if folder.is_dir():
        folder.rmdir()
    building.rename(folder)
    return find_model(name, models_dir)


def verify_model(name: str, models_dir: Path | None = None) -> dict[str, str]:
    """Hash a model's files again, and read a head's graph.

    Returns:
        File name to SHA-256.

    Raises:
        ModelError: the model or a locked file is missing, or is not what is pinned or locked.
    """
    kept = find_model(name, models_dir)
    lock = read_lock(kept.graph.parent)
    missing = [file for file in (lock["files"] if lock else ()) if file not in kept.sha256]
    if missing:
        raise ModelError(
            str(kept.graph.parent),
            "missing: " + ", ".join(missing),
            "delete the folder and fetch it again, or put the file back",
        )
    if kept.model.kind == "head":
        metadata = kept.metadata.read_text(encoding="utf-8", errors="replace") if kept.metadata else None
        read_head(kept.graph.read_bytes(), metadata, str(kept.graph))
    return dict(kept.sha256)


def _check(model: EssentiaModel, building: Path) -> None:
    graph, metadata = building / model.graph_file, building / model.metadata_file
    sha256 = {file.name: file_sha256(file) for file in (graph, metadata)}
    try:
        if model.sha256:
            remedy = "it was deleted; fetch again, and if it comes back the same, do not use it"
            check_digests(building, sha256, {graph.name: model.sha256}, remedy)
        if model.kind == "head":
            read_head(graph.read_bytes(), metadata.read_text(encoding="utf-8", errors="replace"), str(graph))
    except ModelError:
        shutil.rmtree(building)
        raise
    facts = {
        "name": model.name,
        "repository": _address(model),
        "revision": str(model.generation),
        "licence": LICENCE,
        "licence_accepted": True,
    }
    write_lock(building, facts, sha256)


def _address(model: EssentiaModel) -> str:
    """Where its files are, without their endings.

    Raises:
        ModelError: the variable names no place that can be trusted to bring the same bytes.
    """
    base = os.environ.get(ADDRESS_VARIABLE)
    if not base:
        return model.address
    parts = urllib.parse.urlsplit(base)
    if parts.scheme != "https" and (parts.scheme, parts.hostname in _MY_OWN) != ("http", True):
        raise ModelError(ADDRESS_VARIABLE, f"{base!r} is not an address of https", "write https://…")
    return base.rstrip("/") + "/" + model.address.removeprefix(BASE_ADDRESS)


def _fetch_file(model: EssentiaModel, file: Path, n_bytes: int | None, models_dir: Path | None) -> None:
    if file.is_file():
        return
    address, part = _address(model) + file.suffix, file.with_name(f"{file.name}.part")
    try:
        try:
            _go_on(address, part, n_bytes or _LARGEST_FILE)
        except urllib.error.HTTPError as problem:
            if problem.code != _RANGE_REFUSED:
                raise
            part.unlink(missing_ok=True)
            _go_on(address, part, n_bytes or _LARGEST_FILE)
    except _NETWORK_ERRORS as problem:
        said = str(getattr(problem, "reason", problem)).strip() or type(problem).__name__
        raise ModelError(
            model.name,
            f"it was not fetched: {address} did not come ({said})",
            by_hand([model], models_dir).removeprefix("or, "),
        ) from problem
    found = part.stat().st_size
    if n_bytes not in (None, found):
        part.unlink()
        raise ModelError(
            address,
            f"{found} bytes came where the server's listing names {n_bytes}",
            "fetch again, and if it comes back the same, do not use it",
        )
    part.rename(file)


def _go_on(address: str, part: Path, most: int) -> None:
    """Fetch what is missing of a file: the rest, where the server still has what an attempt began."""
    tag = part.with_name(f"{part.name}.etag")
    n_here = part.stat().st_size if part.is_file() and tag.is_file() else 0
    request = urllib.request.Request(address, headers={"User-Agent": "isopath"})
    if n_here:
        request.add_header("Range", f"bytes={n_here}-")
        request.add_header("If-Range", tag.read_text(encoding="utf-8"))
    with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:
        is_rest = answer.status == http.client.PARTIAL_CONTENT
        if is_rest and not answer.headers.get("Content-Range", "").startswith(f"bytes {n_here}-"):
            raise OSError("the server sent another part of the file than was asked for")
        tag.unlink(missing_ok=True)
        if answer.headers.get("ETag"):
            tag.write_text(answer.headers["ETag"], encoding="utf-8")
        length = answer.headers.get("Content-Length")
        n_written = 0
        with part.open("ab" if is_rest else "wb") as opened:
            while chunk := answer.read(_CHUNK):
                n_written += len(chunk)
                if n_written + n_here * is_rest > most:
                    tag.unlink(missing_ok=True)
                    raise OSError(f"more than {most} bytes")
                opened.write(chunk)
    if length is not None and length.isdecimal() and n_written < int(length):
        raise OSError(f"the connection ended after {n_written} of {length} bytes")
    tag.unlink(missing_ok=True)
