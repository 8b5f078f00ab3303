"""How many listeners one server process carries, beside the usual way of saving a step.

    python tests/benchmarks/app_load.py [--listeners 250 500 1000 1500 2000] [--seconds 20]

Everybody posts their playback log every five seconds; whole session files are
fetched meanwhile as often as sessions of 15 minutes begin. Server and clients
run on this machine, over loopback. Columns:

    listeners       listening at once
    server          isopath; isopath+render: the same while a session is composed in another
                    process; peer: one row, one commit a request, no chain and no checks
    posts_per_s     answered
    p50_ms … p99_ms from the moment a post was due to its acknowledgement
    sound_mb_per_s  of session files, sent meanwhile
    refused         answered otherwise than with 200
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.figures import Bar, Report, Row, tell
from tests.benchmarks.load_listeners import listen_together
from tests.benchmarks.load_study import Listener, load_protocol_fields, study_with_listeners
from tests.dashboards.app.served import ServedStudy, free_port, wait_until_healthy

SESSION_S = 900
ASKED_LISTENERS = 1500
ASKED_P95_MS = 100.0
ROUTE = "/api/me/playback"


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--listeners", type=int, nargs="+", default=[500, 1000, 1500, 2000, 3000])
    parser.add_argument("--seconds", type=float, default=20.0, help="of each stretch (20)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        report = measure(Path(folder), given.listeners, given.seconds)
    print(json.dumps(report.as_json()) if given.json else report.as_text())
    return 0


def measure(folder: Path, numbers: list[int], seconds: float) -> Report:
    """Run every stretch.

    Args:
        folder: empty, to be filled.
        numbers: how many listen at once, in turn.
    """
    tell(f"making a study with {max(numbers)} people who are due to listen")
    protocol = folder / "protocol.json"
    protocol.write_text(json.dumps(load_protocol_fields(SESSION_S)))
    study, listeners = study_with_listeners(folder / "study", protocol, max(numbers))
    study.record.close()
    report = Report({"cores": float(os.cpu_count() or 1), "seconds": seconds})
    with _peer(folder) as port:
        for number in numbers:
            report.rows.append(_stretch("peer", port, listeners[:number], seconds, 0.0))
    with ServedStudy(study.folder.root) as served:
        for number in numbers:
            report.rows.append(
                _stretch("isopath", served.port, listeners[:number], seconds, number / SESSION_S)
            )
        with _composing(folder):
            at_once = listeners[:ASKED_LISTENERS]
            report.rows.append(
                _stretch("isopath+render", served.port, at_once, seconds, len(at_once) / SESSION_S)
            )
    tell("verifying the chain")
    study.record.verify()
    report.bars.extend(_bars(report.rows))
    return report


def _stretch(server: str, port: int, people: list[Listener], seconds: float, downloads_per_s: float) -> Row:
    tell(f"{server}: {len(people)} listeners for {seconds:g} s")
    outcome = asyncio.run(listen_together(port, ROUTE, people, seconds, downloads_per_s))
    return {
        "listeners": str(len(people)),
        "server": server,
        "posts_per_s": outcome.posts_per_s,
        "p50_ms": outcome.percentile_ms(0.50),
        "p95_ms": outcome.percentile_ms(0.95),
        "p99_ms": outcome.percentile_ms(0.99),
        "sound_mb_per_s": outcome.sound_bytes / 1e6 / outcome.wall_s,
        "refused": str(outcome.refused + outcome.broken),
    }


def _bars(rows: list[Row]) -> Iterator[Bar]:
    for server in ("isopath", "peer"):
        good = [
            int(row["listeners"])
            for row in rows
            if row["server"] == server and float(row["p95_ms"]) < ASKED_P95_MS and row["refused"] == "0"
        ]
        yield Bar(f"{server}: listeners with p95 < 100 ms", float(max(good, default=0)), ASKED_LISTENERS)
    for row in rows:
        if row["server"] == "isopath+render":
            yield Bar("p95 in ms while a session is composed", float(row["p95_ms"]), ASKED_P95_MS, False)


@contextlib.contextmanager
def _peer(folder: Path) -> Iterator[int]:
    port = free_port()
    script = Path(__file__).with_name("load_peer.py")
    process = subprocess.Popen([sys.executable, str(script), str(folder / "peer.sqlite"), str(port)])
    try:
        wait_until_healthy(port)
        yield port
    finally:
        process.terminate()
        process.wait()


@contextlib.contextmanager
def _composing(folder: Path) -> Iterator[None]:
    """A session of music being made again and again, with the niceness the server gives its renderer."""
    command = [sys.executable, "-m", "dashboards.cli.main", "compose", "--from", "sad", "--to", "calm"]
    loop = f"while true; do {' '.join(command)} --minutes 15 -o {folder}/x.flac; rm -f {folder}/x.flac; done"
    process = subprocess.Popen(
        ["nice", "-n", "10", "bash", "-c", loop],
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        os.killpg(process.pid, 15)
        process.wait()


if __name__ == "__main__":
    sys.exit(main())
