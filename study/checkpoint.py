"""Signed statements of a record's head, to be kept elsewhere and held against the record later.

The hash chain finds a changed row; it cannot find a chain that somebody wrote
anew from the first row on. A checkpoint can: it says which hash the record had
at which row, and is signed (Ed25519, RFC 8032) by a key that is sealed by a
passphrase and kept outside the study. The checkpoint carries the public key for
convenience. What it proves rests on knowing that key from elsewhere: whoever
rewrites a record can also sign a new checkpoint, with another key.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from study.canonical import canonical_json
from study.chain import Head
from study.errors import OutOfRange, RecordBroken, RecordMismatch, StorageError
from study.events import CheckpointSigned, SigningKeyMade
from study.folder import write_whole
from study.founding import Study
from study.record import Draft, Reader
from study.sealed import seal, unseal

PURPOSE = "checkpoint signing key"
_FORMAT = 1
_KEEP = "name a new file outside the study folder"


@dataclass(frozen=True)
class Checkpoint:
    """A record's head, and who signed that it was so.

    Args:
        rows, head_sha256: the head.
        signed_at: UTC, ISO 8601.
        public_key, signature: lower-case hex; of all the other values, as canonical JSON.
    """

    study_id: str
    protocol_sha256: str
    rows: int
    head_sha256: str
    signed_at: str
    public_key: str
    signature: str

    def to_json(self) -> str:
        """The checkpoint's file."""
        return json.dumps({**_statement(self), "signature": self.signature}, indent=1) + "\n"


def make_key(study: Study, path: Path, passphrase: str, actor: str) -> str:
    """Make the key that signs this study's checkpoints, and note its public half in the record.

    Args:
        path: a new file outside the study folder; the private key is sealed in it.

    Returns:
        The public key, 64 hex digits, to be noted elsewhere.

    Raises:
        OutOfRange: the passphrase is too short.
        StorageError: the file is there, lies in the study folder, or cannot be written.
    """
    if path.resolve().is_relative_to(study.folder.root):
        raise StorageError(str(path), "lies in the study folder", _KEEP)
    if path.exists():
        raise StorageError(str(path), "is there already", _KEEP)
    key = Ed25519PrivateKey.generate()
    public_key = key.public_key().public_bytes_raw().hex()
    write_whole(path, seal(key.private_bytes_raw(), passphrase, PURPOSE), mode=0o600)
    study.record.append(actor, lambda _: [Draft(SigningKeyMade(public_key))])
    return public_key


def sign_checkpoint(study: Study, path: Path, passphrase: str, actor: str) -> Checkpoint:
    """Verify the record and sign its head.

    Args:
        path: of the sealed key.

    Raises:
        WrongPassphrase: it does not open the key.
        RecordMismatch: the key is not one that was made for this study.
        RecordBroken: the record does not verify.
        StorageError: the key cannot be read.
    """
    try:
        sealed = path.read_bytes()
    except OSError as problem:
        said = f"cannot be read ({problem.strerror})"
        raise StorageError(str(path), said, "name the file that --make-key made") from problem
    key = Ed25519PrivateKey.from_private_bytes(unseal(sealed, passphrase, PURPOSE, str(path)))
    public_key = key.public_key().public_bytes_raw().hex()
    if public_key not in _keys_of(study):
        remedy = "name the study's own, or make one with --make-key"
        raise RecordMismatch(str(path), "is not a key that was made for this study", remedy)
    study.record.verify()
    heads: list[Head] = []

    def decide(reader: Reader) -> Sequence[Draft]:
        heads[:] = [reader.head()]
        return [Draft(CheckpointSigned(heads[0].sequence, heads[0].sha256))]

    appended = study.record.append(actor, decide)
    unsigned = Checkpoint(
        study.protocol.study_id,
        study.record.protocol_sha256,
        heads[0].sequence,
        heads[0].sha256,
        appended[0].at.isoformat(),
        public_key,
        "",
    )
    signature = key.sign(canonical_json(_statement(unsigned))).hex()
    return Checkpoint(**{**vars(unsigned), "signature": signature})


def read_checkpoint(path: Path) -> Checkpoint:
    """A checkpoint from its file, its signature checked against the key it carries.

    Raises:
        StorageError: the file cannot be read.
        RecordMismatch: it is no checkpoint, or one of a newer isopath.
        RecordBroken: it was changed since it was signed.
    """
    remedy = "use the file as isopath checkpoint wrote it"
    try:
        raw = json.loads(path.read_bytes())
        if raw.pop("format") > _FORMAT:
            raise RecordMismatch(str(path), "was written by a newer isopath", "verify it with that one")
        checkpoint = Checkpoint(**raw)
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(checkpoint.public_key))
        signature = bytes.fromhex(checkpoint.signature)
    except OSError as problem:
        said = f"cannot be read ({problem.strerror})"
        raise StorageError(str(path), said, "name a checkpoint's file") from problem
    except (ValueError, KeyError, TypeError, AttributeError) as problem:
        raise RecordMismatch(str(path), "is no checkpoint", remedy) from problem
    try:
        key.verify(signature, canonical_json(_statement(checkpoint)))
    except InvalidSignature as problem:
        raise RecordBroken(str(path), "was changed since it was signed", remedy) from problem
    return checkpoint


def check_against(study: Study, path: Path, public_key: str | None) -> Checkpoint:
    """Hold the record against a checkpoint that was signed earlier.

    Args:
        public_key: as it was noted elsewhere, hex; None to believe the record's own word for it, which
            finds a record that was rewritten by somebody without the key.

    Raises:
        RecordMismatch: the checkpoint is another study's, or was signed by another key.
        RecordBroken: the record was cut short or rewritten since, or a row does not hold.
        OutOfRange: the public key is none.
    """
    checkpoint = read_checkpoint(path)
    if checkpoint.study_id != study.protocol.study_id:
        problem = f"is of the study {checkpoint.study_id}, not of {study.protocol.study_id}"
        raise RecordMismatch(str(path), problem, "name a checkpoint of this study")
    known = [_checked_key(public_key)] if public_key is not None else _keys_of(study)
    if checkpoint.public_key not in known:
        whose = "the one given" if public_key is not None else "any that this record names"
        problem = f"was signed by {checkpoint.public_key[:16]}…, which is not {whose}"
        remedy = "ask who signed it; if the record should name that key, the record was rewritten"
        raise RecordMismatch(str(path), problem, remedy)
    study.record.verify(expected_sha256=checkpoint.head_sha256)
    if study.record.sha256_at(checkpoint.rows) != checkpoint.head_sha256:
        raise RecordBroken(str(path), "names another row than the record has there", "ask who signed it")
    return checkpoint


def write_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint's file, whole or not at all.

    Raises:
        StorageError: it cannot be written.
    """
    write_whole(path, checkpoint.to_json().encode())


def _statement(checkpoint: Checkpoint) -> dict[str, object]:
    """What is signed: everything but the signature."""
    signed = {name: value for name, value in vars(checkpoint).items() if name != "signature"}
    return {"format": _FORMAT, **signed}


def _keys_of(study: Study) -> list[str]:
    made = [recorded.event for recorded in study.record.events(kinds=[SigningKeyMade])]
    return [event.public_key for event in made if isinstance(event, SigningKeyMade)]


def _checked_key(text: str) -> str:
    try:
        if len(bytes.fromhex(text)) == 32:
            return text.lower()
    except ValueError:
        pass
    raise OutOfRange(
        "--public-key", "is not 64 hex digits", "give what isopath checkpoint --make-key printed"
    )
