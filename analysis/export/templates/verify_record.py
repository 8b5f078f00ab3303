"""Check an exported study record without isopath: python3 verify_record.py [folder of the export].

Needs Python 3.8, and for signatures the package cryptography. Each row's hash covers its header as canonical
JSON; the header holds the hash of the row before and SHA-256(salt + body). An erased row has neither; a later
row says it was erased.
"""

import hashlib
import json
import sys
from pathlib import Path

HEADER = (
    "sequence", "at", "actor", "kind", "schema_version", "protocol_sha256", "participant_id", "session_id",
    "payload_sha256", "previous_sha256",
)  # fmt: skip


def sha256(data: bytes) -> str:
    """SHA-256 as lower-case hex."""
    return hashlib.sha256(data).hexdigest()


def canonical(value: object) -> bytes:
    """JSON with sorted keys and no spaces."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def fail(where: str, problem: str) -> None:
    """Say what does not hold, and leave."""
    raise SystemExit(f"{where}: {problem}")


def walk(path: Path) -> "list[str]":
    """The hash of every row, where every one holds."""
    hashes, unexplained = ["0" * 64], set()
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            row = json.loads(line)
            where = f"row {number}"
            if row["sequence"] != number or row["previous_sha256"] != hashes[-1]:
                fail(where, "does not follow from the row before it")
            if sha256(canonical({name: row[name] for name in HEADER})) != row["sha256"]:
                fail(where, "has a changed header")
            if row["body"] is None:
                unexplained.add(number)
            elif sha256(bytes.fromhex(row["salt"]) + row["body"].encode()) != row["payload_sha256"]:
                fail(where, "has a changed payload")
            elif row["kind"] == "PayloadErased":
                unexplained.discard(json.loads(row["body"])["erased_sequence"])
            hashes.append(row["sha256"])
    if unexplained:
        fail(f"row {min(unexplained)}", "has no payload, and no later row says it was erased")
    return hashes


def check_signed(path: Path, hashes: "list[str]") -> str:
    """Hold the record against a checkpoint; gives whose signature it bears, or that it was not checked."""
    signed = json.loads(path.read_text(encoding="utf-8"))
    signature = bytes.fromhex(signed.pop("signature"))
    if hashes[signed["rows"] : signed["rows"] + 1] != [signed["head_sha256"]]:
        fail(path.name, f"row {signed['rows']} is another one than was signed")
    try:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    except ImportError:
        return "signature not checked (pip install cryptography)"
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(signed["public_key"]))
        key.verify(signature, canonical(signed))
    except InvalidSignature:
        fail(path.name, "was changed since it was signed")
    return f"signed by {signed['public_key']}"


if __name__ == "__main__":
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    rows = walk(folder / "record.jsonl")
    noted = json.loads((folder / "head.json").read_text(encoding="utf-8"))
    if (noted["rows"], noted["head_sha256"]) != (len(rows) - 1, rows[-1]):
        fail(
            "head.json", f"says {noted['rows']} rows, {noted['head_sha256']}; the record has {len(rows) - 1}"
        )
    sys.stdout.write(f"{len(rows) - 1} rows hold, head {rows[-1]}\n")
    for checkpoint in sorted((folder / "checkpoints").glob("*.json")):
        sys.stdout.write(f"{checkpoint.name} holds, {check_signed(checkpoint, rows)}\n")
