"""The program's stages: a bar for each, and how long each took, over all runs together."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from study.folder import write_whole


class Advance(Protocol):
    """Called as work is done, with how much; one piece where nothing is said."""

    def __call__(self, amount: float = 1) -> None: ...


class Stages:
    """Stages of one scale.

    Args:
        file: keeps the seconds of every stage; what an interrupted run took counts, too.
        out: where the bars are drawn.
    """

    def __init__(self, file: Path, out: Console) -> None:
        self._file, self._out = file, out
        self._seconds: dict[str, float] = json.loads(file.read_text()) if file.is_file() else {}

    @property
    def seconds(self) -> Mapping[str, float]:
        """Stage to seconds, in the order in which they were first begun."""
        return dict(self._seconds)

    @contextmanager
    def stage(self, name: str, total: float) -> Iterator[Advance]:
        """One stage of work that is counted."""
        with self._bar() as bar, self._timed(name):
            task = bar.add_task(name, total=max(total, 1e-9))

            def advance(amount: float = 1) -> None:
                bar.advance(task, amount)

            yield advance
            bar.update(task, completed=max(total, 1e-9))

    @contextmanager
    def shares(self, name: str) -> Iterator[Callable[[str], Callable[[float], None]]]:
        """One stage that tells shares of parts of it, each by its name."""
        with self._bar() as bar, self._timed(name):

            def part(what: str) -> Callable[[float], None]:
                task = bar.add_task(f"{name}: {what}" if what else name, total=1.0)
                return lambda share: bar.update(task, completed=share)

            yield part

    @contextmanager
    def _timed(self, name: str) -> Iterator[None]:
        before, begun = self._seconds.get(name, 0.0), time.monotonic()
        try:
            yield
        finally:
            self._seconds[name] = round(before + time.monotonic() - begun, 2)
            self._file.parent.mkdir(parents=True, exist_ok=True)
            write_whole(self._file, (json.dumps(self._seconds, indent=1) + "\n").encode())

    def _bar(self) -> Progress:
        columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
        return Progress(*columns, console=self._out)
