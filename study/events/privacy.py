"""What people were promised about their data, and what was done about it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class KeyFileMade:
    """A key file was begun: the one place that says who people are.

    Args:
        key_id: sealed in the file, so that no other file can stand in for it.
    """

    key_id: str


@dataclass(frozen=True)
class IdentitiesHandedOut:
    """The key file was copied out in the clear, for some purpose.

    Args:
        people: how many it names.
    """

    people: int
    reason: str


@dataclass(frozen=True)
class IdentityNoted:
    """Who a participant is was written into the key file; what it says is nowhere in the record.

    Args:
        fields: names of what was noted, e.g. ``name``, ``phone``.
        key_id: of the key file that holds it.
    """

    fields: tuple[str, ...]
    key_id: str


@dataclass(frozen=True)
class IdentityForgotten:
    """A participant's entry of the key file was deleted: nobody can tell any more who this was.

    Args:
        key_id: of the key file that held it.
    """

    reason: str
    key_id: str


@dataclass(frozen=True)
class ConsentWithdrawn:
    """A person takes back their consent.

    Args:
        keeps_data: whether what they gave until now may be used; else it is erased.
        reason: as staff may know it; nobody has to give one.
        outcome: how far their part was by then, as the column ``status`` of the tables names it: what is
            erased later cannot be asked any more.
    """

    keeps_data: bool
    reason: str
    outcome: str


@dataclass(frozen=True)
class DataErased:
    """The tombstone: what was erased of a person, and what still holds it.

    Args:
        rows: payloads erased from the record.
        files: sound, logs and pictures removed from the study folder.
        kept: kinds of rows that were left as they are, see `study.erasable`.
        backups_erased: ids of backups that the person's data were taken out of.
        backups_holding: ids of backups made before, which still held the person's data when this was written.
    """

    rows: int
    files: int
    kept: tuple[str, ...]
    backups_erased: tuple[str, ...]
    backups_holding: tuple[str, ...]
