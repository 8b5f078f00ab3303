"""The folder of weights on this machine, and the locks in it.

Every model has a folder of its name there. What was fetched carries a lock file: where it
came from and the SHA-256 of every file, to which everything later is held.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from study.errors import ModelError

LOCK_FILE = "isopath.lock.json"
LOCK_VERSION = 1


def models_folder(models_dir: Path | None = None) -> Path:
    """The folder of all weights: the one given, else ``ISOPATH_MODELS``, else the platform's."""
    if models_dir is not None:
        return models_dir
    named = os.environ.get("ISOPATH_MODELS")
    if named:
        return Path(named).expanduser()
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "isopath" / "models"
    data = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(data).expanduser() / "isopath" / "models"


def read_lock(folder: Path) -> dict[str, Any] | None:
    """The lock file of a fetched model; None where there is none.

    Raises:
        ModelError: it cannot be read.
    """
    file = folder / LOCK_FILE
    if not file.is_file():
        return None
    try:
        lock: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        version = lock["lock_version"]
        whole = isinstance(lock["revision"], str) and all(
            "sha256" in entry for entry in lock["files"].values()
        )
    except (AttributeError, KeyError, TypeError, UnicodeDecodeError, ValueError):
        version, whole = None, False
    if version != LOCK_VERSION or not whole:
        raise ModelError(
            str(file), "the lock file is damaged", "delete the model's folder and fetch it again"
        )
    return lock


def write_lock(folder: Path, facts: Mapping[str, Any], sha256: Mapping[str, str]) -> None:
    """Lock a fetched model to its files.

    Args:
        facts: ``name``, ``repository``, ``revision``, ``licence`` and what else is to be known.
        sha256: of every file, by name.
    """
    files = {
        file: {"sha256": digest, "bytes": (folder / file).stat().st_size} for file, digest in sha256.items()
    }
    lock = {"lock_version": LOCK_VERSION, **facts, "files": files}
    (folder / LOCK_FILE).write_text(json.dumps(lock, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def check_digests(folder: Path, found: Mapping[str, str], expected: Mapping[str, str], remedy: str) -> None:
    """Hold digests against those that are pinned or locked.

    Args:
        folder: of the files, for the message.
        found, expected: file name to SHA-256; what is only in one of them is left alone.

    Raises:
        ModelError: names every file that differs, with both digests.
    """
    changed = [
        f"{name} has SHA-256 {found[name]}, not {digest}"
        for name, digest in expected.items()
        if found.get(name, digest) != digest
    ]
    if changed:
        raise ModelError(str(folder), "; ".join(changed), remedy)
