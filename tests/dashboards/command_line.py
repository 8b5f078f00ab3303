"""Run the installed `isopath` as a person does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ISOPATH = Path(sys.executable).with_name("isopath")


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
    """Run a command to its end."""
    done = subprocess.run(
        [str(ISOPATH), *map(str, arguments)],
        input=lines,
        capture_output=True,
        text=True,
        timeout=300,
        cwd=cwd,
        check=False,
        env={**os.environ, "COLUMNS": "200", "NO_COLOR": "1"},
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
