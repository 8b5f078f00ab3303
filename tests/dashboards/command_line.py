"""Run the installed `isopath` as a person does."""

from __future__ import annotations

import atexit
import json
import os
import socket
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from signal import SIGALRM
from typing import Any, Self

ISOPATH = Path(sys.executable).with_name("isopath")
_READY = Path(__file__).with_name("ready_command.py")


@dataclass(frozen=True)
class Outcome:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def facts(self) -> dict[str, Any]:
        """What it printed with --json."""
        found: dict[str, Any] = json.loads(self.out)
        return found


def isopath(*arguments: str | Path, lines: str = "", cwd: Path | None = None) -> Outcome:
    """Run a command to its end, in a process that is a copy of one that has read the program already."""
    ready = _ready()
    # What Python itself is told (PYTHONPATH) it hears when it starts.
    if ready.told_python != _told_python():
        return isopath_anew(*arguments, lines=lines, cwd=cwd)
    return ready.run([str(ISOPATH), *map(str, arguments)], lines, cwd)


def isopath_anew(*arguments: str | Path, lines: str = "", cwd: Path | None = None) -> Outcome:
    """Run a command to its end, in a new interpreter: for runs that are compared and are to share nothing."""
    done = subprocess.run(
        [str(ISOPATH), *map(str, arguments)],
        input=lines,
        capture_output=True,
        text=True,
        timeout=300,
        cwd=cwd,
        check=False,
        env=_environment(),
    )
    return Outcome(done.returncode, done.stdout, done.stderr)


def refusal(outcome: Outcome) -> str:
    """The one message of a command that refused: exit code 2, no traceback, nothing else said."""
    assert outcome.code == 2, outcome
    assert "Traceback" not in outcome.err
    assert outcome.out == ""
    message = outcome.err.strip()
    assert message
    return message


def _environment() -> dict[str, str]:
    return {**os.environ, "COLUMNS": "200", "NO_COLOR": "1"}


def _told_python() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name.startswith("PYTHON")}


class _Ready:
    """The process that waits for commands, see `ready_command`; it ends with this one."""

    def __init__(self) -> None:
        self.told_python = _told_python()
        self._control, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", str(_READY), str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                env=_environment(),
            )
        self._lines = self._control.makefile("rw")

    @classmethod
    def started(cls) -> Self:
        ready = cls()
        atexit.register(ready.end)
        return ready

    def end(self) -> None:
        self._lines.close()
        self._control.close()
        self._process.wait(timeout=30)

    def run(self, argv: list[str], said: str, cwd: Path | None) -> Outcome:
        with tempfile.TemporaryDirectory(prefix="isopath-command-") as folder:
            place = Path(folder)
            files = {name: str(place / name) for name in ("stdin", "stdout", "stderr")}
            for name, text in (("stdin", said), ("stdout", ""), ("stderr", "")):
                (place / name).write_text(text)
            asked = {"argv": argv, "cwd": str(cwd or Path.cwd()), "environment": _environment(), **files}
            self._lines.write(json.dumps(asked) + "\n")
            self._lines.flush()
            code = int(self._lines.readline())
            assert code != -SIGALRM, f"{argv} did not end"
            return Outcome(code, (place / "stdout").read_text(), (place / "stderr").read_text())


@cache
def _ready() -> _Ready:
    return _Ready.started()
