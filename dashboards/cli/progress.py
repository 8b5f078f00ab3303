"""Progress bars, on standard error, so that standard output stays clean for scripts."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)

_QUIET_S = 2.0


@contextmanager
def bar(what: str) -> Iterator[Callable[[float], None]]:
    """A bar for one piece of work; the caller tells the share done, 0 to 1."""
    with _bars() as progress:
        task = progress.add_task(what, total=1.0)
        yield lambda share: progress.update(task, completed=share)


@contextmanager
def bars(*works: str) -> Iterator[tuple[Callable[[float], None], ...]]:
    """A bar for each of several pieces of work that go on at once; the caller tells each one's share."""
    with _bars() as progress:
        yield tuple(_shown_by(progress, what) for what in works)


@contextmanager
def counted_bar() -> Iterator[Callable[[str, int, int], None]]:
    """Bars for several pieces of work in turn; the caller tells what, how many done, of how many."""
    with _bars() as progress:
        tasks = {}

        def told(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = progress.add_task(what, total=total)
            progress.update(tasks[what], completed=done)

        yield told


@contextmanager
def late_counted_bar() -> Iterator[Callable[[str, int, int], None]]:
    """Bars as of `counted_bar`, which appear only when the work takes over two seconds.

    A piece of work counts as done when the next one begins.
    """
    progress, since = _bars(), time.monotonic()
    tasks: dict[str, TaskID] = {}

    def told(what: str, done: int, total: int) -> None:
        if what not in tasks:
            for task in progress.tasks:
                progress.update(task.id, completed=task.total)
            tasks[what] = progress.add_task(what, total=total)
        progress.update(tasks[what], completed=done, total=total)
        if not progress.live.is_started and time.monotonic() - since > _QUIET_S:
            progress.start()

    try:
        yield told
    finally:
        # To stop what was never shown would still print an empty line.
        if progress.live.is_started:
            progress.stop()


def _bars() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
    )


def _shown_by(progress: Progress, what: str) -> Callable[[float], None]:
    task = progress.add_task(what, total=1.0)
    return lambda share: progress.update(task, completed=share)


class LateBar:
    """A bar of whole files that appears only when the work takes over two seconds.

    Args:
        n_files: how many there are.
    """

    def __init__(self, n_files: int) -> None:
        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._task = self._bar.add_task("hearing", total=n_files)
        self._since = time.monotonic()

    def __enter__(self) -> LateBar:
        return self

    def named(self, name: str) -> Callable[[float], None]:
        """What to call with the seconds heard of the file of that name."""

        def show(heard_s: float) -> None:
            if not self._bar.live.is_started and time.monotonic() - self._since > _QUIET_S:
                self._bar.start()
            self._bar.update(self._task, description=f"hearing {name} {clock(heard_s)}")

        return show

    def finish_file(self) -> None:
        """Count a file as done."""
        self._bar.advance(self._task)

    def __exit__(self, *_: object) -> None:
        self._bar.stop()


def clock(seconds: float) -> str:
    """Minutes and seconds: 3:07."""
    whole = round(seconds)
    return f"{whole // 60}:{whole % 60:02d}"
