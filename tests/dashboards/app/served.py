"""A real `isopath serve` in a process of its own, to be asked, killed and started again."""

from __future__ import annotations

import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx


class ServedStudy:
    """One study, served on loopback.

    Args:
        root: the study folder.
        options: more of `isopath serve`'s.
        trust: whose certificates are believed, where it is served over TLS.
    """

    def __init__(self, root: Path, *options: str, trust: ssl.SSLContext | None = None) -> None:
        self.root = root
        self.port = free_port()
        self.trust = trust
        self.url = f"{'http' if trust is None else 'https'}://127.0.0.1:{self.port}"
        self.log = root.parent / f"{root.name}-server.log"
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> ServedStudy:
        try:
            self.start()
        except BaseException:
            self.kill()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self, within_s: float = 60.0) -> None:
        command = [
            sys.executable,
            "-m",
            "dashboards.cli.main",
            "serve",
            str(self.root),
            "--port",
            str(self.port),
        ]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*command, *self._options], stdout=log, stderr=log, env={**os.environ}, start_new_session=True
            )
        wait_until_healthy(self.port, within_s, self._ended, self.trust)

    def _ended(self) -> str | None:
        has_ended = self._process is not None and self._process.poll() is not None
        return self.log.read_text() if has_ended else None

    def kill(self) -> None:
        """kill -9, its own children with it."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        if self._process.poll() is None:
            os.killpg(self._process.pid, how)
        self._process.wait(timeout=30)
        self._process = None


def wait_until_healthy(
    port: int,
    within_s: float = 60.0,
    ended: Callable[[], str | None] = lambda: None,
    trust: ssl.SSLContext | None = None,
) -> None:
    """Wait for a server on loopback.

    Args:
        ended: its log, once its process has ended.
        trust: whose certificates are believed; None for plain HTTP.
    """
    url = f"{'http' if trust is None else 'https'}://127.0.0.1:{port}/_stcore/health"
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        log = ended()
        if log is not None:
            raise AssertionError(f"the server ended: {log}")
        try:
            if httpx.get(url, timeout=1.0, verify=trust or True).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise AssertionError(f"the server did not answer within {within_s:g} s")


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port
