"""What the allocation draws from, as it is kept: a seed in a file, a sealed seed, or nothing at all."""

from __future__ import annotations

import hashlib
import secrets
from enum import StrEnum

from study.allocation import AllocationSource, DrawnNow, Seeded
from study.errors import ConductError, RecordMismatch, StorageError
from study.events import StudyInitialised
from study.folder import StudyFolder, write_whole
from study.sealed import seal, unseal

PURPOSE = "allocation seed"
_BYTES = 32
_PUT_BACK = "put the sealed seed back"


class SeedForm(StrEnum):
    """How a study keeps what decides its allocation; `StudyInitialised.allocation_source` holds it."""

    SEED = "seed"
    SEALED_SEED = "sealed_seed"
    DRAWN = "drawn"


def keep_new_seed(folder: StudyFolder, form: SeedForm, passphrase: str | None = None) -> str:
    """Draw a seed from the operating system and keep it; its SHA-256, or nothing where there is none.

    Raises:
        OutOfRange: the passphrase is too short.
        ConductError: a seed is to be sealed and there is no passphrase.
        StorageError: the folder cannot be written.
    """
    if form is SeedForm.DRAWN:
        return ""
    seed = secrets.token_bytes(_BYTES)
    if form is SeedForm.SEALED_SEED:
        if passphrase is None:
            raise ConductError("the allocation seed", "is to be sealed without a passphrase", "give one")
        write_whole(folder.sealed_allocation_seed, seal(seed, passphrase, PURPOSE), mode=0o600)
    else:
        write_whole(folder.allocation_seed, seed, mode=0o600)
    return hashlib.sha256(seed).hexdigest()


def unsealed_seed(folder: StudyFolder, begun: StudyInitialised, passphrase: str) -> bytes:
    """The seed of the sealed file, for keeping in memory.

    Raises:
        WrongPassphrase: it does not open the file.
        RecordMismatch: it is not the seed this study was begun with.
        StorageError: the file cannot be read.
    """
    path = folder.sealed_allocation_seed
    seed = unseal(_read(folder, SeedForm.SEALED_SEED), passphrase, PURPOSE, str(path))
    return _checked(seed, begun, str(path))


def source_of(folder: StudyFolder, begun: StudyInitialised, opened: bytes | None) -> AllocationSource:
    """What the next place is drawn from.

    Args:
        opened: the sealed seed, where somebody gave its passphrase.

    Raises:
        ConductError: the seed is sealed and nobody gave its passphrase.
        RecordMismatch: it is not the seed this study was begun with.
        StorageError: it cannot be read.
    """
    form = SeedForm(begun.allocation_source)
    if form is SeedForm.DRAWN:
        return DrawnNow()
    if form is SeedForm.SEED:
        return Seeded(_checked(_read(folder, form), begun, str(folder.allocation_seed)))
    if opened is None:
        raise ConductError(
            str(folder.sealed_allocation_seed),
            "is sealed, and the next step needs it to allocate",
            "give its passphrase: --passphrase-file, or a terminal to type it at",
        )
    return Seeded(_checked(opened, begun, str(folder.sealed_allocation_seed)))


def _read(folder: StudyFolder, form: SeedForm) -> bytes:
    path = folder.allocation_seed if form is SeedForm.SEED else folder.sealed_allocation_seed
    try:
        return path.read_bytes()
    except OSError as problem:
        raise StorageError(str(path), f"cannot be read ({problem.strerror})", _PUT_BACK) from problem


def _checked(seed: bytes, begun: StudyInitialised, where: str) -> bytes:
    if hashlib.sha256(seed).hexdigest() != begun.allocation_seed_sha256:
        raise RecordMismatch(where, "is not the seed this study was begun with", _PUT_BACK)
    return seed
