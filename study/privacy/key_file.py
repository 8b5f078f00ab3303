"""The key file: the one place that says who a participant is, sealed, outside the record and every export.

A random data key seals the entries (ChaCha20-Poly1305, RFC 8439); the passphrase
seals the data key, with the record it belongs to and a random key id beside it
(`study.sealed`). So a file of another study, or an entry moved from one file to
another, is refused, and the passphrase may be changed. The file is written whole
or not at all, readable by its owner alone.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from study.errors import IsopathError, OutOfRange, RecordMismatch, StorageError, WrongPassphrase, refuse
from study.folder import write_whole
from study.sealed import seal, unseal

PURPOSE = "identities"
LONGEST_VALUE = 2000
MOST_FIELDS = 40

_FORMAT = 1
_FIELD = re.compile(r"[a-z][a-z0-9_]{0,39}")
_PUT_BACK = "put the file back as it was made"

Entry = Mapping[str, str]
"""Field to value, of one person: ``name``, ``phone`` and whatever else a study needs."""


@dataclass(frozen=True)
class KeyFile:
    """An opened key file.

    Args:
        record_id: SHA-256 of the first row of the record it belongs to.
        key_id: random, 32 hex digits.
        people: participant to entry.
    """

    path: Path
    record_id: str
    key_id: str
    people: Mapping[str, Entry] = field(repr=False)
    _data_key: bytes = field(repr=False)
    _wrapped: bytes = field(repr=False)

    def holding(self, people: Mapping[str, Entry]) -> KeyFile:
        """The same file with other entries; nothing is written."""
        return replace(self, people=people)

    def write(self) -> None:
        """Put it on disk, whole.

        Raises:
            StorageError: the folder cannot be written or the disk is full.
        """
        nonce = secrets.token_bytes(12)
        body = json.dumps({who: dict(entry) for who, entry in self.people.items()}, ensure_ascii=False)
        sealed = ChaCha20Poly1305(self._data_key).encrypt(nonce, body.encode(), _associated(self.key_id))
        whole = {
            "format": _FORMAT,
            "holds": "who the participants are; opened by isopath identity",
            "key": json.loads(self._wrapped),
            "nonce": nonce.hex(),
            "sealed": base64.b64encode(sealed).decode(),
        }
        write_whole(self.path, (json.dumps(whole, indent=1) + "\n").encode(), mode=0o600)


def new_key_file(path: Path, record_id: str, passphrase: str) -> KeyFile:
    """A key file without entries, not yet written.

    Raises:
        OutOfRange: the passphrase is too short.
    """
    return _wrapped(path, record_id, secrets.token_hex(16), {}, passphrase)


def with_passphrase(key_file: KeyFile, passphrase: str) -> KeyFile:
    """The same entries under a new data key: an old passphrase and an old copy do not open what comes later.

    Raises:
        OutOfRange: the passphrase is too short.
    """
    return _wrapped(key_file.path, key_file.record_id, key_file.key_id, key_file.people, passphrase)


def open_key_file(path: Path, record_id: str, passphrase: str) -> KeyFile:
    """Read and unseal it.

    Raises:
        StorageError: it is not there or cannot be read.
        WrongPassphrase: the passphrase does not open it, or it was changed since it was written.
        RecordMismatch: it is of another study.
    """
    try:
        content = path.read_bytes()
    except OSError as problem:
        remedy = "begin one with isopath identity begin, or put back the one this study has"
        raise StorageError(str(path), f"cannot be read ({problem.strerror})", remedy) from problem
    try:
        whole = json.loads(content)
        wrapped = json.dumps(whole["key"]).encode()
        nonce, sealed = bytes.fromhex(whole["nonce"]), base64.b64decode(whole["sealed"], validate=True)
        found = int(whole["format"])
    except (ValueError, KeyError, TypeError, binascii.Error) as problem:
        raise WrongPassphrase(str(path), "is not a key file", _PUT_BACK) from problem
    if found > _FORMAT:
        raise RecordMismatch(str(path), f"has format {found}, newer than {_FORMAT}", "update isopath")
    key = json.loads(unseal(wrapped, passphrase, PURPOSE, str(path)))
    if key["record_id"] != record_id:
        problem_words = "is the key file of another study: nobody in it is in this record"
        raise RecordMismatch(str(path), problem_words, "put this study's own key file here")
    data_key = bytes.fromhex(key["data_key"])
    try:
        body = ChaCha20Poly1305(data_key).decrypt(nonce, sealed, _associated(key["key_id"]))
    except InvalidTag as problem:
        raise WrongPassphrase(str(path), "was changed since it was written", _PUT_BACK) from problem
    return KeyFile(path, record_id, key["key_id"], json.loads(body), data_key, wrapped)


def check_fields(fields: Mapping[str, str], where: str) -> None:
    """Refuse what cannot stand in an entry; a message never quotes a value.

    Raises:
        OutOfRange, Refusals: a field's name or value will not do.
    """
    found: list[IsopathError] = []
    for name, value in fields.items():
        if not _FIELD.fullmatch(name):
            remedy = "write small letters, digits and _, such as hospital_number"
            found.append(OutOfRange(where, f"{name!r} is no name of a field", remedy))
        elif not value.strip() or len(value) > LONGEST_VALUE or not value.isprintable():
            problem = f"is empty, holds control characters, or has more than {LONGEST_VALUE} characters"
            found.append(
                OutOfRange(f"{where}: {name}", problem, "write it on one line, or leave the field out")
            )
    if not fields or len(fields) > MOST_FIELDS:
        problem = f"{len(fields)} fields are given"
        found.append(OutOfRange(where, problem, f"give between 1 and {MOST_FIELDS}, such as name and phone"))
    refuse(found)


def _wrapped(
    path: Path, record_id: str, key_id: str, people: Mapping[str, Entry], passphrase: str
) -> KeyFile:
    data_key = secrets.token_bytes(32)
    key = {"record_id": record_id, "key_id": key_id, "data_key": data_key.hex()}
    wrapped = seal(json.dumps(key).encode(), passphrase, PURPOSE)
    return KeyFile(path, record_id, key_id, people, data_key, wrapped)


def _associated(key_id: str) -> bytes:
    return f"isopath identities {_FORMAT} {key_id}".encode()
