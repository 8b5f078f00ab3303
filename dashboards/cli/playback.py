"""Playing a sound while it is still being written."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from dashboards.cli.player import Player
from generation.sound_blocks import Sound

_PIECE_S = 0.1
_LOOK_S = 0.05


class Playback:
    """A thread that plays what was announced as written, from the first frame on.

    Leaving the block waits for the last frame to be heard; an error, or Ctrl-C, stops the sound at once.

    Args:
        player: where it is heard.
        sound: that is being written.
        rate_hz: its sample rate.
        progress: called with the share that was heard.

    Raises:
        DeviceError: on leaving, where the device could not play.
    """

    def __init__(self, player: Player, sound: Sound, rate_hz: int, progress: Callable[[float], None]) -> None:
        self._player, self._sound, self._progress = player, sound, progress
        self._piece = max(round(_PIECE_S * rate_hz), 1)
        self._written = 0
        self._stopped = False
        self._more = threading.Condition()
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._play, daemon=True)

    def announce(self, n_frames: int) -> None:
        """The first `n_frames` of the sound are written.

        Raises:
            DeviceError: the device could not play.
        """
        with self._more:
            self._written = n_frames
            self._more.notify()
        if self._failure is not None:
            raise self._failure

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                # Waited for in pieces: a thread that is joined for good does not let Ctrl-C through.
                while self._thread.is_alive():
                    self._thread.join(_LOOK_S)
        finally:
            with self._more:
                self._stopped = True
                self._more.notify()
            self._thread.join()
        if kind is None and self._failure is not None:
            raise self._failure

    def _play(self) -> None:
        try:
            with self._player as player:
                heard = 0
                while heard < len(self._sound):
                    upto = self._wait_for(heard)
                    if self._stopped:
                        raise _Stopped
                    player.write(self._sound[heard:upto])
                    heard = upto
                    self._progress(heard / len(self._sound))
        except _Stopped:
            pass
        except Exception as problem:
            # Told where the command waits, not in a thread that nobody reads.
            self._failure = problem

    def _wait_for(self, heard: int) -> int:
        with self._more:
            self._more.wait_for(lambda: self._stopped or self._written > heard)
            return min(heard + self._piece, self._written)


class _Stopped(Exception):
    """The rest is not to be heard."""
