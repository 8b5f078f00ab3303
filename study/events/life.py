"""What happens to the study itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class StudyInitialised:
    """The record begins.

    Args:
        protocol_text: the protocol file, byte for byte.
        allocation_seed_sha256: of the sealed seed; empty where every place is drawn at its moment.
        sounds_sha256: sound file, as the protocol names it, to the SHA-256 of its frozen copy.
        pictures_sha256: picture file, likewise.
        allocation_source: what places are drawn from, see `study.allocation_seed.SeedForm`.
    """

    study_id: str
    protocol_text: str
    allocation_seed_sha256: str
    software: str
    sounds_sha256: Mapping[str, str] = field(default_factory=dict)
    pictures_sha256: Mapping[str, str] = field(default_factory=dict)
    allocation_source: str = "seed"


@dataclass(frozen=True)
class RehearsalStarted:
    """From here on every participant of this record is simulated, and none may be a person."""

    participants: int
    effect: float
    agreement: float
    seed: int
    session_s: float


@dataclass(frozen=True)
class ServedInsecurely:
    """The app was started without TLS beyond this machine: somebody said so with a flag.

    Args:
        host: the address it listened on.
    """

    host: str


@dataclass(frozen=True)
class RecordFrozen:
    """No participant's data may be added any more.

    Args:
        analysis_sha256: of the protocol's analysis block, as canonical JSON.
        head_sha256: of the last row before this one.
    """

    analysis_sha256: str
    head_sha256: str
    reason: str


@dataclass(frozen=True)
class ArmsUnblinded:
    """From here on, whoever may see results may see them by arm."""

    reason: str


@dataclass(frozen=True)
class InterimLookTaken:
    """The arms were compared before the end, as the protocol planned.

    Args:
        look: from 1.
        information: share of the planned outcomes there were.
        statistic_z: of the primary contrast; None where it could not be estimated.
        boundary_z: that it was held against, two-sided.
        crossed: whether it lay beyond.
        head_sha256: of the record's last row that the look used.
    """

    look: int
    information: float
    statistic_z: float | None
    boundary_z: float
    crossed: bool
    head_sha256: str
    reason: str


@dataclass(frozen=True)
class DataImported:
    """A file of a study that ran elsewhere was read into this record.

    Args:
        file_name, file_sha256: of the file as it was given.
        column_map: what each column was taken for.
        rows, participants: read from it.
        assumed: sentences on what the file did not say and the importer was told to assume.
    """

    file_name: str
    file_sha256: str
    column_map: Mapping[str, str]
    rows: int
    participants: int
    assumed: tuple[str, ...]


@dataclass(frozen=True)
class PayloadErased:
    """The payload of an earlier row was erased; its place in the chain stands."""

    erased_sequence: int
    reason: str


@dataclass(frozen=True)
class ProtocolAmended:
    """Another version of the protocol is in force for whoever is enrolled from here on.

    Args:
        protocol_text: the new file, byte for byte.
        protocol_sha256: of its bytes; rows under it carry it.
        previous_sha256: of the version it follows.
        changes: one line a changed field: where, what it was, what it is.
        sounds_sha256, pictures_sha256: as in `StudyInitialised`.
    """

    version: str
    protocol_text: str
    protocol_sha256: str
    previous_sha256: str
    reason: str
    changes: tuple[str, ...]
    sounds_sha256: Mapping[str, str] = field(default_factory=dict)
    pictures_sha256: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class RecruitmentPaused:
    """Nobody is enrolled until recruitment is resumed."""

    reason: str


@dataclass(frozen=True)
class RecruitmentResumed:
    """People are enrolled again."""

    reason: str


@dataclass(frozen=True)
class BackupTaken:
    """A copy of the study was made.

    Args:
        backup_id: as its folder and manifest name it.
        head_sha256: of the last row it holds.
        rows: it holds.
    """

    backup_id: str
    head_sha256: str
    rows: int


@dataclass(frozen=True)
class RestoredFromBackup:
    """This record goes on from a backup; rows after it, if there were any, are not here.

    Args:
        backup_id: as in `BackupTaken`.
        head_sha256: of the last row the backup held.
    """

    backup_id: str
    head_sha256: str
    reason: str


@dataclass(frozen=True)
class SigningKeyMade:
    """From here on checkpoints of this record are signed by this key (Ed25519, RFC 8032).

    Args:
        public_key: 32 bytes as lower-case hex; the private key is sealed outside the record.
    """

    public_key: str


@dataclass(frozen=True)
class CheckpointSigned:
    """A signed statement of the record's head was handed out.

    Args:
        head_sequence, head_sha256: what was signed: the row before this one.
    """

    head_sequence: int
    head_sha256: str


@dataclass(frozen=True)
class ClockWentBack:
    """The next row is dated earlier than the row before: a clock was set back, or another server's is behind.

    Args:
        previous_at: when the row before this one was written, as its clock had it (ISO 8601, UTC).
        back_s: how far back.
    """

    previous_at: str
    back_s: float
