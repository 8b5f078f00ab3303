"""What each database does when something fails: one clear refusal, nothing half-written, no password told."""

from __future__ import annotations

import json
import os
import random
import sqlite3
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from sqlalchemy import Connection, create_engine

from study.cohort import SimulatedClock
from study.errors import (
    IsopathError,
    OutOfRange,
    RecordBroken,
    RecordBusy,
    RecordError,
    RecordMismatch,
    Refusals,
    StorageError,
)
from study.founding import Study, initialise_study, open_study
from study.joining import join_study
from study.record import Record
from study.rows import NewRow, insert_rows
from study.store_address import PASSWORD_VARIABLE, parse_address, shown_address
from tests.postgres import GUARDED_PASSWORD, GUARDED_ROLE, PostgresServer, a_server
from tests.study.conftest import ONE_SESSION, PROTOCOL_SHA256
from tests.study.test_record import WRITER, add, note, texts
from tests.study.walking import enrolled

PAGE_BYTES = 4096


def made(url: str, *said: str) -> None:
    """A record that holds some notes."""
    record = Record.create(url, PROTOCOL_SHA256)
    if said:
        record.append("test", lambda _: [note(text) for text in said])
    record.close()


def refused(doing: Callable[[], object], kind: type[IsopathError]) -> str:
    """The message, and that nothing of a password stands in it or in its traceback."""
    with pytest.raises(kind) as refusal:
        doing()
    told = "".join(traceback.format_exception(refusal.value))
    assert GUARDED_PASSWORD not in told
    assert "wrong password" not in told
    return str(refusal.value)


class TestAnAddress:
    @pytest.mark.parametrize(
        "text", ["postgresql://me:hidden1@db/calm", "postgresql://me@db/calm?password=hidden1"]
    )
    def test_with_a_password_in_it_is_refused_and_not_repeated(self, text: str, tmp_path: Path) -> None:
        with pytest.raises(OutOfRange, match="holds a password") as refusal:
            initialise_study(tmp_path / "study", ONE_SESSION, "test", "isopath test", store=text)

        assert "hidden1" not in str(refusal.value)
        assert not (tmp_path / "study").exists()

    @pytest.mark.parametrize(
        "text", ["", "calm", "mysql://db/calm", "postgresql+asyncpg://db/calm", "postgresql://db"]
    )
    def test_of_no_database_we_know_is_refused(self, text: str) -> None:
        with pytest.raises(OutOfRange):
            parse_address(text)

    def test_of_another_machine_asks_for_encryption(self) -> None:
        far = parse_address("postgresql://me@db.clinic.org:5433/calm")

        assert far.query["sslmode"] == "require"
        assert shown_address(far) == "postgresql://me@db.clinic.org:5433/calm"
        assert "sslmode" not in parse_address("postgresql://me@localhost/calm").query
        assert "sslmode" not in parse_address("postgresql://me@/calm?host=/var/run/postgresql").query
        chosen = parse_address("postgresql://me@db/calm?sslmode=verify-full")
        assert chosen.query["sslmode"] == "verify-full"

    def test_that_a_folder_names_wrongly_is_one_clear_refusal(self, study: Study) -> None:
        for content in ("", "[]", '{"url": 3}', "{}"):
            study.folder.store.write_text(content)
            with pytest.raises(StorageError, match="does not name the record's database"):
                open_study(study.folder.root)


