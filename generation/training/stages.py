"""The stages of a training: named while they run, timed when they end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from generation.engine import Progress


class Stages:
    """Tells what is being done, and remembers how long it took.

    Args:
        progress_of: gives the progress of a stage by its name.
    """

    def __init__(self, progress_of: Callable[[str], Progress]) -> None:
        self._progress_of = progress_of
        self._seconds: dict[str, float] = {}

    @property
    def seconds(self) -> Mapping[str, float]:
        """Stage to seconds, in order; what an earlier run had done takes next to none."""
        return dict(self._seconds)

    @contextmanager
    def stage(self, name: str) -> Iterator[Progress]:
        """One stage; gives what to call with the share that is done."""
        progress, begun = self._progress_of(name), time.monotonic()
        yield progress
        progress(1.0)
        self._seconds[name] = round(time.monotonic() - begun, 3)
