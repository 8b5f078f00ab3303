"""What people were promised about their data, and what was done about it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class IdentityNoted:
    """Who a participant is was written into the key file; what it says is nowhere in the record.

    Args:
        fields: names of what was noted, e.g. ``name``, ``phone``.
    """

    fields: tuple[str, ...]


@dataclass(frozen=True)
class IdentityForgotten:
    """A participant's entry of the key file was deleted: nobody can tell any more who this was."""

    reason: str


@dataclass(frozen=True)
class ConsentWithdrawn:
    """A person takes back their consent.

    Args:
        keeps_data: whether what they gave until now may be used; else it is erased.
    """

    keeps_data: bool
    reason: str


@dataclass(frozen=True)
class DataErased:
    """The tombstone: what was erased of a person, and what still holds it.

    Args:
        rows: payloads erased from the record.
        files: sound, logs and pictures removed from the study folder.
        backups_holding: ids of backups made before, which still held the person's data when this was written.
    """

    rows: int
    files: int
    backups_holding: tuple[str, ...]
