"""How many durable events a second the record takes, against a bare insert of one row in one transaction.

Both are measured in turn, a few at a time, in the same run and on the same disk, so that what else the
machine does meets both. A bare insert is one row of as many bytes as an event's two rows, in a table
without an index, in a transaction of its own that is on disk when it ends: once by the driver alone, which
is the least there can be, and once by the library the record is written with (SQLAlchemy).

    python -m tests.benchmarks.record_appends [--rounds 60] [--clients 1 8] [--write]

With ``--write`` the figures go to docs/record/appends.json and into the table of docs/record/stores.md.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import sqlite3
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from pathlib import Path
from statistics import median

from sqlalchemy import Column, Engine, Integer, LargeBinary, MetaData, Table

from study.events import DeviationRecorded
from study.record import Draft, Record
from study.store import open_store
from tests.postgres import a_server

ROOT = Path(__file__).parents[2]
AT_ONCE = 5
ROW_BYTES = 900
"""What an event's header, salt and payload of 250 bytes come to."""

Taken = tuple[float, ...]
"""Seconds that a few rows took: by the driver, by the library, chained."""

_PROTOCOL = "ab" * 32
_DRAFT = Draft(DeviationRecorded("the lift was loud", "x" * 200), "sub-1")


@dataclass(frozen=True)
class Rate:
    """Rows a second, on one database.

    Args:
        driver, library, chained: rows a second over the whole run, of all clients together.
        of_driver, of_library: chained of bare, the median over the rounds.
    """

    store: str
    clients: int
    driver: float
    library: float
    chained: float
    of_driver: float
    of_library: float


def sqlite_rate(folder: Path, rounds: int) -> Rate:
    """One client on SQLite."""
    url = f"sqlite:///{folder / 'bare.sqlite'}"
    engine = open_store(url)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE bare (id INTEGER PRIMARY KEY, body BLOB)")
    driver = sqlite3.connect(folder / "bare.sqlite", isolation_level=None)
    driver.execute("PRAGMA synchronous = FULL")
    record = Record.create(f"sqlite:///{folder / 'record.sqlite'}", _PROTOCOL)
    body = os.urandom(ROW_BYTES)

    def insert() -> None:
        driver.execute("BEGIN IMMEDIATE")
        driver.execute("INSERT INTO bare (body) VALUES (?)", (body,))
        driver.execute("COMMIT")

    taken = _in_turn((insert, _by_library(engine, body), _append_to(record)), rounds)
    record.verify()
    record.close()
    engine.dispose()
    driver.close()
    return _rate("SQLite", 1, [taken])


def postgres_rate(url: str, clients: int, rounds: int) -> Rate:
    """Some clients at once on PostgreSQL, each a process of its own."""
    context = multiprocessing.get_context("spawn")
    # All clients do the same at a time: else those that wait for the head would leave the disk to the others.
    together, told = context.Barrier(clients), context.Queue()
    processes = [
        context.Process(target=_postgres_client, args=(url, rounds, together, told)) for _ in range(clients)
    ]
    for process in processes:
        process.start()
    taken = [told.get() for _ in processes]
    for process in processes:
        process.join()
    record = Record.open(url, _PROTOCOL)
    record.verify()
    record.close()
    return _rate("PostgreSQL", clients, taken)


def _postgres_client(url: str, rounds: int, together: Barrier, told: Queue[list[Taken]]) -> None:
    import psycopg

    record, engine = Record.open(url, _PROTOCOL), open_store(url)
    driver = psycopg.connect(url, autocommit=True)
    body = os.urandom(ROW_BYTES)

    def insert() -> None:
        driver.execute("INSERT INTO bare (body) VALUES (%s)", (body,))

    kinds = insert, _by_library(engine, body), _append_to(record)
    told.put(_in_turn(kinds, rounds, together.wait))
    record.close()
    engine.dispose()
    driver.close()


def _by_library(engine: Engine, body: bytes) -> Callable[[], None]:
    bare = Table("bare", MetaData(), Column("id", Integer, primary_key=True), Column("body", LargeBinary))

    def insert() -> None:
        with engine.begin() as connection:
            connection.execute(bare.insert(), {"body": body})

    return insert


def _append_to(record: Record) -> Callable[[], None]:
    def append() -> None:
        record.append("benchmark", lambda _: [_DRAFT])

    return append


def _in_turn(
    kinds: Sequence[Callable[[], object]], rounds: int, begin: Callable[[], object] = lambda: None
) -> list[Taken]:
    """Seconds that `AT_ONCE` rows of each kind took, by round; a third as many rounds warm up, unmeasured."""
    taken = []
    for number in range(-(rounds // 3), rounds):
        seconds = [0.0] * len(kinds)
        # Which is first changes, so that none always follows another's rest.
        for which in (position % len(kinds) for position in range(number, number + len(kinds))):
            begin()
            began = time.perf_counter()
            for _ in range(AT_ONCE):
                kinds[which]()
            seconds[which] = time.perf_counter() - began
        if number >= 0:
            taken.append(tuple(seconds))
    return taken


def _rate(store: str, clients: int, taken: Sequence[Sequence[Taken]]) -> Rate:
    rounds = [seconds for one in taken for seconds in one]
    driver, library, chained = (
        len(rounds) * AT_ONCE * clients / sum(kind) for kind in zip(*rounds, strict=True)
    )
    of_driver = median(seconds[0] / seconds[2] for seconds in rounds)
    of_library = median(seconds[1] / seconds[2] for seconds in rounds)
    return Rate(store, clients, driver, library, chained, of_driver, of_library)


def measured(rounds: int, clients: Sequence[int], folder: Path) -> list[Rate]:
    """All of it, on the disk that holds `folder`."""
    with tempfile.TemporaryDirectory(dir=folder) as made:
        rates = [sqlite_rate(Path(made), rounds)]
    with a_server() as server:
        for count in clients:
            database = server.new_database()
            url = server.url(database)
            server.ask("CREATE TABLE bare (id bigserial PRIMARY KEY, body bytea)", database)
            Record.create(url, _PROTOCOL).close()
            rates.append(postgres_rate(url, count, rounds))
    return rates


def table(rates: Sequence[Rate]) -> list[str]:
    """The rows of the table in docs/record/stores.md."""
    return [
        f"| {rate.store}, {rate.clients} client{'s' if rate.clients > 1 else ''} | {rate.driver:.0f}/s | "
        f"{rate.library:.0f}/s | {rate.chained:.0f}/s | {rate.of_driver:.0%} | {rate.of_library:.0%} |"
        for rate in rates
    ]


def main() -> None:
    """Measure and print; write where asked."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 8])
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()))
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    rates = measured(given.rounds, given.clients, given.folder)
    print("\n".join(table(rates)))
    if given.write:
        docs = ROOT / "docs" / "record"
        facts = {
            "load_before": os.getloadavg()[0],
            "cores": os.cpu_count(),
            "rates": list(map(asdict, rates)),
        }
        (docs / "appends.json").write_text(json.dumps(facts, indent=1) + "\n")
        lines = (docs / "stores.md").read_text().splitlines()
        head = lines.index("| --- | --- | --- | --- | --- | --- |")
        end = next(i for i in range(head + 1, len(lines)) if not lines[i].startswith("|"))
        lines[head + 1 : end] = table(rates)
        (docs / "stores.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
