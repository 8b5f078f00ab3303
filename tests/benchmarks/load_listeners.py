"""Simulated listeners: each tells the server every five seconds where its sound is.

Requests are timed from the moment they were due, so that a slow server cannot
hide behind a client that waits for it (coordinated omission).
"""

from __future__ import annotations

import asyncio
import json
import random
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.benchmarks.load_study import SESSION, Listener

EVERY_S = 5.0


@dataclass
class Outcome:
    """What a stretch of load came to.

    Args:
        latencies_s: from due to answered, of every post.
        sound_s: from due to the last byte, of every whole download.
    """

    latencies_s: list[float] = field(default_factory=list)
    sound_s: list[float] = field(default_factory=list)
    sound_bytes: int = 0
    refused: int = 0
    broken: int = 0
    wall_s: float = 0.0

    def percentile_ms(self, share: float) -> float:
        """Of the posts' latencies, in milliseconds."""
        ordered = sorted(self.latencies_s)
        return 1000.0 * ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")

    @property
    def posts_per_s(self) -> float:
        """Answered posts a second."""
        return len(self.latencies_s) / self.wall_s


async def listen_together(
    port: int, path: str, listeners: Sequence[Listener], seconds: float, downloads_per_s: float = 0.0
) -> Outcome:
    """Let everybody listen at once.

    Args:
        path: of the route that takes playback logs.
        downloads_per_s: whole session files fetched meanwhile, as people begin.
    """
    outcome, began = Outcome(), time.perf_counter()
    end = began + seconds + EVERY_S
    tasks = [_listen(port, path, listener, began, end, outcome) for listener in listeners]
    if downloads_per_s:
        tasks.append(_download(port, listeners, began, end, downloads_per_s, outcome))
    await asyncio.gather(*tasks)
    outcome.wall_s = seconds
    return outcome


async def _listen(
    port: int, path: str, listener: Listener, began: float, end: float, outcome: Outcome
) -> None:
    first = began + random.uniform(0.0, EVERY_S)
    player_id, tab_id, sequence = secrets.token_hex(8), secrets.token_hex(8), 0
    await asyncio.sleep(first - time.perf_counter())
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        due = first
        while due < end:
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            position_s = due - first
            kind = "play" if sequence == 0 else "position"
            entry = {
                "sequence": sequence,
                "kind": kind,
                "at_ms": round(position_s * 1000),
                "position_s": position_s,
            }
            body = {"tab_id": tab_id, "session_id": SESSION, "player_id": player_id, "entries": [entry]}
            writer.write(_post(port, path, listener.token, json.dumps(body).encode()))
            status, _ = await _answer(reader)
            # The first post of each is not counted: it opens connection and caches.
            if sequence and status == 200:
                outcome.latencies_s.append(time.perf_counter() - due)
            outcome.refused += status != 200
            sequence, due = sequence + 1, due + EVERY_S
        writer.close()
    except (OSError, EOFError):
        outcome.broken += 1


async def _download(
    port: int, listeners: Sequence[Listener], began: float, end: float, per_s: float, outcome: Outcome
) -> None:
    running, number = [], 0
    while (due := began + number / per_s) < end:
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        listener = listeners[number % len(listeners)]
        running.append(asyncio.create_task(_one_download(port, listener, due, outcome)))
        number += 1
    await asyncio.gather(*running)


async def _one_download(port: int, listener: Listener, due: float, outcome: Outcome) -> None:
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(
            f"GET /api/me/sound/{SESSION} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\n"
            f"cookie: isopath_link={listener.token}\r\n\r\n".encode()
        )
        status, size = await _answer(reader)
        writer.close()
    except (OSError, EOFError):
        outcome.broken += 1
        return
    if status == 200:
        outcome.sound_s.append(time.perf_counter() - due)
        outcome.sound_bytes += size
    outcome.refused += status != 200


def _post(port: int, path: str, token: str, body: bytes) -> bytes:
    head = (
        f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\norigin: http://127.0.0.1:{port}\r\n"
        f"cookie: isopath_link={token}\r\ncontent-type: application/json\r\n"
        f"content-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def _answer(reader: asyncio.StreamReader) -> tuple[int, int]:
    """Status and size of a response whose length is told, its body read and let go."""
    head = await reader.readuntil(b"\r\n\r\n")
    size = 0
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            size = int(value)
    left = size
    while left:
        left -= len(await reader.read(min(left, 1 << 18)) or b"x" * left)
    return int(head.split(b" ", 2)[1]), size
