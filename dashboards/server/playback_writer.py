"""Players' logs on their way to the record: those that arrive together share one transaction."""

from __future__ import annotations

import asyncio
from collections import deque
from concurrent.futures import ThreadPoolExecutor

from study.errors import StorageError
from study.founding import Study
from study.playback_states import PlaybackStates
from study.player_log import LogOutcome, PlaybackBatch, log_playback

ACTOR = "participant"
MOST_AT_ONCE = 200
"""Batches of one transaction: it bounds how long the record is held, and how long the last one waits."""
MOST_WAITING = 4_000
"""More than these are turned away, to be sent again: a disk that has stopped must not fill the memory."""


class PlaybackWriter:
    """Writes batches in a thread of its own, one transaction at a time.

    What arrives while a transaction is under way goes into the next one together,
    so that the cost of a commit is shared by however many people listen.
    """

    def __init__(self, study: Study) -> None:
        self._study = study
        self._states = PlaybackStates()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="playback")
        self._waiting: deque[tuple[PlaybackBatch, asyncio.Future[LogOutcome]]] = deque()
        self._writing: asyncio.Task[None] | None = None

    async def log(self, batch: PlaybackBatch) -> LogOutcome:
        """What became of a batch, once it is on disk.

        Raises:
            StorageError, RecordError: nothing of it was written; it may be sent again.
        """
        if len(self._waiting) >= MOST_WAITING:
            raise StorageError("the playback log", "has too many batches waiting", "send it again later")
        outcome: asyncio.Future[LogOutcome] = asyncio.get_running_loop().create_future()
        self._waiting.append((batch, outcome))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self.run())
        return await outcome

    async def run(self) -> None:
        """Write until nothing waits; `log` starts it."""
        loop = asyncio.get_running_loop()
        while self._waiting:
            taken = [self._waiting.popleft() for _ in range(min(len(self._waiting), MOST_AT_ONCE))]
            batches = [batch for batch, _ in taken]
            try:
                outcomes = await loop.run_in_executor(self._thread, self._write, batches)
            # Whatever it is, everybody who waits is told that nothing of theirs is on disk.
            except Exception as problem:
                for _, future in taken:
                    if not future.done():
                        future.set_exception(problem)
                continue
            for (_, future), outcome in zip(taken, outcomes, strict=True):
                if not future.done():
                    future.set_result(outcome)

    def _write(self, batches: list[PlaybackBatch]) -> list[LogOutcome]:
        return log_playback(self._study, ACTOR, batches, self._states)

    async def close(self) -> None:
        """Write what waits, then end the thread."""
        if self._writing is not None:
            await self._writing
        self._thread.shutdown(wait=True)
