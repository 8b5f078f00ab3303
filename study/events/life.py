"""What happens to the study itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class StudyInitialised:
    """The record begins.

    Args:
        protocol_text: the protocol file, byte for byte.
        sounds_sha256: sound file, as the protocol names it, to the SHA-256 of its frozen copy.
        pictures_sha256: picture file, likewise.
    """

    study_id: str
    protocol_text: str
    allocation_seed_sha256: str
    software: str
    sounds_sha256: Mapping[str, str] = field(default_factory=dict)
    pictures_sha256: Mapping[str, str] = field(default_factory=dict)


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
class PayloadErased:
    """The payload of an earlier row was erased; its place in the chain stands."""

    erased_sequence: int
    reason: str
