"""The other process that makes sessions' sound, so that the server goes on answering.

Started by its file name and spoken to over a pipe: it shares no memory with the
server, runs at a lower priority, and ends when the server does, however that ends.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection, Pipe
from pathlib import Path

from generation.engine import AffectJudge, Placement
from study.errors import IsopathError
from study.manifest import RenderManifest
from study.session import SessionPlan

NICENESS = 5
"""How far below the server the other process runs: it gives way, and is not starved by a busy server."""


class WorkerDied(Exception):
    """The other process is gone: killed for want of memory, by hand, or by a crash of a library."""


@dataclass(frozen=True)
class Order:
    """One session to be made.

    Args:
        sessions: the folder of all sessions.
    """

    plan: SessionPlan
    sessions: Path
    placement: Placement | None


@dataclass(frozen=True)
class Refused:
    """The session could not be made. Why is not said: it may name what the arm is made of."""


Told = float | RenderManifest | Refused


class RenderWorker:
    """The other process, as the server sees it. Not for several threads at once."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._pipe: Connection | None = None

    @property
    def process_id(self) -> int | None:
        """Of the process that runs now; None between two."""
        return None if self._process is None else self._process.pid

    def render(self, order: Order, progress: Callable[[float], None]) -> RenderManifest | Refused:
        """Have a session made; what is made already is only read.

        Raises:
            WorkerDied: the process ended before it answered; the next call starts another.
        """
        try:
            pipe = self._pipe or self.start()
            pipe.send(order)
            while True:
                told: Told = pipe.recv()
                if not isinstance(told, float):
                    return told
                progress(told)
        except (EOFError, OSError) as end:
            self.stop()
            raise WorkerDied from end

    def stop(self) -> None:
        """End the process at once; a half-made session is swept up by the next render."""
        process, pipe = self._process, self._pipe
        self._process = self._pipe = None
        if process is not None:
            process.kill()
            process.wait()
        if pipe is not None:
            pipe.close()

    def start(self) -> Connection:
        """Start the process; gives the pipe to it."""
        ours, theirs = Pipe()
        # Not by multiprocessing: it would run the main module again, and Streamlit puts pages there.
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "dashboards.server.render_worker", str(theirs.fileno())],
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
            )
        self._pipe = ours
        return ours


def work(pipe: Connection) -> None:
    """Answer orders until the server is gone."""
    while True:
        try:
            order: Order = pipe.recv()
        except EOFError:
            return
        pipe.send(_made(order, lambda share: pipe.send(float(share))))


def _made(order: Order, progress: Callable[[float], None]) -> RenderManifest | Refused:
    from generation.cohort import render_cohort

    try:
        (manifest,) = render_cohort([order.plan], order.sessions, 1, progress, order.placement, _judge)
    except (IsopathError, ArithmeticError, LookupError, ValueError, TypeError, RuntimeError):
        return Refused()
    return manifest


def _judge(name: str) -> AffectJudge:
    # Its model loads for those alone whose engine asks to be judged.
    from analysis.mer.judge import load_judge

    return load_judge(name)


def _end_with(parent: int) -> None:
    """End as soon as the server is gone, even in the middle of a session."""
    stopped = threading.Event()
    while os.getppid() == parent:
        stopped.wait(0.5)
    os._exit(1)


if __name__ == "__main__":
    # Ctrl-C reaches the whole group; the server ends this process when it is ready to.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.nice(NICENESS)
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    work(Connection(int(sys.argv[1])))
