"""The record loses nothing, takes nothing back, and says when it was touched."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import update

from study.chain import GENESIS_SHA256
from study.cohort import SimulatedClock
from study.errors import RecordBroken, RecordBusy, RecordError, RecordMismatch, StorageError
from study.event_codec import UPCASTS, decode
from study.events import DeviationRecorded, Event, PayloadErased
from study.record import Draft, Reader, Record
from study.store import event_table, payload_table, store_table, writing
from tests.study.conftest import PROTOCOL_SHA256

KILL_POINTS = 5
WRITER = """
import sys
from study.events import DeviationRecorded
from study.record import Draft, Record
record = Record.open(sys.argv[1], sys.argv[2])
for i in range(int(sys.argv[4])):
    draft = Draft(DeviationRecorded(f"{sys.argv[3]} {i}", "x" * 3000), "sub-1")
    done = record.append(sys.argv[3], lambda _: [draft])
    print(done[0].sequence, i, flush=True)
"""


def note(text: str, participant_id: str = "sub-1") -> Draft:
    return Draft(DeviationRecorded(text, "a reason"), participant_id)


def add(record: Record, *texts: str) -> None:
    for draft in [note(text) for text in texts]:
        record.append("test", partial(_only, draft))


def _only(draft: Draft, _: Reader) -> list[Draft]:
    return [draft]


def texts(record: Record) -> list[str]:
    return [r.event.description for r in record.events() if isinstance(r.event, DeviationRecorded)]


@pytest.mark.requirement("ALCOA+ accurate", "ALCOA+ consistent")
def test_events_come_back_in_order_as_they_were_given(record: Record) -> None:
    add(record, "one", "two", "três — 三")

    assert texts(record) == ["one", "two", "três — 三"]
    assert [r.sequence for r in record.events()] == [1, 2, 3]
    assert record.verify() == record.head()


def test_an_empty_record_verifies_to_the_genesis_hash(record: Record) -> None:
    assert record.verify().sha256 == GENESIS_SHA256


def test_a_refusal_while_deciding_leaves_nothing_behind(record: Record) -> None:
    def refuse(_: object) -> list[Draft]:
        raise RecordError("here", "refused", "do otherwise")

    with pytest.raises(RecordError):
        record.append("test", refuse)

    assert record.head().sequence == 0


@pytest.mark.requirement("ALCOA+ complete")
def test_several_events_of_one_decision_are_there_together_or_not_at_all(
    record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    salts = iter([b"0" * 16])
    monkeypatch.setattr("study.rows.secrets.token_bytes", lambda _: next(salts))

    with pytest.raises(RuntimeError):
        record.append("test", lambda _: [note("one"), note("two")])

    assert texts(record) == []


@pytest.mark.parametrize(
    ("table", "values"),
    [
        ("event", {"actor": "somebody else"}),
        ("event", {"at": "2020-01-01T00:00:00.000000+00:00"}),
        ("event", {"participant_id": "sub-2"}),
        ("event", {"kind": "PlaybackStarted"}),
        ("event", {"previous_sha256": "1" * 64}),
        ("event", {"sha256": "1" * 64}),
        ("payload", {"body": b'{"description":"changed","reason":"a reason"}'}),
        ("payload", {"salt": b"0" * 16}),
        ("payload", {"salt": None, "body": None}),
    ],
)
@pytest.mark.requirement("21 CFR 11.10(a)", "21 CFR 11.10(e)", "ALCOA+ original")
def test_verify_names_the_first_changed_row(record: Record, table: str, values: dict[str, object]) -> None:
    add(record, "one", "two", "three")
    target = {"event": event_table, "payload": payload_table}[table]
    with writing(record._engine) as connection:
        connection.execute(update(target).where(target.c.sequence == 2).values(**values))

    with pytest.raises(RecordBroken) as broken:
        record.verify()

    assert broken.value.sequence == 2


def test_verify_names_a_missing_row(record: Record) -> None:
    add(record, "one", "two", "three")
    with writing(record._engine) as connection:
        connection.execute(payload_table.delete().where(payload_table.c.sequence == 2))
        connection.execute(event_table.delete().where(event_table.c.sequence == 2))

    with pytest.raises(RecordBroken) as broken:
        record.verify()

    assert broken.value.sequence == 2


def test_verify_with_a_noted_head_finds_a_record_cut_short(record: Record) -> None:
    add(record, "one", "two", "three")
    noted = record.head()
    with writing(record._engine) as connection:
        connection.execute(payload_table.delete().where(payload_table.c.sequence == 3))
        connection.execute(event_table.delete().where(event_table.c.sequence == 3))

    record.verify()

    with pytest.raises(RecordBroken, match="does not hold"):
        record.verify(expected_sha256=noted.sha256)


@pytest.mark.requirement("21 CFR 11.10(e)")
def test_a_changed_payload_is_never_read(record: Record) -> None:
    add(record, "one")
    with writing(record._engine) as connection:
        connection.execute(update(payload_table).values(body=b'{"description":"forged","reason":"x"}'))

    with pytest.raises(RecordBroken, match="changed payload"):
        record.events()


@pytest.mark.requirement("GDPR Art. 17", "ALCOA+ traceable")
def test_an_erased_payload_is_gone_and_the_chain_still_verifies(record: Record, tmp_path: Path) -> None:
    add(record, "one", "a secret wish", "three")

    record.erase_payload("test", 2, "consent withdrawn")

    assert record.verify().sequence == 4
    assert [type(r.event) for r in record.events()] == [
        DeviationRecorded,
        type(None),
        DeviationRecorded,
        PayloadErased,
    ]
    record.close()
    for file in tmp_path.glob("record.sqlite*"):
        assert b"a secret wish" not in file.read_bytes()


def test_rows_about_the_study_itself_cannot_be_erased(record: Record) -> None:
    record.append("test", lambda _: [Draft(DeviationRecorded("study-wide", "x"))])

    with pytest.raises(RecordError, match="not a row about a participant"):
        record.erase_payload("test", 1, "no")


def test_equal_payloads_have_unequal_hashes(record: Record) -> None:
    add(record, "same", "same")

    with writing(record._engine) as connection:
        hashes = connection.execute(event_table.select()).scalars("payload_sha256").all()

    assert len(set(hashes)) == 2


def test_a_record_of_another_protocol_is_refused(record: Record, store_url: str) -> None:
    add(record, "one")

    with pytest.raises(RecordMismatch, match="belongs to protocol"):
        Record.open(store_url, "cd" * 32)


def test_a_record_of_a_newer_format_is_refused(record: Record, store_url: str) -> None:
    with writing(record._engine) as connection:
        connection.execute(update(store_table).values(format=99))

    with pytest.raises(RecordMismatch, match="format 99"):
        Record.open(store_url, PROTOCOL_SHA256)


def test_an_event_of_a_newer_isopath_is_refused(record: Record) -> None:
    with pytest.raises(RecordMismatch, match="newer isopath"):
        decode("DeviationRecorded", 99, {})
    with pytest.raises(RecordMismatch, match="newer isopath"):
        decode("SomethingNew", 1, {})


@pytest.mark.requirement("21 CFR 11.10(c)", "ALCOA+ available")
def test_an_old_payload_is_lifted_when_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(UPCASTS, ("DeviationRecorded", 0), lambda old: {**old, "reason": "not asked then"})

    lifted: Event = decode("DeviationRecorded", 0, {"description": "late"})

    assert lifted == DeviationRecorded("late", "not asked then")


def test_two_processes_writing_at_once_lose_nothing(record: Record, store_url: str) -> None:
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, store_url, PROTOCOL_SHA256, name, "20"], stdout=-3)
        for name in ("anna", "ben")
    ]
    assert [writer.wait(timeout=60) for writer in writers] == [0, 0]

    assert record.verify().sequence == 40
    for name in ("anna", "ben"):
        mine = [text for text in texts(record) if text.startswith(name)]
        assert mine == [f"{name} {i}" for i in range(20)]


def kill_while_writing(store_url: str, points: int, seed: int) -> None:
    """Start a writer, kill it after a random moment, and look at what is there."""
    rng = random.Random(seed)
    Record.create(store_url, PROTOCOL_SHA256).close()
    acknowledged: list[tuple[str, int]] = []
    for point in range(points):
        name = f"writer{point}"
        command = [sys.executable, "-c", WRITER, store_url, PROTOCOL_SHA256, name, "100000"]
        writer = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert writer.stdout is not None
        first = writer.stdout.readline()
        time.sleep(rng.uniform(0.0, 0.06))
        os.kill(writer.pid, signal.SIGKILL)
        lines = [first, *writer.stdout.read().splitlines(keepends=True)]
        writer.wait()
        writer.stdout.close()
        # A line cut by the kill was not told whole.
        acknowledged += [
            (f"{name} {line.split()[1]}", int(line.split()[0])) for line in lines if line.endswith("\n")
        ]

    record = Record.open(store_url, PROTOCOL_SHA256)
    record.verify()
    at = {r.sequence: r.event.description for r in record.events() if isinstance(r.event, DeviationRecorded)}
    assert len(acknowledged) >= points
    assert all(at[sequence] == text for text, sequence in acknowledged)
    record.close()


@pytest.mark.requirement("ALCOA+ complete", "ALCOA+ enduring")
def test_a_kill_at_any_moment_leaves_a_record_that_verifies_with_all_it_acknowledged(store_url: str) -> None:
    kill_while_writing(store_url, KILL_POINTS, seed=1)


@pytest.mark.soak
def test_many_kills_leave_a_record_that_verifies_with_all_it_acknowledged(store_url: str) -> None:
    kill_while_writing(store_url, int(os.environ.get("ISOPATH_SOAK_POINTS", "200")), seed=2)


def test_a_locked_database_is_one_clear_refusal(file_record: Record, sqlite_url: str, tmp_path: Path) -> None:
    add(file_record, "one")
    blocker = sqlite3.connect(tmp_path / "record.sqlite", isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    waiting = Record.open(sqlite_url, PROTOCOL_SHA256, busy_timeout_s=0.2)

    with pytest.raises(RecordBusy, match="another process"):
        add(waiting, "two")

    blocker.execute("ROLLBACK")
    blocker.close()
    add(waiting, "three")
    waiting.close()
    assert texts(file_record) == ["one", "three"]


@pytest.mark.parametrize("kept", [0, 10, 100, 5000])
def test_a_truncated_file_is_one_clear_refusal(
    file_record: Record, sqlite_url: str, tmp_path: Path, kept: int
) -> None:
    add(file_record, *[f"note {i}" for i in range(50)])
    file_record.close()
    file = tmp_path / "record.sqlite"
    file.write_bytes(file.read_bytes()[:kept])

    with pytest.raises((RecordBroken, StorageError)):
        Record.open(sqlite_url, PROTOCOL_SHA256).verify()


def test_a_file_that_is_no_database_is_one_clear_refusal(sqlite_url: str, tmp_path: Path) -> None:
    (tmp_path / "record.sqlite").write_text("these are not the rows you are looking for" * 100)

    with pytest.raises(RecordBroken, match="is damaged"):
        Record.open(sqlite_url, PROTOCOL_SHA256)


def test_opening_a_record_that_is_not_there_does_not_make_one(sqlite_url: str, tmp_path: Path) -> None:
    with pytest.raises(RecordBroken, match="is not there"):
        Record.open(sqlite_url, PROTOCOL_SHA256)

    assert not (tmp_path / "record.sqlite").exists()


def test_a_record_is_not_made_over_another(record: Record, store_url: str, clock: SimulatedClock) -> None:
    add(record, "one")

    with pytest.raises(RecordError, match="already holds a record"):
        Record.create(store_url, PROTOCOL_SHA256, clock)
