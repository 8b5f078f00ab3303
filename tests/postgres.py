"""A real PostgreSQL server for the tests: its own, in a temporary folder, on a Unix socket.

Nothing of a cluster that the machine runs already is touched. The server writes
as a hospital's would (fsync and synchronous commit on). It refuses to run as
root; where the tests do, it runs as `postgres` or `nobody`.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import pytest

#: Whom the server lets in with a password only; everybody else on the socket is trusted.
GUARDED_ROLE = "guarded"
GUARDED_PASSWORD = "a password that is never shown"
_ACCESS = f"local all {GUARDED_ROLE} scram-sha-256\nlocal all all trust\n"
_SETTINGS = """
listen_addresses = ''
max_connections = 60
shared_buffers = 16MB
log_min_messages = fatal
autovacuum = off
"""


def postgres_programs() -> Path | None:
    """The folder that holds `initdb` and `postgres`, or None where PostgreSQL is not installed."""
    found = shutil.which("initdb")
    folders = [Path(found).resolve().parent] if found else []
    # Debian keeps each version's programs apart, off the path.
    debian = Path("/usr/lib/postgresql").glob("*/bin")
    folders += sorted(debian, key=lambda folder: float(folder.parent.name), reverse=True)
    return next((folder for folder in folders if (folder / "postgres").is_file()), None)


@dataclass
class PostgresServer:
    """A server that answers on `socket_folder`.

    Args:
        programs: the folder of PostgreSQL's programs.
        folder: of this server alone; holds its data, socket and log.
    """

    programs: Path
    folder: Path
    _process: subprocess.Popen[bytes] | None = None
    _named: Iterator[int] = field(default_factory=count)

    @property
    def data(self) -> Path:
        """The cluster's folder."""
        return self.folder / "data"

    def make(self) -> None:
        """Make the empty cluster."""
        self.folder.chmod(0o755)
        if os.geteuid() == 0:
            shutil.chown(self.folder, _owner().pw_name)
        options = ["--auth=trust", "--username=isopath", "--encoding=UTF8", "--no-locale", "--no-sync"]
        made = subprocess.run(
            [*_as_owner(), str(self.programs / "initdb"), "-D", str(self.data), *options],
            capture_output=True,
            text=True,
            check=False,
            cwd=self.folder,
        )
        assert made.returncode == 0, made.stderr
        (self.data / "pg_hba.conf").write_text(_ACCESS)
        with (self.data / "postgresql.conf").open("a") as settings:
            settings.write(_SETTINGS)

    def start(self) -> None:
        """Start it and wait until it answers."""
        command = [str(self.programs / "postgres"), "-D", str(self.data), "-k", str(self.folder)]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*_as_owner(), *command], stdout=log, stderr=log, cwd=self.folder
            )
        end = time.monotonic() + 30
        while self._run("pg_isready", "-q").returncode != 0:
            said = (self.folder / "log").read_text()
            assert self._process.poll() is None, said
            assert time.monotonic() < end, said
            time.sleep(0.02)

    def kill(self) -> None:
        """kill -9 every process of it at once, as a power cut would end it."""
        if self._process is not None:
            processes = [self._process.pid, *_children(self._process.pid)]
            for process_id in processes:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process_id, signal.SIGKILL)
            self._process.wait(timeout=30)
            self._process = None
            while any(Path(f"/proc/{process_id}").exists() for process_id in processes):
                time.sleep(0.01)

    def stop(self) -> None:
        """Stop it at once; its data are about to be deleted."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(timeout=30)
            self._process = None

    def ask(self, statement: str, database: str = "postgres") -> str:
        """What `psql` prints for a statement of the server's owner."""
        ran = self._run(
            "psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", database, "-c", statement
        )
        assert ran.returncode == 0, ran.stderr
        return ran.stdout.strip()

    def new_database(self) -> str:
        """The name of a new, empty database."""
        name = f"study{next(self._named)}"
        self.ask(f'CREATE DATABASE "{name}"')
        return name

    def url(self, database: str, role: str = "isopath") -> str:
        """The address of a database, as `--store` takes it."""
        return f"postgresql://{role}@/{database}?host={self.folder}"

    def _run(self, program: str, *options: str) -> subprocess.CompletedProcess[str]:
        where = ["-h", str(self.folder), "-U", "isopath"]
        return subprocess.run(
            [str(self.programs / program), *where, *options], capture_output=True, text=True, check=False
        )


@contextmanager
def a_server() -> Iterator[PostgresServer]:
    """A server of one's own, to be killed and started again; skips where PostgreSQL is not installed."""
    programs = postgres_programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed; on Debian: apt-get install postgresql")
    # Not pytest's folder: a socket's path has room for 107 bytes.
    with tempfile.TemporaryDirectory(prefix="isopath-pg-", dir="/tmp") as folder:
        server = PostgresServer(programs, Path(folder))
        server.make()
        try:
            server.start()
            server.ask(f"CREATE ROLE {GUARDED_ROLE} LOGIN SUPERUSER PASSWORD '{GUARDED_PASSWORD}'")
            yield server
        finally:
            server.stop()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """One server for all tests of a worker."""
    with a_server() as server:
        yield server


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """A new, empty database, gone after the test."""
    name = postgres_server.new_database()
    yield postgres_server.url(name)
    postgres_server.ask(f'DROP DATABASE "{name}" WITH (FORCE)')


def _owner() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")


def _as_owner() -> list[str]:
    """What a command is begun with: it may not run as root, and must not outlive the tests."""
    if shutil.which("setpriv") is None:
        return []
    command = ["setpriv", "--pdeathsig", "KILL"]
    if os.geteuid() == 0:
        owner = _owner()
        command += [f"--reuid={owner.pw_uid}", f"--regid={owner.pw_gid}", "--clear-groups"]
    return [*command, "--"]


def _children(process_id: int) -> list[int]:
    return [
        int(child) for child in Path(f"/proc/{process_id}/task/{process_id}/children").read_text().split()
    ]
