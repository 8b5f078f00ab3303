"""Check an exported study record without isopath: python3 verify_record.py [record.jsonl [head.json]].

Needs Python 3.8 and nothing else. Each row's hash covers its header as canonical JSON; the header holds the
hash of the row before and SHA-256(salt + body). An erased row has neither; a later row says it was erased.
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


def fail(number: int, problem: str) -> None:
    """Say which row does not hold, and leave."""
    raise SystemExit(f"row {number}: {problem}")


def walk(path: Path) -> "tuple[int, str]":
    """How many rows there are and the hash of the last, where every one holds."""
    previous, number, unexplained = "0" * 64, 0, set()
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            row = json.loads(line)
            header = {name: row[name] for name in HEADER}
            text = json.dumps(header, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
            if row["sequence"] != number or row["previous_sha256"] != previous:
                fail(number, "does not follow from the row before it")
            if sha256(text.encode()) != row["sha256"]:
                fail(number, "has a changed header")
            if row["body"] is None:
                unexplained.add(number)
            elif sha256(bytes.fromhex(row["salt"]) + row["body"].encode()) != row["payload_sha256"]:
                fail(number, "has a changed payload")
            elif row["kind"] == "PayloadErased":
                unexplained.discard(json.loads(row["body"])["erased_sequence"])
            previous = row["sha256"]
    if unexplained:
        fail(min(unexplained), "has no payload, and no later row says it was erased")
    return number, previous


if __name__ == "__main__":
    record, head = (sys.argv[1:] + ["record.jsonl", "head.json"][len(sys.argv) - 1 :])[:2]
    rows, end = walk(Path(record))
    noted = json.loads(Path(head).read_text(encoding="utf-8"))
    if (noted["rows"], noted["head_sha256"]) != (rows, end):
        raise SystemExit(f"the record ends with row {rows}, {end}; head.json says {noted}")
    sys.stdout.write(f"{rows} rows hold, head {end}\n")
