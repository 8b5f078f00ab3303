"""Where weights are kept on this machine, what they must be, and what is missing.

A model of the catalogue has a folder of its name under `models_folder`. What `fetch` brought
carries a lock file: commit and SHA-256 of every file, to which everything later is held.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from generation.musicgen.store.catalogue import CatalogueModel, catalogue_model
from generation.musicgen.store.digests import sha256_of
from study.errors import ModelError
from study.model_folder import check_digests, models_folder, read_lock

WEIGHTS = ("model.safetensors", "model.safetensors.index.json", "state_dict.bin")
"""A folder holds a model where it holds one of these."""


@dataclass(frozen=True)
class StoredModel:
    """A model found on this machine.

    Args:
        folder: holds its files.
        place: ``store`` or ``hub cache``.
        revision: the commit; None where files were put there by hand and nothing tells.
        sha256: what its files must be, by name; pinned or locked.
    """

    model: CatalogueModel
    folder: Path
    place: str
    revision: str | None
    sha256: Mapping[str, str]

    def check(self, found: Mapping[str, str]) -> None:
        """Hold digests against those that are pinned or locked.

        Args:
            found: file name to SHA-256.

        Raises:
            ModelError: names every file that differs, with both digests.
        """
        remedy = f"delete the folder and fetch it again: isopath models fetch {self.model.name}"
        check_digests(self.folder, found, self.sha256, remedy)


def folder_of(model: CatalogueModel, revision: str | None = None, models_dir: Path | None = None) -> Path:
    """Where a revision of a model is kept; the pinned one has the model's bare name."""
    is_pinned = revision in (None, model.revision)
    return models_folder(models_dir) / (model.name if is_pinned else f"{model.name}@{revision}")


def find_model(name: str, revision: str | None = None, models_dir: Path | None = None) -> StoredModel:
    """A model of the catalogue on this machine; looks at no network.

    Raises:
        UnknownName: not in the catalogue.
        ModelError: it is not here: says which files to put where.
    """
    model = catalogue_model(name)
    found = _in_store(model, revision, models_dir) or _in_hub_cache(model, revision)
    if found is None:
        raise ModelError(name, "its weights are not on this machine", how_to_get(model, revision, models_dir))
    return found


def is_here(name: str, models_dir: Path | None = None) -> StoredModel | None:
    """The pinned revision of a model, where this machine has it."""
    model = catalogue_model(name)
    return _in_store(model, None, models_dir) or _in_hub_cache(model, None)


def verify_model(name: str, revision: str | None = None, models_dir: Path | None = None) -> dict[str, str]:
    """Hash a model's files again.

    Returns:
        File name to SHA-256, of every locked file, or of every file where there is no lock.

    Raises:
        ModelError: the model or one of its files is missing, or a file is not what is
            pinned or locked: names it with both digests.
    """
    stored = find_model(name, revision, models_dir)
    locked = read_lock(stored.folder)
    names = sorted(locked["files"]) if locked else _file_names(stored.folder)
    missing = [file for file in names if not (stored.folder / file).is_file()]
    if missing:
        raise ModelError(
            str(stored.folder),
            "missing: " + ", ".join(missing),
            f"run isopath models fetch {name}, or put the files back",
        )
    digests = {file: sha256_of(stored.folder / file) for file in names}
    stored.check(digests)
    return digests


def how_to_get(model: CatalogueModel, revision: str | None = None, models_dir: Path | None = None) -> str:
    """What a person does to have a model: the command, or which files to put where."""
    commit = revision or model.revision
    required = ", ".join(model.required_files)
    where = f"at commit {commit} of the Hugging Face hub" if commit else "on the Hugging Face hub"
    asked = f" --revision {revision}" if revision not in (None, model.revision) else ""
    return (
        f"run isopath models fetch {model.name}{asked}; or, on a machine without network, put {required} and "
        "model.safetensors (or model.safetensors.index.json with every shard it lists), "
        f"about {model.gigabytes:g} GB in all, of {model.repository}, {where}, "
        f"into {folder_of(model, revision, models_dir)}"
    )


def _in_store(model: CatalogueModel, revision: str | None, models_dir: Path | None) -> StoredModel | None:
    folder = folder_of(model, revision, models_dir)
    if not any((folder / file).is_file() for file in WEIGHTS):
        return None
    lock = read_lock(folder)
    locked = {name: str(entry["sha256"]) for name, entry in lock["files"].items()} if lock else {}
    commit = str(lock["revision"]) if lock else None
    wanted = revision or model.revision
    if commit and wanted and len(wanted) == len(commit) and commit != wanted:
        raise ModelError(
            str(folder), f"it holds revision {commit}, not {wanted}", "delete the folder and fetch it again"
        )
    pinned = _pins(model, revision)
    return StoredModel(model, folder, "store", commit, {**locked, **pinned})


def _in_hub_cache(model: CatalogueModel, revision: str | None) -> StoredModel | None:
    """What other programs fetched from the hub; the library comes with the extra ``musicgen``."""
    try:
        from huggingface_hub import try_to_load_from_cache
    except ImportError:
        return None
    wanted = revision or model.revision
    for file in WEIGHTS:
        path = try_to_load_from_cache(model.repository, file, revision=wanted)
        if isinstance(path, str):
            folder = Path(path).parent
            return StoredModel(model, folder, "hub cache", folder.name, _pins(model, revision))
    return None


def _pins(model: CatalogueModel, revision: str | None) -> Mapping[str, str]:
    return model.sha256 if revision in (None, model.revision) else {}


def _file_names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir() if file.is_file() and not file.name.startswith("."))