@pytest.mark.postgres
class TestPostgreSQL:
    def test_a_password_comes_from_the_environment_and_is_never_told(
        self, postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        url = postgres_server.url(postgres_server.new_database(), GUARDED_ROLE)
        monkeypatch.setenv(PASSWORD_VARIABLE, "the wrong password")
        said = refused(lambda: made(url), StorageError)
        assert "password authentication failed" in said

        monkeypatch.setenv(PASSWORD_VARIABLE, GUARDED_PASSWORD)
        study = initialise_study(tmp_path / "study", ONE_SESSION, "test", "isopath test", store=url)

        assert json.loads((tmp_path / "study" / "store.json").read_text()) == {"url": url}
        assert study.record.verify().sequence == 1
        study.record.close()
        assert not any(GUARDED_PASSWORD.encode() in path.read_bytes() for path in files_in(tmp_path))

    def test_a_server_that_is_not_there_is_one_clear_refusal(self, tmp_path: Path) -> None:
        url = f"postgresql://me@/calm?host={tmp_path}"

        assert "cannot be reached" in refused(lambda: Record.open(url, PROTOCOL_SHA256), StorageError)
        with pytest.raises(StorageError):
            initialise_study(tmp_path / "study", ONE_SESSION, "test", "isopath test", store=url)
        assert not (tmp_path / "study").exists()

    def test_a_database_that_is_not_there_or_holds_something_else(
        self, postgres_server: PostgresServer, postgres_url: str
    ) -> None:
        nowhere = postgres_server.url("nowhere")
        assert "nowhere" in refused(lambda: Record.open(nowhere, PROTOCOL_SHA256), StorageError)
        assert "no study record" in refused(lambda: Record.open(postgres_url, PROTOCOL_SHA256), RecordBroken)

        postgres_server.ask("CREATE TABLE event (id int)", postgres_url.split("@/")[1].partition("?")[0])
        assert "already holds" in refused(lambda: made(postgres_url), RecordError)

    def test_a_beginning_that_was_cut_short_may_be_begun_again(self, postgres_url: str) -> None:
        made(postgres_url)

        made(postgres_url, "one")

        assert "already holds" in refused(lambda: made(postgres_url), RecordError)

    def test_a_server_without_fsync_is_refused(self, postgres_server: PostgresServer) -> None:
        database = postgres_server.new_database()
        postgres_server.ask("ALTER SYSTEM SET fsync = off")
        postgres_server.ask("SELECT pg_reload_conf()")
        try:
            wait_until(lambda: postgres_server.ask("SHOW fsync") == "off")
            said = refused(lambda: made(postgres_server.url(database)), StorageError)
        finally:
            postgres_server.ask("ALTER SYSTEM RESET fsync")
            postgres_server.ask("SELECT pg_reload_conf()")
            wait_until(lambda: postgres_server.ask("SHOW fsync") == "on")

        assert "a power cut would lose" in said

    def test_who_waits_too_long_for_the_head_is_told_so(self, postgres_url: str) -> None:
        made(postgres_url, "one")
        holder = create_engine(parse_address(postgres_url))
        waiting = Record.open(postgres_url, PROTOCOL_SHA256, busy_timeout_s=0.2)

        with holder.connect() as connection:
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(hashtext('isopath.record'))")
            assert "another process" in refused(lambda: add(waiting, "two"), RecordBusy)

        add(waiting, "three")
        assert texts(waiting) == ["one", "three"]
        waiting.close()
        holder.dispose()

    def test_a_row_written_out_of_turn_cannot_fork_the_chain(
        self, postgres_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        made(postgres_url, "one")
        record, other = [Record.open(postgres_url, PROTOCOL_SHA256) for _ in range(2)]
        monkeypatch.setattr("study.store._LOCK", "SELECT 1")
        monkeypatch.setattr("study.appending.insert_rows", after(insert_rows, lambda: add(other, "two"), []))

        # Both saw row 1 as the last: only one of them becomes row 2.
        assert "another program" in refused(lambda: add(record, "three"), RecordBusy)

        assert texts(record) == ["one", "two"]
        assert record.verify().sequence == 2
        record.close()
        other.close()

    def test_rights_to_add_rows_are_enough_to_run_and_not_to_change_one(
        self, postgres_server: PostgresServer, postgres_url: str
    ) -> None:
        made(postgres_url, "one")
        database = postgres_url.split("@/")[1].partition("?")[0]
        postgres_server.ask("DROP ROLE IF EXISTS site_north")
        postgres_server.ask("CREATE ROLE site_north LOGIN")
        postgres_server.ask("GRANT SELECT, INSERT ON event, payload TO site_north", database)
        postgres_server.ask("GRANT SELECT ON store TO site_north", database)
        site = Record.open(postgres_server.url(database, "site_north"), PROTOCOL_SHA256)

        add(site, "two")

        assert texts(site) == ["one", "two"]
        assert "does not let" in refused(lambda: site.erase_payload("test", 1, "no"), StorageError)
        assert site.verify().sequence == 2
        site.close()

    def test_connections_that_the_server_closed_are_replaced_without_a_word(
        self, postgres_server: PostgresServer, postgres_url: str
    ) -> None:
        made(postgres_url, "one")
        record = Record.open(postgres_url, PROTOCOL_SHA256)
        postgres_server.ask(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'isopath'"
        )

        add(record, "two")

        assert texts(record) == ["one", "two"]
        record.close()

    def test_a_connection_cut_in_the_middle_writes_nothing_and_says_so(
        self, postgres_server: PostgresServer, postgres_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        made(postgres_url, "one")
        record = Record.open(postgres_url, PROTOCOL_SHA256)

        def cut() -> None:
            postgres_server.ask(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'isopath'"
            )

        monkeypatch.setattr("study.appending.insert_rows", after(insert_rows, cut, []))
        assert "cannot be reached" in refused(lambda: add(record, "two"), StorageError)

        add(record, "three")
        assert texts(record) == ["one", "three"]
        assert record.verify().sequence == 2
        record.close()

    @pytest.mark.soak
    def test_what_was_acknowledged_outlives_a_killed_server(self) -> None:
        drawn = random.Random(7)
        points = max(3, int(os.environ.get("ISOPATH_SOAK_POINTS", "200")) // 20)
        with a_server() as server:
            url = server.url(server.new_database())
            made(url)
            acknowledged: list[str] = []
            for point in range(points):
                command = [sys.executable, "-c", WRITER, url, PROTOCOL_SHA256, f"writer{point}", "100000"]
                writer = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=-3, text=True)
                assert writer.stdout is not None
                lines = [writer.stdout.readline()]
                time.sleep(drawn.uniform(0.0, 0.2))
                server.kill()
                lines += writer.stdout.read().splitlines(keepends=True)
                writer.wait()
                writer.stdout.close()
                acknowledged += [f"writer{point} {line.split()[1]}" for line in lines if line.endswith("\n")]
                server.start()
                record = Record.open(url, PROTOCOL_SHA256)
                record.verify()
                assert set(acknowledged) <= set(texts(record))
                record.close()


class TestJoining:
    @pytest.fixture
    def begun(self, tmp_path: Path, clock: SimulatedClock, postgres_url: str) -> Iterator[Study]:
        made = initialise_study(
            tmp_path / "south", ONE_SESSION, "test", "isopath test", clock, store=postgres_url
        )
        yield made
        made.record.close()

    @pytest.mark.postgres
    def test_a_second_server_is_made_from_the_record_alone(
        self, begun: Study, tmp_path: Path, postgres_url: str, clock: SimulatedClock
    ) -> None:
        joined = join_study(tmp_path / "north", postgres_url, seed=begun.folder.allocation_seed, clock=clock)

        who = enrolled(joined.study)
        assert joined.can_allocate
        assert begun.record.participant(who) == joined.study.record.participant(who)
        assert joined.study.protocol == begun.protocol
        assert (tmp_path / "north" / "protocol.json").read_bytes() == begun.folder.protocol.read_bytes()
        assert (tmp_path / "north" / "allocation.seed").stat().st_mode & 0o777 == 0o600
        joined.study.record.close()

    @pytest.mark.postgres
    def test_without_the_seed_it_allocates_nobody_and_a_wrong_one_is_refused(
        self, begun: Study, tmp_path: Path, postgres_url: str
    ) -> None:
        wrong = tmp_path / "wrong.seed"
        wrong.write_bytes(b"0" * 32)
        with pytest.raises(RecordMismatch, match="not the seed"):
            join_study(tmp_path / "north", postgres_url, seed=wrong)
        with pytest.raises(StorageError, match="is there already"):
            join_study(tmp_path / "south", postgres_url)
        assert not (tmp_path / "north").exists()

        joined = join_study(tmp_path / "north", postgres_url)
        assert not joined.can_allocate
        with pytest.raises(StorageError, match="sealed seed"):
            joined.study.allocation_source()
        joined.study.record.close()

    @pytest.mark.postgres
    def test_every_sound_that_is_missing_or_another_is_told_at_once(
        self, tmp_path: Path, postgres_url: str
    ) -> None:
        protocol = json.loads(ONE_SESSION.read_text())
        protocol["arms"][1]["path"] = {"kind": "files", "files": ["one.flac", "two.flac"]}
        (tmp_path / "protocol.json").write_text(json.dumps(protocol))
        for name in ("one.flac", "two.flac"):
            (tmp_path / name).write_bytes(name.encode())
        south = initialise_study(
            tmp_path / "south", tmp_path / "protocol.json", "test", "isopath test", store=postgres_url
        )
        south.record.close()
        (tmp_path / "brought").mkdir()
        (tmp_path / "brought" / "one.flac").write_bytes(b"another")

        with pytest.raises(Refusals) as refusal:
            join_study(tmp_path / "north", postgres_url, [tmp_path / "brought"])
        assert "one.flac: is another file" in str(refusal.value)
        assert "two.flac: is not at hand" in str(refusal.value)

        north = join_study(tmp_path / "north", postgres_url, [tmp_path / "south"]).study
        assert north.frozen_sounds(["one.flac"]) == ("sounds/one.flac",)
        north.record.close()


class TestSQLite:
    def test_a_damaged_page_anywhere_is_named_and_never_read_as_something_else(
        self, tmp_path: Path, sqlite_url: str
    ) -> None:
        made(sqlite_url, *[f"note {i} " + "x" * 900 for i in range(60)])
        file = tmp_path / "record.sqlite"
        whole = file.read_bytes()
        original = open_texts(sqlite_url)
        found = 0
        for page in range(len(whole) // PAGE_BYTES):
            at = page * PAGE_BYTES
            # Headers, cells and free space alike: the page is another page's bytes.
            damaged = bytes(byte ^ 0x5A for byte in whole[at : at + PAGE_BYTES])
            file.write_bytes(whole[:at] + damaged + whole[at + PAGE_BYTES :])
            try:
                record = Record.open(sqlite_url, PROTOCOL_SHA256)
                try:
                    record.verify()
                    assert texts(record) == original
                finally:
                    record.close()
            except (RecordBroken, RecordMismatch, StorageError):
                found += 1
            for left in tmp_path.glob("record.sqlite-*"):
                left.unlink()

        assert found == len(whole) // PAGE_BYTES

    def test_an_index_that_hides_rows_is_found(self, tmp_path: Path, sqlite_url: str) -> None:
        made(sqlite_url, "one", "two", "three")
        with sqlite3.connect(tmp_path / "record.sqlite", isolation_level=None) as raw:
            raw.execute("PRAGMA writable_schema = ON")
            definition = raw.execute("SELECT sql FROM sqlite_schema WHERE name = 'ix_event_kind'").fetchone()[
                0
            ]
            changed = definition + " WHERE sequence < 2"
            raw.execute("UPDATE sqlite_schema SET sql = ? WHERE name = 'ix_event_kind'", (changed,))
        raw.close()

        record = Record.open(sqlite_url, PROTOCOL_SHA256)
        assert "is damaged" in refused(record.verify, RecordBroken)
        record.close()

    def test_a_full_disk_loses_nothing_that_was_acknowledged_and_keeps_no_half(self, tmp_path: Path) -> None:
        disk = tmp_path / "disk"
        disk.mkdir()
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(disk)], capture_output=True, check=False
        )
        if mounted.returncode != 0:
            pytest.skip("a small disk cannot be mounted here")
        try:
            url = f"sqlite:///{disk / 'record.sqlite'}"
            made(url)
            record = Record.open(url, PROTOCOL_SHA256)
            acknowledged: list[str] = []

            def fill() -> None:
                while True:
                    text = f"note {len(acknowledged)} " + "x" * 3000
                    add(record, text)
                    acknowledged.append(text)

            assert "the disk is full" in refused(fill, StorageError)
            assert len(acknowledged) > 5
            assert texts(record) == acknowledged
            record.verify()
            record.close()
            again = Record.open(url, PROTOCOL_SHA256)
            assert texts(again) == acknowledged
            again.close()
        finally:
            subprocess.run(["umount", str(disk)], check=True)


def test_the_commands_say_what_went_wrong_and_leave_nothing(tmp_path: Path) -> None:
    isopath = [sys.executable, "-m", "dashboards.cli.main"]
    nowhere = f"postgresql://me@/calm?host={tmp_path}"
    begin = ["init", str(tmp_path / "study"), "--protocol", str(ONE_SESSION), "--store", nowhere]

    done = subprocess.run([*isopath, *begin], capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert "cannot be reached" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "study").exists()


def after(
    insert: Callable[[Connection, Sequence[NewRow]], None], doing: Callable[[], None], done: list[bool]
) -> Callable[[Connection, Sequence[NewRow]], None]:
    """The first time, something happens between the decision and its rows."""

    def inserted(connection: Connection, rows: Sequence[NewRow]) -> None:
        if not done:
            done.append(True)
            doing()
        insert(connection, rows)

    return inserted


def open_texts(url: str) -> list[str]:
    record = Record.open(url, PROTOCOL_SHA256)
    found = texts(record)
    record.close()
    return found


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def wait_until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.05)
