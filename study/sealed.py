"""Sealing: bytes that only whoever holds a passphrase can read, and that nobody can change unseen.

Used for the seed of the allocation list, the key file that says who people are,
the key that signs checkpoints, and the code-break list. Argon2id makes the key
of the passphrase (RFC 9106, its second recommended setting: 3 passes, 64 MiB,
4 lanes), ChaCha20-Poly1305 seals (RFC 8439); what a file is for is sealed with
it, so that one kind of sealed file cannot stand in for another.
"""

from __future__ import annotations

import base64
import binascii
import json
import secrets
from typing import Any

from argon2.low_level import Type, hash_secret_raw
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from study.errors import OutOfRange, WrongPassphrase

LEAST_CHARACTERS = 12
"""Of a passphrase. What it seals may be tried at leisure by whoever copies the file."""

_FORMAT = 1
_PASSES, _MEMORY_KIB, _LANES = 3, 65536, 4
_MOST_PASSES, _MOST_MEMORY_KIB, _MOST_LANES = 16, 1 << 20, 16


def seal(content: bytes, passphrase: str, purpose: str) -> bytes:
    """The sealed form of `content`, as a JSON file's bytes.

    Args:
        purpose: what it is for, e.g. ``allocation seed``; unsealing must name the same.

    Raises:
        OutOfRange: the passphrase has fewer than 12 characters.
    """
    if len(passphrase) < LEAST_CHARACTERS:
        problem = f"has fewer than {LEAST_CHARACTERS} characters"
        raise OutOfRange("passphrase", problem, "take four or five words that do not belong together")
    salt, nonce = secrets.token_bytes(16), secrets.token_bytes(12)
    kdf = {
        "name": "argon2id",
        "salt": salt.hex(),
        "passes": _PASSES,
        "memory_kib": _MEMORY_KIB,
        "lanes": _LANES,
    }
    head = {"format": _FORMAT, "purpose": purpose, "kdf": kdf, "cipher": "chacha20-poly1305"}
    body = ChaCha20Poly1305(_key(passphrase, kdf)).encrypt(nonce, content, _associated(head))
    whole = {**head, "nonce": nonce.hex(), "sealed": base64.b64encode(body).decode()}
    return (json.dumps(whole, indent=1) + "\n").encode()


def unseal(sealed: bytes, passphrase: str, purpose: str, where: str) -> bytes:
    """What was sealed.

    Args:
        purpose: as given to `seal`.
        where: the file's name, for messages.

    Raises:
        WrongPassphrase: it does not open it, it was changed, or it is for another purpose.
    """
    try:
        whole = json.loads(sealed)
        head = {name: whole[name] for name in ("format", "purpose", "kdf", "cipher")}
        nonce, body = bytes.fromhex(whole["nonce"]), base64.b64decode(whole["sealed"], validate=True)
        kdf = _checked(head["kdf"])
    except (ValueError, KeyError, TypeError, binascii.Error) as problem:
        raise WrongPassphrase(where, "is not a sealed file", "put back the one that was made") from problem
    if head["format"] != _FORMAT or head["purpose"] != purpose:
        found = f"format {head['format']}, for {head['purpose']!r}"
        remedy = f"name a file of format {_FORMAT} that was sealed for {purpose!r}"
        raise WrongPassphrase(where, f"is a sealed file of another kind ({found})", remedy)
    try:
        return ChaCha20Poly1305(_key(passphrase, kdf)).decrypt(nonce, body, _associated(head))
    except (InvalidTag, ValueError) as problem:
        remedy = "type the passphrase it was sealed with, or put back the file as it was made"
        raise WrongPassphrase(where, "is not opened by this passphrase, or was changed", remedy) from problem


def _checked(kdf: dict[str, Any]) -> dict[str, Any]:
    """Bounds, so that a made-up file cannot fill the memory."""
    limits = {"passes": _MOST_PASSES, "memory_kib": _MOST_MEMORY_KIB, "lanes": _MOST_LANES}
    if kdf["name"] != "argon2id" or any(not 1 <= int(kdf[name]) <= most for name, most in limits.items()):
        raise ValueError("a key derivation that is not ours")
    return kdf


def _key(passphrase: str, kdf: dict[str, Any]) -> bytes:
    return hash_secret_raw(
        passphrase.encode(),
        bytes.fromhex(kdf["salt"]),
        time_cost=kdf["passes"],
        memory_cost=kdf["memory_kib"],
        parallelism=kdf["lanes"],
        hash_len=32,
        type=Type.ID,
    )


def _associated(head: dict[str, Any]) -> bytes:
    return json.dumps(head, sort_keys=True).encode()
